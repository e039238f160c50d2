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
    FLOW_HASH_BYTES = 32,   /* SHA-256 of a login's state */
    FLOWS_MAX = 1000,       /* logins that wait for a user at one time */
    REVOCATIONS_MAX = 4096, /* that are listed */
    CLIENTS_MAX = 4096,     /* likewise */
    SEALED_MAX = 128 * 1024 /* bytes of a sealed text; may be empty where a row says so */
};

#define REVOCATION_KEEP_MS (INT64_C(7) * 86400 * 1000) /* how long an outcome is shown */

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

/* What we are to an issuer: the answer to a registration. */
struct client_row {
    Str issuer, redirect_uri; /* together the key */
    Str client_id;
    Str auth_method; /* by its registered name */
    Str secret;      /* sealed; empty: none */
    int64_t expires_ms;
};

/* A login that waits for its user's return. */
struct flow_row {
    unsigned char state_hash[FLOW_HASH_BYTES];
    Str server, principal; /* principal is empty for a connection that is shared */
    Str facts;             /* sealed: what the login remembers */
    int64_t expires_ms;
};

/* A server's tokens. The generation counts every change of the row and never goes back: who
 * writes names the one he read, so that of two refreshes only one is kept. */
struct connection_row {
    Str server, principal; /* together the key; principal is empty: shared */
    Str issuer, client_id, redirect_uri, resource, token_endpoint;
    Str revocation_endpoint; /* may be empty */
    Str scopes;              /* with spaces between; may be empty */
    Str state;               /* oauth_state_word */
    Str reason;              /* of the state, for people; may be empty */
    Str kind;                /* "code", "client" (client_credentials) or "header" */
    Str auth_method;         /* of the client, by its registered name */
    Str header;              /* "header": the field's name; access is its value */
    Str wanted;              /* scopes that a server asked for beyond ours; may be empty */
    int64_t generation;   /* when writing: the one that was read; 0: whatever is there, a login */
    Str access, refresh;  /* sealed; refresh may be empty, access when the row was ended */
    int64_t expires_ms;   /* of the access token; 0: not told */
    int64_t created_ms;   /* of the login; when writing, ignored */
    int64_t refreshed_ms; /* when writing: now */
    int64_t step_ups;     /* logins in a row that were made for more scopes */
    int64_t used_ms;      /* of the last use, to the minute; when writing, ignored */
};

/* A change of state without new tokens. */
struct connection_mark {
    Str server, principal;
    Str state, reason;
    int64_t generation; /* that was read */
    bool forget;        /* the tokens go */
};

/* A token that its issuer is to be told of (RFC 7009). */
struct revocation_row {
    Str id; /* random */
    Str server, principal, issuer, endpoint, client_id, redirect_uri, auth_method;
    Str state;   /* "pending", "done", "given_up" */
    Str outcome; /* of the last try, for people; may be empty */
    Str token;   /* sealed; empty when not pending */
    bool is_refresh;
    int64_t tries, created_ms, next_ms;
};

/* How a login ended, for the process that began it. */
struct login_result_row {
    unsigned char state_hash[FLOW_HASH_BYTES];
    bool is_done; /* else text says why not */
    Str text;
    int64_t expires_ms;
};

struct store {
    const struct store_ops *ops;
};

