/* SPDX-License-Identifier: Apache-2.0 */
/* atom.c - one condition: its values, then one truth value.
 *
 * Every operation is total: whatever types come, the answer is true, false or unknown with a cause.
 * Nothing is converted silently: a string is never a number, null is never a default. Registers
 * and indexes are not checked here, since the verifier proved them. Registers hold pointers: to a
 * field, or to the register's own place among the values that this atom made.
 */
#include "runtime/vm/vm_internal.h"

#include <stdio.h>

static struct value unknown_value(enum vm_unknown cause)
{
    return (struct value){ .type = VALUE_UNKNOWN, .cause = cause };
}

/* Why a value can't be used where another type is needed. */
static enum vm_unknown cause_of(const struct value *value)
{
    if (value->type == VALUE_UNKNOWN)
        return value->cause;
    return value->type == VALUE_MISSING ? UNKNOWN_MISSING : UNKNOWN_TYPE;
}

static bool is_absent(const struct value *value)
{
    return value->type == VALUE_MISSING || value->type == VALUE_NULL;
}

/* Values are made where they stay: a copy right behind the making waits for the stores. */
static void node_value(const struct json_doc *doc, uint32_t index, struct value *out)
{
    const struct json_node *node = json_at(doc, index);
    *out = (struct value){ .node = index, .text = json_text(node) };
    switch ((enum json_type)node->type) {
    case JSON_NULL: out->type = VALUE_NULL; break;
    case JSON_FALSE: out->type = VALUE_BOOL; break;
    case JSON_TRUE:
        out->type = VALUE_BOOL;
        out->truth = true;
        break;
    case JSON_NUMBER:
        out->type = VALUE_NUMBER;
        out->is_unsafe = (node->flags & JSON_UNSAFE_NUMBER) != 0;
        out->is_integer = (node->flags & JSON_INTEGER) != 0;
        break;
    case JSON_STRING: out->type = VALUE_STRING; break;
    case JSON_ARRAY: out->type = VALUE_LIST; break;
    case JSON_OBJECT: out->type = VALUE_OBJECT; break;
    }
}

/* Follows the keys from the arguments. What is not there is missing; a step into something that
 * is no object is of another type. */
static void argument_value(const struct vm *vm, const struct b_slot *slot, struct value *out)
{
    const struct program *p = vm->program;
    const struct json_doc *doc = vm->call->doc;
    uint32_t at = vm->call->arguments;
    *out = (struct value){ .type = VALUE_MISSING };
    if (!doc)
        return;
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct json_node *node = json_at(doc, at);
        if (node->type == JSON_NULL)
            return;
        if (node->type != JSON_OBJECT) {
            *out = unknown_value(UNKNOWN_TYPE);
            return;
        }
        at = json_member(doc, at, program_text(p, p->steps[slot->first + i]));
        if (at == JSON_NONE)
            return;
    }
    node_value(doc, at, out);
}

static const struct value *field_value(struct vm *vm, uint32_t index)
{
    struct value *value = &vm->fields[index];
    if (vm->has_field[index])
        return value;
    const struct b_slot *slot = &vm->program->slots[index];
    if (slot->root == B_SLOT_ARGS)
        argument_value(vm, slot, value);
    else if (slot->root == B_SLOT_PRINCIPAL_ID)
        *value = (struct value){ .type = VALUE_STRING, .text = vm->call->principal->id };
    else
        *value = (struct value){ .type = VALUE_GROUPS };
    vm->has_field[index] = 1;
    vm->touched_slots[vm->touched_slot_count++] = index;
    return value;
}

static void const_value(const struct program *p, uint32_t index, struct value *out)
{
    const struct b_const *constant = &p->consts[index];
    *out = (struct value){ .type = VALUE_NULL, .text = program_text(p, constant->text) };
    switch ((enum b_const_type)constant->type) {
    case B_CONST_BOOL:
        out->type = VALUE_BOOL;
        out->truth = constant->truth != 0;
        break;
    case B_CONST_NUMBER: out->type = VALUE_NUMBER; break;
    case B_CONST_STRING: out->type = VALUE_STRING; break;
    case B_CONST_NULL:
    case B_CONST_TYPE_COUNT: break;
    }
}

