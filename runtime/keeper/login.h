/* SPDX-License-Identifier: Apache-2.0 */
/* login.h - one login, from the server's challenge to stored tokens: what drives the login half of
 * runtime/oauth/machine.def.
 *
 * A login with a user is in two parts, which may be in two processes: login_begin ends with a URL
 * for a browser and a flow in the store; login_resume takes what the browser brought back, spends
 * the flow and ends with tokens in the store. Without a user (client_credentials) the first part
 * does all. Either ends by one callback, later, unless cancelled. Nothing touches an existing
 * connection before new tokens are stored.
 */
#ifndef RUNTIME_KEEPER_LOGIN_H
#define RUNTIME_KEEPER_LOGIN_H

#include "runtime/keeper/fetch.h"
#include "runtime/keeper/safe.h"
#include "runtime/net/http_client.h"

enum {
    LOGIN_USER_MS = 10 * 60 * 1000, /* for a person to come back from the browser */
    LOGIN_TEXT_MAX = 512,
    BINDING_MAX = 64, /* bytes of what binds a flow to a browser */
    STEP_UPS_MAX = 3, /* logins in a row that were made because a server wanted more scopes */
};

struct login;

struct login_env {
    struct http_client *http;
    struct safe *safe;
};

struct login_spec {
    const struct oauth_settings *settings; /* borrowed until the end */
    Str principal;                         /* empty: a shared connection */
    Str redirect_uri;                      /* empty: of the settings */
    Str binding;                           /* what the callback must bring along; empty: nothing */
    const struct scope_set *scopes;        /* also asked for; NULL: none */
    bool registers_again;                  /* though a client is known */
};

struct login_outcome {
    bool is_done;    /* tokens are stored */
    bool wants_user; /* url is for a browser */
    Str url, state;  /* secrets of a kind: whoever has the state can end the flow */
    unsigned char state_hash[FLOW_HASH_BYTES]; /* when wants_user, and of login_resume */
    Str text; /* for people: why not, or what was done; no byte of a server's */
    Str server, principal;
};

typedef void (*login_done_fn)(void *user, const struct login_outcome *outcome);

/* The env and done's user are borrowed until the end. ST_NO_MEMORY, ST_INVALID. */
MUST_USE enum status login_begin(const struct login_env *env, const struct login_spec *spec,
                                 login_done_fn done, void *user, struct login **out);

/* query: of the redirect. How it ended is also left in the store for the process that began. done
 * may be called before this returns. ST_NOT_FOUND: no such flow, or spent, or too late; ST_INVALID.
 */
MUST_USE enum status login_resume(const struct login_env *env, Str query, Str binding,
                                  login_done_fn done, void *user, struct login **out);

void login_cancel(struct login *login);

/* The credentials of a connection's client: identifier, method, and where it has one, secret or
 * key. Close after use. */
struct credentials {
    struct client client;
    enum client_auth_method method;
    struct buf secret;
    struct ecdsa_key *key;
};
MUST_USE enum status credentials_open(struct safe *safe, const struct oauth_settings *settings,
                                      const struct connection_row *row, struct arena *mem,
                                      struct credentials *out);
void credentials_close(struct credentials *credentials);

/* Why a request to an authorization server failed, for people. */
const char *fetch_why(const struct fetch_answer *answer);

#endif
