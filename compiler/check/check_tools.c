/* SPDX-License-Identifier: Apache-2.0 */
/* check_tools.c - which pinned tools a rule speaks of, and what their schemas say of an argument.
 *
 * Only where every server that the rule covers is pinned and closed is the answer complete, and
 * only then is a missing tool or argument an error. An argument must exist in one of the rule's
 * tools at least; where it can be absent from a call, the reader is warned unless `has` or `??`
 * shows that the author knew. */
#include "compiler/check/check_internal.h"
#include "compiler/pattern/automaton.h"

enum { SCRATCH_BYTES_MAX = 256 * 1024 * 1024 };

bool rule_covers(const struct rule *rule, Str alias)
{
    for (const struct name *name = rule->servers; name; name = name->next)
        if (str_eq(name->text, alias))
            return true;
    return rule->servers == NULL;
}

/* ------------------------------- patterns ------------------------------- */

/* The bytes [lo, hi) of a tool's name in the source; the whole string if it holds escapes. */
static Span span_in_string(const struct checker *c, const struct name *name, size_t lo, size_t hi)
{
    Str source = c->sources->items[name->span.source].text;
    Str raw = str_sub(source, name->span.lo, name->span.hi);
    if (raw.n != name->text.n + 2 || hi > name->text.n)
        return name->span;
    return (Span){ .source = name->span.source,
                   .lo = name->span.lo + 1 + (uint32_t)lo,
                   .hi = name->span.lo + 1 + (uint32_t)hi };
}

struct tool_walk {
    const struct name *name;
    bool is_glob;
    struct automaton automaton;
    bool has_automaton;
    bool is_found;
};

/* Marks the snapshot's tools that the name means; marks has one for each. */
static void match_server(struct tool_walk *walk, const struct snapshot *snapshot, bool *marks)
{
    const struct pinned_tool *only =
        walk->is_glob ? NULL : snapshot_tool(snapshot, walk->name->text);
    if (only) {
        walk->is_found = true;
        marks[only - snapshot->tools] = true;
    }
    for (uint32_t i = 0; walk->has_automaton && i < snapshot->tool_count; i++)
        if (automaton_run(&walk->automaton, snapshot->tools[i].name)) {
            walk->is_found = true;
            marks[i] = true;
        }
}

static Str nearest_tool(const struct checker *c, const struct rule *rule, Str name)
{
    Str best = { .p = NULL, .n = 0 };
    size_t distance = SIZE_MAX;
    for (const struct server_decl *s = c->policy->servers; s; s = s->next)
        for (uint32_t i = 0;
             s->snapshot && rule_covers(rule, s->alias) && i < s->snapshot->tool_count; i++)
            suggest(s->snapshot->tools[i].name, name, &best, &distance);
    return best;
}

static void report_no_tool(struct checker *c, const struct rule *rule, const struct tool_walk *walk)
{
    if (walk->is_glob && rule->claim) /* check_what_is_claimed looks at all names together */
        return;
    Str where = servers_text(c, rule);
    enum diag_id id = walk->is_glob ? DIAG_NO_TOOL_MATCHES : DIAG_UNKNOWN_TOOL;
    diag_add(c->diags, id, walk->name->span, STR_ARG(walk->name->text), STR_ARG(where));
    if (!walk->is_glob)
        help_nearest(c, nearest_tool(c, rule, walk->name->text));
}

/* Builds the pattern's automaton in scratch memory; a bad pattern is reported. */
static void build_glob(struct checker *c, struct tool_walk *walk, struct arena *scratch)
{
    struct automaton_error error = { .text = "", .lo = 0, .hi = 0 };
    enum status status =
        automaton_build(&walk->name->text, 1, AUTOMATON_TOOL, scratch, &walk->automaton, &error);
    walk->has_automaton = status == ST_OK;
    if (status == ST_OK)
        return;
    Span span = span_in_string(c, walk->name, error.lo, error.hi);
    diag_add(c->diags, status == ST_INVALID ? DIAG_BAD_PATTERN : DIAG_PATTERN_TOO_LARGE, span,
             error.text);
}

static void check_tool_name(struct checker *c, const struct rule *rule, const struct name *name,
                            bool *marks)
{
    struct tool_walk walk = { .name = name, .is_glob = pattern_is_glob(name->text) };
    if (!name->text.n)
        diag_add(c->diags, DIAG_EMPTY_TOOL, name->span, "tool");
    if (name->text.n > TEXT_BYTES_MAX)
        diag_add(c->diags, DIAG_TEXT_TOO_LONG, name->span, TEXT_BYTES_MAX);
    if (!name->text.n || name->text.n > TEXT_BYTES_MAX)
        return;
    struct arena scratch;
    arena_init(&scratch, SCRATCH_BYTES_MAX);
    if (walk.is_glob)
        build_glob(c, &walk, &scratch);
    for (const struct server_decl *s = c->policy->servers; s; s = s->next) {
        if (!s->snapshot || !rule_covers(rule, s->alias))
            continue;
        match_server(&walk, s->snapshot, marks);
        marks += s->snapshot->tool_count;
    }
    if (c->scope.is_closed && !walk.is_found && (!walk.is_glob || walk.has_automaton))
        report_no_tool(c, rule, &walk);
    arena_reset(&scratch);
}

