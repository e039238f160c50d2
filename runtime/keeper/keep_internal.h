/* SPDX-License-Identifier: Apache-2.0 */
/* keep_internal.h - private to runtime/keeper's keep files: one connection in memory. */
#ifndef RUNTIME_KEEPER_KEEP_INTERNAL_H
#define RUNTIME_KEEPER_KEEP_INTERNAL_H

#include "runtime/keeper/keep.h"
#include "runtime/oauth/machine.h"

enum { HELD_MEMORY_MAX = 256 * 1024, KEEP_BUCKETS = 1024 };

struct waiter_of_token {
    struct waiter_of_token *next;
    uint64_t id;
    int64_t until_ms; /* by the monotonic clock */
};

struct held {
    struct held *next;
    struct keep *keep;
    const struct oauth_settings *settings; /* NULL: its server is configured no more */
    char *text;                            /* owned; of the two below */
    Str server, principal;
    struct arena mem;          /* of the row */
    struct connection_row row; /* without what is sealed in it */
    bool has_refresh;          /* a refresh token */
    enum oauth_state state;
    struct waiter_of_token *waiters;
    struct timer *timer; /* the next thing to do by itself: refresh, look, try again, give up */
    struct fetch *fetch;
    bool has_lease, is_orphan; /* of a refresh whose connection was ended or replaced meanwhile */
    unsigned tries;
    int64_t due_ms, rejected_ms, noted_ms;
    uint64_t rejected_generation;
    /* what a refresh gave and is not stored yet */
    struct tokens fresh;
    int64_t fresh_expires_ms;
    struct arena fresh_mem;
    Str fresh_scopes;
    struct scope_set wanted; /* of a client without user, which steps up by itself */
    struct arena wanted_mem;
    unsigned step_ups;
};

struct keep {
    struct loop *loop;
    struct login_env env;
    const struct keep_events *events;
    void *user;
    struct held *held;
    struct timer *poll;
    int64_t version;
    size_t refreshes; /* under way */
};

static inline struct store *keep_store(const struct held *held)
{
    return held->keep->env.safe->vault.store;
}

/* Reads the row again, and the tokens unless NULL; the row stays as it was on failure. */
enum status held_read(struct held *held, struct tokens *tokens);

/* keep.c */
void held_raise(struct held *held, enum oauth_event event);
void held_serve(struct held *held); /* those who wait, if they can be */
void held_refuse(struct held *held, enum no_kind no, const char *why); /* all who wait */
void held_plan(struct held *held);                                     /* sets the timer */

/* keep_refresh.c */
void held_refresh(struct held *held);
void held_save(struct held *held);
void held_forget_fresh(struct held *held);
void held_drop_lease(struct held *held);

#endif
