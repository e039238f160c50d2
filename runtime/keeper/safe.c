/* SPDX-License-Identifier: Apache-2.0 */
/* safe.c - keys into a ring, secrets out of files; nothing is kept longer than it is used. */
#include "runtime/keeper/safe.h"

#include "runtime/base/log.h"
#include "runtime/crypto/master_key.h"
#include "runtime/crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static enum status read_keys(const struct keeper_settings *settings, struct seal_ring *ring)
{
    const char *name = settings->key_name.p;
    switch (settings->key_source) {
    case KEY_FILE: return master_key_read_file(name, ring);
    case KEY_VARIABLE: return master_key_read_variable(name, ring);
    case KEY_CREDENTIAL: return master_key_read_credential(name, ring);
    }
    UNREACHABLE("no such source");
}

static enum status open_ring(const struct keeper_settings *settings, struct seal_ring **out)
{
    struct seal_ring *ring = NULL;
    enum status status = seal_ring_open(&ring);
    if (status == ST_OK)
        status = read_keys(settings, ring);
    if (status == ST_NOT_FOUND && settings->is_key_default)
        status = ST_OK; /* none yet */
    if (status == ST_OK)
        *out = ring;
    else
        seal_ring_close(ring);
    return status;
}

enum status safe_open(const struct keeper_settings *settings, struct safe *safe, const char **what)
{
    *safe = (struct safe){ .settings = settings };
    *what = "the sealing keys";
    enum status status = open_ring(settings, &safe->ring);
    safe->vault.ring = safe->ring;
    if (status != ST_OK)
        return status;
    *what = "the store";
    return store_open(settings->store_path.p, &safe->vault.store);
}

void safe_close(struct safe *safe)
{
    seal_ring_close(safe->ring);
    if (safe->vault.store)
        safe->vault.store->ops->close(safe->vault.store);
    *safe = (struct safe){ .settings = NULL };
}

enum status safe_reread(struct safe *safe)
{
    struct seal_ring *ring = NULL;
    if (safe->settings->key_source == KEY_VARIABLE)
        return ST_UNSUPPORTED; /* it was wiped when it was read */
    enum status status = open_ring(safe->settings, &ring);
    if (status != ST_OK)
        return status;
    seal_ring_close(safe->ring);
    safe->ring = ring;
    safe->vault.ring = ring;
    return ST_OK;
}

enum status safe_make_ready(struct safe *safe)
{
    if (seal_ring_newest(safe->ring))
        return ST_OK;
    enum status status = safe_reread(safe);
    if (status != ST_OK || seal_ring_newest(safe->ring))
        return status;
    if (!safe->settings->is_key_default)
        return ST_NOT_FOUND;
    status = master_key_make_file(safe->settings->key_name.p);
    if (status == ST_OK)
        log_info("a sealing key was made path=%s", safe->settings->key_name.p);
    if (status != ST_OK && status != ST_CONFLICT) /* another process was first */
        return status;
    return safe_reread(safe);
}

enum status safe_get(struct safe *safe, Str server, Str principal, struct arena *mem,
                     struct connection_row *row, struct tokens *tokens)
{
    struct connection_row found;
    struct store *store = safe->vault.store;
    enum status status = vault_get(&safe->vault, server, principal, mem, row, tokens);
    if (status != ST_NOT_FOUND ||
        store->ops->connection_get(store, server, principal, mem, &found) != ST_OK)
        return status;
    status = safe_reread(safe);
    if (status != ST_OK)
        return status;
    buf_clear(&tokens->access);
    buf_clear(&tokens->refresh);
    status = vault_get(&safe->vault, server, principal, mem, row, tokens);
    return status == ST_NOT_FOUND ? ST_DENIED : status; /* the row is there, its key is not */
}

enum status safe_get_client(struct safe *safe, Str issuer, Str redirect_uri, struct arena *mem,
                            struct client_row *row, struct buf *secret)
{
    enum status status = vault_get_client(&safe->vault, issuer, redirect_uri, mem, row, secret);
    if (status != ST_NOT_FOUND || safe_reread(safe) != ST_OK)
        return status;
    buf_clear(secret);
    return vault_get_client(&safe->vault, issuer, redirect_uri, mem, row, secret);
}

/* ----------------------------- credentials ----------------------------- */

/* Appends the file's text without white space at its end. */
static enum status read_file(const char *path, struct buf *out)
{
    char part[512];
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? ST_NOT_FOUND : ST_IO;
    while (got > 0 && !out->is_full) {
        got = read(fd, part, sizeof part);
        if (got > 0)
            buf_add(out, (Str){ .p = part, .n = (size_t)got });
    }
    secret_wipe(part, sizeof part);
    (void)close(fd);
    if (got < 0)
        return ST_IO;
    while (out->n && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
        out->n--;
    return out->is_full ? ST_LIMIT : ST_OK;
}

enum status client_secret_read(const struct oauth_settings *settings, struct buf *secret)
{
    if (settings->secret_file.n)
        return read_file(settings->secret_file.p, secret);
    if (!settings->secret_variable.n)
        return ST_OK;
    const char *value = getenv(settings->secret_variable.p);
    if (!value)
        return ST_NOT_FOUND;
    buf_add(secret, str_of(value));
    return secret->is_full ? ST_LIMIT : ST_OK;
}

enum status client_key_read(const struct oauth_settings *settings, struct ecdsa_key **key)
{
    struct buf pem;
    *key = NULL;
    if (!settings->key_file.n)
        return ST_OK;
    if (!secret_buf_open(&pem, ECDSA_PEM_MAX))
        return ST_NO_MEMORY;
    enum status status = read_file(settings->key_file.p, &pem);
    if (status == ST_OK) {
        buf_add_char(&pem, '\n');
        status = pem.is_full ? ST_LIMIT : ecdsa_read_private(buf_str(&pem), key);
    }
    secret_buf_close(&pem);
    return status;
}
