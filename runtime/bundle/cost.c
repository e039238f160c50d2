/* SPDX-License-Identifier: Apache-2.0 */
/* cost.c - the worst case of a decision, from the code alone.
 *
 * A cost is fixed + per_byte * n, n being the bytes of the arguments' JSON text and the caller's
 * identity. A value read from the call has at most n bytes; joining adds sizes; every instruction
 * touches each byte of its operands a small, known number of times. Sums saturate far above the
 * budget, so a hostile bundle can't wrap them.
 */
#include "runtime/bundle/verify.h"

#include <stdlib.h>

/* Dispatch, and looking at each key of pinned arguments once. */
static const struct bundle_cost base_cost = { .fixed = 64, .per_byte = 2 };

#define COST_CEILING (UINT64_C(1) << 60)

static uint64_t add_capped(uint64_t a, uint64_t b)
{
    return a > COST_CEILING - b ? COST_CEILING : a + b; /* both are at most the ceiling */
}

static void cost_add(struct bundle_cost *sum, struct bundle_cost more)
{
    sum->fixed = add_capped(sum->fixed, more.fixed);
    sum->per_byte = add_capped(sum->per_byte, more.per_byte);
}

static struct bundle_cost cost_sum(struct bundle_cost a, struct bundle_cost b)
{
    cost_add(&a, b);
    return a;
}

enum { NUMBER_TEXT_BYTES = 24 }; /* an integer's text inside a joined string, at least that */

/* The size of what a VALUE instruction leaves in its register. */
static struct bundle_cost value_size(const struct program *p, const struct b_insn *in,
                                     const struct bundle_cost *sizes)
{
    struct bundle_cost first = sizes[in->b & 0xF], second = sizes[in->b >> 8 & 0xF];
    struct bundle_cost size = { .fixed = NUMBER_TEXT_BYTES };
    if (in->op == OP_FIELD)
        size.per_byte = 1;
    else if (in->op == OP_CONST)
        size.fixed += p->consts[in->c].text.length;
    else if (in->op == OP_ELSE || in->op == OP_CONCAT)
        size = cost_sum(first, second);
    return size;
}

/* What the instruction itself does: one step, and the bytes of its operands. */
static struct bundle_cost insn_cost(const struct program *p, const struct b_insn *in,
                                    const struct bundle_cost *sizes)
{
    struct bundle_cost cost = { .fixed = 1 };
    struct bundle_cost first = sizes[in->b & 0xF], second = sizes[in->b >> 8 & 0xF];
    switch (op_table[in->op].operands) {
    case OPERANDS_D_SLOT: /* each step compares keys of one object, all inside the arguments */
        cost.fixed += p->slots[in->c].count;
        cost.per_byte = 1;
        break;
    case OPERANDS_D_RR:
    case OPERANDS_RR: /* IN_LIST compares the first with each element of the second */
        cost_add(&cost, cost_sum(first, cost_sum(second, second)));
        break;
    case OPERANDS_R_SET: /* canonical text, hash, one comparison with an equal length */
        cost_add(&cost, cost_sum(first, cost_sum(first, first)));
        break;
    case OPERANDS_D_R:
    case OPERANDS_R:
    case OPERANDS_R_DFA: cost_add(&cost, first); break;
    case OPERANDS_D_CONST:
    case OPERANDS_NONE:
    case OPERANDS_TEST:
    case OPERANDS_SKIP: break;
    }
    return cost;
}

static struct bundle_cost atom_cost(const struct program *p, const struct b_atom *atom)
{
    struct bundle_cost sizes[BUNDLE_REGISTERS] = { { 0 } }, cost = { 0 };
    for (uint32_t i = 0; i < atom->code_count; i++) {
        const struct b_insn *in = &p->code[atom->code + i];
        cost_add(&cost, insn_cost(p, in, sizes));
        if (op_table[in->op].kind == OP_VALUE)
            sizes[in->a] = value_size(p, in, sizes);
    }
    return cost;
}

/* Visits the atoms that a rule tests, once each by `seen`; undo leaves seen as it was. */
static void rule_atoms(const struct program *p, const struct b_rule *rule, uint8_t *seen,
                       struct bundle_cost *cost)
{
    for (uint32_t i = 0; i < rule->code_count; i++) {
        const struct b_insn *in = &p->code[rule->code + i];
        if (op_table[in->op].operands != OPERANDS_TEST)
            continue;
        if (!cost)
            seen[in->c] = 0;
        else if (!seen[in->c]) {
            seen[in->c] = 1;
            cost_add(cost, atom_cost(p, &p->atoms[in->c]));
        }
    }
}

struct bundle_cost program_list_cost(const struct program *program, uint32_t list, uint8_t *seen)
{
    const struct b_list *l = &program->lists[list];
    struct bundle_cost cost = base_cost;
    for (uint32_t k = 0; k < l->count; k++) {
        const struct b_rule *rule = &program->rules[program->list_rules[l->first + k]];
        cost.fixed = add_capped(cost.fixed, rule->code_count);
        rule_atoms(program, rule, seen, &cost);
    }
    for (uint32_t k = 0; k < l->count; k++)
        rule_atoms(program, &program->rules[program->list_rules[l->first + k]], seen, NULL);
    return cost;
}

bool program_cost(const struct program *program, struct bundle_cost *out)
{
    uint8_t *seen = calloc((size_t)program->counts[SECTION_ATOMS] + 1, 1);
    if (!seen)
        return false;
    *out = base_cost;
    for (uint32_t i = 0; i < program->counts[SECTION_LISTS]; i++) {
        struct bundle_cost cost = program_list_cost(program, i, seen);
        if (cost.fixed > out->fixed)
            out->fixed = cost.fixed;
        if (cost.per_byte > out->per_byte)
            out->per_byte = cost.per_byte;
    }
    free(seen);
    return true;
}

bool verify_cost(const struct program *program, struct bundle_error *error)
{
    struct bundle_cost cost;
    if (!program_cost(program, &cost))
        return verify_fail(error, "out of memory");
    if (cost.fixed != program->meta->cost_fixed || cost.per_byte != program->meta->cost_per_byte)
        return verify_fail(error, "the stored cost is not the cost of the code");
    if (cost.fixed > BUNDLE_COST_FIXED_MAX || cost.per_byte > BUNDLE_COST_PER_BYTE_MAX)
        return verify_fail(error, "the cost %llu + %llu a byte is over the budget",
                           (unsigned long long)cost.fixed, (unsigned long long)cost.per_byte);
    return true;
}