/* The text that a value has inside a string; false, with *out unknown, when it has none. */
static bool joinable(const struct value *value, Str *text, struct value *out)
{
    *text = value->text;
    if (value->type == VALUE_STRING)
        return true;
    if (value->type == VALUE_NUMBER && value->is_unsafe) {
        *out = unknown_value(UNKNOWN_NUMBER);
        return false;
    }
    if (value->type == VALUE_NUMBER && value->is_integer) {
        if (str_eq(*text, STR("-0")))
            *text = STR("0");
        return true;
    }
    *out = unknown_value(cause_of(value));
    return false;
}

static struct value concat(struct vm *vm, const struct value *first, const struct value *second)
{
    Str a, b;
    struct value out;
    if (!joinable(first, &a, &out) || !joinable(second, &b, &out))
        return out;
    /* What was joined last grows where it is, so that joining many pieces copies each once. */
    bool grows = a.n && a.p + a.n == vm->scratch + vm->scratch_used;
    size_t start = vm->scratch_used - (grows ? a.n : 0), left = BUNDLE_CONCAT_MAX - start;
    if (a.n > left || b.n > left - a.n)
        return unknown_value(UNKNOWN_TOO_LONG);
    char *at = vm->scratch + start;
    if (a.n && !grows)
        memcpy(at, a.p, a.n);
    if (b.n)
        memcpy(at + a.n, b.p, b.n);
    vm->scratch_used = start + a.n + b.n;
    return (struct value){ .type = VALUE_STRING, .text = { .p = at, .n = a.n + b.n } };
}

enum { COUNT_TEXT_BYTES = 24 };

static struct value count_value(struct vm *vm, size_t count)
{
    if (BUNDLE_CONCAT_MAX - vm->scratch_used < COUNT_TEXT_BYTES)
        return unknown_value(UNKNOWN_TOO_LONG);
    char *at = vm->scratch + vm->scratch_used;
    int n = snprintf(at, COUNT_TEXT_BYTES, "%zu", count);
    vm->scratch_used += (size_t)n;
    return (struct value){ .type = VALUE_NUMBER,
                           .is_integer = true,
                           .text = { .p = at, .n = (size_t)n } };
}

static struct value length(struct vm *vm, const struct value *of)
{
    if (of->type == VALUE_STRING)
        return count_value(vm, utf8_length(of->text));
    if (of->type == VALUE_LIST || of->type == VALUE_OBJECT)
        return count_value(vm, json_at(vm->call->doc, of->node)->count);
    if (of->type == VALUE_GROUPS)
        return count_value(vm, vm->call->principal->group_count);
    return unknown_value(cause_of(of));
}

/* What a truth instruction found, with the cause when it is unknown. */
struct finding {
    uint8_t truth;
    enum vm_unknown cause;
};

static struct finding found(bool truth)
{
    return (struct finding){ .truth = truth ? B_TRUE : B_FALSE, .cause = UNKNOWN_NONE };
}

static struct finding not_found(enum vm_unknown cause)
{
    return (struct finding){ .truth = B_UNKNOWN, .cause = cause };
}

/* A scalar to compare with others; its number is read once, however many they are. */
struct scalar {
    const struct value *value;
    struct number number; /* of a usable NUMBER */
    bool is_usable;
    enum vm_unknown cause; /* why it is not usable */
};

static struct scalar scalar_of(const struct value *value)
{
    struct scalar s = { .value = value,
                        .is_usable = value->type >= VALUE_BOOL && value->type <= VALUE_STRING,
                        .cause = cause_of(value) };
    if (value->type == VALUE_NUMBER) {
        s.is_usable = !value->is_unsafe && number_parse(value->text, &s.number);
        s.cause = UNKNOWN_NUMBER;
    }
    return s;
}

/* Three-way order of two scalars of one type; false with *why otherwise. */
static bool scalar_order(const struct scalar *a, const struct value *b, int *order,
                         enum vm_unknown *why)
{
    enum value_type type = a->value->type;
    bool is_scalar = type >= VALUE_BOOL && type <= VALUE_STRING;
    *why = is_scalar ? cause_of(b) : a->cause;
    if (!is_scalar || type != b->type)
        return false;
    *why = UNKNOWN_NUMBER;
    if (!a->is_usable)
        return false;
    if (type == VALUE_STRING)
        *order = str_cmp(a->value->text, b->text);
    else if (type == VALUE_BOOL)
        *order = (int)a->value->truth - (int)b->truth;
    else {
        struct scalar other = scalar_of(b);
        if (!other.is_usable)
            return false;
        *order = number_cmp(&a->number, &other.number);
    }
    return true;
}

