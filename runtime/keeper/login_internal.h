/* SPDX-License-Identifier: Apache-2.0 */
/* login_internal.h - private to runtime/keeper's login files: what a login knows on its way. */
#ifndef RUNTIME_KEEPER_LOGIN_INTERNAL_H
#define RUNTIME_KEEPER_LOGIN_INTERNAL_H

#include "runtime/keeper/login.h"
#include "runtime/oauth/machine.h"
#include "runtime/oauth/metadata.h"
#include "runtime/oauth/token_answer.h"
#include "runtime/oauth/web_url.h"

enum { LOGIN_MEMORY_MAX = 2 << 20, LOGIN_PLACES_MAX = WELL_KNOWN_MAX + 1 };

struct login {
    struct login_env env;
    const struct oauth_settings *settings;
    struct arena mem; /* all texts below; nothing in it is a token or a client's secret */
    enum oauth_state state;
    login_done_fn done;
    void *user;
    struct fetch *fetch;
    bool is_ending, is_resumed;
    const char *why; /* the sentence of a failure */
    Str why_text;    /* likewise, when it names something of ours */
    Str principal, redirect_uri, binding;
    struct scope_set wanted; /* by the one who began */
    bool registers_again;
    /* discovery */
    struct web_url server;
    struct bearer_challenge challenge;
    bool has_challenge, is_default; /* no metadata: the places of 2025-03-26 */
    Str places[LOGIN_PLACES_MAX];
    size_t place_count, place;
    struct resource_metadata resource_metadata;
    bool has_resource_metadata;
    Str issuer;
    struct issuer_metadata metadata;
    /* the client */
    Str client_id;
    enum client_auth_method method;
    int64_t step_ups;
    /* the flow */
    Str resource, state_text, verifier, code, iss;
    struct scope_set scopes; /* asked for */
    bool names_scopes;
    unsigned char state_hash[FLOW_HASH_BYTES];
    struct tokens tokens;
    bool has_tokens;
    int64_t expires_ms;
    struct scope_set granted;
};

/* login.c: an event, and what follows from it. why: of an event that may end it. */
void login_raise(struct login *login, enum oauth_event event, const char *why);
/* Starts a fetch whose answer goes to done; a failure to start raises UNSURE or REFUSED. */
void login_fetch(struct login *login, const struct fetch_request *request, fetch_done_fn done);
/* The server's settings about reach, for a request to somebody else's URL. */
struct fetch_request login_request(const struct login *login, Str url);
struct login *login_new(const struct login_env *env, login_done_fn done, void *user);

/* login_discover.c */
void login_fetch_resource(struct login *login);
void login_fetch_issuer(struct login *login);

/* login_client.c: after the issuer's metadata is known; then the answers. */
void login_choose_client(struct login *login);
void login_register(struct login *login);

/* login_flow.c */
void login_ask_user(struct login *login);
void login_exchange(struct login *login);
void login_save(struct login *login);

#endif
