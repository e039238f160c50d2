/* SPDX-License-Identifier: Apache-2.0 */
/* emit_expand.c - rules over classes and roles, written out as rules over tools.
 *
 * What a class says is known when the policy is compiled, so an effect, a flag or a role costs
 * nothing when a call is judged: `deny flag egress` becomes a rule with the names of the tools that
 * have the flag. Where a tool's effect depends on an argument, or a role stands for other arguments
 * in each tool, tools that need the same condition share a copy of the rule. Copies keep the rule's
 * place in the source.
 */
#include "compiler/emit/emit_internal.h"
#include "compiler/pattern/automaton.h"

/* A condition that is unknown whatever the call: what a role means for a tool without a class. */
static const struct expr unknown = { .kind = EXPR_NULL };

/* --------------------------------- roles -------------------------------- */

/* args.a[].b: the argument that a pointer names; *is_many when a list lies on the way. */
static struct expr *pointed_at(struct emitter *e, const struct pointer *pointer, Span span,
                               bool *is_many, struct expr **first)
{
    struct name *key = ARENA_NEW(e->mem, struct name, 1);
    e->bundle.is_full |= !key;
    if (!key)
        return NULL;
    *key = (struct name){ .text = pointer->steps[0], .span = span };
    struct expr *at = emit_expr(
        e, (struct expr){ .kind = EXPR_FIELD, .root = ROOT_ARGS, .path = key, .span = span });
    *first = at;
    *is_many = false;
    for (uint32_t i = 1; i < pointer->count && at; i++) {
        bool is_each = str_eq(pointer->steps[i], STR("*"));
        *is_many |= is_each;
        at = emit_expr(e, (struct expr){ .kind = is_each ? EXPR_EACH : EXPR_MEMBER,
                                         .text = pointer->steps[i],
                                         .left = at,
                                         .span = span });
    }
    return at;
}

/* What the quantifier says of one argument: nothing when the call comes without it. */
static struct expr *judge_argument(struct emitter *e, const struct expr *q,
                                   const struct pointer *pointer)
{
    bool is_many, is_any = q->quantifier == QUANTIFIER_ANY;
    struct expr *first = NULL, *list = pointed_at(e, pointer, q->span, &is_many, &first);
    struct expr *body;
    if (!list)
        return NULL;
    if (is_many) {
        body = emit_expr(e, *q);
        if (!body)
            return NULL;
        struct renaming how = { .from = q, .to = body, .is_variable = true };
        body->roles = NULL;
        body->left = list;
        body->right = emit_copy(e, q->right, &how);
    } else {
        struct renaming how = { .from = q, .to = list };
        body = emit_copy(e, q->right, &how);
    }
    struct expr *has = emit_expr(
        e, (struct expr){ .kind = EXPR_HAS, .left = is_many ? first : list, .span = q->span });
    if (!body || !has)
        return NULL;
    if (is_any)
        return emit_binary(e, OP2_AND, has, body);
    struct expr *lacks =
        emit_expr(e, (struct expr){ .kind = EXPR_NOT, .left = has, .span = q->span });
    return lacks ? emit_binary(e, OP2_OR, lacks, body) : NULL;
}

static bool has_role(const struct expr *q, enum argument_role role)
{
    for (const struct name *name = q->roles; name; name = name->next)
        if (role_of_word(name->text) == role)
            return true;
    return false;
}

static struct expr *over_roles(struct emitter *e, const struct expr *q,
                               const struct tool_class *class)
{
    bool is_any = q->quantifier == QUANTIFIER_ANY;
    struct expr none = { .kind = EXPR_BOOL, .truth = !is_any, .span = q->span };
    struct expr *all = NULL, refused = unknown;
    refused.span = q->span;
    if (!class)
        return emit_expr(e, refused);
    for (const struct role_argument *r = class->roles; r; r = r->next) {
        if (!has_role(q, r->role))
            continue;
        struct expr *one = judge_argument(e, q, &r->pointer);
        if (!one)
            return NULL;
        all = all ? emit_binary(e, is_any ? OP2_OR : OP2_AND, all, one) : one;
    }
    return all ? all : emit_expr(e, none);
}

static bool mentions_role(const struct expr *expr)
{
    return expr && ((expr->kind == EXPR_QUANTIFIER && expr->roles) || mentions_role(expr->left) ||
                    mentions_role(expr->right));
}

