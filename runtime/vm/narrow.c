/* SPDX-License-Identifier: Apache-2.0 */
/* narrow.c - necessary conditions, found by asking: could the rule still act (a deny: stay silent)
 * if this condition were false, or unknown? If it could not, then what the condition asks of an
 * argument is needed. The rules' own code answers, in the mode that lists are filtered with, so
 * nothing here knows how conditions are put together. Of several rules that may allow, what all of
 * them need is needed; of denies, what each does.
 */
#include "runtime/vm/narrow.h"

#include "runtime/vm/vm_internal.h"

enum { PLAIN_INSNS_MAX = 8 }; /* of a condition that compares one argument with constants */

/* --------------------------------- sets ---------------------------------- */

static int literal_order(Str a, Str b)
{
    struct number x, y;
    bool is_good = number_parse(a, &x) && number_parse(b, &y); /* the verifier proved it */
    return is_good ? number_cmp(&x, &y) : 0;
}

static bool has_value(const struct vm_need *need, const struct vm_literal *value)
{
    for (uint32_t i = 0; i < need->value_count; i++) {
        const struct vm_literal *own = &need->values[i];
        if (own->type == value->type && own->truth == value->truth &&
            str_eq(own->text, value->text))
            return true;
    }
    return false;
}

static int value_order(const struct vm_literal *a, const struct vm_literal *b)
{
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    if (a->type == B_CONST_BOOL)
        return (int)a->truth - (int)b->truth;
    return a->type == B_CONST_NUMBER ? literal_order(a->text, b->text) : str_cmp(a->text, b->text);
}

/* Values stay in order, so that a schema does not depend on how a set is stored. False: there is no
 * room. */
static bool add_value(struct vm_need *need, struct vm_literal value)
{
    if (has_value(need, &value))
        return true;
    if (need->value_count == VM_NARROW_VALUES_MAX)
        return false;
    uint32_t at = need->value_count++;
    for (; at > 0 && value_order(&need->values[at - 1], &value) > 0; at--)
        need->values[at] = need->values[at - 1];
    need->values[at] = value;
    return true;
}

/* The narrower, or the wider, of two limits; sign: 1 if greater numbers are narrower. */
static struct vm_limit choose_limit(const struct vm_limit *a, const struct vm_limit *b, int sign,
                                    bool narrower)
{
    if (!a->is_set || !b->is_set)
        return narrower == a->is_set ? *a : *b;
    int order = literal_order(a->number, b->number) * sign;
    if (order == 0)
        return a->is_exclusive == narrower ? *a : *b;
    return (order > 0) == narrower ? *a : *b;
}

static bool needs_nothing(const struct vm_need *need)
{
    return !need->has_values && !need->least.is_set && !need->most.is_set;
}

static struct vm_need *need_find(struct vm_needs *needs, Str key)
{
    for (uint32_t i = 0; i < needs->count; i++)
        if (str_eq(needs->items[i].key, key))
            return &needs->items[i];
    return NULL;
}

/* Both are needed. What there is no room for is left out. */
static void intersect(struct vm_needs *into, const struct vm_need *need)
{
    struct vm_need *own = need_find(into, need->key);
    if (!own) {
        if (into->count < VM_NARROW_FIELDS_MAX)
            into->items[into->count++] = *need;
        return;
    }
    own->takes_null = own->takes_null && need->takes_null;
    own->least = choose_limit(&own->least, &need->least, 1, true);
    own->most = choose_limit(&own->most, &need->most, -1, true);
    if (own->has_values && need->has_values) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < own->value_count; i++)
            if (has_value(need, &own->values[i]))
                own->values[kept++] = own->values[i];
        own->value_count = kept;
    } else if (need->has_values) {
        memcpy(own->values, need->values, sizeof own->values);
        own->value_count = need->value_count;
        own->has_values = true;
    }
}

/* One of both is needed: what is said of both. */
static void unite_need(struct vm_need *own, const struct vm_need *need)
{
    own->takes_null = own->takes_null || need->takes_null;
    own->least = choose_limit(&own->least, &need->least, 1, false);
    own->most = choose_limit(&own->most, &need->most, -1, false);
    own->has_values = own->has_values && need->has_values;
    for (uint32_t i = 0; i < need->value_count && own->has_values; i++)
        own->has_values = add_value(own, need->values[i]);
}

static void unite(struct vm_needs *into, struct vm_needs *other)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < into->count; i++) {
        const struct vm_need *need = need_find(other, into->items[i].key);
        if (!need)
            continue;
        unite_need(&into->items[i], need);
        if (!needs_nothing(&into->items[i]))
            into->items[kept++] = into->items[i];
    }
    into->count = kept;
}

/* ------------------------------- conditions ------------------------------ */

