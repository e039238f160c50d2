/* SPDX-License-Identifier: Apache-2.0 */
/* names.c - which names have to be compared: those that rules and snapshots give, and of all others
 * one for each way in which the patterns of both policies take it. URIs are judged in canonical
 * form only, so of a class of them a canonical one is looked for. */
#include "compiler/prove/compare.h"
#include "compiler/prove/text.h"

#include <stdlib.h>

static int name_order(const void *a, const void *b)
{
    const Str *x = a, *y = b;
    return str_cmp(*x, *y);
}

uint32_t names_unique(Str *names, uint32_t count)
{
    uint32_t n = 0;
    if (count)
        qsort(names, count, sizeof *names, name_order);
    for (uint32_t i = 0; i < count; i++)
        if (n == 0 || !str_eq(names[n - 1], names[i]))
            names[n++] = names[i];
    return n;
}

/* Every name of the kind that either program knows on the server. */
static Str *known_names(const struct comparison *c, struct arena *mem, uint32_t *count)
{
    uint32_t room = 0, n = 0;
    for (uint32_t side = 0; side < SIDES; side++)
        room += c->model.programs[side]->counts[SECTION_NAMES];
    Str *names = ARENA_NEW(mem, Str, room);
    for (uint32_t side = 0; side < SIDES && names; side++) {
        const struct program *p = c->model.programs[side];
        uint32_t server = program_server(p, c->server);
        for (uint32_t i = 0; i < p->counts[SECTION_NAMES]; i++)
            if (server != B_NONE && p->names[i].route == program_route(server, c->kind))
                names[n++] = program_text(p, p->names[i].name);
    }
    *count = names ? names_unique(names, n) : 0;
    return names;
}

/* One name of each class that the patterns of both tell apart, none of them known. */
static enum status name_classes(const struct comparison *c, const Str *known, uint32_t known_count,
                                struct arena *mem, struct text_classes *out)
{
    static const uint32_t nothing[1] = { 0 };
    struct text_test tests[SIDES + 2];
    uint32_t count = 2;
    tests[0] = (struct text_test){ .kind = TEXT_LITERALS, .texts = known, .count = known_count };
    tests[1] = (struct text_test){ .kind = TEXT_LENGTH, .bounds = nothing, .count = 1 };
    for (uint32_t side = 0; side < SIDES; side++) {
        const struct program *p = c->model.programs[side];
        uint32_t server = program_server(p, c->server);
        uint32_t dfa = server == B_NONE ? B_NONE : p->routes[program_route(server, c->kind)].dfa;
        if (dfa != B_NONE)
            tests[count++] = (struct text_test){ .kind = TEXT_DFA, .program = p, .dfa = dfa };
    }
    return text_classes(tests, count, mem, out);
}

bool name_is_odd(const struct comparison *c, Str name)
{
    struct principal nobody = { .id = STR("anonymous") };
    struct vm_call call = { .server = c->server,
                            .name = name,
                            .kind = c->kind,
                            .principal = &nobody,
                            .method = kind_first_method(c->kind) };
    struct decision decision;
    vm_decide(c->model.vms[0], &call, &decision);
    bool is_odd_there = decision.cause == CAUSE_NOT_CANONICAL;
    vm_decide(c->model.vms[1], &call, &decision);
    return is_odd_there || decision.cause == CAUSE_NOT_CANONICAL;
}

/* Do all patterns of both policies take the two names alike, and does no rule name the second? */
static bool same_class(const struct comparison *c, Str a, Str b)
{
    for (uint32_t side = 0; side < SIDES; side++) {
        const struct program *p = c->model.programs[side];
        uint32_t server = program_server(p, c->server);
        uint32_t route = server == B_NONE ? B_NONE : program_route(server, c->kind);
        uint32_t dfa = route == B_NONE ? B_NONE : p->routes[route].dfa;
        if (route != B_NONE && program_known(p, route, b) != B_NONE)
            return false;
        if (dfa != B_NONE && program_match(p, dfa, a) != program_match(p, dfa, b))
            return false;
    }
    return true;
}

/* The name, or one of its class that is a canonical URI, where the shortest is none. */
static Str canonical_name(const struct comparison *c, Str name, struct arena *mem)
{
    static const struct {
        const char *before, *behind;
    } forms[] = { { "", "a" },  { "", "a/a" }, { "", "/a" },
                  { "", ":a" }, { "a:", "" },  { "a:/", "" } };
    for (size_t i = 0; i < COUNT(forms) && name_is_odd(c, name); i++) {
        Str made = arena_printf(mem, "%s%.*s%s", forms[i].before, STR_ARG(name), forms[i].behind);
        if (made.p && !name_is_odd(c, made) && same_class(c, name, made))
            return made;
    }
    return name;
}

bool names_list(const struct comparison *c, struct arena *mem, struct name_list *out)
{
    struct text_classes classes = { .count = 0, .is_complete = true };
    uint32_t count = 1;
    Str none = STR_INIT(""), *names = &none;
    if (kind_table[c->kind].names != NAMES_NONE) {
        names = known_names(c, mem, &count);
        if (!names || name_classes(c, names, count, mem, &classes) != ST_OK)
            return false;
    }
    *out = (struct name_list){ .is_complete = classes.is_complete };
    out->items = ARENA_NEW(mem, struct compared_name, count + classes.count);
    if (!out->items)
        return false;
    for (uint32_t i = 0; i < count; i++)
        out->items[out->count++] = (struct compared_name){ .text = names[i] };
    for (uint32_t i = 0; i < classes.count; i++) { /* answers: which known name, is it empty */
        const struct text_class *class = &classes.items[i];
        if (class->text.n && (!classes.is_complete || !class->answers[0]))
            out->items[out->count++] =
                (struct compared_name){ canonical_name(c, class->text, mem), true };
    }
    return true;
}
