/* SPDX-License-Identifier: Apache-2.0 */
/* vm.c - the decision: which rules concern the call, and which of them acts first.
 *
 * An allow is born in one place, the end of decide_rules, and only after every deny of the list was
 * found false. Everything else, a zeroed decision included, is a deny. Rewriting can only take an
 * allow back.
 */
#include "runtime/vm/vm_internal.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const cause_words[] = {
#define CAUSE(name, word, doc) [CAUSE_##name] = (word),
#include "runtime/vm/cause.def"
#undef CAUSE
};

static const char *const unknown_texts[] = {
#define UNKNOWN(name, text) [UNKNOWN_##name] = (text),
#include "runtime/vm/unknown.def"
#undef UNKNOWN
};

const char *vm_cause_word(enum vm_cause cause)
{
    return cause < CAUSE_COUNT ? cause_words[cause] : "internal";
}

const char *vm_unknown_text(enum vm_unknown unknown)
{
    return unknown < UNKNOWN_COUNT ? unknown_texts[unknown] : "is unknown";
}

static void *array_new(size_t count, size_t size)
{
    return calloc(count + 1, size); /* never NULL for an empty section */
}

enum status vm_open(struct program *program, struct vm **out)
{
    struct vm *vm = calloc(1, sizeof *vm);
    if (!vm)
        return ST_NO_MEMORY;
    uint32_t atoms = program->counts[SECTION_ATOMS], slots = program->counts[SECTION_SLOTS];
    vm->users = 1;
    vm->program = program_share(program);
    vm->truths = array_new(atoms, sizeof *vm->truths);
    vm->unknowns = array_new(atoms, sizeof *vm->unknowns);
    vm->touched_atoms = array_new(atoms, sizeof *vm->touched_atoms);
    vm->fields = array_new(slots, sizeof *vm->fields);
    vm->has_field = array_new(slots, sizeof *vm->has_field);
    vm->touched_slots = array_new(slots, sizeof *vm->touched_slots);
    vm->scratch = malloc(BUNDLE_CONCAT_MAX);
    arena_init(&vm->arena, VM_ARENA_BYTES_MAX);
    bool has_room = !program->counts[SECTION_REWRITES] || rewrite_open(&vm->rewrite) == ST_OK;
    if (!has_room || !vm->truths || !vm->unknowns || !vm->touched_atoms || !vm->fields ||
        !vm->has_field || !vm->touched_slots || !vm->scratch) {
        vm_close(vm);
        return ST_NO_MEMORY;
    }
    *out = vm;
    return ST_OK;
}

struct vm *vm_share(struct vm *vm)
{
    vm->users++;
    return vm;
}

void vm_close(struct vm *vm)
{
    if (!vm || --vm->users)
        return;
    program_release(vm->program);
    free(vm->truths);
    free(vm->unknowns);
    free(vm->touched_atoms);
    free(vm->fields);
    free(vm->has_field);
    free(vm->touched_slots);
    free(vm->scratch);
    rewrite_close(vm->rewrite);
    arena_reset(&vm->arena);
    free(vm);
}

struct program *vm_program(const struct vm *vm)
{
    return vm->program;
}

void vm_begin(struct vm *vm, const struct vm_call *call, bool may)
{
    vm->call = call;
    vm->may = may;
    vm->unsafe_atom = B_NONE;
    vm->steps = 0;
}

uint64_t vm_steps(const struct vm *vm)
{
    return vm->steps;
}

/* Only what the call touched is cleared. */
void vm_end(struct vm *vm)
{
    while (vm->touched_atom_count)
        vm->truths[vm->touched_atoms[--vm->touched_atom_count]] = 0;
    while (vm->touched_slot_count)
        vm->has_field[vm->touched_slots[--vm->touched_slot_count]] = 0;
    if (vm->arena.blocks)
        arena_rewind(&vm->arena);
    vm->decoded_count = 0;
    vm->call = NULL;
}

bool rule_fires(struct vm *vm, const struct b_rule *rule, uint32_t *unknown)
{
    const struct b_insn *at = vm->program->code + rule->code;
    *unknown = B_NONE;
    for (;; at++) {
        vm->steps++;
        if (at->op == OP_FIRE || at->op == OP_PASS)
            return at->op == OP_FIRE;
        if (at->op == OP_SKIP) {
            at += at->b;
            continue;
        }
        uint8_t truth = atom_truth(vm, at->c);
        if (truth == B_UNKNOWN && *unknown == B_NONE)
            *unknown = at->c;
        bool may_hold = (truth & at->a) != 0;
        if (may_hold == (at->op == OP_SKIP_IF))
            at += at->b;
    }
}

