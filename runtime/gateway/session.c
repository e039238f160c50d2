/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - a table of sessions, keyed by random ids.
 *
 * Buckets are chosen by the first digits of the id: ids that are stored are random, so chains stay
 * short whatever ids a client presents.
 */
#include "runtime/gateway/session.h"

#include "runtime/base/world.h"
#include "runtime/crypto/encode.h"
#include "runtime/gateway/relay.h"
#include "runtime/gateway/stream.h"

enum { SESSION_BUCKETS = 1024 };

struct sessions {
    uint32_t per_grant, idle_ms;
    void (*on_end)(struct session *session);
    struct session *buckets[SESSION_BUCKETS];
};

struct sessions *sessions_open(uint32_t per_grant, uint32_t idle_ms,
                               void (*on_end)(struct session *session))
{
    struct sessions *sessions = calloc(1, sizeof *sessions);
    if (!sessions)
        return NULL;
    sessions->per_grant = per_grant;
    sessions->idle_ms = idle_ms;
    sessions->on_end = on_end;
    return sessions;
}

static struct session **bucket_of(struct sessions *sessions, Str id)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < id.n && i < 8; i++)
        hash = hash * 31 + (unsigned char)id.p[i];
    return &sessions->buckets[hash % SESSION_BUCKETS];
}

static Str id_of(const struct session *session)
{
    return (Str){ .p = session->id, .n = SESSION_ID_TEXT };
}

static bool is_of_grant(const struct session *session, Str grant)
{
    return str_eq(session->caller.grant, grant);
}

static void session_free(struct session *session)
{
    arena_reset(&session->mem);
    free(session);
}

/* Somebody waits for an answer or listens. */
static bool is_in_use(const struct session *session)
{
    return session->flight.first || streams_are_heard(session->streams);
}

void session_end(struct sessions *sessions, struct session *session)
{
    struct session **link = bucket_of(sessions, id_of(session));
    while (*link != session)
        link = &(*link)->next;
    *link = session->next;
    sessions->on_end(session);
    session_free(session);
}

void sessions_close(struct sessions *sessions)
{
    if (!sessions)
        return;
    for (size_t i = 0; i < SESSION_BUCKETS; i++)
        while (sessions->buckets[i])
            session_end(sessions, sessions->buckets[i]);
    free(sessions);
}

void sessions_each(struct sessions *sessions, void (*visit)(void *user, struct session *session),
                   void *user)
{
    for (size_t i = 0; i < SESSION_BUCKETS; i++)
        for (struct session *s = sessions->buckets[i]; s; s = s->next)
            visit(user, s);
}

void sessions_sweep(struct sessions *sessions)
{
    int64_t oldest = world_mono_ms() - sessions->idle_ms;
    for (size_t i = 0; i < SESSION_BUCKETS; i++)
        for (struct session *s = sessions->buckets[i], *next; s; s = next) {
            next = s->next;
            if (is_in_use(s))
                continue;
            streams_sweep(s->streams);
            if (s->used_ms < oldest)
                session_end(sessions, s);
        }
}

void sessions_cut(struct sessions *sessions, bool (*has_ended)(void *user, Str grant), void *user)
{
    for (size_t i = 0; i < SESSION_BUCKETS; i++)
        for (struct session *s = sessions->buckets[i], *next; s; s = next) {
            next = s->next;
            if (s->caller.grant.n && has_ended(user, s->caller.grant))
                session_end(sessions, s);
        }
}

bool sessions_are_none(const struct sessions *sessions)
{
    for (size_t i = 0; i < SESSION_BUCKETS; i++) {
        if (sessions->buckets[i])
            return false;
    }
    return true;
}

/* Makes room for one more session of the grant. */
static void end_least_used(struct sessions *sessions, Str grant)
{
    uint32_t count = 0;
    struct session *least = NULL;
    for (size_t i = 0; i < SESSION_BUCKETS; i++)
        for (struct session *s = sessions->buckets[i]; s; s = s->next) {
            if (!is_of_grant(s, grant))
                continue;
            count++;
            if (!least || s->used_ms < least->used_ms)
                least = s;
        }
    if (least && count >= sessions->per_grant)
        session_end(sessions, least);
}

struct session *session_open(struct sessions *sessions, const struct caller *caller, Str version)
{
    ENSURE(caller->grant.n <= SESSION_GRANT_MAX);
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    end_least_used(sessions, caller->grant);
    unsigned char random[SESSION_ID_BYTES];
    world_entropy(random, sizeof random);
    hex_encode((Str){ .p = (const char *)random, .n = sizeof random }, session->id);
    session->version = version;
    session->used_ms = world_mono_ms();
    session->log_level = LOG_LEVEL_NONE;
    arena_init(&session->mem, SESSION_MEMORY_MAX);
    if (!caller_copy(&session->mem, caller, &session->caller)) {
        session_free(session);
        return NULL;
    }
    struct session **bucket = bucket_of(sessions, id_of(session));
    session->next = *bucket;
    *bucket = session;
    return session;
}

struct session *session_find(struct sessions *sessions, const struct caller *caller, Str id)
{
    if (id.n != SESSION_ID_TEXT)
        return NULL;
    for (struct session *s = *bucket_of(sessions, id); s; s = s->next) {
        if (!str_eq(id_of(s), id) || !is_of_grant(s, caller->grant) ||
            s->caller.server != caller->server)
            continue;
        if (s->used_ms < world_mono_ms() - sessions->idle_ms && !is_in_use(s)) {
            session_end(sessions, s);
            return NULL;
        }
        s->used_ms = world_mono_ms();
        return s;
    }
    return NULL;
}
