/* SPDX-License-Identifier: Apache-2.0 */
/* check_call.c - what is read out of values: members, elements, functions, and quantifiers with
 * their variables. What a domain function finds has a JSON Schema (domain.def), and its members are
 * checked by it as arguments are by a pinned tool's. */
#include "compiler/check/check_internal.h"
#include "compiler/source/zone.h"
#include "runtime/domain/domain.h"

static const Type type_error = { .kind = TYPE_ERROR, .element = TYPE_ERROR };

static Type simple(enum type_kind kind)
{
    return (Type){ .kind = kind, .element = TYPE_ANY };
}

static Type schema_type(struct expr *expr, const struct schema *schema)
{
    expr->schema = schema;
    return schema ? type_of_schema(schema) : simple(TYPE_ANY);
}

/* -------------------------------- roots --------------------------------- */

static const struct {
    enum field_root root;
    Str key;
    enum b_slot_root slot;
    Type type;
} roots[] = {
    // clang-format off
    { ROOT_PRINCIPAL, STR_INIT("id"), B_SLOT_PRINCIPAL_ID, { TYPE_STRING, TYPE_ANY } },
    { ROOT_PRINCIPAL, STR_INIT("groups"), B_SLOT_PRINCIPAL_GROUPS, { TYPE_LIST, TYPE_STRING } },
    { ROOT_PRINCIPAL, STR_INIT("attributes"), B_SLOT_PRINCIPAL_ATTRIBUTES, { TYPE_OBJECT, TYPE_ANY } },
    { ROOT_GRANT, STR_INIT("label"), B_SLOT_GRANT_LABEL, { TYPE_STRING, TYPE_ANY } },
    { ROOT_CLIENT, STR_INIT("name"), B_SLOT_CLIENT_NAME, { TYPE_STRING, TYPE_ANY } },
    { ROOT_CLIENT, STR_INIT("version"), B_SLOT_CLIENT_VERSION, { TYPE_STRING, TYPE_ANY } },
    { ROOT_CLIENT, STR_INIT("address"), B_SLOT_CLIENT_ADDRESS, { TYPE_STRING, TYPE_ANY } },
    { ROOT_CALL, STR_INIT("name"), B_SLOT_CALL_NAME, { TYPE_STRING, TYPE_ANY } },
    { ROOT_CALL, STR_INIT("server"), B_SLOT_CALL_SERVER, { TYPE_STRING, TYPE_ANY } },
    { ROOT_CALL, STR_INIT("method"), B_SLOT_CALL_METHOD, { TYPE_STRING, TYPE_ANY } },
    // clang-format on
};

static void report_root(struct checker *c, const struct expr *expr)
{
    Str best = { .p = NULL, .n = 0 }, word = field_text(c, expr);
    size_t distance = SIZE_MAX;
    word.n =
        (size_t)(memchr(word.p, '.', word.n) ? (const char *)memchr(word.p, '.', word.n) - word.p
                                             : (ptrdiff_t)word.n);
    for (size_t i = 0; i < COUNT(roots); i++)
        if (roots[i].root == expr->root)
            suggest(roots[i].key, expr->path->text, &best, &distance);
    diag_add(c->diags, DIAG_UNKNOWN_ROOT_MEMBER, expr->path->span, STR_ARG(word),
             STR_ARG(expr->path->text));
    help_nearest(c, best);
}