/* A few members are looked through: of most, the length is enough to tell them apart. */
enum { SHAPE_SCAN_MAX = 16 };

static uint32_t shape_member(const struct program *p, const struct b_shape *shape, Str key)
{
    const struct b_member *members = p->shape_members + shape->first;
    uint32_t lo = 0, hi = shape->count;
    while (hi - lo > SHAPE_SCAN_MAX) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (str_cmp(program_text(p, members[mid].key), key) <= 0)
            lo = mid;
        else
            hi = mid;
    }
    for (; lo < hi; lo++) {
        if (members[lo].key.length == key.n && str_eq(program_text(p, members[lo].key), key))
            return members[lo].shape;
    }
    return shape->flags & B_SHAPE_OPEN ? 0 : B_NONE;
}

/* True when value and all below it have only members and elements that the shape knows; else *key,
 * empty so far, is the member that is the first stranger or holds it. Depth is bounded by the
 * reader's limit and, against hostile bundles, here. */
static bool shape_holds(const struct program *p, const struct json_doc *doc, uint32_t value,
                        uint32_t shape, uint32_t depth, Str *key)
{
    if (shape == 0)
        return true;
    if (depth > BUNDLE_SHAPE_DEPTH_MAX)
        return false;
    const struct json_node *node = json_at(doc, value);
    if (node->type != JSON_OBJECT && node->type != JSON_ARRAY)
        return true;
    for (uint32_t i = json_first(doc, value); i != JSON_NONE; i = json_after(doc, value, i)) {
        Str name = json_key(json_at(doc, i)); /* empty in a list */
        uint32_t below = node->type == JSON_OBJECT ? shape_member(p, &p->shapes[shape], name)
                                                   : p->shapes[shape].items;
        if (below == B_NONE || !shape_holds(p, doc, i, below, depth + 1, key)) {
            *key = key->n ? *key : name;
            return false;
        }
    }
    return true;
}

static void note_rule(const struct program *p, uint32_t rule, uint32_t unknown, const struct vm *vm,
                      struct decision *out)
{
    out->rule = rule;
    out->reason = program_text(p, p->rules[rule].reason);
    out->unknown_atom = unknown;
    out->unknown = unknown == B_NONE ? UNKNOWN_NONE : (enum vm_unknown)vm->unknowns[unknown];
}

/* The deny is a number's doing: it is unknown because a double can't hold it, which the caller can
 * mend by sending another, so this is told apart. */
static void blame_number(const struct vm *vm, uint32_t atom, struct decision *out)
{
    out->cause = CAUSE_UNSAFE_NUMBER;
    out->unknown_atom = atom;
    out->unknown = UNKNOWN_NUMBER;
    out->argument = program_text(vm->program, vm->program->atoms[atom].text);
}

static void add_list(const struct program *p, uint32_t list, struct candidates *c)
{
    const struct b_list *l = &p->lists[list];
    const uint32_t *first = p->list_rules + l->first;
    if (l->count)
        c->lists[c->count++] = (struct cursor){ .at = first, .end = first + l->count };
}

static uint64_t rule_rank(const struct program *p, uint32_t rule)
{
    return (uint64_t)p->rules[rule].effect << 32 | rule;
}

uint32_t next_rule(const struct program *p, struct candidates *c)
{
    uint32_t least = B_NONE;
    if (c->count == 1)
        return c->lists[0].at < c->lists[0].end ? *c->lists[0].at++ : B_NONE;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct cursor *cursor = &c->lists[i];
        if (cursor->at < cursor->end &&
            (least == B_NONE || rule_rank(p, *cursor->at) < rule_rank(p, least)))
            least = *cursor->at;
    }
    for (uint32_t i = 0; i < c->count && least != B_NONE; i++) {
        if (c->lists[i].at < c->lists[i].end && *c->lists[i].at == least)
            c->lists[i].at++;
    }
    return least;
}

/* The lists that a value, or each element of it, leads to. False: too many, take all rules. */
static bool add_keyed(struct vm *vm, uint32_t index, struct candidates *c)
{
    const struct program *p = vm->program;
    const struct value *value = field_value(vm, p->indexes[index].slot);
    struct value element;
    if (value->type == VALUE_STRING) {
        uint32_t list = program_index_find(p, index, value->text);
        if (list != B_NONE)
            add_list(p, list, c);
        return true;
    }
    if (value->type != VALUE_GROUPS) {
        add_list(p, p->indexes[index].otherwise, c);
        return true;
    }
    struct list_walk walk = list_begin(vm, value);
    while (list_next(&walk, &element)) {
        uint32_t list = program_index_find(p, index, element.text);
        if (list == B_NONE)
            continue;
        if (c->count == COUNT(c->lists))
            return false;
        add_list(p, list, c);
    }
    return true;
}

