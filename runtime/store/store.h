/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - what must survive a restart, behind verbs of the domain. No SQL crosses this line.
 *
 * A store is used by one thread; several processes may have the same store open (the gateway
 * and `mcpd grant ...`), and see each other's commits. What a verb reports as done is durable.
 */
#ifndef RUNTIME_STORE_STORE_H
#define RUNTIME_STORE_STORE_H

#include "runtime/base/arena.h"
#include "runtime/base/status.h"
#include "runtime/base/str.h"

enum {
    GRANT_HASH_BYTES = 32,  /* SHA-256 of the token */
    GRANT_SERVERS_MAX = 64, /* servers that one grant may reach */
    GRANT_TEXT_MAX = 4096,  /* bytes of each string of a row */
};

/* A grant as stored. The token is not here: only its hash. Times are milliseconds since 1970. */
struct grant_row {
    Str id; /* "g_" and 12 characters of [a-z0-9]; public */
    unsigned char hash[GRANT_HASH_BYTES];
    Str principal;
    Str servers[GRANT_SERVERS_MAX]; /* aliases */
    size_t server_count;
    Str policy; /* absolute path of the bundle */
    Str label;  /* may be empty */
    int64_t created_ms;
    int64_t expires_ms; /* 0: never */
    int64_t revoked_ms; /* 0: not revoked */
};

struct store {
    const struct store_ops *ops; /* first member of each backend's own struct */
};

struct store_ops {
    const char *name;
    /* ST_CONFLICT when the id or the hash exists; ST_INVALID when a string is not UTF-8, holds
     * U+0000, is over GRANT_TEXT_MAX or (label aside) empty, or there is no server. */
    enum status (*grant_add)(struct store *store, const struct grant_row *row);
    /* Fills *row; its bytes live in mem. ST_NOT_FOUND when there is none. Revoked and expired
     * grants are found: the caller judges them. */
    enum status (*grant_by_hash)(struct store *store, const unsigned char hash[GRANT_HASH_BYTES],
                                 struct arena *mem, struct grant_row *row);
    /* All grants, oldest first. */
    enum status (*grant_list)(struct store *store, struct arena *mem, struct grant_row **rows,
                              size_t *count);
    /* ST_NOT_FOUND for an unknown id; revoking a revoked grant is ST_OK and keeps the first time.
     */
    enum status (*grant_revoke)(struct store *store, Str id, int64_t now_ms);
    /* The highest version of the policy of that name that was ever in force here; 0 for a policy
     * that never was. ST_INVALID for a name that is empty, no text or over GRANT_TEXT_MAX. */
    enum status (*policy_version)(struct store *store, Str name, uint32_t *version);
    /* Remembers that this version is in force; a lower one than is known changes nothing. */
    enum status (*policy_raise)(struct store *store, Str name, uint32_t version);
    /* A number that differs from the last answer whenever another connection or process has
     * changed the store meanwhile: what a cache asks before it trusts itself. Cheap. */
    enum status (*version)(struct store *store, int64_t *version);
    void (*close)(struct store *store); /* takes the store */
};

/* Opens or creates the SQLite store in a file (mode 0600, WAL, migrations forward-only; a
 * schema newer than this program is ST_UNSUPPORTED). path is NUL-terminated. */
MUST_USE enum status store_open_sqlite(const char *path, struct store **out);

#endif