/* The condition for one tool: every quantifier over a role written out, those inside others too.
 * Loops nest BUNDLE_LOOP_DEPTH_MAX deep at most, so writing out ends. */
static struct expr *specialise(struct emitter *e, const struct expr *expr,
                               const struct tool_class *class)
{
    if (!expr)
        return NULL;
    if (expr->kind == EXPR_QUANTIFIER && expr->roles) {
        struct expr *whole = over_roles(e, expr, class);
        return mentions_role(whole) ? specialise(e, whole, class) : whole;
    }
    struct expr *made = emit_expr(e, *expr);
    bool has_inner = expr->kind == EXPR_QUANTIFIER && mentions_role(expr->right);
    if (!made || (expr->kind != EXPR_NOT && expr->kind != EXPR_BINARY && !has_inner))
        return made;
    made->left = specialise(e, expr->left, class);
    made->right = specialise(e, expr->right, class);
    if (has_inner) {
        struct renaming own = { .from = expr, .to = made, .is_variable = true };
        made->right = emit_copy(e, made->right, &own);
    }
    return made;
}

/* What the rule sets, for one tool. */
static struct set_decl *specialise_sets(struct emitter *e, const struct set_decl *sets,
                                        const struct tool_class *class)
{
    struct set_decl *first = NULL, **link = &first;
    for (; sets; sets = sets->next) {
        struct set_decl *made = ARENA_NEW(e->mem, struct set_decl, 1);
        e->bundle.is_full |= !made;
        if (!made)
            break;
        *made = (struct set_decl){ .place = sets->place, .span = sets->span };
        made->value = specialise(e, sets->value, class);
        e->bundle.is_full |= !made->value;
        *link = made;
        link = &made->next;
    }
    return first;
}

/* ------------------------------- variants ------------------------------- */

/* The values of a variant's argument for which the effect is one of the rule's, as a condition.
 * NULL: whatever the value. *is_never: for none. */
static struct expr *variant_condition(struct emitter *e, const struct rule *rule,
                                      const struct tool_class *class, bool *is_never)
{
    bool takes_rest = (rule->effect_set >> class->effect & 1) != 0;
    struct expr *values = NULL, *first = NULL;
    bool is_many;
    for (const struct variant_value *v = class->values; v; v = v->next) {
        if (((rule->effect_set >> v->effect & 1) != 0) == takes_rest)
            continue;
        struct expr *value = emit_expr(
            e, (struct expr){ .kind = EXPR_STRING, .text = v->value, .span = rule->span });
        if (value)
            value->next = values;
        values = value;
    }
    *is_never = !takes_rest && !values;
    if (!values)
        return NULL;
    struct expr *field = pointed_at(e, &class->variant, rule->span, &is_many, &first);
    struct expr *set =
        emit_expr(e, (struct expr){ .kind = EXPR_SET, .items = values, .span = rule->span });
    struct expr *in = emit_binary(e, OP2_IN, field, set);
    if (!takes_rest || !in)
        return in;
    return emit_expr(e, (struct expr){ .kind = EXPR_NOT, .left = in, .span = rule->span });
}

/* --------------------------------- rules -------------------------------- */

static bool names_tool(const struct rule *rule, const struct automaton *globs, Str tool)
{
    for (const struct name *name = rule->names; name; name = name->next)
        if (str_eq(name->text, tool))
            return true;
    return !rule->names || (globs->state_count && automaton_run(globs, tool));
}

/* The rule's globs as one automaton; none when it has no globs. What is wrong with them was
 * reported by the checker. */
static void build_rule_globs(struct emitter *e, const struct rule *rule, struct automaton *globs)
{
    uint32_t count = 0;
    struct automaton_error error;
    *globs = (struct automaton){ .state_count = 0 };
    for (const struct name *name = rule->names; name; name = name->next)
        count += pattern_is_glob(name->text);
    Str *patterns = ARENA_NEW(e->mem, Str, count);
    if (!patterns || !count)
        return;
    count = 0;
    for (const struct name *name = rule->names; name; name = name->next)
        if (pattern_is_glob(name->text))
            patterns[count++] = name->text;
    if (automaton_build(patterns, count, AUTOMATON_TOOL, e->mem, globs, &error) != ST_OK)
        globs->state_count = 0;
}

