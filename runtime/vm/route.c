/* SPDX-License-Identifier: Apache-2.0 */
/* route.c - from a message's server, kind and name to the list of rules about it, and the question
 * that lists ask: could anything of this name, or of names that begin so, be allowed?
 *
 * A URI is looked up only in canonical form. Any other spelling could be the same resource to the
 * server and another name to the rules, so it has no list: that is a denial, never a guess.
 */
#include "runtime/domain/uri.h"
#include "runtime/vm/vm_internal.h"

#include <stdlib.h>

/* A resource is always named by a URI. A completion may be about a URI template: what begins like a
 * URI is judged as one, whatever it is said to be. */
static bool is_canonical(struct vm *vm, const struct vm_call *call)
{
    bool holds = true;
    if (call->kind == KIND_RESOURCE)
        holds = uri_is_canonical(call->name, &vm->arena);
    else if (call->kind == KIND_COMPLETION && uri_has_scheme(call->name))
        holds = uri_template_is_canonical(call->name, &vm->arena);
    if (vm->arena.blocks)
        arena_rewind(&vm->arena); /* the call has not begun: nothing else is in it */
    return holds;
}

static bool is_closed(const struct b_server *server, enum message_kind kind)
{
    return kind == KIND_TOOL && (server->flags & B_SERVER_PINNED) &&
           !(server->flags & B_SERVER_OPEN);
}

enum vm_cause route_call(struct vm *vm, const struct vm_call *call, struct route *route)
{
    const struct program *p = vm->program;
    uint32_t server = program_server(p, call->server);
    if (server == B_NONE)
        return CAUSE_UNKNOWN_SERVER;
    if (!is_canonical(vm, call))
        return CAUSE_NOT_CANONICAL;
    uint32_t index = program_route(server, call->kind);
    uint32_t known = program_known(p, index, call->name);
    if (known != B_NONE) {
        *route = (struct route){ .list = p->names[known].list, .shape = p->names[known].shape };
        return CAUSE_RULE;
    }
    if (is_closed(&p->servers[server], call->kind))
        return CAUSE_UNKNOWN_TOOL;
    const struct b_route *r = &p->routes[index];
    uint16_t id = r->dfa == B_NONE ? 0 : program_match(p, r->dfa, call->name);
    route->list = id ? p->accepts[r->accept_first + id - 1] : r->other;
    route->shape = 0;
    return CAUSE_RULE;
}

/* Could a rule of the list allow, whatever the arguments are? */
static bool list_may_allow(struct vm *vm, const struct vm_call *call, uint32_t list)
{
    const struct program *p = vm->program;
    bool is_possible = false;
    struct candidates candidates;
    uint32_t index, unknown;
    vm_begin(vm, call, true);
    find_candidates(vm, list, &candidates);
    while (!is_possible && (index = next_rule(p, &candidates)) != B_NONE) {
        const struct b_rule *rule = &p->rules[index];
        bool fires = rule_fires(vm, rule, &unknown);
        if (fires && rule->effect != B_ALLOW)
            break; /* whatever the arguments, this denies */
        is_possible = fires;
    }
    vm_end(vm);
    return is_possible;
}

bool vm_may_allow(struct vm *vm, const struct vm_question *question, Str name)
{
    struct vm_call call = { .server = question->server,
                            .kind = question->kind,
                            .name = name,
                            .principal = question->principal };
    struct route route;
    return route_call(vm, &call, &route) == CAUSE_RULE && list_may_allow(vm, &call, route.list);
}

/* ------------------------------- prefixes ------------------------------- */

static bool known_may_allow(struct vm *vm, struct vm_call *call, uint32_t index, Str prefix)
{
    const struct program *p = vm->program;
    for (uint32_t i = 0; i < p->counts[SECTION_NAMES]; i++) {
        Str name = program_text(p, p->names[i].name);
        if (p->names[i].route != index || !str_starts(name, prefix))
            continue;
        call->name = name;
        if (list_may_allow(vm, call, p->names[i].list))
            return true;
    }
    return false;
}

/* Marks the accept ids of all states that some text behind the prefix leads to; id 0 is for the
 * texts that no pattern takes. False: no memory. */
static bool mark_reachable(const struct program *p, uint32_t dfa, Str prefix, uint8_t *accepts)
{
    const struct b_dfa *a = &p->dfas[dfa];
    const uint16_t *next = p->dfa_next + a->next;
    uint8_t *seen = calloc(a->states, 1);
    uint16_t *queue = calloc(a->states, sizeof *queue);
    uint32_t count = 0;
    if (seen && queue) {
        uint16_t first = 0;
        for (size_t i = 0; i < prefix.n; i++)
            first = next[(uint32_t)first * a->class_count +
                         p->dfa_classes[a->classes + (unsigned char)prefix.p[i]]];
        queue[count++] = first;
        seen[first] = 1;
    }
    for (uint32_t at = 0; at < count; at++) {
        accepts[p->dfa_accept[a->accept + queue[at]]] = 1;
        for (uint32_t k = 0; k < a->class_count; k++) {
            uint16_t to = next[(uint32_t)queue[at] * a->class_count + k];
            if (!seen[to])
                queue[count++] = to;
            seen[to] = 1;
        }
    }
    free(seen);
    free(queue);
    return count > 0;
}

/* Names that nobody knows: by each list that one of them could have. */
static bool unknown_may_allow(struct vm *vm, const struct vm_call *call, const struct b_route *r,
                              Str prefix)
{
    const struct program *p = vm->program;
    bool is_possible = false;
    if (r->dfa == B_NONE)
        return list_may_allow(vm, call, r->other);
    uint8_t *accepts = calloc((size_t)r->accept_count + 1, 1);
    bool has_memory = accepts && mark_reachable(p, r->dfa, prefix, accepts);
    for (uint32_t id = 0; id <= r->accept_count && has_memory && !is_possible; id++) {
        uint32_t list = id ? p->accepts[r->accept_first + id - 1] : r->other;
        is_possible = accepts[id] && list_may_allow(vm, call, list);
    }
    free(accepts);
    return is_possible;
}

bool vm_may_allow_some(struct vm *vm, const struct vm_question *question, Str prefix)
{
    const struct program *p = vm->program;
    uint32_t server = program_server(p, question->server);
    if (server == B_NONE)
        return false;
    uint32_t index = program_route(server, question->kind);
    struct vm_call call = { .server = question->server,
                            .kind = question->kind,
                            .name = prefix,
                            .principal = question->principal };
    if (known_may_allow(vm, &call, index, prefix))
        return true;
    call.name = prefix;
    return !is_closed(&p->servers[server], question->kind) &&
           unknown_may_allow(vm, &call, &p->routes[index], prefix);
}