/* A field of the caller, the grant, the client or the call itself. */
Type check_root(struct checker *c, struct expr *expr)
{
    if (expr->root == ROOT_NOW) {
        expr->slot_root = B_SLOT_NOW;
        return simple(TYPE_INSTANT);
    }
    for (size_t i = 0; i < COUNT(roots); i++) {
        const struct name *key = expr->path;
        if (roots[i].root != expr->root || !str_eq(roots[i].key, key->text))
            continue;
        expr->slot_root = roots[i].slot;
        bool is_open = roots[i].slot == B_SLOT_PRINCIPAL_ATTRIBUTES;
        if (is_open && key->next)
            return simple(TYPE_ANY);
        if (!key->next && !is_open)
            return roots[i].type;
        Str whole = field_text(c, expr), what = type_word(roots[i].type);
        if (!key->next) {
            diag_add(c->diags, DIAG_NO_VALUE, expr->span, STR_ARG(whole));
            diag_help(c->diags, "name one: principal.attributes.team");
            return type_error;
        }
        whole.n = key->span.hi - expr->span.lo;
        diag_add(c->diags, DIAG_NO_MEMBERS, key->next->span, STR_ARG(whole), STR_ARG(what),
                 STR_ARG(key->next->text));
        return type_error;
    }
    report_root(c, expr);
    return type_error;
}

/* ------------------------- members and elements ------------------------- */

static const struct {
    Str key;
    enum type_kind kind;
} clock_members[] = {
    { STR_INIT("time"), TYPE_TIME },
    { STR_INIT("date"), TYPE_DATE },
    { STR_INIT("hour"), TYPE_NUMBER },
    { STR_INIT("weekday"), TYPE_STRING },
};

static const struct schema *own_schema(struct checker *c, const char *text);

static const struct schema *weekday_schema(struct checker *c)
{
    static const char days[] = "{\"type\":\"object\",\"properties\":{\"weekday\":{\"enum\":"
                               "[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\",\"sat\",\"sun\"]}}}";
    const struct schema **known = &c->function_schemas[FN_CLOCK];
    if (!*known)
        *known = own_schema(c, days);
    const struct schema_member *member = *known ? schema_member(*known, STR("weekday")) : NULL;
    return member ? member->schema : NULL;
}

static Type check_clock_member(struct checker *c, struct expr *expr)
{
    Str best = { .p = NULL, .n = 0 };
    size_t distance = SIZE_MAX;
    for (size_t i = 0; i < COUNT(clock_members); i++) {
        if (str_eq(clock_members[i].key, expr->text)) {
            if (clock_members[i].kind == TYPE_STRING)
                expr->schema = weekday_schema(c);
            return simple(clock_members[i].kind);
        }
        suggest(clock_members[i].key, expr->text, &best, &distance);
    }
    diag_add(c->diags, DIAG_UNKNOWN_MEMBER, expr->span, STR_ARG(STR("clock(...)")),
             STR_ARG(expr->text));
    help_nearest(c, best);
    return type_error;
}

static Type report_member(struct checker *c, const struct expr *expr)
{
    const struct schema *schema = expr->left->schema;
    Str best = { .p = NULL, .n = 0 }, whole = field_text(c, expr->left);
    size_t distance = SIZE_MAX;
    for (uint32_t i = 0; i < schema->member_count; i++)
        suggest(schema->members[i].key, expr->text, &best, &distance);
    diag_add(c->diags, DIAG_UNKNOWN_MEMBER, expr->span, STR_ARG(whole), STR_ARG(expr->text));
    help_nearest(c, best);
    return type_error;
}

static Type check_member_behind(struct checker *c, struct expr *expr, Type left)
{
    const struct expr *behind = expr_behind(expr->left);
    if (left.kind == TYPE_ERROR)
        return left;
    if (behind->kind == EXPR_CALL && behind->function == FN_CLOCK)
        return check_clock_member(c, expr);
    if (left.kind != TYPE_ANY && left.kind != TYPE_OBJECT) {
        Str whole = field_text(c, expr->left), what = type_word(left);
        diag_add(c->diags, DIAG_NO_MEMBERS, expr->span, STR_ARG(whole), STR_ARG(what),
                 STR_ARG(expr->text));
        return type_error;
    }
    const struct schema *schema = expr->left->schema;
    const struct schema_member *member = schema ? schema_member(schema, expr->text) : NULL;
    if (member)
        return schema_type(expr, member->schema);
    if (schema && !schema->is_open && schema->types == SCHEMA_OBJECT)
        return report_member(c, expr);
    return simple(TYPE_ANY);
}

