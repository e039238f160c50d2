/* SPDX-License-Identifier: Apache-2.0 */
/* compare.c - two programs, name by name.
 *
 * A call is newly allowed when a rule of the new list allows it, none of the new list denies it,
 * and in the old list either a deny acts that the new one does not have, or no allow acts, or the
 * pinned shape refuses it. So the work goes to the rules that differ: tools whose rules mean the
 * same are passed over, and one changed rule is compared with its few neighbours.
 */
#include "compiler/prove/compare.h"

#include "compiler/prove/search.h"

const struct doubt_info doubt_table[DOUBT_COUNT] = {
    [DOUBT_NONE] = { "", "" },
#define DOUBT(NAME, word, text) [DOUBT_##NAME] = { word, text },
#include "compiler/prove/doubt.def"
#undef DOUBT
};

/* --------------------------------- routes ------------------------------- */

static uint32_t whole_list(const struct program *p, uint32_t list)
{
    return p->lists[list].index == B_NONE ? list : p->indexes[p->lists[list].index].all;
}

/* As the VM finds the rules about a name, without the second key. False: the policy speaks of no
 * such thing. */
static bool find_list(const struct comparison *c, uint32_t side, uint32_t *list, uint32_t *shape)
{
    const struct program *p = c->model.programs[side];
    uint32_t server = program_server(p, c->server);
    if (server == B_NONE)
        return false;
    uint32_t route = program_route(server, c->kind), known = program_known(p, route, c->name);
    uint32_t flags = p->servers[server].flags;
    *shape = known == B_NONE ? 0 : p->names[known].shape;
    if (known != B_NONE) {
        *list = p->names[known].list;
        return true;
    }
    const struct b_route *r = &p->routes[route];
    uint16_t id = r->dfa == B_NONE ? 0 : program_match(p, r->dfa, c->name);
    *list = id ? p->accepts[r->accept_first + id - 1] : r->other;
    return c->kind != KIND_TOOL || !(flags & B_SERVER_PINNED) || (flags & B_SERVER_OPEN);
}

static bool fill_lane(struct comparison *c, uint32_t side)
{
    const struct program *p = c->model.programs[side];
    struct lane *lane = &c->lanes[side];
    uint32_t list = 0;
    *lane = (struct lane){ .count = 0 };
    lane->is_known = find_list(c, side, &list, &lane->shape);
    if (!lane->is_known)
        return true;
    const struct b_list *l = &p->lists[whole_list(p, list)];
    lane->rules = ARENA_NEW(&c->mem, uint32_t, l->count);
    for (uint32_t i = 0; i < l->count && lane->rules; i++) {
        uint32_t rule = c->model.rule_of[side][p->list_rules[l->first + i]];
        lane->rules[lane->count++] = rule;
        if (c->model.rules[rule].effect != B_ALLOW)
            lane->allows = lane->count;
    }
    return lane->rules != NULL;
}

static bool has_rule(const struct lane *lane, uint32_t rule)
{
    for (uint32_t i = 0; i < lane->count; i++)
        if (lane->rules[i] == rule)
            return true;
    return false;
}

static bool is_part(const struct lane *lane, const struct lane *of)
{
    for (uint32_t i = 0; i < lane->count; i++)
        if (!has_rule(of, lane->rules[i]))
            return false;
    return true;
}

/* Two shapes that take the same arguments; depth is bounded by the verifier. */
static bool same_shape(const struct comparison *c, uint32_t a, uint32_t b, uint32_t depth)
{
    const struct program *p = c->model.programs[0], *q = c->model.programs[1];
    if (a == B_NONE || b == B_NONE || depth > BUNDLE_SHAPE_DEPTH_MAX)
        return a == b;
    const struct b_shape *x = &p->shapes[a], *y = &q->shapes[b];
    if (a == 0 || b == 0)
        return a == b;
    bool is_same = x->flags == y->flags && x->count == y->count &&
                   same_shape(c, x->items, y->items, depth + 1);
    for (uint32_t i = 0; i < x->count && is_same; i++) {
        const struct b_member *m = &p->shape_members[x->first + i];
        const struct b_member *n = &q->shape_members[y->first + i];
        is_same = str_eq(program_text(p, m->key), program_text(q, n->key)) &&
                  same_shape(c, m->shape, n->shape, depth + 1);
    }
    return is_same;
}

