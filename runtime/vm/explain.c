/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c - a decision watched: what it looked at, and what it would have found further on.
 *
 * Rules run again after the decision, while the truths of their atoms are still there, so that the
 * decision itself does no work for its watcher and can't be changed by him.
 */
#include "runtime/vm/vm_internal.h"

void vm_set_trace(struct vm *vm, struct vm_trace *trace)
{
    vm->trace = trace;
}

/* As rule_fires, with every branch recorded. */
static bool trace_rule(struct vm *vm, uint32_t index)
{
    const struct vm_trace *trace = vm->trace;
    const struct b_insn *code = vm->program->code;
    for (uint32_t at = vm->program->rules[index].code;; at++) {
        const struct b_insn *in = &code[at];
        if (in->op == OP_FIRE || in->op == OP_PASS) {
            bool acts = in->op == OP_FIRE;
            trace->rules[index] |= (uint8_t)(acts ? VM_SEEN_YES : VM_SEEN_NO);
            return acts;
        }
        bool skips = in->op == OP_SKIP;
        if (!skips) {
            uint8_t truth = atom_truth(vm, in->c);
            trace->atoms[in->c] |= truth;
            skips = ((truth & in->a) != 0) == (in->op == OP_SKIP_IF);
            trace->branches[at] |= (uint8_t)(skips ? VM_SEEN_YES : VM_SEEN_NO);
        }
        at += skips ? in->b : 0;
    }
}

void trace_decision(struct vm *vm, uint32_t list)
{
    struct candidates candidates;
    uint32_t index;
    find_candidates(vm, list, &candidates);
    do
        index = next_rule(vm->program, &candidates);
    while (index != B_NONE && !trace_rule(vm, index));
}

enum b_truth vm_visit_atom(struct vm *vm, uint32_t atom, enum vm_unknown *why)
{
    ENSURE(vm->call); /* else what it reads is gone */
    uint8_t truth = atom_truth(vm, atom);
    *why = (enum vm_unknown)vm->unknowns[atom];
    return (enum b_truth)truth;
}

void vm_judge_begin(struct vm *vm, const struct vm_call *call)
{
    vm_begin(vm, call, false);
}

enum b_truth vm_judge_atom(struct vm *vm, uint32_t atom)
{
    ENSURE(vm->call && atom < vm->program->counts[SECTION_ATOMS]);
    uint8_t truth = atom_truth(vm, atom);
    return (enum b_truth)truth;
}

void vm_judge_end(struct vm *vm)
{
    vm_end(vm);
}

static uint32_t all_rules(const struct program *p, uint32_t list)
{
    return p->lists[list].index == B_NONE ? list : p->indexes[p->lists[list].index].all;
}

static uint32_t count_candidates(struct vm *vm, uint32_t list)
{
    struct candidates candidates;
    uint32_t count = 0;
    find_candidates(vm, list, &candidates);
    while (next_rule(vm->program, &candidates) != B_NONE)
        count++;
    return count;
}

static void find_all(struct vm *vm, uint32_t list, struct candidates *c)
{
    const struct b_list *l = &vm->program->lists[all_rules(vm->program, list)];
    const uint32_t *first = vm->program->list_rules + l->first;
    c->lists[0] = (struct cursor){ .at = first, .end = first + l->count };
    c->count = 1;
}

void vm_explain(struct vm *vm, const struct vm_call *call, struct decision *out,
                const struct vm_visitor *visitor, struct vm_explanation *explanation)
{
    const struct program *p = vm->program;
    struct route route = { .list = 0, .shape = 0 };
    struct candidates candidates;
    uint32_t index, unknown;
    vm_decide(vm, call, out);
    *explanation = (struct vm_explanation){ .list = B_NONE };
    if (route_call(vm, call, &route) != CAUSE_RULE)
        return;
    vm_begin(vm, call, false);
    explanation->list = route.list;
    explanation->total = p->lists[all_rules(p, route.list)].count;
    explanation->candidates = count_candidates(vm, route.list);
    if (visitor->all)
        find_all(vm, route.list, &candidates);
    else
        find_candidates(vm, route.list, &candidates);
    while ((index = next_rule(p, &candidates)) != B_NONE)
        visitor->visit(visitor->user, vm, index, rule_fires(vm, &p->rules[index], &unknown));
    vm_end(vm);
}
