/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - what an operator says about one upstream server, and the gateway's limits. */
#ifndef RUNTIME_GATEWAY_SERVER_H
#define RUNTIME_GATEWAY_SERVER_H

#include "runtime/base/str.h"

enum server_transport { SERVER_STDIO, SERVER_HTTP };

/* How to speak to it: probed once and remembered, or told. */
enum server_era { ERA_AUTO, ERA_LEGACY, ERA_MODERN };

struct server_spec {
    Str alias; /* 1-64 of [a-z0-9_-], starting with a letter or digit, without "__" */
    enum server_transport transport;
    enum server_era era;
    /* SERVER_STDIO: run as argv, without a shell. Strings are NUL-terminated behind n. */
    Str *argv;
    size_t argc;
    Str cwd;  /* absolute; empty: the gateway's own */
    Str *env; /* "NAME=value", complete: allow-listed ones are resolved already */
    size_t env_count;
    /* SERVER_HTTP */
    Str url;     /* http: or https:, no userinfo, no fragment */
    Str ca_file; /* absolute, NUL behind: who may vouch for the server; empty: the system's */
    Str bearer;  /* sent as a bearer token, visible ASCII; empty: none */
    bool is_per_principal; /* of its tokens: each principal has its own connection */
};

struct gateway_limits {
#define LIMIT(name, def, min, max, doc) uint32_t name;
#include "runtime/gateway/limit.def"
#undef LIMIT
};

#endif
