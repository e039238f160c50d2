/* SPDX-License-Identifier: Apache-2.0 */
/* lookout.c - lists fetched for the gateway's own sake.
 *
 * Nothing is known until a whole list of the present turn is here, and what is not known is not
 * callable. At most one list is on its way for each upstream, however many wait for it.
 */
#include "runtime/gateway/lookout.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/gateway/leg.h"
#include "runtime/gateway/pages.h"

static const char unsteady[] = "the server's list of tools changes faster than it can be read";

void lookout_open(struct upstream *upstream)
{
    upstream->lookout.turn = 1;
}

void lookout_close(struct upstream *upstream)
{
    struct lookout *lookout = &upstream->lookout;
    ENSURE(!lookout->pages && !lookout->waiters);
    definitions_free(lookout->known);
    definitions_free(lookout->draft);
    mirrors_free(lookout->marks);
    mirrors_free(lookout->marks_draft);
}

uint32_t lookout_turn(const struct upstream *upstream)
{
    return upstream->lookout.turn;
}

void lookout_forget(struct upstream *upstream)
{
    struct lookout *lookout = &upstream->lookout;
    if (++lookout->turn == 0)
        lookout->turn = 1;
    definitions_free(lookout->known);
    lookout->known = NULL;
    mirrors_free(lookout->marks);
    lookout->marks = NULL;
}

static int64_t age_of(const struct lookout *lookout)
{
    return world_mono_ms() - lookout->known_ms;
}

static uint32_t ttl_of(const struct upstream *upstream)
{
    return upstream->owner->limits->definitions_ttl_ms;
}

struct standing lookout_standing(const struct upstream *upstream, Str tool, const struct b_pin *pin)
{
    struct standing standing = { .kind = STANDING_WAIT };
    if (!upstream)
        return standing;
    const struct lookout *lookout = &upstream->lookout;
    bool is_known = lookout->known && lookout->known_turn == lookout->turn;
    if (is_known && age_of(lookout) <= ttl_of(upstream))
        return definition_standing(definitions_find(lookout->known, tool), pin);
    if (!lookout->fault || world_mono_ms() >= lookout->retry_ms)
        return standing;
    standing.kind = STANDING_UNCHECKED;
    standing.why = lookout->fault;
    return standing;
}

void lookout_learn(struct upstream *upstream, struct definitions *definitions, uint32_t turn,
                   int64_t asked_ms)
{
    struct lookout *lookout = &upstream->lookout;
    bool is_older = lookout->known && lookout->known_asked_ms > asked_ms;
    if (turn != lookout->turn || is_older) {
        definitions_free(definitions);
        return;
    }
    definitions_free(lookout->known);
    lookout->known = definitions;
    lookout->known_turn = turn;
    lookout->known_ms = world_mono_ms();
    lookout->known_asked_ms = asked_ms;
    lookout->fault = NULL;
    lookout->rest_ms = 0;
}

void lookout_learn_marks(struct upstream *upstream, struct mirrors *marks, uint32_t turn)
{
    struct lookout *lookout = &upstream->lookout;
    if (turn != lookout->turn) {
        mirrors_free(marks);
        return;
    }
    mirrors_free(lookout->marks);
    lookout->marks = marks;
}

const struct mirrors *lookout_marks(const struct upstream *upstream)
{
    return upstream ? upstream->lookout.marks : NULL;
}

static bool is_resting(const struct lookout *lookout)
{
    return lookout->fault && world_mono_ms() < lookout->retry_ms;
}

bool lookout_may_ask(const struct upstream *upstream)
{
    return !upstream || !is_resting(&upstream->lookout);
}

/* ------------------------------- waiters -------------------------------- */

void lookout_leave(struct waiter *waiter)
{
    if (!waiter->link)
        return;
    *waiter->link = waiter->next;
    if (waiter->next)
        waiter->next->link = waiter->link;
    waiter->link = NULL;
}

/* Those who begin to wait meanwhile wait for another list. */
static void release_waiters(struct lookout *lookout, const char *fault)
{
    struct waiter *first = lookout->waiters;
    lookout->waiters = NULL;
    if (first)
        first->link = &first;
    while (first) {
        struct waiter *waiter = first;
        lookout_leave(waiter);
        waiter->ready(waiter, fault);
    }
}

/* -------------------------------- fetching ------------------------------- */

