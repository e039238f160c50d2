/* SPDX-License-Identifier: Apache-2.0 */
/* keep.h - the connections that the keeper holds: what drives the keeping half of
 * runtime/oauth/machine.def.
 *
 * One refresh at a time for each connection: in this process by its state, among processes by the
 * store's lease. Whoever asks while it goes on waits. New tokens are durable before anybody gets
 * one. A refresh belongs to the connection: nobody who leaves can stop it.
 */
#ifndef RUNTIME_KEEPER_KEEP_H
#define RUNTIME_KEEPER_KEEP_H

#include "runtime/keeper/login.h"
#include "runtime/keeper/message.h"

enum {
    KEEP_AHEAD_MS = 5 * 60 * 1000, /* before its expiry a token is refreshed, at the earliest; of a
                                    * short life a quarter at the most */
    KEEP_SPARE_MS = 5 * 1000,      /* that a token must have left to be handed out, likewise */
    KEEP_LEASE_LOOK_MS = 50,       /* between looks at a lease that another process has */
    KEEP_BACKOFF_FIRST_MS = 500,   /* after a refresh that failed for now; doubled each time */
    KEEP_BACKOFF_MAX_MS = 60 * 1000,
    KEEP_PATIENCE_MS = 15 * 1000,    /* that a request waits for a token before it is told to try
                                      * later */
    KEEP_REJECT_REST_MS = 30 * 1000, /* between two refreshes because of a 401 */
    KEEP_USED_EVERY_MS = 60 * 1000,  /* between two notes of a use */
    KEEP_POLL_MS = 200,              /* between looks at what other processes have stored */
    KEEP_CONNECTIONS_MAX = 100000,
};

struct keep;

struct keep_question {
    Str server, principal;
    Str cause;           /* "", "401" or "403" */
    uint64_t generation; /* of the token that was refused */
    Str scopes;          /* that the server wants, with spaces between */
};

struct keep_answer {
    bool has_token;
    Str name, value; /* of the header; lent */
    int64_t generation;
    enum no_kind no;
    Str text;
};

struct keep_events {
    void (*answer)(void *user, uint64_t id, const struct keep_answer *answer);
    /* A server has the first connection, or lost the last. */
    void (*server)(void *user, Str server, bool has_connections);
    void (*cut)(void *user, Str server, Str principal); /* a connection was ended */
    void (*changed)(void *user);                        /* another process has stored something */
};

/* Reads all connections. Borrows all. */
MUST_USE enum status keep_open(struct loop *loop, const struct login_env *env,
                               const struct keep_events *events, void *user, struct keep **out);
void keep_close(struct keep *keep);

/* Answers now or later, once. */
void keep_ask(struct keep *keep, uint64_t id, const struct keep_question *question);

/* Looks at the store at once: something was stored by this process. */
void keep_look(struct keep *keep);

/* Says of every server again whether it has connections. */
void keep_tell_servers(struct keep *keep);

/* True when no refresh is under way: the process may end. */
bool keep_is_idle(const struct keep *keep);

#endif
