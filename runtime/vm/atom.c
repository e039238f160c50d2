/* SPDX-License-Identifier: Apache-2.0 */
/* atom.c - one condition: its instructions, then one truth value.
 *
 * Registers and indexes are not checked here, since the verifier proved them. Registers hold
 * pointers: to a field, or to the register's own place among the values that this atom made. Loops
 * nest BUNDLE_LOOP_DEPTH_MAX deep at most and share one allowance of iterations.
 */
#include "runtime/vm/vm_internal.h"

/* Both arrays stay as the stack left them: the verifier proved that a register is written before it
 * is read, and clearing them would cost more than most atoms. */
struct registers {
    const struct value *at[BUNDLE_REGISTERS];
    struct value made[BUNDLE_REGISTERS];
};

static const struct value *source_a(const struct registers *regs, const struct b_insn *in)
{
    /* cppcheck-suppress [uninitvar, ctuuninitvar] */
    return regs->at[in->b & 0xF];
}

static const struct value *source_b(const struct registers *regs, const struct b_insn *in)
{
    /* cppcheck-suppress [uninitvar, ctuuninitvar] */
    return regs->at[in->b >> 8 & 0xF];
}

static Str step_text(const struct vm *vm, const struct b_insn *in)
{
    return program_text(vm->program, vm->program->steps[in->c]);
}

static void value_step(struct vm *vm, const struct b_insn *in, struct registers *regs)
{
    struct value *made = &regs->made[in->a];
    switch (in->op) {
    case OP_FIELD: regs->at[in->a] = field_value(vm, in->c); return;
    case OP_CONST: const_value(vm->program, in->c, made); break;
    case OP_ELSE:
        *made = is_absent(source_a(regs, in)) ? *source_b(regs, in) : *source_a(regs, in);
        break;
    case OP_CONCAT: *made = value_concat(vm, source_a(regs, in), source_b(regs, in)); break;
    case OP_LENGTH: *made = value_length(vm, source_a(regs, in)); break;
    case OP_LOWER: *made = value_lower(vm, source_a(regs, in)); break;
    case OP_TRIM: *made = value_trim(source_a(regs, in)); break;
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_MIN:
    case OP_MAX:
        *made = value_arithmetic(vm, (enum op)in->op, source_a(regs, in), source_b(regs, in));
        break;
    case OP_MEMBER: *made = value_member(source_a(regs, in), step_text(vm, in)); break;
    case OP_ELEMENT: *made = value_element(vm, source_a(regs, in), in->c); break;
    case OP_DECODE: *made = value_decode(vm, (enum domain)in->c, source_a(regs, in)); break;
    case OP_CLI: *made = value_cli(vm, in->c, source_a(regs, in)); break;
    case OP_KEYS: *made = value_keys(vm, source_a(regs, in)); break;
    case OP_FIND: *made = value_find(vm, source_a(regs, in), step_text(vm, in)); break;
    case OP_INSTANT: *made = value_instant(vm, source_a(regs, in)); break;
    case OP_CLOCK: *made = value_clock(vm, in->c); break;
    case OP_NUMBER: *made = value_number(vm, source_a(regs, in)); break;
    case OP_EMPTY: *made = value_empty(); break;
    default: *made = unknown_value(UNKNOWN_TYPE); break; /* the verifier lets no other come here */
    }
    regs->at[in->a] = made;
}

static void run(struct vm *vm, const struct b_insn *code, uint32_t count, struct registers *regs);

/* What a loop has found so far. */
struct tally {
    struct value result;
    uint32_t count;
    bool is_decided;
};

static void tally_add(struct vm *vm, enum op op, const struct value *one, struct tally *tally)
{
    bool decisive = op == OP_LOOP_ANY;
    if (op == OP_LOOP_SUM) {
        tally->result = value_arithmetic(vm, OP_ADD, &tally->result, one);
        tally->is_decided = tally->result.type == VALUE_UNKNOWN;
    } else if (one->type != VALUE_BOOL) {
        tally->result = unknown_value(cause_of(one));
        tally->is_decided = op == OP_LOOP_COUNT;
    } else if (op == OP_LOOP_COUNT) {
        tally->count += one->truth;
    } else if (one->truth == decisive) {
        tally->result = *one;
        tally->is_decided = true;
    }
}