/* Could the effect be, for some arguments, one of the rule's, and has the tool one of its flags? */
bool rule_takes_class(const struct rule *rule, const struct tool_class *class)
{
    uint32_t flags = class ? class->flags : 0;
    uint32_t effects = UINT32_C(1) << (class ? class->effect : TOOL_UNCLASSIFIED);
    for (const struct variant_value *v = class ? class->values : NULL; v; v = v->next)
        effects |= UINT32_C(1) << v->effect;
    return (!rule->effects || (rule->effect_set & effects)) &&
           (!rule->flags || (rule->flag_set & flags));
}

void check_rule_tools(struct checker *c, const struct rule *rule)
{
    uint32_t count = 0;
    bool is_closed = c->policy->servers != NULL;
    for (const struct server_decl *s = c->policy->servers; s; s = s->next) {
        if (!rule_covers(rule, s->alias))
            continue;
        is_closed &= s->snapshot && !s->is_open;
        count += s->snapshot ? s->snapshot->tool_count : 0;
    }
    for (const struct name *name = rule->servers; name; name = name->next)
        is_closed &= symbol_find(&c->servers, name->text) != NULL;
    c->scope = (struct scope){ .is_closed = is_closed };
    bool *marks = check_memory(c, ARENA_NEW(c->mem, bool, count));
    c->scope.tools = check_memory(c, ARENA_NEW(c->mem, const struct pinned_tool *, count));
    if (!marks || !c->scope.tools)
        return;
    for (const struct name *name = rule->names; name; name = name->next)
        check_tool_name(c, rule, name, marks);
    for (uint32_t i = 0; i < count && !rule->names; i++)
        marks[i] = true;
    for (const struct server_decl *s = c->policy->servers; s; s = s->next) {
        if (!s->snapshot || !rule_covers(rule, s->alias))
            continue;
        for (uint32_t i = 0; i < s->snapshot->tool_count; i++)
            if (*marks++ &&
                rule_takes_class(rule, class_find(s->classes, s->snapshot->tools[i].name)))
                c->scope.tools[c->scope.count++] = &s->snapshot->tools[i];
    }
}

/* ------------------------------- arguments ------------------------------ */

Str field_text(struct checker *c, const struct expr *field)
{
    Str source = c->sources->items[field->span.source].text;
    return str_sub(source, field->span.lo, field->span.hi);
}

enum outcome {
    OUTCOME_FOUND,     /* declared */
    OUTCOME_OPEN,      /* not declared, but the schema lets more occur */
    OUTCOME_ABSENT,    /* not declared, and nothing else may occur */
    OUTCOME_NO_OBJECT, /* what should hold it is no object */
};

struct look {
    enum outcome outcome;
    const struct schema *schema; /* FOUND: of the field; else: of what should hold it */
    const struct name *key;      /* else: the key that could not be followed */
    bool is_required;
};

static struct look look_up(const struct pinned_tool *tool, const struct expr *field)
{
    struct look look = { .schema = tool->arguments, .is_required = true };
    for (look.key = field->path; look.key; look.key = look.key->next) {
        if (!(look.schema->types & SCHEMA_OBJECT)) {
            look.outcome = OUTCOME_NO_OBJECT;
            return look;
        }
        const struct schema_member *member = schema_member(look.schema, look.key->text);
        if (!member) {
            look.outcome = look.schema->is_open ? OUTCOME_OPEN : OUTCOME_ABSENT;
            return look;
        }
        look.is_required &= member->is_required && look.schema->types == SCHEMA_OBJECT;
        look.schema = member->schema;
    }
    look.outcome = OUTCOME_FOUND;
    return look;
}

static enum type_kind kind_of_types(uint32_t types)
{
    switch (types & ~(uint32_t)SCHEMA_NULL) {
    case SCHEMA_BOOL: return TYPE_BOOL;
    case SCHEMA_INTEGER:
    case SCHEMA_NUMBER:
    case SCHEMA_NUMBER | SCHEMA_INTEGER: return TYPE_NUMBER;
    case SCHEMA_STRING: return TYPE_STRING;
    case SCHEMA_ARRAY: return TYPE_LIST;
    case SCHEMA_OBJECT: return TYPE_OBJECT;
    case 0: return types ? TYPE_NULL : TYPE_ANY;
    default: return TYPE_ANY;
    }
}

