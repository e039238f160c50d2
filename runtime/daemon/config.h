/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - mcpd.jsonc, read whole or refused whole.
 *
 * JSON with comments. Unknown keys (with the nearest known one), duplicate keys, wrong types and
 * values out of range are errors; each names file, line and key path, and all are reported in
 * one go. Relative paths are taken from the file's folder and come out absolute.
 */
#ifndef RUNTIME_DAEMON_CONFIG_H
#define RUNTIME_DAEMON_CONFIG_H

#include "runtime/base/arena.h"
#include "runtime/base/status.h"
#include "runtime/base/str.h"
#include "runtime/crypto/sha256.h"
#include "runtime/gateway/server.h"
#include "runtime/oauth/settings.h"

struct config_principal {
    Str id;
    Str *groups;
    size_t group_count;
};

/* The value of a top-level key that takes a restart to change. */
struct config_mark {
    Str key;
    unsigned char digest[SHA256_BYTES];
};

struct config {
    Str listen_host;              /* numeric; beyond loopback only with TLS or by explicit leave */
    uint16_t listen_port;         /* 0: any free one */
    Str tls_certificate, tls_key; /* absolute, NUL behind; both empty: no TLS */
    Str store_path, audit_path;   /* absolute, NUL behind */
    Str *allowed_hosts;
    size_t allowed_host_count;
    Str *allowed_origins;
    size_t allowed_origin_count;
    struct config_principal *principals;
    size_t principal_count;
    struct server_spec *servers;
    size_t server_count;
    Str *trusted_keys; /* absolute paths, NUL behind */
    size_t trusted_key_count;
    bool allow_rollback;
    struct keeper_settings keeper; /* one of its servers for each that speaks HTTP */
    Str public_url;                /* empty: the listen address */
    struct gateway_limits limits;
    struct config_mark *marks;
    size_t mark_count;
};

/* Reads the file into mem. On failure the messages are in *errors, one a line, and the result
 * is ST_INVALID (or ST_IO when the file can't be read). path is NUL-terminated. */
MUST_USE enum status config_read(const char *path, struct arena *mem, struct config *config,
                                 Str *errors);

/* Calls say for each key that takes a restart and has another value, or none, in one of the two. */
void config_each_restart(const struct config *old, const struct config *fresh,
                         void (*say)(void *user, Str key), void *user);

/* What is wrong with a principal's id or a group's name, with a server's alias; NULL: nothing. */
const char *config_name_problem(Str name);
const char *config_alias_problem(Str alias);

#endif