static void add_rule(struct emitter *e, const struct rule *rule)
{
    if (e->rule_count == e->rule_room) {
        uint32_t room = e->rule_room ? e->rule_room * 2 : 64;
        const struct rule **bigger = ARENA_NEW(e->mem, const struct rule *, room);
        e->bundle.is_full |= !bigger;
        if (!bigger)
            return;
        for (uint32_t i = 0; i < e->rule_count; i++)
            bigger[i] = e->rules[i];
        e->rules = bigger;
        e->rule_room = room;
    }
    e->rules[e->rule_count++] = rule;
}

/* A copy of the rule for one tool of one server. */
static void add_copy(struct emitter *e, const struct rule *rule, const struct server_decl *server,
                     const struct tool_class *class, Str tool)
{
    bool is_never = false;
    struct rule *made = ARENA_NEW(e->mem, struct rule, 1);
    struct name *names = ARENA_NEW(e->mem, struct name, 2);
    e->bundle.is_full |= !made || !names;
    if (e->bundle.is_full)
        return;
    struct expr *extra = class && class->variant.count && rule->effects
                             ? variant_condition(e, rule, class, &is_never)
                             : NULL;
    if (is_never)
        return;
    struct expr *when = specialise(e, rule->when, class);
    if (extra && when)
        when = emit_binary(e, OP2_AND, extra, when);
    names[0] = (struct name){ .text = tool, .span = rule->span };
    names[1] = (struct name){ .text = server->alias, .span = rule->span };
    *made = *rule;
    made->names = &names[0];
    made->servers = &names[1];
    made->effects = made->flags = NULL;
    made->when = when ? when : extra;
    made->sets = specialise_sets(e, rule->sets, class);
    add_rule(e, made);
}

static bool takes_class(const struct rule *rule, const struct tool_class *class)
{
    uint32_t effect = class ? class->effect : TOOL_UNCLASSIFIED;
    bool has_effect =
        !rule->effects || (class && class->variant.count) || (rule->effect_set >> effect & 1) != 0;
    return has_effect && (!rule->flags || (class && (class->flags & rule->flag_set)));
}

static bool covers(const struct rule *rule, Str alias)
{
    for (const struct name *name = rule->servers; name; name = name->next)
        if (str_eq(name->text, alias))
            return true;
    return rule->servers == NULL;
}

static void expand_rule(struct emitter *e, const struct rule *rule)
{
    struct automaton globs;
    build_rule_globs(e, rule, &globs);
    for (const struct server_decl *s = e->policy->servers; s; s = s->next) {
        if (!covers(rule, s->alias) || !s->snapshot)
            continue;
        for (uint32_t i = 0; i < s->snapshot->tool_count && !e->bundle.is_full; i++) {
            Str tool = s->snapshot->tools[i].name;
            const struct tool_class *class = class_find(s->classes, tool);
            if (names_tool(rule, &globs, tool) && takes_class(rule, class))
                add_copy(e, rule, s, class, tool);
        }
    }
}

/* Tools that nobody pinned have no class: a role is unknown there. */
static void expand_rest(struct emitter *e, const struct rule *rule)
{
    struct rule *made = ARENA_NEW(e->mem, struct rule, 1);
    e->bundle.is_full |= !made;
    if (!made)
        return;
    *made = *rule;
    made->when = specialise(e, rule->when, NULL);
    made->sets = specialise_sets(e, rule->sets, NULL);
    add_rule(e, made);
}

static bool has_unpinned(const struct emitter *e, const struct rule *rule)
{
    bool is_unpinned = e->policy->servers == NULL;
    for (const struct server_decl *s = e->policy->servers; s; s = s->next)
        is_unpinned |= covers(rule, s->alias) && (!s->snapshot || s->is_open);
    return is_unpinned;
}

void emit_expand(struct emitter *e)
{
    for (const struct rule *from = e->policy->rules; from && !e->bundle.is_full;
         from = from->next) {
        if (from->profile && !from->profile->is_chosen)
            continue;
        const struct rule *rule = emit_inline(e, from);
        if (!rule)
            break;
        bool has_roles = mentions_role(rule->when);
        for (const struct set_decl *set = rule->sets; set; set = set->next)
            has_roles |= mentions_role(set->value);
        bool is_plain = rule->kind != KIND_TOOL || (!rule->effects && !rule->flags && !has_roles);
        if (is_plain) {
            add_rule(e, rule);
            continue;
        }
        expand_rule(e, rule);
        if (has_roles && !rule->effects && !rule->flags && has_unpinned(e, rule))
            expand_rest(e, rule);
    }
}