void find_candidates(struct vm *vm, uint32_t list, struct candidates *c)
{
    const struct program *p = vm->program;
    const struct b_list *l = &p->lists[list];
    c->count = 0;
    add_list(p, list, c);
    if (l->index == B_NONE)
        return;
    const struct b_index *index = &p->indexes[l->index];
    bool is_unknown = vm->may && slot_root_table[p->slots[index->slot].root].varies;
    if (!is_unknown && add_keyed(vm, l->index, c))
        return;
    c->count = 0;
    add_list(p, index->all, c);
}

/* No rule allows the call. The agent learns what would have been accepted: the first allow rule
 * about the name, one with a reason before others, and what was unknown in it. */
static void decide_default(struct vm *vm, uint32_t list, struct decision *out)
{
    const struct program *p = vm->program;
    uint32_t near = p->lists[list].near, unknown;
    out->cause = CAUSE_DEFAULT;
    if (near != B_NONE) {
        (void)rule_fires(vm, &p->rules[near], &unknown);
        note_rule(p, near, unknown, vm, out);
    }
    if (!out->reason.n)
        out->reason = program_text(p, p->meta->default_reason);
    if (vm->unsafe_atom != B_NONE)
        blame_number(vm, vm->unsafe_atom, out);
}

/* Of the first rule that allows and of those behind it, all that act: what they set. */
static bool collect_sets(struct vm *vm, uint32_t index, struct candidates *candidates,
                         struct decision *out)
{
    const struct program *p = vm->program;
    uint32_t unknown;
    bool is_good = rewrite_collect(vm, index, out);
    while (is_good && (index = next_rule(p, candidates)) != B_NONE) {
        if (p->rules[index].set_count && rule_fires(vm, &p->rules[index], &unknown))
            is_good = rewrite_collect(vm, index, out);
    }
    return is_good;
}

static void decide_rules(struct vm *vm, uint32_t list, struct decision *out)
{
    const struct program *p = vm->program;
    struct candidates candidates __attribute__((uninitialized));
    uint32_t index, unknown;
    find_candidates(vm, list, &candidates);
    while ((index = next_rule(p, &candidates)) != B_NONE) {
        const struct b_rule *rule = &p->rules[index];
        if (!rule_fires(vm, rule, &unknown))
            continue;
        bool is_allow = rule->effect == B_ALLOW;
        note_rule(p, index, is_allow ? B_NONE : unknown, vm, out);
        if (is_allow && (p->lists[list].flags & B_LIST_REWRITES) &&
            !collect_sets(vm, index, &candidates, out))
            return;
        out->cause = CAUSE_RULE;
        out->verdict = is_allow ? VERDICT_ALLOW : VERDICT_DENY;
        if (out->unknown == UNKNOWN_NUMBER)
            blame_number(vm, unknown, out);
        return;
    }
    decide_default(vm, list, out);
}

void judge_call(struct vm *vm, const struct vm_call *call, struct decision *out)
{
    struct route route = { .list = 0, .shape = 0 };
    *out = (struct decision){
        .verdict = VERDICT_DENY, .cause = CAUSE_INTERNAL, .rule = B_NONE, .unknown_atom = B_NONE
    };
    enum vm_cause cause = route_call(vm, call, &route);
    if (cause != CAUSE_RULE) {
        out->cause = cause;
        return;
    }
    if (call->doc &&
        !shape_holds(vm->program, call->doc, call->arguments, route.shape, 1, &out->argument)) {
        out->cause = CAUSE_UNKNOWN_ARGUMENT;
        return;
    }
    vm_begin(vm, call, false);
    decide_rules(vm, route.list, out);
    if (vm->trace)
        trace_decision(vm, route.list);
    vm_end(vm);
}

void vm_decide(struct vm *vm, const struct vm_call *call, struct decision *out)
{
    if (vm->rewrite)
        rewrite_begin(vm->rewrite);
    judge_call(vm, call, out);
    if (vm->rewrite && out->verdict == VERDICT_ALLOW && vm->rewrite->sets.count)
        rewrite_call(vm, call, out);
}

size_t vm_rule_place(const struct program *program, uint32_t rule, char *out, size_t room)
{
    ENSURE(room > 0);
    out[0] = '\0';
    if (rule >= program->counts[SECTION_RULES])
        return 0;
    const struct b_rule *r = &program->rules[rule];
    Str name = program_text(program, program->sources[r->source]);
    int n = snprintf(out, room, "%.*s:%u", STR_ARG(name), r->line);
    return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}