Type check_member_of(struct checker *c, struct expr *expr)
{
    return check_member_behind(c, expr, check_value(c, expr->left));
}

/* The type of a list's elements, and their schema into *schema. */
static Type element_of(const struct expr *list, Type type, const struct schema **schema)
{
    *schema = list->schema && (list->schema->types & SCHEMA_ARRAY) ? list->schema->items : NULL;
    if (*schema)
        return type_of_schema(*schema);
    return simple(type.kind == TYPE_LIST ? type.element : TYPE_ANY);
}

static bool may_be_list(Type type)
{
    return type.kind == TYPE_LIST || type.kind == TYPE_ANY || type.kind == TYPE_ERROR;
}

static Type check_index_behind(struct checker *c, struct expr *expr, Type left)
{
    if (left.kind == TYPE_ERROR)
        return left;
    if (!may_be_list(left)) {
        diag_add(c->diags, DIAG_INDEX_OPERAND, expr->left->span, STR_ARG(type_word(left)));
        return type_error;
    }
    return element_of(expr->left, left, &expr->schema);
}

Type check_index(struct checker *c, struct expr *expr)
{
    return check_index_behind(c, expr, check_value(c, expr->left));
}

/* ------------------------------ functions ------------------------------- */

/* A schema that is ours: read as a tool's, which gives its arguments. */
static const struct schema *own_schema(struct checker *c, const char *text)
{
    struct snapshot snapshot;
    Span nowhere = { .source = c->source, .lo = 0, .hi = 0 };
    Str whole = arena_printf(c->mem, "[{\"name\":\"x\",\"inputSchema\":%s}]", text);
    if (!whole.p || !snapshot_parse(whole, STR("domain"), nowhere, c->mem, c->diags, &snapshot))
        return NULL;
    return snapshot.tools[0].arguments;
}

static const struct schema *domain_schema(struct checker *c, enum function function)
{
    static const char cli[] =
        "{\"type\":\"object\",\"properties\":{\"program\":{\"type\":\"string\"},"
        "\"words\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
        "\"argv\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
        "\"flags\":{\"type\":\"object\",\"additionalProperties\":true}}}";
    const struct schema **known = &c->function_schemas[function];
    if (!*known)
        *known = own_schema(c, function == FN_CLI ? cli : domain_table[function].schema);
    return *known;
}

static void need(struct checker *c, struct expr *value, enum type_kind kind, Str function)
{
    Type type = check_value(c, value);
    if (type.kind == kind || type.kind == TYPE_ANY || type.kind == TYPE_ERROR)
        return;
    Str word = type_word(simple(kind));
    diag_add(c->diags, DIAG_FUNCTION_OPERAND, value->span, STR_ARG(function), STR_ARG(word),
             STR_ARG(type_word(type)));
}

/* A constant string among a function's values; false after a report. */
static bool need_constant(struct checker *c, const struct expr *value, Str function, Str *text)
{
    if (value && expr_text(c, value, text))
        return true;
    if (value)
        diag_add(c->diags, DIAG_CONSTANT_NEEDED, value->span, STR_ARG(function));
    return false;
}

/* A set of constants, or a name for one; what is wrong inside is reported there. */
static void check_flag_names(struct checker *c, struct expr *flags)
{
    bool is_good = false;
    if (flags->kind == EXPR_NAME || flags->kind == EXPR_SET) {
        Type group = flags->kind == EXPR_NAME ? check_name(c, flags) : check_group(c, flags);
        is_good = group.kind == TYPE_SET || group.kind == TYPE_ERROR;
    }
    if (!is_good)
        diag_add(c->diags, DIAG_CONSTANT_NEEDED, flags->span, STR_ARG(STR("cli")));
}