struct store_ops {
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
    /* Writes or replaces. As for all verbs on OAuth's rows, ST_INVALID: a string as in grant_add, a
     * sealed text over SEALED_MAX, or one that is empty where none may be. */
    enum status (*client_put)(struct store *store, const struct client_row *row);
    /* ST_NOT_FOUND. An expired one is found: the caller judges it. */
    enum status (*client_get)(struct store *store, Str issuer, Str redirect_uri, struct arena *mem,
                              struct client_row *row);
    /* Drops flows that have expired, then adds. ST_LIMIT: FLOWS_MAX are waiting; ST_CONFLICT. */
    enum status (*flow_add)(struct store *store, const struct flow_row *row, int64_t now_ms);
    /* Removes the flow and fills *row: a state is good once. ST_NOT_FOUND also when it expired. */
    enum status (*flow_take)(struct store *store, const unsigned char hash[FLOW_HASH_BYTES],
                             int64_t now_ms, struct arena *mem, struct flow_row *row);
    /* Stores tokens, and says their generation. row->generation 0: inserts or replaces; else
     * updates the row that has this generation and the same issuer, client, resource and endpoints.
     * ST_CONFLICT: it has not, the store's tokens are newer or others. */
    enum status (*connection_put)(struct store *store, const struct connection_row *row,
                                  int64_t *generation);
    enum status (*connection_get)(struct store *store, Str server, Str principal, struct arena *mem,
                                  struct connection_row *row);
    /* All of them, by server and principal. */
    enum status (*connection_list)(struct store *store, struct arena *mem,
                                   struct connection_row **rows, size_t *count);
    /* ST_CONFLICT: another generation, or no such row. */
    enum status (*connection_mark)(struct store *store, const struct connection_mark *mark,
                                   int64_t *generation);
    /* Marks, forgets the tokens and adds revocations, all or none; statuses as of connection_mark.
     */
    enum status (*connection_end)(struct store *store, const struct connection_mark *mark,
                                  const struct revocation_row *rows, size_t count);
    /* When it was used, and what a server wants besides; neither changes the generation. */
    enum status (*connection_used)(struct store *store, Str server, Str principal, int64_t now_ms);
    enum status (*connection_want)(struct store *store, Str server, Str principal, Str scopes);
    /* The right to change a connection's tokens, of one process at a time; gone when the process
     * is. ST_CONFLICT: another one has it. Who has it drops it. */
    enum status (*lease_take)(struct store *store, Str server, Str principal);
    void (*lease_drop)(struct store *store, Str server, Str principal);
    enum status (*client_list)(struct store *store, struct arena *mem, struct client_row **rows,
                               size_t *count);
    /* Writes or replaces; expired ones are dropped. */
    enum status (*result_put)(struct store *store, const struct login_result_row *row,
                              int64_t now_ms);
    enum status (*result_get)(struct store *store, const unsigned char hash[FLOW_HASH_BYTES],
                              struct arena *mem, struct login_result_row *row);
    /* Writes or replaces; those that are not pending any more go after REVOCATION_KEEP_MS. */
    enum status (*revocation_put)(struct store *store, const struct revocation_row *row);
    /* All, oldest first. */
    enum status (*revocation_list)(struct store *store, struct arena *mem,
                                   struct revocation_row **rows, size_t *count);
    /* A number that differs from the last answer whenever another connection or process has
     * changed the store meanwhile: what a cache asks before it trusts itself. Cheap. */
    enum status (*version)(struct store *store, int64_t *version);
    void (*close)(struct store *store); /* takes the store */
};

/* Opens or creates the store at where, NUL-terminated: a file's path, or a URL as libpq reads it.
 * Migrations run forward only; a schema newer than this program is ST_UNSUPPORTED. The reason of a
 * failure is logged.
 *
 * A file is an SQLite database of mode 0600. A URL names a PostgreSQL database, which several
 * gateways share (tables in its schema "mcpd", made when missing); ST_DENIED: its host is not this
 * machine and the URL does not say which sslmode it wants. Verbs answer within PG_ANSWER_MS or
 * ST_TIMEOUT; a connection that was lost is made anew by the next verb, at most once in
 * PG_REST_MS; in between, all answer ST_IO. Of other gateways' changes `version` knows within
 * PG_TRUST_MS, or is ST_IO. */
MUST_USE enum status store_open(const char *where, struct store **out);
MUST_USE enum status store_open_sqlite(const char *path, struct store **out);

enum {
    PG_CONNECT_MS = 3000, /* name look-up not counted */
    PG_ANSWER_MS = 5000,
    PG_REST_MS = 1000,
    PG_TRUST_MS = 500,
};

bool store_is_url(Str where);
Str store_name(Str where); /* without user, password and parameters: fit for messages */

#endif
