/* SPDX-License-Identifier: Apache-2.0 */
/* truth.c - comparisons: two values in, true, false or unknown with a cause out. Values of
 * different types are not unequal, they are not comparable. */
#include "runtime/vm/vm_internal.h"

#include <arpa/inet.h>

/* A scalar to compare with others; its number is read once, however many they are. */
struct scalar {
    const struct value *value;
    struct number number; /* of a usable NUMBER */
    bool is_usable;
    enum vm_unknown cause; /* why it is not usable */
};

static bool is_scalar(const struct value *value)
{
    return value->type >= VALUE_BOOL && value->type <= VALUE_STRING;
}

static struct scalar scalar_of(const struct value *value)
{
    struct scalar s = { .value = value, .is_usable = is_scalar(value), .cause = cause_of(value) };
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
    enum value_type type = (enum value_type)a->value->type;
    *why = is_scalar(a->value) ? cause_of(b) : a->cause;
    if (!is_scalar(a->value) || type != b->type)
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

static struct value compare(enum op op, const struct value *a, const struct value *b)
{
    int order;
    enum vm_unknown why;
    if (op != OP_EQ && a->type == VALUE_BOOL)
        return unknown_value(UNKNOWN_TYPE);
    struct scalar first = scalar_of(a);
    if (!scalar_order(&first, b, &order, &why))
        return unknown_value(why);
    return truth_value(op == OP_EQ ? order == 0 : op == OP_LT ? order < 0 : order <= 0);
}

/* --------------------------------- sets --------------------------------- */

static struct value number_in_set(const struct program *p, uint32_t set, const struct value *value)
{
    char canonical[BUNDLE_TEXT_MAX + 24];
    struct number number;
    if (value->is_unsafe || !number_parse(value->text, &number))
        return unknown_value(UNKNOWN_NUMBER);
    if (number.count > BUNDLE_TEXT_MAX)
        return truth_value(false); /* no constant has that many digits */
    Str text = { .p = canonical, .n = number_canonical(&number, canonical, sizeof canonical) };
    return truth_value(program_set_find(p, set, B_CONST_NUMBER, false, text));
}

/* A value of a type that no element has is no answer, as it is none to ==. */
static bool set_has_type(const struct program *p, uint32_t set, enum b_const_type type)
{
    uint32_t types = p->sets[set].types;
    return types == 0 || (types >> type & 1) != 0;
}

static struct value in_set(const struct program *p, uint32_t set, const struct value *value)
{
    if (value->type == VALUE_STRING && set_has_type(p, set, B_CONST_STRING))
        return truth_value(program_set_find(p, set, B_CONST_STRING, false, value->text));
    if (value->type == VALUE_NUMBER && set_has_type(p, set, B_CONST_NUMBER))
        return number_in_set(p, set, value);
    if (value->type == VALUE_BOOL && set_has_type(p, set, B_CONST_BOOL))
        return truth_value(program_set_find(p, set, B_CONST_BOOL, value->truth, STR("")));
    return unknown_value(cause_of(value));
}

/* False if one element is not in the set; else unknown if one could not be looked up; else true. */
static struct value subset(const struct vm *vm, uint32_t set, const struct value *list)
{
    struct value result = truth_value(true), element;
    if (!is_list(list))
        return unknown_value(cause_of(list));
    struct list_walk walk = list_begin(vm, list);
    while (list_next(&walk, &element)) {
        struct value one = in_set(vm->program, set, &element);
        if (one.type == VALUE_BOOL && !one.truth)
            return one;
        if (one.type == VALUE_UNKNOWN)
            result = one;
    }
    return result;
}

static bool in_groups(const struct principal *who, Str text)
{
    for (size_t i = 0; i < who->group_count; i++) {
        if (str_eq(who->groups[i], text))
            return true;
    }
    return false;
}

/* True if one element equals it; else unknown if one could not be compared; else false. */
static struct value in_list(const struct vm *vm, const struct value *value,
                            const struct value *list)
{
    struct value result = truth_value(false), element;
    if (!is_list(list))
        return unknown_value(cause_of(list));
    bool needs_string = list->type == VALUE_GROUPS; /* known, however many they are */
    if (!is_scalar(value) || (needs_string && value->type != VALUE_STRING))
        return unknown_value(cause_of(value));
    if (needs_string)
        return truth_value(in_groups(vm->call->principal, value->text));
    struct scalar wanted = scalar_of(value);
    struct list_walk walk = list_begin(vm, list);
    while (list_next(&walk, &element)) {
        int order;
        enum vm_unknown why;
        if (!scalar_order(&wanted, &element, &order, &why))
            result = unknown_value(why);
        else if (order == 0)
            return truth_value(true);
    }
    return result;
}

/* --------------------------------- texts -------------------------------- */

static bool path_within(Str path, Str root)
{
    if (str_eq(path, root) || (root.n == 1 && root.p[0] == '/' && str_starts(path, root)))
        return true;
    return path.n > root.n && str_starts(path, root) && path.p[root.n] == '/';
}

static bool host_within(Str host, Str suffix)
{
    return str_eq(host, suffix) ||
           (host.n > suffix.n && str_ends(host, suffix) && host.p[host.n - suffix.n - 1] == '.');
}

static struct value text_test(const struct vm *vm, enum op op, const struct value *a,
                              const struct value *b)
{
    if (op == OP_CONTAINS && is_list(a))
        return in_list(vm, b, a);
    if (a->type != VALUE_STRING)
        return unknown_value(cause_of(a));
    if (b->type != VALUE_STRING)
        return unknown_value(cause_of(b));
    if (op == OP_STARTS)
        return truth_value(str_starts(a->text, b->text));
    if (op == OP_ENDS)
        return truth_value(str_ends(a->text, b->text));
    if (op == OP_PATH_WITHIN)
        return truth_value(path_within(a->text, b->text));
    if (op == OP_HOST_WITHIN)
        return truth_value(host_within(a->text, b->text));
    return truth_value(str_contains(a->text, b->text));
}

/* ------------------------------ addresses ------------------------------- */

enum { ADDRESS_TEXT_MAX = INET6_ADDRSTRLEN };

/* The 16 bytes of an address in its plain spelling; IPv4 as IPv4-mapped. */
static bool read_address(Str text, unsigned char out[16])
{
    static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };
    char plain[ADDRESS_TEXT_MAX];
    if (text.n == 0 || text.n >= sizeof plain || memchr(text.p, 0, text.n))
        return false;
    memcpy(plain, text.p, text.n);
    plain[text.n] = '\0';
    if (inet_pton(AF_INET6, plain, out) == 1)
        return true;
    memcpy(out, mapped, sizeof mapped);
    return inet_pton(AF_INET, plain, out + sizeof mapped) == 1;
}