static bool same_program(const struct comparison *c)
{
    const struct lane *a = &c->lanes[0], *b = &c->lanes[1];
    if (!a->is_known && !b->is_known)
        return true;
    return a->is_known == b->is_known && is_part(a, b) && is_part(b, a) &&
           same_shape(c, a->shape, b->shape, 0);
}

/* --------------------------------- spaces ------------------------------- */

/* Does a condition read a part of the call for which one value stands here, though others are
 * possible? */
static bool reads_fixed(const struct comparison *c, const struct space *space)
{
    for (uint32_t i = 0; i < space->field_count; i++) {
        uint32_t root = space->fields[i]->root;
        if ((root == B_SLOT_CALL_NAME && c->is_class) ||
            (root == B_SLOT_CALL_SERVER && !c->server.n) ||
            (root == B_SLOT_CALL_METHOD && c->kind == KIND_RESOURCE))
            return true;
    }
    return false;
}

/* Does one side set arguments where the other does not? What both set alike is judged by both
 * alike: the rewritten call is one of the calls that are compared anyway. */
static bool rewrites_alone(const struct comparison *c, uint32_t side)
{
    const struct model *m = &c->model;
    const struct lane *lane = &c->lanes[side];
    for (uint32_t i = lane->allows; i < lane->count; i++) {
        const struct model_rule *rule = &m->rules[lane->rules[i]];
        bool sets = m->programs[rule->side]->rules[rule->index].set_count > 0;
        if (sets && !has_rule(&c->lanes[1 - side], lane->rules[i]))
            return true;
    }
    return false;
}

/* Why what the rules say of the values is not all there is to say; NONE: it is. */
static enum prove_doubt doubt_of(const struct comparison *c, const struct space *space)
{
    if (reads_fixed(c, space))
        return DOUBT_FIXED;
    if (c->is_class && name_is_odd(c, c->name))
        return DOUBT_URI;
    if (rewrites_alone(c, 0) || rewrites_alone(c, 1))
        return DOUBT_REWRITE;
    return same_shape(c, c->lanes[0].shape, c->lanes[1].shape, 0) ? DOUBT_NONE : DOUBT_SHAPE;
}

static void add_atom(struct space *space, uint32_t atom)
{
    if (space->index_of[atom] != B_NONE)
        return;
    struct space_atom *made = ARENA_NEW(space->mem, struct space_atom, 1);
    space->is_full |= !made;
    if (!made)
        return;
    made->atom = atom;
    space->index_of[atom] = space->atom_count;
    space->atoms[space->atom_count++] = made;
}

static void add_rule_atoms(struct space *space, uint32_t rule)
{
    const struct model *m = space->model;
    uint32_t side = m->rules[rule].side;
    const struct program *p = m->programs[side];
    const struct b_rule *r = &p->rules[m->rules[rule].index];
    for (uint32_t i = 0; i < r->code_count; i++) {
        const struct b_insn *in = &p->code[r->code + i];
        if (op_table[in->op].operands == OPERANDS_TEST)
            add_atom(space, m->atom_of[side][in->c]);
    }
}

/* Arguments that one side's shape knows and the other's does not, by their first key. */
static void add_strangers(struct comparison *c, struct space *space)
{
    space_argument(space, STR("unlisted")); /* what neither knows */
    for (uint32_t side = 0; side < SIDES; side++) {
        const struct program *p = c->model.programs[side];
        const struct b_shape *shape = &p->shapes[c->lanes[side].shape];
        for (uint32_t i = 0; i < shape->count && c->lanes[side].shape; i++) {
            Str key = program_text(p, p->shape_members[shape->first + i].key);
            space_argument(space, key);
        }
    }
}