/* The texts that a body makes are gone with it, so that what fits once fits as often as the loop
 * runs; a sum has a place of its own. */
static struct value loop(struct vm *vm, const struct b_insn *in, struct registers *regs)
{
    static const struct value zero = { .type = VALUE_NUMBER,
                                       .is_integer = true,
                                       .text = STR_INIT("0") };
    enum op op = (enum op)in->op;
    const struct value list = *source_a(regs, in);
    if (!is_list(&list))
        return unknown_value(cause_of(&list));
    struct tally tally = { .result = op == OP_LOOP_SUM ? zero : truth_value(op == OP_LOOP_ALL) };
    struct list_walk walk = list_begin(vm, &list);
    char *sum = op == OP_LOOP_SUM ? number_room(vm) : NULL;
    if (op == OP_LOOP_SUM && !sum)
        return unknown_value(UNKNOWN_TOO_LONG);
    size_t kept = vm->scratch_used;
    while (!tally.is_decided && list_next(&walk, &regs->made[in->a])) {
        if (vm->iterations++ >= BUNDLE_ITERATIONS_MAX)
            return unknown_value(UNKNOWN_TOO_MANY);
        regs->at[in->a] = &regs->made[in->a];
        run(vm, in + 1, in->c, regs);
        tally_add(vm, op, source_b(regs, in), &tally);
        if (sum)
            number_keep(&tally.result, sum);
        vm->scratch_used = kept;
    }
    if (op != OP_LOOP_COUNT || tally.is_decided)
        return tally.result;
    return value_count(vm, tally.count);
}

static void run(struct vm *vm, const struct b_insn *code, uint32_t count, struct registers *regs)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct b_insn *in = &code[i];
        enum op_kind kind = op_table[in->op].kind;
        vm->steps++;
        if (kind == OP_VALUE) {
            value_step(vm, in, regs);
            continue;
        }
        struct value result;
        if (kind == OP_LOOP) {
            result = loop(vm, in, regs);
            i += in->c;
        } else {
            bool has_two = op_table[in->op].operands == OPERANDS_RR;
            const struct value *second = has_two ? source_b(regs, in) : NULL;
            result = truth_of(vm, in, source_a(regs, in), second);
        }
        regs->made[in->a] = result;
        regs->at[in->a] = &regs->made[in->a];
    }
}

struct value code_value(struct vm *vm, const struct b_insn *code, uint32_t count)
{
    struct registers regs __attribute__((uninitialized));
    vm->scratch_used = 0;
    vm->iterations = 0;
    run(vm, code, count, &regs);
    /* cppcheck-suppress [uninitvar] */
    return *regs.at[code[count - 1].a];
}

uint8_t atom_truth(struct vm *vm, uint32_t atom)
{
    if (vm->truths[atom])
        return vm->truths[atom];
    const struct b_atom *a = &vm->program->atoms[atom];
    uint8_t truth = B_MAYBE;
    enum vm_unknown cause = UNKNOWN_NONE;
    if (!vm->may || !(a->flags & B_ATOM_VARIES)) {
        struct value value = code_value(vm, vm->program->code + a->code, a->code_count);
        truth = value.type != VALUE_BOOL ? B_UNKNOWN : value.truth ? B_TRUE : B_FALSE;
        cause = value.type != VALUE_BOOL ? (enum vm_unknown)value.cause : UNKNOWN_NONE;
    }
    if (cause == UNKNOWN_NUMBER && vm->unsafe_atom == B_NONE)
        vm->unsafe_atom = atom;
    vm->truths[atom] = truth;
    vm->unknowns[atom] = (uint8_t)cause;
    vm->touched_atoms[vm->touched_atom_count++] = atom;
    return truth;
}
