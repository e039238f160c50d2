/* SPDX-License-Identifier: Apache-2.0 */
/* vault.c - one door between tokens and rows.
 *
 * The identity under which a text is sealed names table, column and key, each with its length in
 * front, so that no two rows can have one identity by moving a border.
 */
#include "runtime/oauth/vault.h"

#include "runtime/crypto/secret.h"

enum {
    IDENTITY_MAX = 2 * GRANT_TEXT_MAX, /* a longer one is refused, as seal.h's context is */
    SEALED_TOKEN_MAX = VAULT_TOKEN_MAX + SEAL_OVERHEAD
};

bool tokens_open(struct tokens *tokens)
{
    bool has_access = secret_buf_open(&tokens->access, VAULT_TOKEN_MAX);
    bool has_refresh = secret_buf_open(&tokens->refresh, VAULT_TOKEN_MAX);
    if (has_access && has_refresh)
        return true;
    tokens_close(tokens);
    return false;
}

void tokens_close(struct tokens *tokens)
{
    secret_buf_close(&tokens->access);
    secret_buf_close(&tokens->refresh);
}

/* False when it is too long. */
static bool write_identity(struct buf *out, const char *column, Str first, Str second)
{
    buf_init(out, IDENTITY_MAX);
    buf_printf(out, "%s %zu ", column, first.n);
    buf_add(out, first);
    buf_printf(out, " %zu ", second.n);
    buf_add(out, second);
    return !out->is_full;
}

/* Appends the sealed text; nothing for an empty one. */
static enum status close_text(const struct vault *vault, const char *column, const Str key[2],
                              Str text, struct buf *out)
{
    struct buf identity;
    enum status status = ST_OK;
    buf_init(out, SEALED_TOKEN_MAX);
    bool is_named = write_identity(&identity, column, key[0], key[1]);
    if (text.n)
        status = is_named ? seal(vault->ring, text, buf_str(&identity), out) : ST_LIMIT;
    buf_free(&identity);
    return status;
}

static enum status open_text(const struct vault *vault, const char *column, const Str key[2],
                             Str sealed, struct buf *out)
{
    struct buf identity;
    enum status status = ST_OK;
    ENSURE(out->n == 0);
    bool is_named = write_identity(&identity, column, key[0], key[1]);
    if (sealed.n)
        status = is_named ? unseal(vault->ring, sealed, buf_str(&identity), out) : ST_LIMIT;
    buf_free(&identity);
    return status;
}

enum status vault_put(const struct vault *vault, const struct connection_row *row,
                      const struct tokens *tokens, int64_t *generation)
{
    const Str key[2] = { row->server, row->principal };
    struct connection_row sealed = *row;
    struct buf access, refresh;
    if (!tokens->access.n)
        return ST_INVALID;
    enum status status = close_text(vault, "access", key, buf_str(&tokens->access), &access);
    enum status second = close_text(vault, "refresh", key, buf_str(&tokens->refresh), &refresh);
    sealed.access = buf_str(&access);
    sealed.refresh = buf_str(&refresh);
    if (status == ST_OK)
        status = second;
    if (status == ST_OK)
        status = vault->store->ops->connection_put(vault->store, &sealed, generation);
    buf_free(&access);
    buf_free(&refresh);
    return status;
}

enum status vault_get(const struct vault *vault, Str server, Str principal, struct arena *mem,
                      struct connection_row *row, struct tokens *tokens)
{
    const Str key[2] = { server, principal };
    struct connection_row found;
    enum status status =
        vault->store->ops->connection_get(vault->store, server, principal, mem, &found);
    if (status != ST_OK)
        return status;
    status = open_text(vault, "access", key, found.access, &tokens->access);
    if (status == ST_OK)
        status = open_text(vault, "refresh", key, found.refresh, &tokens->refresh);
    if (status != ST_OK)
        return status;
    found.access = found.refresh = (Str){ NULL, 0 };
    *row = found;
    return ST_OK;
}

enum status vault_put_client(const struct vault *vault, const struct client_row *row, Str secret)
{
    const Str key[2] = { row->issuer, row->redirect_uri };
    struct client_row sealed = *row;
    struct buf text;
    enum status status = close_text(vault, "client", key, secret, &text);
    sealed.secret = buf_str(&text);
    if (status == ST_OK)
        status = vault->store->ops->client_put(vault->store, &sealed);
    buf_free(&text);
    return status;
}

enum status vault_get_client(const struct vault *vault, Str issuer, Str redirect_uri,
                             struct arena *mem, struct client_row *row, struct buf *secret)
{
    const Str key[2] = { issuer, redirect_uri };
    struct client_row found;
    enum status status =
        vault->store->ops->client_get(vault->store, issuer, redirect_uri, mem, &found);
    if (status == ST_OK)
        status = open_text(vault, "client", key, found.secret, secret);
    if (status != ST_OK)
        return status;
    found.secret = (Str){ NULL, 0 };
    *row = found;
    return ST_OK;
}