static Type check_cli(struct checker *c, struct expr *expr)
{
    struct expr *text = expr->items, *flags = text ? text->next : NULL;
    Type type = text ? check_value(c, text) : type_error;
    if (type.kind != TYPE_STRING && !may_be_list(type))
        diag_add(c->diags, DIAG_FUNCTION_OPERAND, text->span, STR_ARG(STR("cli")),
                 STR_ARG(STR("a string or a list")), STR_ARG(type_word(type)));
    if (flags)
        check_flag_names(c, flags);
    return schema_type(expr, domain_schema(c, FN_CLI));
}

static Type check_cidr(struct checker *c, const struct expr *expr)
{
    for (const struct expr *item = expr->items; item; item = item->next) {
        Str text;
        struct b_net net;
        if (need_constant(c, item, STR("cidr"), &text) && !net_parse(text, &net))
            diag_add(c->diags, DIAG_BAD_CIDR, item->span, STR_ARG(text));
    }
    return simple(TYPE_NETS);
}

static Type check_clock(struct checker *c, const struct expr *expr)
{
    Str zone;
    if (need_constant(c, expr->items, STR("clock"), &zone) && !zone_exists(zone)) {
        diag_add(c->diags, DIAG_UNKNOWN_ZONE, expr->items->span, STR_ARG(zone));
        diag_help(c->diags, "zones have names like \"Europe/Berlin\" and \"UTC\"");
    }
    return simple(TYPE_OBJECT);
}

static Type check_anywhere(struct checker *c, const struct expr *expr, Str word)
{
    Str key;
    Type type = expr->items ? check_value(c, expr->items) : type_error;
    if (!may_be_list(type) && type.kind != TYPE_OBJECT)
        diag_add(c->diags, DIAG_FUNCTION_OPERAND, expr->items->span, STR_ARG(word),
                 STR_ARG(STR("an object or a list")), STR_ARG(type_word(type)));
    if (expr->function == FN_FIND && expr->items)
        (void)need_constant(c, expr->items->next, word, &key);
    return (Type){ .kind = TYPE_LIST,
                   .element = expr->function == FN_KEYS ? TYPE_STRING : TYPE_ANY };
}

static Type check_domain(struct checker *c, struct expr *expr, Str word)
{
    if (expr->items)
        need(c, expr->items, TYPE_STRING, word);
    if (expr->function == FN_JSON)
        return simple(TYPE_ANY);
    if (expr->function == FN_YAML)
        return simple(TYPE_LIST);
    const struct schema *schema = domain_schema(c, expr->function);
    if (expr->function != FN_EMAILS)
        return schema_type(expr, schema);
    const struct schema_member *list = schema ? schema_member(schema, STR("addresses")) : NULL;
    return list ? schema_type(expr, list->schema) : simple(TYPE_LIST);
}

Type check_call_of(struct checker *c, struct expr *expr)
{
    Str word = function_table[expr->function].word;
    switch (expr->function) {
    case FN_CLI: return check_cli(c, expr);
    case FN_CIDR: return check_cidr(c, expr);
    case FN_CLOCK: return check_clock(c, expr);
    case FN_KEYS:
    case FN_FIND: return check_anywhere(c, expr, word);
    case FN_MIN:
    case FN_MAX:
        for (struct expr *item = expr->items; item; item = item->next)
            need(c, item, TYPE_NUMBER, word);
        return simple(TYPE_NUMBER);
    case FN_LOWER:
    case FN_TRIM:
    case FN_NUMBER:
    case FN_TIME:
        if (expr->items)
            need(c, expr->items, TYPE_STRING, word);
        return simple(expr->function == FN_TIME     ? TYPE_INSTANT
                      : expr->function == FN_NUMBER ? TYPE_NUMBER
                                                    : TYPE_STRING);
    default: return check_domain(c, expr, word);
    }
}

/* ----------------------------- quantifiers ------------------------------ */