static bool net_has(const struct b_net *net, const unsigned char address[16])
{
    uint32_t bytes = net->bits / 8, bits = net->bits % 8;
    if (memcmp(net->address, address, bytes) != 0)
        return false;
    return bits == 0 || ((net->address[bytes] ^ address[bytes]) >> (8 - bits)) == 0;
}

static struct value in_nets(const struct program *p, uint32_t index, const struct value *value)
{
    unsigned char address[16];
    const struct b_nets *nets = &p->nets[index];
    if (value->type != VALUE_STRING)
        return unknown_value(cause_of(value));
    if (!read_address(value->text, address))
        return unknown_value(UNKNOWN_ADDRESS);
    for (uint32_t i = 0; i < nets->count; i++) {
        if (net_has(&p->net_ranges[nets->first + i], address))
            return truth_value(true);
    }
    return truth_value(false);
}

/* ------------------------------ connectives ----------------------------- */

static bool is_truth(const struct value *value, bool truth)
{
    return value->type == VALUE_BOOL && value->truth == truth;
}

/* Kleene's `and`, or with decisive = true his `or`. */
static struct value kleene(const struct value *a, const struct value *b, bool decisive)
{
    if (is_truth(a, decisive) || is_truth(b, decisive))
        return truth_value(decisive);
    if (a->type != VALUE_BOOL)
        return unknown_value(cause_of(a));
    return b->type == VALUE_BOOL ? truth_value(!decisive) : unknown_value(cause_of(b));
}

static struct value of_one(const struct vm *vm, const struct b_insn *in, const struct value *value)
{
    bool is_unknown = value->type == VALUE_UNKNOWN;
    switch (in->op) {
    case OP_IS_TRUE:
        return value->type == VALUE_BOOL ? truth_value(value->truth)
                                         : unknown_value(cause_of(value));
    case OP_NOT:
        return value->type == VALUE_BOOL ? truth_value(!value->truth)
                                         : unknown_value(cause_of(value));
    case OP_HAS: return is_unknown ? *value : truth_value(!is_absent(value));
    case OP_IS_NULL:
        return is_unknown || value->type == VALUE_MISSING ? unknown_value(cause_of(value))
                                                          : truth_value(value->type == VALUE_NULL);
    case OP_IN_SET: return in_set(vm->program, in->c, value);
    case OP_SUBSET: return subset(vm, in->c, value);
    case OP_IN_NETS: return in_nets(vm->program, in->c, value);
    default: break;
    }
    if (value->type != VALUE_STRING)
        return unknown_value(cause_of(value));
    if (in->op == OP_MATCH_WORDS)
        return truth_value(program_match_words(vm->program, in->c, value->text));
    if (in->op == OP_MATCH_NFA)
        return truth_value(program_match_nfa(vm->program, in->c, value->text));
    return truth_value(program_match(vm->program, in->c, value->text) != 0);
}

struct value truth_of(struct vm *vm, const struct b_insn *in, const struct value *first,
                      const struct value *second)
{
    enum op op = (enum op)in->op;
    if (op_table[op].operands != OPERANDS_RR)
        return of_one(vm, in, first);
    if (op == OP_AND || op == OP_OR)
        return kleene(first, second, op == OP_OR);
    if (op == OP_EQ || op == OP_LT || op == OP_LE)
        return compare(op, first, second);
    if (op == OP_IN_LIST)
        return in_list(vm, first, second);
    return text_test(vm, op, first, second);
}
