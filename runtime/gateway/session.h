/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - sessions of clients that speak a revision with a handshake.
 *
 * An id is 192 random bits and no credential: it counts only together with the grant that opened
 * the session, for the server it was opened for. Anything else is "unknown". A grant has at most
 * limits.max_sessions_per_grant; a new one ends the one unused longest. Idle ones are swept.
 */
#ifndef RUNTIME_GATEWAY_SESSION_H
#define RUNTIME_GATEWAY_SESSION_H

#include "runtime/gateway/caller.h"
#include "runtime/wire/jsonrpc.h"

enum {
    SESSION_ID_BYTES = 24,
    SESSION_ID_TEXT = 2 * SESSION_ID_BYTES,
    SESSION_GRANT_MAX = 64,
    SESSION_MEMORY_MAX = 256 * 1024 /* of what a session knows of its caller */
};

struct ask;
struct subscription;
struct call;
struct streams;

/* Requests of one client that are not answered yet: their ids must differ. */
struct flight {
    struct call *first;
};

struct session {
    char id[SESSION_ID_TEXT + 1]; /* of a stdio client: unused */
    struct arena mem;
    struct caller caller; /* who opened it; in mem */
    Str version;          /* negotiated; empty before `initialize` on stdio */
    int64_t used_ms;
    struct flight flight;
    uint32_t declared; /* what the client can be asked for: enum offer */
    struct ask *asks;  /* what it has been asked, the last first */
    uint64_t ask_count;
    struct subscription *subscriptions;
    int log_level; /* the least severe that the client wants; LOG_LEVEL_NONE: it did not say */
    /* Sends the client what is about no call; drops what it can't take. NULL: it takes none. */
    void (*say)(struct session *session, Str text);
    void *user;              /* of say */
    struct streams *streams; /* by HTTP: stream.h; NULL: none yet */
    struct session *next;
};

struct sessions;

/* on_end is called for every session that ends, before its memory goes: its requests in flight
 * must be finished there. */
struct sessions *sessions_open(uint32_t per_grant, uint32_t idle_ms,
                               void (*on_end)(struct session *session)); /* NULL: no memory */
void sessions_close(struct sessions *sessions);

/* A new session of this caller; NULL: no memory. */
struct session *session_open(struct sessions *sessions, const struct caller *caller, Str version);

/* The caller's session of that id, now used; NULL when there is none, or it is another's. */
struct session *session_find(struct sessions *sessions, const struct caller *caller, Str id);
void session_end(struct sessions *sessions, struct session *session);

/* Calls visit for each; it must not open or end any. */
void sessions_each(struct sessions *sessions, void (*visit)(void *user, struct session *session),
                   void *user);

/* Ends what has been idle too long; cheap enough for once a minute. */
void sessions_sweep(struct sessions *sessions);

/* Ends the sessions of grants of which has_ended says so. */
void sessions_cut(struct sessions *sessions, bool (*has_ended)(void *user, Str grant), void *user);
bool sessions_are_none(const struct sessions *sessions);

#endif
