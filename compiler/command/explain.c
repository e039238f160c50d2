/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c - runs the rules about a call again, offline, on the truths that the decision found.
 *
 * A rule's code only jumps forward, so the least number of conditions to change for it to act, or
 * not to, is found in one pass from its end. One condition may be asked for twice on the way found,
 * and rules share conditions, so each proposal is tried before it is kept.
 */
#include "compiler/command/explain.h"

enum { FLIPS_MAX = 64 /* of one proposal; a longer one helps nobody */ };
#define COST_NEVER UINT32_MAX

static void see_atom(struct explanation *e, struct vm *vm, uint32_t atom)
{
    enum vm_unknown why = UNKNOWN_NONE;
    if (e->truths[atom])
        return;
    enum b_truth truth = vm_visit_atom(vm, atom, &why);
    e->truths[atom] = (uint8_t)truth;
    e->unknowns[atom] = (uint8_t)why;
}

static bool is_test(const struct b_insn *in)
{
    return in->op == OP_SKIP_IF || in->op == OP_SKIP_UNLESS;
}

static void on_rule(void *user, struct vm *vm, uint32_t rule, bool acts)
{
    struct explanation *e = user;
    const struct b_rule *r = &e->program->rules[rule];
    if (e->rule_count == e->rule_room) {
        e->is_spent = true;
        return;
    }
    e->rules[e->rule_count++] = (struct explained_rule){ .rule = rule, .acts = acts };
    for (uint32_t i = 0; i < r->code_count; i++) {
        if (is_test(&e->program->code[r->code + i]))
            see_atom(e, vm, e->program->code[r->code + i].c);
    }
}

/* ------------------------------- what if -------------------------------- */

/* Where a test leads when its atom has the truth, or any truth in or outside of its mask. */
static uint32_t after_test(const struct b_insn *in, uint32_t at, bool is_in_mask)
{
    bool skips = is_in_mask == (in->op == OP_SKIP_IF);
    return at + 1 + (skips ? in->b : 0);
}

static bool rule_acts(const struct explanation *e, uint32_t rule, const uint8_t *truths)
{
    const struct b_insn *code = e->program->code + e->program->rules[rule].code;
    uint32_t at = 0;
    for (;;) {
        const struct b_insn *in = &code[at];
        if (in->op == OP_FIRE || in->op == OP_PASS)
            return in->op == OP_FIRE;
        at = is_test(in) ? after_test(in, at, (truths[in->c] & in->a) != 0) : at + 1 + in->b;
    }
}

/* A known truth in the mask, or outside of it; 0: there is none. */
static uint8_t known_truth(uint8_t mask, bool is_in_mask)
{
    uint8_t side = is_in_mask ? mask : (uint8_t)~mask;
    return side & B_TRUE ? B_TRUE : side & B_FALSE ? B_FALSE : 0;
}

struct step {
    uint32_t cost;
    bool is_changed; /* the cheapest way on changes the truth of this test's atom */
};

/* The cheapest way from each instruction of the rule to its end as wanted. */
static void find_costs(const struct explanation *e, const struct b_rule *rule, bool wants_acts,
                       struct step *steps)
{
    const struct b_insn *code = e->program->code + rule->code;
    for (uint32_t at = rule->code_count; at-- > 0;) {
        const struct b_insn *in = &code[at];
        if (in->op == OP_FIRE || in->op == OP_PASS) {
            steps[at].cost = (in->op == OP_FIRE) == wants_acts ? 0 : COST_NEVER;
        } else if (!is_test(in)) {
            steps[at].cost = steps[at + 1 + in->b].cost;
        } else {
            bool is_in = (e->truths[in->c] & in->a) != 0;
            uint32_t keep = steps[after_test(in, at, is_in)].cost;
            uint32_t change = steps[after_test(in, at, !is_in)].cost;
            if (change != COST_NEVER)
                change = known_truth(in->a, !is_in) ? change + 1 : COST_NEVER;
            steps[at] = (struct step){ .cost = keep <= change ? keep : change,
                                       .is_changed = change < keep };
        }
    }
}

/* Appends the flip; false when it contradicts one that is there, or there are too many. */
static bool add_flip(struct way *way, struct flip flip)
{
    for (uint32_t i = 0; i < way->count; i++) {
        if (way->flips[i].atom == flip.atom)
            return way->flips[i].wanted == flip.wanted;
    }
    if (way->count == FLIPS_MAX)
        return false;
    way->flips[way->count++] = flip;
    return true;
}

/* Adds what it takes for the rule to act, or not to. False: no way was found. */
static bool add_flips(struct explanation *e, uint32_t index, bool wants_acts, struct way *way)
{
    const struct b_rule *rule = &e->program->rules[index];
    const struct b_insn *code = e->program->code + rule->code;
    struct step *steps = ARENA_NEW(e->mem, struct step, rule->code_count);
    if (!steps) {
        e->is_spent = true;
        return false;
    }
    find_costs(e, rule, wants_acts, steps);
    if (steps[0].cost == COST_NEVER)
        return false;
    for (uint32_t at = 0; code[at].op != OP_FIRE && code[at].op != OP_PASS;) {
        const struct b_insn *in = &code[at];
        bool is_in = is_test(in) && ((e->truths[in->c] & in->a) != 0) != steps[at].is_changed;
        if (is_test(in) && steps[at].is_changed) {
            uint8_t wanted = known_truth(in->a, is_in);
            struct flip flip = { .atom = in->c, .wanted = (enum b_truth)wanted, .rule = index };
            if (!add_flip(way, flip))
                return false;
        }
        at = is_test(in) ? after_test(in, at, is_in) : at + 1 + in->b;
    }
    return true;
}