static struct finding compare(const struct b_insn *in, const struct value *a, const struct value *b)
{
    int order;
    enum vm_unknown why;
    if (in->op != OP_EQ && a->type == VALUE_BOOL)
        return not_found(UNKNOWN_TYPE);
    struct scalar first = scalar_of(a);
    if (!scalar_order(&first, b, &order, &why))
        return not_found(why);
    return found(in->op == OP_EQ ? order == 0 : in->op == OP_LT ? order < 0 : order <= 0);
}

static struct finding number_in_set(const struct program *p, uint32_t set,
                                    const struct value *value)
{
    char canonical[BUNDLE_TEXT_MAX + 24];
    struct number number;
    if (value->is_unsafe || !number_parse(value->text, &number))
        return not_found(UNKNOWN_NUMBER);
    if (number.count > BUNDLE_TEXT_MAX)
        return found(false); /* no constant has that many digits */
    Str text = { .p = canonical, .n = number_canonical(&number, canonical, sizeof canonical) };
    return found(program_set_find(p, set, B_CONST_NUMBER, false, text));
}

/* A value of a type that no element has is no answer, as it is none to ==. */
static bool set_has_type(const struct program *p, uint32_t set, enum b_const_type type)
{
    uint32_t types = p->sets[set].types;
    return types == 0 || (types >> type & 1) != 0;
}

static struct finding in_set(const struct program *p, uint32_t set, const struct value *value)
{
    if (value->type == VALUE_STRING && set_has_type(p, set, B_CONST_STRING))
        return found(program_set_find(p, set, B_CONST_STRING, false, value->text));
    if (value->type == VALUE_NUMBER && set_has_type(p, set, B_CONST_NUMBER))
        return number_in_set(p, set, value);
    if (value->type == VALUE_BOOL && set_has_type(p, set, B_CONST_BOOL))
        return found(program_set_find(p, set, B_CONST_BOOL, value->truth, STR("")));
    return not_found(cause_of(value));
}

static struct finding in_groups(const struct principal *principal, const struct value *value)
{
    if (value->type != VALUE_STRING)
        return not_found(cause_of(value));
    for (size_t i = 0; i < principal->group_count; i++) {
        if (str_eq(principal->groups[i], value->text))
            return found(true);
    }
    return found(false);
}

/* True if one element equals it; else unknown if one could not be compared; else false. */
static struct finding in_list(const struct vm *vm, const struct value *value,
                              const struct value *list)
{
    if (list->type == VALUE_GROUPS)
        return in_groups(vm->call->principal, value);
    if (list->type != VALUE_LIST)
        return not_found(cause_of(list));
    if (value->type < VALUE_BOOL || value->type > VALUE_STRING)
        return not_found(cause_of(value));
    const struct json_doc *doc = vm->call->doc;
    struct scalar wanted = scalar_of(value);
    struct finding finding = found(false);
    for (uint32_t i = json_first(doc, list->node); i != JSON_NONE;
         i = json_after(doc, list->node, i)) {
        struct value element;
        int order;
        enum vm_unknown why;
        node_value(doc, i, &element);
        if (!scalar_order(&wanted, &element, &order, &why))
            finding = not_found(why);
        else if (order == 0)
            return found(true);
    }
    return finding;
}

static struct finding text_test(const struct vm *vm, const struct b_insn *in, const struct value *a,
                                const struct value *b)
{
    bool is_list = a->type == VALUE_LIST || a->type == VALUE_GROUPS;
    if (in->op == OP_CONTAINS && is_list)
        return in_list(vm, b, a);
    if (a->type != VALUE_STRING)
        return not_found(cause_of(a));
    if (b->type != VALUE_STRING)
        return not_found(cause_of(b));
    if (in->op == OP_STARTS)
        return found(str_starts(a->text, b->text));
    if (in->op == OP_ENDS)
        return found(str_ends(a->text, b->text));
    return found(str_contains(a->text, b->text));
}