Type type_of_schema(const struct schema *schema)
{
    Type type = { .kind = kind_of_types(schema->types), .element = TYPE_ANY };
    if (type.kind == TYPE_LIST && schema->items)
        type.element = kind_of_types(schema->items->types);
    return type;
}

static Type merge(Type a, Type b)
{
    if (a.kind != b.kind)
        return (Type){ .kind = TYPE_ANY, .element = TYPE_ANY };
    a.element = a.element == b.element ? a.element : TYPE_ANY;
    return a;
}

/* What all tools of the scope together say of a field. */
struct survey {
    const struct schema *schema; /* when all that have it agree */
    uint32_t found, open;
    Type type;
    const struct pinned_tool *lacking; /* a tool whose call may come without it */
    struct look failed;                /* the first look that found nothing */
};

static struct survey survey_field(const struct checker *c, const struct expr *field)
{
    struct survey all = { .type = { .kind = TYPE_ANY, .element = TYPE_ANY } };
    for (uint32_t i = 0; i < c->scope.count; i++) {
        struct look look = look_up(c->scope.tools[i], field);
        if (look.outcome == OUTCOME_FOUND) {
            Type type = type_of_schema(look.schema);
            all.schema = all.found == 0 || all.schema == look.schema ? look.schema : NULL;
            all.type = all.found++ ? merge(all.type, type) : type;
        } else if (look.outcome == OUTCOME_OPEN) {
            all.open++;
        } else if (!all.failed.key) {
            all.failed = look;
        }
        bool may_lack =
            look.outcome != OUTCOME_OPEN && (look.outcome != OUTCOME_FOUND || !look.is_required);
        if (may_lack && !all.lacking)
            all.lacking = c->scope.tools[i];
    }
    if (all.open || !c->scope.is_closed) {
        all.type = (Type){ .kind = TYPE_ANY, .element = TYPE_ANY };
        all.schema = NULL;
    }
    return all;
}

/* The keys before the one that failed, as written: "args.filter". */
static Str path_before(struct checker *c, const struct expr *field, const struct name *key)
{
    uint32_t lo = field->span.lo, hi = lo;
    for (const struct name *k = field->path; k && k != key; k = k->next)
        hi = k->span.hi;
    return str_sub(c->sources->items[field->span.source].text, lo, hi > lo ? hi : lo + 4);
}

static Str nearest_member(const struct checker *c, const struct expr *field, const struct name *key)
{
    Str best = { .p = NULL, .n = 0 };
    size_t distance = SIZE_MAX;
    for (uint32_t i = 0; i < c->scope.count; i++) {
        struct look look = look_up(c->scope.tools[i], field);
        if (look.outcome != OUTCOME_ABSENT || look.key != key)
            continue;
        for (uint32_t m = 0; m < look.schema->member_count; m++)
            suggest(look.schema->members[m].key, key->text, &best, &distance);
    }
    return best;
}

static Str tools_text(struct checker *c)
{
    if (c->scope.count == 1)
        return arena_printf(c->mem, "\"%.*s\"", STR_ARG(c->scope.tools[0]->name));
    return arena_printf(c->mem, "any of the rule's %u tools", c->scope.count);
}

static const char *schema_words(const struct schema *schema)
{
    switch (kind_of_types(schema->types)) {
    case TYPE_BOOL: return "a boolean";
    case TYPE_NUMBER: return "a number";
    case TYPE_STRING: return "a string";
    case TYPE_LIST: return "a list";
    case TYPE_NULL: return "null";
    case TYPE_OBJECT: return "an object";
    default: break;
    }
    return "no object";
}

static void report_no_object(struct checker *c, Str whole, const struct look *look)
{
    const struct name *key = look->key;
    Str what = str_of(schema_words(look->schema));
    diag_add(c->diags, DIAG_NO_MEMBERS, key->span, STR_ARG(whole), STR_ARG(what),
             STR_ARG(key->text));
}

static void report_unknown(struct checker *c, Str whole, const struct name *key)
{
    Str tools = tools_text(c);
    if (whole.n)
        diag_add(c->diags, DIAG_UNKNOWN_MEMBER, key->span, STR_ARG(whole), STR_ARG(key->text));
    else
        diag_add(c->diags, DIAG_UNKNOWN_ARGUMENT, key->span, STR_ARG(key->text), STR_ARG(tools));
}

static void report_absent(struct checker *c, const struct expr *field, const struct look *look)
{
    const struct name *key = look->key;
    ENSURE(key != NULL); /* some key could not be followed */
    Str whole = path_before(c, field, key);
    if (look->outcome == OUTCOME_NO_OBJECT) {
        report_no_object(c, whole, look);
        return;
    }
    report_unknown(c, key == field->path ? STR("") : whole, key);
    help_nearest(c, nearest_member(c, field, key));
}