struct expr *variable_find(const struct checker *c, Str name)
{
    for (uint32_t i = c->variable_count; i > 0; i--)
        if (str_eq(c->variables[i - 1]->text, name))
            return c->variables[i - 1];
    return NULL;
}

static bool contains_each(const struct expr *expr)
{
    for (; expr; expr = expr->left)
        if (expr->kind == EXPR_EACH)
            return true;
    return false;
}

static Type check_each(struct checker *c, struct expr *expr, uint32_t *loops);

/* A list with `[]` in it: each list on the way is one loop. */
static Type check_stream(struct checker *c, struct expr *expr, uint32_t *loops)
{
    if (expr->kind == EXPR_EACH)
        return check_each(c, expr, loops);
    if (!contains_each(expr) || (expr->kind != EXPR_MEMBER && expr->kind != EXPR_INDEX))
        return check_value(c, expr);
    Type left = check_stream(c, expr->left, loops);
    expr->left->type = left;
    return expr->kind == EXPR_MEMBER ? check_member_behind(c, expr, left)
                                     : check_index_behind(c, expr, left);
}

static Type check_each(struct checker *c, struct expr *expr, uint32_t *loops)
{
    ENSURE(expr->left); /* the parser makes none without */
    Type left = check_stream(c, expr->left, loops);
    expr->left->type = left;
    ++*loops;
    if (!may_be_list(left)) {
        diag_add(c->diags, DIAG_INDEX_OPERAND, expr->left->span, STR_ARG(type_word(left)));
        return type_error;
    }
    return left.kind == TYPE_ERROR ? left : element_of(expr->left, left, &expr->schema);
}

/* A set or list that is written in the policy, itself or by its name: any and all are written out
 * for its elements. */
static bool is_group(struct checker *c, struct expr *list, Type *type)
{
    const struct expr *behind = list;
    if (list->kind == EXPR_NAME && !variable_find(c, list->text)) {
        const struct symbol *symbol = symbol_find(&c->lets, list->text);
        const struct let_decl *let = local_find(c, list->text);
        let = let ? let : symbol ? symbol->item : NULL;
        behind = let && let->value ? expr_behind(let->value) : list;
    }
    if (behind->kind != EXPR_SET && (behind->kind != EXPR_LIST || !behind->items))
        return false;
    *type = list->kind == EXPR_NAME ? check_name(c, list) : check_group(c, list);
    list->type = *type;
    return true;
}

static void count_copies(struct checker *c, const struct expr *expr)
{
    uint32_t count = 0;
    for (const struct expr *item = expr_behind(expr->left)->items; item; item = item->next)
        count++;
    c->copies =
        (c->copies ? c->copies : 1) * (count < COPIES_MAX ? count + !count : COPIES_MAX + 1);
    if (c->copies > COPIES_MAX)
        diag_add(c->diags, DIAG_COPIES, expr->span, COPIES_MAX);
}

static void check_group_elements(struct checker *c, struct expr *expr, Type group)
{
    if (expr->quantifier == QUANTIFIER_ANY || expr->quantifier == QUANTIFIER_ALL) {
        expr->element =
            group.kind == TYPE_ERROR ? group : (Type){ .kind = group.element, .element = TYPE_ANY };
        count_copies(c, expr);
        return;
    }
    Str what = type_word(group);
    if (group.kind != TYPE_ERROR)
        diag_add(c->diags, DIAG_QUANTIFIER_LIST, expr->left->span, STR_ARG(what));
    expr->element = type_error;
}

static void check_list(struct checker *c, struct expr *expr, uint32_t *loops)
{
    Type group;
    if (is_group(c, expr->left, &group)) {
        check_group_elements(c, expr, group);
        return;
    }
    if (contains_each(expr->left)) {
        expr->element = expr->left->type = check_stream(c, expr->left, loops);
        expr->element_schema = expr->left->schema;
        return;
    }
    *loops = 1;
    Type list = check_value(c, expr->left);
    if (!may_be_list(list)) {
        Str what = type_word(list);
        diag_add(c->diags, DIAG_QUANTIFIER_LIST, expr->left->span, STR_ARG(what));
        list = type_error;
    }
    expr->element =
        list.kind == TYPE_ERROR ? list : element_of(expr->left, list, &expr->element_schema);
}

