/* SPDX-License-Identifier: Apache-2.0 */
/* search.c - narrowing until every goal is settled.
 *
 * A rule's code only jumps forward, so one pass tells which of its ends the values left can reach.
 * As long as a goal can go both ways, the first branch on its way that can do so is decided one way
 * and then the other. Goals that must act come first: they leave the least.
 */
#include "compiler/prove/search.h"

/* The truths that a condition can still have. */
static uint8_t mask_of(const struct search *s, uint32_t atom)
{
    uint32_t index = s->variable_of[atom];
    if (index == B_NONE)
        return s->masks[atom];
    const struct variable *v = &s->variables[index];
    uint8_t mask = 0;
    for (uint32_t t = 0; t < 3; t++) {
        const uint64_t *row = v->bits + (size_t)(s->local_of[atom] * 3 + t) * v->words;
        for (uint32_t w = 0; w < v->words; w++) {
            if (row[w] & v->alive[w]) {
                mask |= (uint8_t)(1U << t);
                break;
            }
        }
    }
    return mask;
}

/* Which ends of a rule can be reached, and its first branch that can go both ways. */
struct outlook {
    bool can_act, can_pass;
    uint32_t atom;
    uint8_t mask;
};

static uint32_t space_atom_of(const struct search *s, uint32_t side, uint32_t atom)
{
    const struct model *m = s->space->model;
    return s->space->index_of[m->atom_of[side][atom]];
}

static struct outlook look(const struct search *s, uint32_t rule)
{
    const struct model *m = s->space->model;
    uint32_t side = m->rules[rule].side;
    const struct program *p = m->programs[side];
    const struct b_rule *r = &p->rules[m->rules[rule].index];
    struct outlook out = { .atom = B_NONE };
    uint64_t reached[BUNDLE_RULE_INSNS_MAX / 64 + 1];
    memset(reached, 0, (r->code_count / 64 + 1) * sizeof *reached);
    reached[0] = 1;
    for (uint32_t i = 0; i < r->code_count; i++) {
        const struct b_insn *in = &p->code[r->code + i];
        if (!(reached[i / 64] >> (i % 64) & 1))
            continue;
        out.can_act |= in->op == OP_FIRE;
        out.can_pass |= in->op == OP_PASS;
        if (op_table[in->op].kind != OP_BRANCH)
            continue;
        bool skips = true, goes_on = false;
        if (in->op != OP_SKIP) {
            uint32_t atom = space_atom_of(s, side, in->c);
            uint8_t mask = mask_of(s, atom);
            bool may_be = (mask & in->a) != 0, may_not = (mask & ~in->a) != 0;
            skips = in->op == OP_SKIP_IF ? may_be : may_not;
            goes_on = in->op == OP_SKIP_IF ? may_not : may_be;
            if (may_be && may_not && out.atom == B_NONE) {
                out.atom = atom;
                out.mask = in->a;
            }
        }
        uint32_t to = i + 1 + in->b;
        if (skips)
            reached[to / 64] |= UINT64_C(1) << (to % 64);
        if (goes_on)
            reached[(i + 1) / 64] |= UINT64_C(1) << ((i + 1) % 64);
    }
    return out;
}

static uint32_t cheapest(const struct variable *v)
{
    uint32_t best = B_NONE;
    for (uint32_t i = 0; i < v->count; i++)
        if ((v->alive[i / 64] >> (i % 64) & 1) && (best == B_NONE || v->costs[i] < v->costs[best]))
            best = i;
    return best;
}

/* A call of the values left costs at least this; UINT64_MAX when a variable has none left. */
static uint64_t least_cost(const struct search *s)
{
    uint64_t cost = 0;
    for (uint32_t i = 0; i < s->variable_count; i++) {
        uint32_t at = cheapest(&s->variables[i]);
        if (at == B_NONE)
            return UINT64_MAX;
        cost += s->variables[i].costs[at];
    }
    return cost;
}

/* Is it one of the conditions whose values are not known, and made to be something? */
static bool is_blamed(const struct search *s, uint32_t atom)
{
    uint32_t index = s->variable_of[atom];
    if (index == B_NONE)
        return s->masks[atom] != B_MAYBE && s->space->atoms[atom]->field_count > 0;
    return s->variables[index].is_term && mask_of(s, atom) != B_MAYBE;
}

static void keep(struct search *s, uint64_t cost)
{
    s->best = cost;
    for (uint32_t i = 0; i < s->variable_count; i++)
        s->chosen[i] = cheapest(&s->variables[i]);
    for (uint32_t i = 0; i < s->space->atom_count; i++)
        if (is_blamed(s, i))
            s->blamed = i;
    if (!s->finds_first && s->limit > s->steps + SEARCH_REFINE_MAX)
        s->limit = s->steps + SEARCH_REFINE_MAX;
}

static void solve(struct search *s, uint32_t depth);

/* Goes on with the condition's truth in mask only. */
static void narrow(struct search *s, uint32_t atom, uint8_t mask, uint32_t depth)
{
    uint32_t index = s->variable_of[atom];
    if (index == B_NONE) {
        uint8_t before = s->masks[atom];
        s->masks[atom] &= mask;
        solve(s, depth + 1);
        s->masks[atom] = before;
        return;
    }
    struct variable *v = &s->variables[index];
    uint64_t *saved = s->pool + (size_t)depth * s->pool_words;
    memcpy(saved, v->alive, v->words * sizeof *saved);
    for (uint32_t w = 0; w < v->words; w++) {
        uint64_t left = 0;
        for (uint32_t t = 0; t < 3; t++)
            if (mask >> t & 1)
                left |= v->bits[(size_t)(s->local_of[atom] * 3 + t) * v->words + w];
        v->alive[w] &= left;
    }
    solve(s, depth + 1);
    memcpy(v->alive, saved, v->words * sizeof *saved);
}

static void solve(struct search *s, uint32_t depth)
{
    struct outlook open = { .atom = B_NONE };
    if (s->finds_first && s->best != UINT64_MAX)
        return;
    if (s->steps++ >= s->limit || depth >= SEARCH_DEPTH_MAX) {
        s->is_cut = true;
        return;
    }
    uint64_t cost = least_cost(s);
    if (cost >= s->best)
        return;
    for (uint32_t i = 0; i < s->goal_count; i++) {
        struct outlook one = look(s, s->goals[i].rule);
        if (s->goals[i].acts ? !one.can_act : !one.can_pass)
            return;
        if (one.can_act && one.can_pass && open.atom == B_NONE)
            open = one;
    }
    if (open.atom == B_NONE) {
        keep(s, cost);
        return;
    }
    narrow(s, open.atom, open.mask, depth);
    narrow(s, open.atom, (uint8_t)(B_MAYBE & ~open.mask), depth);
}

void search_run(struct search *s, const struct goal *goals, uint32_t count)
{
    s->goals = goals;
    s->goal_count = count;
    solve(s, 0);
}
