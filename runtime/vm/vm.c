/* SPDX-License-Identifier: Apache-2.0 */
/* vm.c - the decision: which rules concern the call, and which of them acts first.
 *
 * An allow is born in one place, the end of decide_rules, and only after every deny of the list was
 * found false. Everything else, a zeroed decision included, is a deny.
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
    vm->program = program_share(program);
    vm->truths = array_new(atoms, sizeof *vm->truths);
    vm->unknowns = array_new(atoms, sizeof *vm->unknowns);
    vm->touched_atoms = array_new(atoms, sizeof *vm->touched_atoms);
    vm->fields = array_new(slots, sizeof *vm->fields);
    vm->has_field = array_new(slots, sizeof *vm->has_field);
    vm->touched_slots = array_new(slots, sizeof *vm->touched_slots);
    vm->scratch = malloc(BUNDLE_CONCAT_MAX);
    arena_init(&vm->arena, VM_ARENA_BYTES_MAX);
    if (!vm->truths || !vm->unknowns || !vm->touched_atoms || !vm->fields || !vm->has_field ||
        !vm->touched_slots || !vm->scratch) {
        vm_close(vm);
        return ST_NO_MEMORY;
    }
    *out = vm;
    return ST_OK;
}

void vm_close(struct vm *vm)
{
    if (!vm)
        return;
    program_release(vm->program);
    free(vm->truths);
    free(vm->unknowns);
    free(vm->touched_atoms);
    free(vm->fields);
    free(vm->has_field);
    free(vm->touched_slots);
    free(vm->scratch);
    arena_reset(&vm->arena);
    free(vm);
}

struct program *vm_program(const struct vm *vm)
{
    return vm->program;
}

static void begin(struct vm *vm, const struct vm_call *call, bool may)
{
    vm->call = call;
    vm->may = may;
    vm->unsafe_atom = B_NONE;
}

/* Forgets this call: only what it touched is cleared. */
static void end(struct vm *vm)
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

/* Runs a rule's code. True: it acts. *unknown becomes the first atom tested that was unknown. */
static bool rule_fires(struct vm *vm, const struct b_rule *rule, uint32_t *unknown)
{
    const struct b_insn *at = vm->program->code + rule->code;
    *unknown = B_NONE;
    for (;; at++) {
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

/* Where a tool's rules are: its list, and the shape its arguments must have. */
struct route {
    uint32_t list, shape;
};

static enum vm_cause route_call(const struct program *p, Str alias, Str tool, struct route *route)
{
    uint32_t server = program_server(p, alias);
    if (server == B_NONE)
        return CAUSE_UNKNOWN_SERVER;
    const struct b_server *s = &p->servers[server];
    uint32_t known = program_tool(p, server, tool);
    if (known != B_NONE) {
        *route = (struct route){ .list = p->tools[known].list, .shape = p->tools[known].shape };
        return CAUSE_RULE;
    }
    if ((s->flags & B_SERVER_PINNED) && !(s->flags & B_SERVER_OPEN))
        return CAUSE_UNKNOWN_TOOL;
    uint16_t id = s->dfa == B_NONE ? 0 : program_match(p, s->dfa, tool);
    route->list = id ? p->accepts[s->accept_first + id - 1] : s->other;
    route->shape = 0;
    return CAUSE_RULE;
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

/* An allow rule that does not hold: kept as the nearest one if it is the first, or the first with
 * a reason. */
static void note_near_miss(const struct vm *vm, uint32_t rule, uint32_t unknown,
                           struct decision *out)
{
    const struct program *p = vm->program;
    bool has_reason = p->rules[rule].reason.length > 0;
    bool is_first = out->rule == B_NONE;
    if (!is_first && (!has_reason || p->rules[out->rule].reason.length > 0))
        return;
    note_rule(p, rule, unknown, vm, out);
    if (!has_reason)
        out->reason = program_text(p, p->meta->default_reason);
}

/* Denies come first in a list, so the first rule that acts is the verdict. */
static void decide_rules(struct vm *vm, uint32_t list, struct decision *out)
{
    const struct program *p = vm->program;
    const struct b_list *l = &p->lists[list];
    out->cause = CAUSE_DEFAULT;
    out->reason = program_text(p, p->meta->default_reason);
    for (uint32_t k = 0; k < l->count; k++) {
        uint32_t index = p->list_rules[l->first + k], unknown;
        const struct b_rule *rule = &p->rules[index];
        if (rule_fires(vm, rule, &unknown)) {
            bool is_allow = rule->effect == B_ALLOW;
            note_rule(p, index, is_allow ? B_NONE : unknown, vm, out);
            out->cause = CAUSE_RULE;
            out->verdict = is_allow ? VERDICT_ALLOW : VERDICT_DENY;
            if (out->unknown == UNKNOWN_NUMBER)
                blame_number(vm, unknown, out);
            return;
        }
        if (rule->effect == B_ALLOW)
            note_near_miss(vm, index, unknown, out);
    }
    if (vm->unsafe_atom != B_NONE)
        blame_number(vm, vm->unsafe_atom, out);
}

void vm_decide(struct vm *vm, const struct vm_call *call, struct decision *out)
{
    struct route route = { .list = 0, .shape = 0 };
    *out = (struct decision){
        .verdict = VERDICT_DENY, .cause = CAUSE_INTERNAL, .rule = B_NONE, .unknown_atom = B_NONE
    };
    enum vm_cause cause = route_call(vm->program, call->server, call->tool, &route);
    if (cause != CAUSE_RULE) {
        out->cause = cause;
        return;
    }
    if (call->doc &&
        !shape_holds(vm->program, call->doc, call->arguments, route.shape, 1, &out->argument)) {
        out->cause = CAUSE_UNKNOWN_ARGUMENT;
        return;
    }
    begin(vm, call, false);
    decide_rules(vm, route.list, out);
    end(vm);
}

bool vm_may_allow(struct vm *vm, Str server, Str tool, const struct principal *principal)
{
    const struct program *p = vm->program;
    struct vm_call call = { .server = server, .tool = tool, .principal = principal };
    struct route route;
    if (route_call(p, server, tool, &route) != CAUSE_RULE)
        return false;
    bool is_possible = false;
    begin(vm, &call, true);
    for (uint32_t k = 0; k < p->lists[route.list].count && !is_possible; k++) {
        const struct b_rule *rule = &p->rules[p->list_rules[p->lists[route.list].first + k]];
        uint32_t unknown;
        bool fires = rule_fires(vm, rule, &unknown);
        if (fires && rule->effect != B_ALLOW)
            break; /* whatever the arguments, this denies */
        is_possible = fires;
    }
    end(vm);
    return is_possible;
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