static bool open_space(struct comparison *c, struct space *space)
{
    struct model *m = &c->model;
    *space = (struct space){
        .model = m, .mem = &c->mem, .server = c->server, .name = c->name, .kind = c->kind
    };
    space->index_of = ARENA_NEW(&c->mem, uint32_t, m->atom_count);
    space->atoms = ARENA_NEW(&c->mem, struct space_atom *, m->atom_count);
    arena_init(&space->scratch, PROVE_BYTES_MAX);
    if (!space->index_of || !space->atoms)
        return false;
    memset(space->index_of, 0xFF, m->atom_count * sizeof *space->index_of);
    for (uint32_t side = 0; side < SIDES; side++)
        for (uint32_t i = 0; i < c->lanes[side].count; i++)
            add_rule_atoms(space, c->lanes[side].rules[i]);
    for (uint32_t i = 0; i < space->atom_count; i++) {
        uint32_t atom = space->atoms[i]->atom;
        space->has_whole_groups |=
            space_reads_groups(atom_program(m, atom), model_atom_at(m, atom));
    }
    for (uint32_t i = 0; i < space->atom_count && !space->is_full; i++)
        space_lift(space, space->atoms[i]);
    if (!same_shape(c, c->lanes[0].shape, c->lanes[1].shape, 0))
        add_strangers(c, space);
    if (!space->is_full)
        space_sample_terms(space);
    for (uint32_t i = 0; i < space->field_count && !space->is_full; i++)
        field_fill(space, space->fields[i]);
    return !space->is_full;
}

/* --------------------------------- goals -------------------------------- */

static void add_goal(struct comparison *c, uint32_t rule, bool acts)
{
    for (uint32_t i = 0; i < c->goal_count; i++)
        if (c->goals[i].rule == rule && c->goals[i].acts == acts)
            return;
    c->goals[c->goal_count++] = (struct goal){ .rule = rule, .acts = acts };
}

/* The allowing side: this rule acts and no deny does. */
static void goals_of_allow(struct comparison *c, const struct lane *allower, uint32_t rule)
{
    c->goal_count = 0;
    add_goal(c, rule, true);
    for (uint32_t i = 0; i < allower->allows; i++)
        add_goal(c, allower->rules[i], false);
}

/* Only values that the refusing side's shape does not take, of one variable. */
static void search_refused(struct comparison *c, struct search *s, uint32_t refuser)
{
    for (uint32_t i = 0; i < s->variable_count; i++) {
        struct variable *v = &s->variables[i];
        bool has_any = false;
        search_reset(s, 1 - refuser);
        for (uint32_t k = 0; k < v->count; k++) {
            uint64_t bit = UINT64_C(1) << (k % 64);
            if (!(v->refused[k] >> refuser & 1))
                v->alive[k / 64] &= ~bit;
            has_any |= (v->alive[k / 64] & bit) != 0;
        }
        if (has_any)
            search_run(s, c->goals, c->goal_count);
    }
}

/* All ways in which a call that `allower` allows by this rule may be denied by `denier`. */
static void search_rule(struct comparison *c, struct search *s, uint32_t allower, uint32_t rule)
{
    const struct lane *a = &c->lanes[allower], *d = &c->lanes[1 - allower];
    search_reset(s, allower);
    goals_of_allow(c, a, rule);
    if (!d->is_known) {
        search_run(s, c->goals, c->goal_count);
        return;
    }
    search_refused(c, s, 1 - allower);
    for (uint32_t i = 0; i < d->allows && !s->is_cut; i++) {
        if (has_rule(a, d->rules[i]))
            continue;
        search_reset(s, allower);
        goals_of_allow(c, a, rule);
        add_goal(c, d->rules[i], true);
        search_run(s, c->goals, c->goal_count);
    }
    if (has_rule(d, rule))
        return;
    search_reset(s, allower);
    goals_of_allow(c, a, rule);
    for (uint32_t i = d->allows; i < d->count; i++)
        add_goal(c, d->rules[i], false);
    search_run(s, c->goals, c->goal_count);
}