/* Would the verdict be the other one? */
static bool is_proved(const struct explanation *e, const struct way *way, uint8_t *truths)
{
    bool allows = false, denies = false, wants_allow = e->decision.verdict == VERDICT_DENY;
    memcpy(truths, e->truths, e->program->counts[SECTION_ATOMS]);
    for (uint32_t i = 0; i < way->count; i++)
        truths[way->flips[i].atom] = (uint8_t)way->flips[i].wanted;
    for (uint32_t i = 0; i < e->rule_count; i++) {
        bool acts = rule_acts(e, e->rules[i].rule, truths);
        bool is_allow = e->program->rules[e->rules[i].rule].effect == B_ALLOW;
        allows = allows || (acts && is_allow);
        denies = denies || (acts && !is_allow);
    }
    return wants_allow == (allows && !denies);
}

/* Every rule that acts and is (not) an allow would have to stay out. */
static bool stop_rules(struct explanation *e, bool allows, struct way *way)
{
    for (uint32_t i = 0; i < e->rule_count; i++) {
        bool is_allow = e->program->rules[e->rules[i].rule].effect == B_ALLOW;
        if (e->rules[i].acts && is_allow == allows && !add_flips(e, e->rules[i].rule, false, way))
            return false;
    }
    return true;
}

static void keep_way(struct explanation *e, const struct way *way)
{
    uint32_t at = e->way_count;
    while (at > 0 && e->ways[at - 1].count > way->count)
        at--;
    if (at == EXPLAIN_WAYS_MAX)
        return;
    uint32_t last = e->way_count < EXPLAIN_WAYS_MAX ? e->way_count++ : EXPLAIN_WAYS_MAX - 1;
    memmove(&e->ways[at + 1], &e->ways[at], (last - at) * sizeof e->ways[0]);
    e->ways[at] = *way;
}

/* Tries a way by the rule, or for B_NONE by stopping the rules that allow. */
static void try_way(struct explanation *e, uint32_t rule, uint8_t *truths)
{
    bool wants_allow = e->decision.verdict == VERDICT_DENY;
    struct way way = { .rule = rule, .flips = ARENA_NEW(e->mem, struct flip, FLIPS_MAX) };
    if (!way.flips) {
        e->is_spent = true;
        return;
    }
    bool is_found = rule == B_NONE ? stop_rules(e, true, &way)
                                   : (!wants_allow || stop_rules(e, false, &way)) &&
                                         add_flips(e, rule, true, &way);
    if (is_found && is_proved(e, &way, truths))
        keep_way(e, &way);
}

static void find_ways(struct explanation *e)
{
    bool wants_allow = e->decision.verdict == VERDICT_DENY;
    uint8_t *truths = ARENA_NEW(e->mem, uint8_t, e->program->counts[SECTION_ATOMS] + 1);
    enum vm_cause cause = e->decision.cause;
    if (!truths) {
        e->is_spent = true;
        return;
    }
    if (cause != CAUSE_RULE && cause != CAUSE_DEFAULT && cause != CAUSE_UNSAFE_NUMBER)
        return;
    for (uint32_t i = 0; i < e->rule_count; i++) {
        uint32_t rule = e->rules[i].rule;
        if ((e->program->rules[rule].effect == B_ALLOW) == wants_allow)
            try_way(e, rule, truths);
    }
    if (!wants_allow)
        try_way(e, B_NONE, truths);
}

static bool make_room(struct explanation *e, uint32_t rules)
{
    uint32_t atoms = e->program->counts[SECTION_ATOMS];
    e->rules = ARENA_NEW(e->mem, struct explained_rule, rules);
    e->truths = ARENA_NEW(e->mem, uint8_t, atoms + 1);
    e->unknowns = ARENA_NEW(e->mem, uint8_t, atoms + 1);
    e->rule_room = rules;
    return e->rules && e->truths && e->unknowns;
}

static void on_nothing(void *user, struct vm *vm, uint32_t rule, bool acts)
{
    (void)user, (void)vm, (void)rule, (void)acts;
}

/* When rules said no only to the rewritten arguments, they are what is explained. */
static bool take_rewritten(struct explanation *e, const struct vm_call *call, struct vm_call *out)
{
    const struct decision *d = &e->decision;
    *out = *call;
    if (!d->rewritten || d->verdict == VERDICT_ALLOW || d->cause == CAUSE_UNKNOWN_REWRITE ||
        d->cause == CAUSE_CONFLICTING_REWRITE || d->cause == CAUSE_UNSTABLE_REWRITE)
        return true;
    struct json_doc *doc = ARENA_NEW(e->mem, struct json_doc, 1);
    Str text = arena_copy(e->mem, json_raw(d->rewritten, 0));
    if (!doc || !text.p ||
        json_parse(text, &json_limits_default, e->mem, doc, NULL) != JSON_ERR_NONE)
        return false;
    out->doc = doc;
    out->arguments = 0;
    e->is_rewritten = true;
    return true;
}

bool explain_call(struct vm *vm, const struct vm_call *asked, struct arena *mem,
                  struct explanation *out)
{
    struct vm_call rewritten;
    const struct vm_call *call = &rewritten;
    *out = (struct explanation){ .program = vm_program(vm), .mem = mem };
    vm_explain(vm, asked, &out->decision, &(struct vm_visitor){ .visit = on_nothing }, &out->shape);
    if (!take_rewritten(out, asked, &rewritten))
        return false;
    bool all = out->shape.total <= EXPLAIN_RULES_MAX;
    if (!make_room(out, all ? out->shape.total : out->shape.candidates))
        return false;
    vm_explain(vm, call, &out->decision,
               &(struct vm_visitor){ .visit = on_rule, .user = out, .all = all }, &out->shape);
    find_ways(out);
    return !out->is_spent;
}