/* The registers of one atom. Both arrays stay as the stack left them: the verifier proved that a
 * register is written before it is read, and clearing them would cost more than most atoms. */
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

static void value_step(struct vm *vm, const struct b_insn *in, struct registers *regs)
{
    struct value *made = &regs->made[in->a];
    switch ((enum op)in->op) {
    case OP_FIELD: regs->at[in->a] = field_value(vm, in->c); return;
    case OP_CONST: const_value(vm->program, in->c, made); break;
    case OP_ELSE:
        *made = is_absent(source_a(regs, in)) ? *source_b(regs, in) : *source_a(regs, in);
        break;
    case OP_CONCAT: *made = concat(vm, source_a(regs, in), source_b(regs, in)); break;
    case OP_LENGTH: *made = length(vm, source_a(regs, in)); break;
    case OP_IS_TRUE:
    case OP_HAS:
    case OP_IS_NULL:
    case OP_EQ:
    case OP_LT:
    case OP_LE:
    case OP_IN_SET:
    case OP_IN_LIST:
    case OP_STARTS:
    case OP_ENDS:
    case OP_CONTAINS:
    case OP_MATCH:
    case OP_SKIP_IF:
    case OP_SKIP_UNLESS:
    case OP_SKIP:
    case OP_FIRE:
    case OP_PASS:
    case OP_COUNT: *made = unknown_value(UNKNOWN_TYPE); break;
    }
    regs->at[in->a] = made;
}

static struct finding truth_step(struct vm *vm, const struct b_insn *in,
                                 const struct registers *regs)
{
    const struct value *first = source_a(regs, in);
    switch ((enum op)in->op) {
    case OP_IS_TRUE:
        return first->type == VALUE_BOOL ? found(first->truth) : not_found(cause_of(first));
    case OP_HAS:
        if (first->type == VALUE_UNKNOWN)
            return not_found(first->cause);
        return found(!is_absent(first));
    case OP_IS_NULL:
        if (first->type == VALUE_UNKNOWN || first->type == VALUE_MISSING)
            return not_found(cause_of(first));
        return found(first->type == VALUE_NULL);
    case OP_EQ:
    case OP_LT:
    case OP_LE: return compare(in, first, source_b(regs, in));
    case OP_IN_SET: return in_set(vm->program, in->c, first);
    case OP_IN_LIST: return in_list(vm, first, source_b(regs, in));
    case OP_STARTS:
    case OP_ENDS:
    case OP_CONTAINS: return text_test(vm, in, first, source_b(regs, in));
    case OP_MATCH:
        if (first->type != VALUE_STRING)
            return not_found(cause_of(first));
        return found(program_match(vm->program, in->c, first->text) != 0);
    case OP_FIELD:
    case OP_CONST:
    case OP_ELSE:
    case OP_CONCAT:
    case OP_LENGTH:
    case OP_SKIP_IF:
    case OP_SKIP_UNLESS:
    case OP_SKIP:
    case OP_FIRE:
    case OP_PASS:
    case OP_COUNT: break;
    }
    return not_found(UNKNOWN_TYPE);
}

static struct finding evaluate(struct vm *vm, const struct b_atom *atom)
{
    struct registers regs __attribute__((uninitialized));
    const struct b_insn *code = vm->program->code + atom->code;
    uint32_t last = atom->code_count - 1;
    vm->scratch_used = 0;
    for (uint32_t i = 0; i < last; i++)
        value_step(vm, &code[i], &regs);
    return truth_step(vm, &code[last], &regs);
}

uint8_t atom_truth(struct vm *vm, uint32_t atom)
{
    if (vm->truths[atom])
        return vm->truths[atom];
    const struct b_atom *a = &vm->program->atoms[atom];
    struct finding finding = { .truth = B_MAYBE, .cause = UNKNOWN_NONE };
    if (!vm->may || !(a->flags & B_ATOM_READS_ARGS))
        finding = evaluate(vm, a);
    if (finding.cause == UNKNOWN_NUMBER && vm->unsafe_atom == B_NONE)
        vm->unsafe_atom = atom;
    vm->truths[atom] = finding.truth;
    vm->unknowns[atom] = (uint8_t)finding.cause;
    vm->touched_atoms[vm->touched_atom_count++] = atom;
    return finding.truth;
}