static void search_all(struct comparison *c, struct search *s, uint32_t allower)
{
    const struct lane *a = &c->lanes[allower];
    s->limit = SEARCH_STEPS_MAX;
    for (uint32_t i = a->allows; i < a->count && !s->is_cut; i++)
        search_rule(c, s, allower, a->rules[i]);
}

/* -------------------------------- findings ------------------------------ */

/* The facts of the chosen values, judged by both programs: true when they show the difference. */
static bool show(struct comparison *c, const struct search *s, uint32_t allower)
{
    struct space *space = s->space;
    struct staged_call call;
    uint32_t count = 0;
    struct prove_finding finding = { .server = c->server,
                                     .name = c->name,
                                     .kind = c->kind,
                                     .newly_allowed = allower == 1,
                                     .answer = PROVE_FOUND };
    struct fact *facts = ARENA_NEW(space->mem, struct fact, space->field_count);
    if (!facts)
        return false;
    for (uint32_t i = 0; i < s->variable_count; i++) {
        const struct variable *v = &s->variables[i];
        for (uint32_t k = 0; k < v->field_count; k++)
            facts[count++] =
                (struct fact){ v->fields[k], v->values[s->chosen[i] * v->field_count + k] };
    }
    if (!facts_stage(space, facts, count, space->mem, &call))
        return false;
    for (uint32_t side = 0; side < SIDES; side++)
        vm_decide(c->model.vms[side], &call.vm, &finding.decisions[side]);
    if (finding.decisions[allower].verdict != VERDICT_ALLOW ||
        finding.decisions[1 - allower].verdict == VERDICT_ALLOW)
        return false;
    struct buf text;
    buf_init(&text, BUNDLE_BYTES_MAX);
    facts_write(space, facts, count, &text);
    finding.call = buf_str(&text);
    bool is_whole = !text.is_full;
    if (is_whole)
        c->visitor->visit(c->visitor->user, &finding);
    buf_free(&text);
    return is_whole;
}

/* s: the search whose free condition is to blame, with DOUBT_CONDITION. */
static void report_unknown(struct comparison *c, const struct search *s, uint32_t allower,
                           enum prove_doubt doubt)
{
    struct prove_finding finding = { .server = c->server,
                                     .name = c->name,
                                     .kind = c->kind,
                                     .newly_allowed = allower == 1,
                                     .answer = PROVE_UNKNOWN,
                                     .doubt = doubt,
                                     .atom = B_NONE };
    if (doubt == DOUBT_CONDITION && s->blamed == B_NONE)
        finding.doubt = DOUBT_SPACE; /* what was tried are not all values */
    if (doubt == DOUBT_CONDITION && s->blamed != B_NONE) {
        const struct model_atom *atom = &c->model.atoms[s->space->atoms[s->blamed]->atom];
        finding.side = atom->side;
        finding.atom = atom->index;
    }
    c->visitor->visit(c->visitor->user, &finding);
}

/* What is allowed by one side and denied by the other. */
static void compare_direction(struct comparison *c, struct space *space, uint32_t allower)
{
    struct search witnesses, possible;
    if (!c->lanes[allower].is_known || c->lanes[allower].allows == c->lanes[allower].count)
        return; /* it allows nothing */
    if (!search_open(space, true, &witnesses)) {
        report_unknown(c, NULL, allower, DOUBT_SPACE);
        return;
    }
    search_all(c, &witnesses, allower);
    bool has_found = witnesses.best != UINT64_MAX;
    if (has_found && show(c, &witnesses, allower))
        return;
    enum prove_doubt doubt = witnesses.is_cut ? DOUBT_STEPS : DOUBT_NONE;
    if (doubt == DOUBT_NONE)
        doubt = has_found ? DOUBT_WITNESS : doubt_of(c, space);
    if (doubt == DOUBT_NONE && !search_is_complete(&witnesses)) {
        if (!search_open(space, false, &possible)) {
            report_unknown(c, NULL, allower, DOUBT_SPACE);
            return;
        }
        possible.finds_first = true;
        search_all(c, &possible, allower);
        doubt = possible.is_cut               ? DOUBT_STEPS
                : possible.best != UINT64_MAX ? DOUBT_CONDITION
                                              : DOUBT_NONE;
    }
    if (doubt != DOUBT_NONE)
        report_unknown(c, &possible, allower, doubt);
}

