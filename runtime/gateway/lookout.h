/* SPDX-License-Identifier: Apache-2.0 */
/* lookout.h - what the tools of one upstream are defined as now.
 *
 * Known from the server's own list: one that was asked for because a call of a pinned tool needed
 * it, or a client's that passed through. Each list counts for definitions_ttl_ms, and no longer
 * than the server's process or session lives or until the server says that its list changed: each
 * of these ends a turn. A call is sent in the turn that it was judged in or not at all. Half-way
 * through the time, a call has the list fetched anew beside it, so that a server in use keeps
 * nobody waiting.
 */
#ifndef RUNTIME_GATEWAY_LOOKOUT_H
#define RUNTIME_GATEWAY_LOOKOUT_H

#include "runtime/gateway/definitions.h"
#include "runtime/gateway/mirror.h"
#include "runtime/gateway/upstream.h"

enum {
    LOOKOUT_ROUNDS_MAX =
        3, /* lists asked for one after the other while the server changes its own */
    LOOKOUT_REST_FIRST_MS = 1000, /* after a list that failed by the server's fault; doubled each */
    LOOKOUT_REST_MAX_MS = 60000,  /* time up to this */
};

/* Somebody who waits for the definitions. */
struct waiter {
    struct waiter *next, **link; /* link NULL: not waiting */
    /* Once, from a callback of the loop: they are known, or fault says why they can't be. */
    void (*ready)(struct waiter *waiter, const char *fault);
};

struct lookout {
    uint32_t turn;
    struct definitions *known; /* owned; NULL: none */
    uint32_t known_turn;
    int64_t known_ms, known_asked_ms; /* when they were here; when they were asked for */
    struct pages *pages;
    struct definitions *draft; /* owned; what pages has brought so far */
    struct mirrors *marks;     /* owned; of the last whole list of this turn; NULL: none */
    struct mirrors *marks_draft;
    uint32_t draft_turn, rounds;
    int64_t draft_ms;
    struct waiter *waiters; /* only while pages are on their way */
    const char *fault;      /* why the last list failed; counts until retry_ms */
    uint32_t rest_ms;
    int64_t retry_ms;
};

/* How the tool stands against its pin. upstream NULL: there is none yet. */
struct standing lookout_standing(const struct upstream *upstream, Str tool,
                                 const struct b_pin *pin);

/* The turn that calls are judged in now, never 0. */
uint32_t lookout_turn(const struct upstream *upstream);

/* Has the list fetched. False: no memory, and nobody waits. */
MUST_USE bool lookout_wait(struct upstream *upstream, struct waiter *waiter);
void lookout_leave(struct waiter *waiter); /* waits no longer; fine for one who does not */

/* A call is on its way: fetches the list beside it when it grows old. */
void lookout_refresh(struct upstream *upstream);

/* Takes the definitions of a whole list that was asked for then, in that turn. */
void lookout_learn(struct upstream *upstream, struct definitions *definitions, uint32_t turn,
                   int64_t asked_ms);

/* Likewise the marks of a whole list. They count until another list is here or the turn ends: a
 * server that has changed them refuses the call, and then the list is fetched. */
void lookout_learn_marks(struct upstream *upstream, struct mirrors *marks, uint32_t turn);

/* The marks, or NULL: no list is known. upstream NULL: there is none yet. */
const struct mirrors *lookout_marks(const struct upstream *upstream);

/* Would it be of use to wait for a list? Not just after one that failed. */
bool lookout_may_ask(const struct upstream *upstream);

/* What is known holds no longer. */
void lookout_forget(struct upstream *upstream);

void lookout_open(struct upstream *upstream);
void lookout_close(struct upstream *upstream); /* nothing is on its way any more */

#endif