static const char *take(void *user, const struct json_doc *doc, uint32_t result, uint32_t items)
{
    struct upstream *upstream = user;
    (void)result;
    for (uint32_t i = json_first(doc, items); i != JSON_NONE; i = json_after(doc, items, i)) {
        Str name = json_member_string(doc, i, STR("name"));
        if (!tool_name_is_plain(name))
            continue;
        bool is_valid;
        if (!definitions_add(upstream->lookout.draft, doc, i, name, true) ||
            !mirrors_add(upstream->lookout.marks_draft, doc, i, name, &is_valid))
            return "no memory left for the server's list of tools";
    }
    return NULL;
}

/* The server's fault, not the way's: asking again at once would be of no use. */
static bool is_servers_fault(const struct answer *answer)
{
    return !answer || answer->kind == ANSWER_ERROR || answer->failure == FAILURE_MALFORMED ||
           answer->failure == FAILURE_TIMEOUT;
}

static void note_fault(struct upstream *upstream, const struct answer *answer, const char *fault)
{
    struct lookout *lookout = &upstream->lookout;
    if (is_servers_fault(answer)) {
        lookout->rest_ms = lookout->rest_ms ? lookout->rest_ms * 2 : LOOKOUT_REST_FIRST_MS;
        if (lookout->rest_ms > LOOKOUT_REST_MAX_MS)
            lookout->rest_ms = LOOKOUT_REST_MAX_MS;
    }
    if (lookout->fault != fault)
        log_warn("server's tools can't be compared with the pinned ones server=%.*s why=%s",
                 STR_ARG(upstream->server->spec->alias), fault);
    lookout->fault = fault;
    lookout->retry_ms = world_mono_ms() + (is_servers_fault(answer) ? lookout->rest_ms : 0);
}

static bool fetch(struct upstream *upstream);

static void on_listed(void *user, const struct answer *answer, const char *fault)
{
    struct upstream *upstream = user;
    struct lookout *lookout = &upstream->lookout;
    struct definitions *draft = lookout->draft;
    struct mirrors *marks = lookout->marks_draft;
    lookout->pages = NULL;
    lookout->draft = NULL;
    lookout->marks_draft = NULL;
    if (answer)
        fault = answer->kind == ANSWER_ERROR ? "the server refuses to list its tools" : answer->why;
    if (!fault && lookout->draft_turn != lookout->turn) { /* out of date before it was whole */
        definitions_free(draft);
        mirrors_free(marks);
        bool is_wanted = lookout->waiters && lookout->rounds < LOOKOUT_ROUNDS_MAX;
        if (!is_wanted || !fetch(upstream))
            release_waiters(lookout, unsteady);
        return;
    }
    lookout->rounds = 0;
    if (fault) {
        definitions_free(draft);
        mirrors_free(marks);
        note_fault(upstream, answer, fault);
    } else {
        lookout_learn_marks(upstream, marks, lookout->draft_turn);
        lookout_learn(upstream, draft, lookout->draft_turn, lookout->draft_ms);
    }
    release_waiters(lookout, fault);
}

/* False: no memory. */
static bool fetch(struct upstream *upstream)
{
    struct lookout *lookout = &upstream->lookout;
    const struct pages_asked asked = {
        .method = STR("tools/list"),
        .member = STR("tools"),
        .max_items = upstream->owner->limits->max_tools,
        .take = take,
        .done = on_listed,
        .user = upstream,
    };
    lookout->draft = definitions_new();
    lookout->marks_draft = mirrors_new();
    if (lookout->draft && lookout->marks_draft)
        lookout->pages = pages_ask(upstream, upstream->owner->limits, &asked);
    if (!lookout->pages) {
        definitions_free(lookout->draft);
        mirrors_free(lookout->marks_draft);
        lookout->draft = NULL;
        lookout->marks_draft = NULL;
        return false;
    }
    lookout->draft_turn = lookout->turn;
    lookout->draft_ms = world_mono_ms();
    lookout->rounds++;
    return true;
}

bool lookout_wait(struct upstream *upstream, struct waiter *waiter)
{
    struct lookout *lookout = &upstream->lookout;
    if (!lookout->pages) {
        lookout->rounds = 0;
        if (!fetch(upstream))
            return false;
    }
    waiter->next = lookout->waiters;
    if (waiter->next)
        waiter->next->link = &waiter->next;
    waiter->link = &lookout->waiters;
    lookout->waiters = waiter;
    return true;
}

void lookout_refresh(struct upstream *upstream)
{
    struct lookout *lookout = &upstream->lookout;
    if (lookout->pages || is_resting(lookout) || !lookout->known ||
        age_of(lookout) <= ttl_of(upstream) / 2)
        return;
    lookout->rounds = 0;
    if (!fetch(upstream))
        log_debug("the server's list is not fetched: no memory");
}