static void compare_name(struct comparison *c)
{
    struct space space = { .mem = NULL };
    bool is_good = fill_lane(c, 0) && fill_lane(c, 1);
    if (is_good && same_program(c))
        return;
    c->goals = ARENA_NEW(&c->mem, struct goal, c->lanes[0].count + c->lanes[1].count + 2);
    is_good = is_good && c->goals && open_space(c, &space);
    for (uint32_t allower = SIDES; allower-- > 0;) {
        if (allower == 0 && c->visitor->only_allowed)
            break;
        if (is_good)
            compare_direction(c, &space, allower);
        else
            report_unknown(c, NULL, allower, DOUBT_SPACE);
    }
    arena_reset(&space.scratch);
}

/* ---------------------------------- tools ------------------------------- */

static void compare_named(struct comparison *c, Str name, bool is_class)
{
    c->name = name;
    c->is_class = is_class;
    arena_reset(&c->mem);
    compare_name(c);
}

static bool compare_kind(struct comparison *c, struct arena *mem)
{
    struct name_list list;
    if (!names_list(c, mem, &list))
        return false;
    for (uint32_t i = 0; i < list.count; i++)
        compare_named(c, list.items[i].text, list.items[i].is_class);
    if (!list.is_complete) {
        c->name = STR("*");
        report_unknown(c, NULL, 1, DOUBT_NAMES);
    }
    return true;
}

static bool compare_server(struct comparison *c, struct arena *mem)
{
    bool is_good = true;
    for (uint32_t kind = 0; kind < KIND_COUNT && is_good; kind++) {
        c->kind = (enum message_kind)kind;
        is_good = compare_kind(c, mem);
    }
    return is_good;
}

static bool compare_servers(struct comparison *c, struct arena *mem)
{
    uint32_t room = 0, n = 0;
    for (uint32_t side = 0; side < SIDES; side++)
        room += c->model.programs[side]->counts[SECTION_SERVERS];
    Str *aliases = ARENA_NEW(mem, Str, room);
    for (uint32_t side = 0; side < SIDES && aliases; side++) {
        const struct program *p = c->model.programs[side];
        for (uint32_t i = 0; i < p->counts[SECTION_SERVERS]; i++)
            aliases[n++] = program_text(p, p->servers[i].alias);
    }
    n = aliases ? names_unique(aliases, n) : 0;
    bool is_good = aliases != NULL;
    for (uint32_t i = 0; i < n && is_good; i++) {
        c->server = aliases[i];
        is_good = compare_server(c, mem);
    }
    return is_good;
}

enum status prove_compare(struct program *old, struct program *now,
                          const struct prove_visitor *visitor)
{
    struct arena mem;
    struct comparison c = { .visitor = visitor };
    if (strcmp(old->id, now->id) == 0)
        return ST_OK;
    arena_init(&mem, PROVE_BYTES_MAX);
    arena_init(&c.mem, PROVE_BYTES_MAX);
    enum status status = model_open(old, now, &mem, &c.model);
    if (status == ST_OK) {
        status = compare_servers(&c, &mem) ? ST_OK : ST_NO_MEMORY;
        model_close(&c.model);
    }
    arena_reset(&c.mem);
    arena_reset(&mem);
    return status;
}