/* What a condition's code computes, as far as it is plain. */
struct plain {
    enum { PLAIN_NONE, PLAIN_FIELD, PLAIN_CONST, PLAIN_TEST } kind;
    uint32_t index; /* FIELD: a slot; CONST: a constant */
    bool has_default;
    const struct b_insn *test;
    uint32_t field, constant; /* TEST: its slot, its constant or set */
    bool is_flipped;          /* TEST: the constant stands on the left */
};

static struct plain plain_test(const struct b_insn *in, const struct plain *a,
                               const struct plain *b)
{
    struct plain made = { .kind = PLAIN_NONE, .test = in };
    bool is_pair = in->op == OP_EQ || in->op == OP_LT || in->op == OP_LE;
    if (in->op == OP_IS_TRUE && a->kind == PLAIN_TEST)
        return *a;
    made.is_flipped = is_pair && a->kind == PLAIN_CONST;
    const struct plain *field = made.is_flipped ? b : a, *constant = made.is_flipped ? a : b;
    bool is_plain =
        field->kind == PLAIN_FIELD &&
        (is_pair ? constant->kind == PLAIN_CONST : in->op == OP_IN_SET || in->op == OP_IS_TRUE);
    if (!is_plain)
        return made;
    made.kind = PLAIN_TEST;
    made.field = field->index;
    made.has_default = field->has_default;
    made.constant = is_pair ? constant->index : in->c;
    return made;
}

/* The test that a condition is, of one argument by constants. False: it is another. */
static bool read_condition(const struct program *p, const struct b_atom *atom, struct plain *out)
{
    struct plain regs[BUNDLE_REGISTERS] = { { .kind = PLAIN_NONE } };
    if (atom->code_count > PLAIN_INSNS_MAX)
        return false;
    for (uint32_t i = 0; i < atom->code_count; i++) {
        const struct b_insn *in = &p->code[atom->code + i];
        const struct plain *a = &regs[in->b & 0xF], *b = &regs[in->b >> 8 & 0xF];
        struct plain made = { .kind = PLAIN_NONE };
        if (in->op == OP_FIELD) {
            made = (struct plain){ .kind = PLAIN_FIELD, .index = in->c };
        } else if (in->op == OP_CONST) {
            made = (struct plain){ .kind = PLAIN_CONST, .index = in->c };
        } else if (in->op == OP_ELSE && a->kind == PLAIN_FIELD && b->kind == PLAIN_CONST) {
            made = *a;
            made.has_default = true;
        } else if (op_table[in->op].kind == OP_TRUTH) {
            made = plain_test(in, a, b);
        } else {
            return false;
        }
        regs[in->a] = made;
        *out = made;
    }
    return out->kind == PLAIN_TEST;
}

static struct vm_literal literal_of(const struct program *p, uint32_t constant)
{
    const struct b_const *c = &p->consts[constant];
    return (struct vm_literal){ .type = (enum b_const_type)c->type,
                                .truth = c->truth != 0,
                                .text = program_text(p, c->text) };
}

static void take_set(const struct program *p, uint32_t set, struct vm_need *need)
{
    const struct b_set *s = &p->sets[set];
    need->has_values = s->count <= VM_NARROW_VALUES_MAX;
    for (uint32_t i = 0; i < s->slots && need->has_values; i++) {
        uint32_t entry = p->set_table[s->first + i];
        if (entry && p->consts[entry - 1].type == B_CONST_NULL)
            need->has_values = false;
        else if (entry)
            need->has_values = add_value(need, literal_of(p, entry - 1));
    }
}

/* field < c, field <= c, c < field, c <= field; or none of them. */
static void take_order(const struct program *p, const struct plain *test, bool holds,
                       struct vm_need *need)
{
    struct vm_literal literal = literal_of(p, test->constant);
    bool is_strict = (test->test->op == OP_LT) == holds;
    struct vm_limit limit = { .is_set = literal.type == B_CONST_NUMBER,
                              .is_exclusive = is_strict,
                              .number = literal.text };
    bool is_most = holds != test->is_flipped;
    *(is_most ? &need->most : &need->least) = limit;
}

/* What an argument is if the test is true, or if it is false. */
static void take_test(const struct program *p, const struct plain *test, bool holds,
                      struct vm_need *need)
{
    const struct vm_literal is = { .type = B_CONST_BOOL, .truth = holds, .text = STR("") };
    struct vm_literal equal;
    switch (test->test->op) {
    case OP_LT:
    case OP_LE: take_order(p, test, holds, need); break;
    case OP_IN_SET:
        if (holds)
            take_set(p, test->constant, need);
        break;
    case OP_IS_TRUE: need->has_values = add_value(need, is); break;
    default:
        equal = literal_of(p, test->constant);
        if (equal.type == B_CONST_BOOL)
            equal.truth = equal.truth == holds;
        if (equal.type != B_CONST_NULL && (holds || equal.type == B_CONST_BOOL))
            need->has_values = add_value(need, equal);
        break;
    }
}