Type check_quantifier(struct checker *c, struct expr *expr)
{
    uint32_t loops = expr->roles ? 2 : 0, copies = c->copies;
    expr->element = simple(TYPE_ANY);
    for (const struct name *role = expr->roles; role; role = role->next) {
        if (role_of_word(role->text) != ROLE_COUNT)
            continue;
        Str best = { .p = NULL, .n = 0 };
        size_t distance = SIZE_MAX;
        for (uint32_t i = 0; i < ROLE_COUNT; i++)
            suggest(role_words[i], role->text, &best, &distance);
        diag_add(c->diags, DIAG_UNKNOWN_CLASS_WORD, role->span, "role", STR_ARG(role->text));
        help_nearest(c, best);
    }
    if (expr->roles && c->rule && c->rule->kind != KIND_TOOL)
        diag_add(c->diags, DIAG_TOOLS_ONLY, expr->roles->span, "roles");
    if (!expr->roles)
        check_list(c, expr, &loops);
    if (variable_find(c, expr->text) || symbol_find(&c->lets, expr->text) ||
        local_find(c, expr->text))
        diag_add(c->diags, DIAG_VARIABLE_SHADOWS, expr->span, STR_ARG(expr->text));
    if (c->variable_count == COUNT(c->variables) || c->loop_depth + loops > BUNDLE_LOOP_DEPTH_MAX) {
        diag_add(c->diags, DIAG_LOOP_DEPTH, expr->span, BUNDLE_LOOP_DEPTH_MAX);
        return type_error;
    }
    c->variables[c->variable_count++] = expr;
    c->loop_depth += loops;
    bool is_sum = expr->quantifier == QUANTIFIER_SUM;
    if (is_sum)
        need(c, expr->right, TYPE_NUMBER, STR("sum"));
    else
        check_condition(c, expr->right, "follows ':'");
    c->loop_depth -= loops;
    c->copies = copies;
    c->variable_count--;
    bool is_condition = expr->quantifier == QUANTIFIER_ANY || expr->quantifier == QUANTIFIER_ALL;
    return simple(is_condition ? TYPE_BOOL : TYPE_NUMBER);
}

/* ----------------------------- for editors ------------------------------ */

const struct schema *function_schema(enum function function, struct arena *mem)
{
    static const char clock[] =
        "{\"type\":\"object\",\"properties\":{"
        "\"time\":{\"description\":\"The time of day.\"},"
        "\"date\":{\"description\":\"The date.\"},"
        "\"hour\":{\"type\":\"integer\",\"description\":\"0 to 23.\"},"
        "\"weekday\":{\"enum\":[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\",\"sat\",\"sun\"]}}}";
    struct diags *unheard = ARENA_NEW(mem, struct diags, 1);
    if (!unheard)
        return NULL;
    diags_init(unheard, mem);
    struct checker c = { .mem = mem, .diags = unheard };
    if (function == FN_CLOCK)
        return own_schema(&c, clock);
    if (function == FN_JSON || function == FN_YAML)
        return NULL;
    if (function != FN_CLI && (size_t)function >= DOMAIN_COUNT)
        return NULL;
    const struct schema *schema = domain_schema(&c, function);
    const struct schema_member *list =
        schema && function == FN_EMAILS ? schema_member(schema, STR("addresses")) : NULL;
    return list ? list->schema : schema;
}

bool root_member_at(size_t i, enum field_root *root, Str *key, Type *type)
{
    if (i >= COUNT(roots))
        return false;
    *root = roots[i].root;
    *key = roots[i].key;
    *type = roots[i].type;
    return true;
}