/* True when b's path is a's, or begins with it. */
static bool is_within(const struct expr *a, const struct expr *b)
{
    const struct name *x = a->path, *y = b->path;
    while (x && y && str_eq(x->text, y->text)) {
        x = x->next;
        y = y->next;
    }
    return a->root == b->root && !x;
}

static bool is_noted(const struct field_note *notes, const struct expr *field)
{
    for (; notes; notes = notes->next)
        if (is_within(field, notes->field))
            return true;
    return false;
}

static void warn_unguarded(struct checker *c, const struct expr *field,
                           const struct pinned_tool *tool)
{
    if (is_noted(c->guards, field) || is_noted(c->warned, field))
        return;
    struct field_note *note = check_memory(c, ARENA_NEW(c->mem, struct field_note, 1));
    if (!note)
        return;
    *note = (struct field_note){ .field = field, .next = c->warned };
    c->warned = note;
    Str text = field_text(c, field);
    diag_add(c->diags, DIAG_UNGUARDED_ARGUMENT, field->span, STR_ARG(text), STR_ARG(tool->name));
    diag_help(c->diags, "then this is unknown and the %s; give a default with '?\?' or ask 'has'",
              c->rule->effect == EFFECT_ALLOW ? "allow fails" : "deny acts");
}

Type check_argument(struct checker *c, struct expr *field, bool is_guarded)
{
    static const Type error = { .kind = TYPE_ERROR, .element = TYPE_ERROR };
    struct survey all = survey_field(c, field);
    if (c->scope.is_closed && c->scope.count && !all.found && !all.open) {
        report_absent(c, field, &all.failed);
        return error;
    }
    if (c->scope.is_closed && all.lacking && !is_guarded)
        warn_unguarded(c, field, all.lacking);
    field->schema = all.schema;
    return all.type;
}

const struct pinned_tool *tool_without(const struct checker *c, const struct expr *field)
{
    for (uint32_t i = 0; i < c->scope.count; i++) {
        enum outcome outcome = look_up(c->scope.tools[i], field).outcome;
        if (outcome == OUTCOME_ABSENT || outcome == OUTCOME_NO_OBJECT)
            return c->scope.tools[i];
    }
    return NULL;
}

/* A value of one known schema: what a function finds, an element, a member. */
static void check_known_value(struct checker *c, const struct expr *value, Str text, Span span)
{
    const struct schema *schema = value->schema;
    Str best = { .p = NULL, .n = 0 }, all = { .p = NULL, .n = 0 };
    size_t distance = SIZE_MAX;
    for (uint32_t i = 0; schema && i < schema->enum_count; i++) {
        Str one = schema->enum_strings[i];
        if (str_eq(one, text))
            return;
        suggest(one, text, &best, &distance);
        all = arena_printf(c->mem, "%.*s%s\"%.*s\"", STR_ARG(all), all.n ? ", " : "", STR_ARG(one));
    }
    if (!schema || !schema->enum_count)
        return;
    Str name = field_text(c, value);
    diag_add(c->diags, DIAG_ENUM_VALUE, span, STR_ARG(name), STR_ARG(text));
    if (best.n)
        help_nearest(c, best);
    else
        diag_help(c->diags, "it is one of %.*s", STR_ARG(all));
}

void check_enum_value(struct checker *c, const struct expr *field, Str text, Span span)
{
    if (expr_behind(field)->kind == EXPR_MEMBER) {
        check_known_value(c, expr_behind(field), text, span);
        return;
    }
    Str best = { .p = NULL, .n = 0 };
    size_t distance = SIZE_MAX;
    field = expr_behind(field);
    if (field->kind != EXPR_FIELD || field->root != ROOT_ARGS || !c->scope.is_closed)
        return;
    uint32_t enums = 0;
    for (uint32_t i = 0; i < c->scope.count; i++) {
        struct look look = look_up(c->scope.tools[i], field);
        if (look.outcome == OUTCOME_OPEN ||
            (look.outcome == OUTCOME_FOUND && !look.schema->enum_count))
            return;
        if (look.outcome != OUTCOME_FOUND)
            continue;
        enums++;
        for (uint32_t k = 0; k < look.schema->enum_count; k++) {
            if (str_eq(look.schema->enum_strings[k], text))
                return;
            suggest(look.schema->enum_strings[k], text, &best, &distance);
        }
    }
    if (!enums)
        return;
    Str name = field_text(c, field);
    diag_add(c->diags, DIAG_ENUM_VALUE, span, STR_ARG(name), STR_ARG(text));
    help_nearest(c, best);
}