/* --------------------------------- rules --------------------------------- */

/* Could the call pass the rule: an allow by acting, a deny by staying silent? */
static bool passes(struct vm *vm, const struct b_rule *rule)
{
    uint32_t unknown;
    return rule_fires(vm, rule, &unknown) == (rule->effect == B_ALLOW);
}

/* The truths of the condition with which a call could pass. */
static uint8_t passing_truths(struct vm *vm, const struct b_rule *rule, uint32_t atom)
{
    static const uint8_t truths[] = { B_TRUE, B_FALSE, B_UNKNOWN };
    uint8_t before = atom_truth(vm, atom), passing = 0;
    for (size_t i = 0; i < COUNT(truths); i++) {
        vm->truths[atom] = truths[i];
        passing |= passes(vm, rule) ? truths[i] : 0;
    }
    vm->truths[atom] = before;
    return passing;
}

static void take_atom(struct vm *vm, const struct b_rule *rule, uint32_t atom, struct vm_needs *out)
{
    const struct program *p = vm->program;
    struct plain test = { .kind = PLAIN_NONE };
    if (!(p->atoms[atom].flags & B_ATOM_VARIES) || !read_condition(p, &p->atoms[atom], &test))
        return;
    const struct b_slot *slot = &p->slots[test.field];
    if (slot->root != B_SLOT_ARGS || slot->count != 1)
        return;
    uint8_t truths = passing_truths(vm, rule, atom);
    if (truths != B_TRUE && truths != B_FALSE)
        return;
    struct vm_need need = { .key = program_text(p, p->steps[slot->first]),
                            .takes_null = test.has_default };
    take_test(p, &test, truths == B_TRUE, &need);
    if (!needs_nothing(&need))
        intersect(out, &need);
}

/* What a call needs to pass the rule. */
static void take_rule(struct vm *vm, const struct b_rule *rule, struct vm_needs *out)
{
    const struct program *p = vm->program;
    uint32_t looked_at = 0;
    for (uint32_t i = 0;
         i < rule->code_count && looked_at < VM_NARROW_ATOMS_MAX && vm->steps < VM_NARROW_STEPS_MAX;
         i++) {
        const struct b_insn *in = &p->code[rule->code + i];
        if (op_table[in->op].operands != OPERANDS_TEST)
            continue;
        looked_at++;
        take_atom(vm, rule, in->c, out);
    }
}

struct narrowing {
    struct vm_needs denies, allows, one; /* one: of the rule in hand */
    bool has_allow, is_hopeless; /* is_hopeless: no call is allowed, or a limit was reached */
};

static void narrow_by(struct vm *vm, const struct b_rule *rule, struct narrowing *n)
{
    bool tells = (rule->flags & B_RULE_ADVERTISES) != 0;
    n->one.count = 0;
    if (rule->effect != B_ALLOW) {
        n->is_hopeless |= !passes(vm, rule);
        if (tells)
            take_rule(vm, rule, &n->denies);
        return;
    }
    if (!passes(vm, rule))
        return; /* it allows this principal nothing */
    if (tells)
        take_rule(vm, rule, &n->one);
    if (n->has_allow)
        unite(&n->allows, &n->one);
    else
        n->allows = n->one;
    n->has_allow = true;
}

void vm_narrow(struct vm *vm, const struct vm_question *question, Str name, struct vm_needs *out)
{
    struct vm_call call = { .server = question->server,
                            .kind = question->kind,
                            .name = name,
                            .principal = question->principal };
    struct route route;
    struct candidates candidates;
    uint32_t index;
    out->count = 0;
    if (route_call(vm, &call, &route) != CAUSE_RULE ||
        !(vm->program->lists[route.list].flags & B_LIST_ADVERTISES))
        return;
    struct narrowing *n = calloc(1, sizeof *n);
    if (!n)
        return; /* without memory the server's own schema is shown */
    vm_begin(vm, &call, true);
    find_candidates(vm, route.list, &candidates);
    while (!n->is_hopeless && vm->steps < VM_NARROW_STEPS_MAX &&
           (index = next_rule(vm->program, &candidates)) != B_NONE)
        narrow_by(vm, &vm->program->rules[index], n);
    n->is_hopeless |= vm->steps >= VM_NARROW_STEPS_MAX;
    vm_end(vm);
    if (n->has_allow && !n->is_hopeless) {
        *out = n->allows;
        for (uint32_t i = 0; i < n->denies.count; i++)
            intersect(out, &n->denies.items[i]);
    }
    free(n);
}
