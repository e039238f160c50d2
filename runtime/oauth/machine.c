/* SPDX-License-Identifier: Apache-2.0 */
/* machine.c - looks edges up, and draws them. */
#include "runtime/oauth/machine.h"

enum machine_kind { KIND_LOGIN, KIND_KEEP };

struct edge {
    enum oauth_state from;
    enum oauth_event event;
    enum oauth_state to;
    enum oauth_action action;
};

struct doc_row {
    const char *name, *doc;
};

static const struct {
    enum machine_kind kind;
    Str word;
    struct doc_row row;
} states[] = {
#define STATE(name, kind, word, doc) { KIND_##kind, STR_INIT(word), { #name, (doc) } },
#include "runtime/oauth/machine.def"
};

static const struct doc_row events[] = {
#define EVENT(name, doc) { #name, (doc) },
#include "runtime/oauth/machine.def"
};

static const struct doc_row actions[] = {
#define ACTION(name, doc) { #name, (doc) },
#include "runtime/oauth/machine.def"
};

static const struct edge edges[] = {
#define EDGE(from, event, to, action)                                                              \
    { OAUTH_STATE_##from, OAUTH_EVENT_##event, OAUTH_STATE_##to, OAUTH_DO_##action },
#include "runtime/oauth/machine.def"
};

_Static_assert(COUNT(states) == OAUTH_STATE_COUNT, "a row for each state");

bool oauth_step(enum oauth_state *state, enum oauth_event event, enum oauth_action *action)
{
    for (size_t i = 0; i < COUNT(edges); i++) {
        if (edges[i].from != *state || edges[i].event != event)
            continue;
        *state = edges[i].to;
        *action = edges[i].action;
        return true;
    }
    return false;
}

bool oauth_state_is_login(enum oauth_state state)
{
    ENSURE(state < OAUTH_STATE_COUNT);
    return states[state].kind == KIND_LOGIN;
}

Str oauth_state_word(enum oauth_state state)
{
    ENSURE(state < OAUTH_STATE_COUNT);
    return states[state].word;
}

bool oauth_state_read(Str word, enum oauth_state *out)
{
    for (size_t i = 0; i < OAUTH_STATE_COUNT; i++) {
        if (str_eq(states[i].word, word)) {
            *out = (enum oauth_state)i;
            return true;
        }
    }
    return false;
}

/* ------------------------------- drawing ------------------------------- */

static void draw(struct buf *out, enum machine_kind kind)
{
    buf_add(out, STR("```mermaid\nstateDiagram-v2\n"));
    buf_printf(out, "    [*] --> %s\n", kind == KIND_LOGIN ? "START" : "ACTIVE");
    for (size_t i = 0; i < COUNT(edges); i++) {
        const struct edge *edge = &edges[i];
        if (states[edge->from].kind == kind)
            buf_printf(out, "    %s --> %s : %s\n", states[edge->from].row.name,
                       states[edge->to].row.name, events[edge->event].name);
    }
    if (kind == KIND_LOGIN)
        buf_add(out, STR("    DONE --> [*]\n    FAILED --> [*]\n"));
    buf_add(out, STR("```\n"));
}

static void print_rows(struct buf *out, const char *head, const struct doc_row *rows, size_t count)
{
    buf_printf(out, "\n| %s | meaning |\n| --- | --- |\n", head);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "| %s | %s |\n", rows[i].name, rows[i].doc);
}

static void print_edges(struct buf *out)
{
    buf_add(out, STR("\n| in state | on | goes to | and does |\n| --- | --- | --- | --- |\n"));
    for (size_t i = 0; i < COUNT(edges); i++)
        buf_printf(out, "| %s | %s | %s | %s |\n", states[edges[i].from].row.name,
                   events[edges[i].event].name, states[edges[i].to].row.name,
                   actions[edges[i].action].name);
}

void oauth_machine_print(struct buf *out)
{
    struct doc_row rows[COUNT(states)];
    buf_add(out, STR("A login:\n\n"));
    draw(out, KIND_LOGIN);
    buf_add(out, STR("\nA connection:\n\n"));
    draw(out, KIND_KEEP);
    for (size_t i = 0; i < COUNT(states); i++)
        rows[i] = states[i].row;
    print_rows(out, "state", rows, COUNT(rows));
    print_rows(out, "event", events, COUNT(events));
    print_rows(out, "action", actions, COUNT(actions));
    print_edges(out);
}
