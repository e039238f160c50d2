/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h - what an operator says about logging in to one server.
 *
 * Secrets are not here: only where they lie. The process that needs one reads it there and then
 * (runtime/keeper/credential.h). Strings have a NUL behind them; borrowed for the program's life.
 */
#ifndef RUNTIME_OAUTH_SETTINGS_H
#define RUNTIME_OAUTH_SETTINGS_H

#include "runtime/oauth/request.h"

struct oauth_settings {
    Str server, url;
    bool is_per_principal; /* a connection for each principal; else one for all */
    bool allow_private;    /* metadata and tokens may come from private addresses */
    bool is_development;   /* and over http from loopback */
    bool is_machine;       /* client_credentials: no user */
    bool assumes_s256;     /* though the metadata does not say so */
    Str issuer;            /* empty: the server says */
    Str client_id;         /* empty: registered when needed */
    Str secret_file, secret_variable;
    Str key_file, key_id; /* for private_key_jwt */
    Str metadata_url;     /* of the client's metadata document; empty: none */
    struct scope_set scopes;
    bool has_scopes;
    Str resource; /* empty: the server's canonical URI */
    Str redirect_uri;
    bool has_method;
    enum client_auth_method method;
    struct provider_quirks quirks;
};

/* Where the sealing keys come from. */
enum key_source { KEY_FILE, KEY_VARIABLE, KEY_CREDENTIAL };

/* All that the keeper is told. */
struct keeper_settings {
    Str store_path;
    enum key_source key_source;
    Str key_name;        /* the file's path, or the variable's or credential's name */
    bool is_key_default; /* the file is made when the first secret is sealed */
    struct oauth_settings *servers;
    size_t server_count;
    Str client_name; /* of registrations */
};

/* The settings of a server, or NULL. */
static inline const struct oauth_settings *settings_find(const struct keeper_settings *keeper,
                                                         Str server)
{
    for (size_t i = 0; i < keeper->server_count; i++) {
        if (str_eq(keeper->servers[i].server, server))
            return &keeper->servers[i];
    }
    return NULL;
}

#endif
