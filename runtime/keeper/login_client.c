/* SPDX-License-Identifier: Apache-2.0 */
/* login_client.c - as whom we come to an authorization server: the client that the operator
 * configured, a client id metadata document, a registration of before, a new one; else the operator
 * is asked.
 *
 * A registration belongs to one issuer and one redirect URI and is kept under both: what one issuer
 * gave is never shown to another.
 */
#include "runtime/base/world.h"
#include "runtime/crypto/secret.h"
#include "runtime/keeper/login_internal.h"

#include <stdlib.h>

enum { REGISTRATION_BYTES_MAX = 64 * 1024 };

enum status credentials_open(struct safe *safe, const struct oauth_settings *settings,
                             const struct connection_row *row, struct arena *mem,
                             struct credentials *out)
{
    struct client_row found;
    enum status status = ST_OK;
    *out = (struct credentials){ .client = { .id = row->client_id } };
    if (!client_auth_read(row->auth_method, &out->method))
        return ST_INVALID;
    if (!secret_buf_open(&out->secret, CLIENT_SECRET_MAX))
        return ST_NO_MEMORY;
    bool is_configured = settings && str_eq(settings->client_id, row->client_id);
    if (is_configured)
        status = client_secret_read(settings, &out->secret);
    if (is_configured && status == ST_OK)
        status = client_key_read(settings, &out->key);
    if (!is_configured && out->method != CLIENT_NONE) {
        status = safe_get_client(safe, row->issuer, row->redirect_uri, mem, &found, &out->secret);
        if (status == ST_OK && !str_eq(found.client_id, row->client_id))
            status = ST_NOT_FOUND; /* registered anew meanwhile */
    }
    out->client.secret = buf_str(&out->secret);
    out->client.key = out->key;
    out->client.key_id = settings ? settings->key_id : STR("");
    if (status != ST_OK)
        credentials_close(out);
    return status;
}

void credentials_close(struct credentials *credentials)
{
    secret_buf_close(&credentials->secret);
    ecdsa_free(credentials->key);
    *credentials = (struct credentials){ .key = NULL };
}

/* ----------------------------- the known ones -------------------------- */

/* A client that the operator registered with one issuer must not be shown to another one that the
 * server names all of a sudden. */
static bool has_moved(const struct login *login)
{
    struct connection_row row;
    struct arena mem;
    struct store *store = login->env.safe->vault.store;
    arena_init(&mem, LOGIN_MEMORY_MAX);
    enum status status =
        store->ops->connection_get(store, login->settings->server, login->principal, &mem, &row);
    bool is_other = status == ST_OK && str_eq(row.client_id, login->client_id) &&
                    !str_eq(row.issuer, login->metadata.issuer);
    arena_reset(&mem);
    return is_other && !login->settings->issuer.n;
}

/* What the configured client is able to, by what is configured for it. */
static bool choose_method(struct login *login)
{
    struct buf secret;
    struct ecdsa_key *key = NULL;
    struct client client = { .id = login->client_id };
    if (login->settings->has_method) {
        login->method = login->settings->method;
        return true;
    }
    if (!secret_buf_open(&secret, CLIENT_SECRET_MAX))
        return false;
    bool is_read = client_secret_read(login->settings, &secret) == ST_OK &&
                   client_key_read(login->settings, &key) == ST_OK;
    client.secret = buf_str(&secret);
    client.key = key;
    bool is_chosen =
        is_read && client_auth_choose(&client, login->metadata.auth_mask, &login->method);
    /* A public client says its id and nothing else, whatever the server lists. */
    if (is_read && !is_chosen && !client.secret.n && !client.key) {
        login->method = CLIENT_NONE;
        is_chosen = true;
    }
    secret_buf_close(&secret);
    ecdsa_free(key);
    return is_chosen;
}

static void take_configured(struct login *login)
{
    login->client_id = login->settings->client_id;
    if (has_moved(login))
        login_raise(login, OAUTH_EVENT_REFUSED,
                    "the server names another issuer than the one that the configured client_id "
                    "was used with; set oauth.issuer if that is right");
    else if (!choose_method(login))
        login_raise(login, OAUTH_EVENT_REFUSED,
                    "the client's secret or key can't be read, or the authorization server takes "
                    "none of the ways that are configured for it");
    else
        login_raise(login,
                    login->settings->is_machine ? OAUTH_EVENT_MACHINE : OAUTH_EVENT_CLIENT_KNOWN,
                    NULL);
}

static bool find_registered(struct login *login)
{
    struct client_row row;
    struct store *store = login->env.safe->vault.store;
    if (login->registers_again)
        return false;
    enum status status = store->ops->client_get(store, login->metadata.issuer, login->redirect_uri,
                                                &login->mem, &row);
    if (status != ST_OK || (row.expires_ms && row.expires_ms <= world_wall_ms()) ||
        !client_auth_read(row.auth_method, &login->method))
        return false;
    login->client_id = row.client_id;
    return true;
}

void login_choose_client(struct login *login)
{
    const struct issuer_metadata *metadata = &login->metadata;
    if (login->settings->client_id.n) {
        take_configured(login);
    } else if (login->settings->is_machine) {
        login_raise(login, OAUTH_EVENT_REFUSED, "client_credentials need oauth.client_id");
    } else if (login->settings->metadata_url.n && metadata->reads_cimd) {
        login->client_id = login->settings->metadata_url;
        login->method = CLIENT_NONE;
        login_raise(login, OAUTH_EVENT_CLIENT_KNOWN, NULL);
    } else if (find_registered(login)) {
        login_raise(login, OAUTH_EVENT_CLIENT_KNOWN, NULL);
    } else if (metadata->registration_endpoint.p) {
        login_raise(login, OAUTH_EVENT_FOUND, NULL);
    } else {
        login->why_text = arena_printf(
            &login->mem,
            "the authorization server %.*s does not register clients by itself: register one there "
            "with the redirect URI %.*s and set oauth.client_id",
            STR_ARG(metadata->issuer), STR_ARG(login->redirect_uri));
        login_raise(login, OAUTH_EVENT_REFUSED, NULL);
    }
}

/* ----------------------------- registration ---------------------------- */

/* Stores the client before it is used. */
static enum status keep_client(struct login *login, const struct registration *client)
{
    struct client_row row = { .issuer = login->metadata.issuer,
                              .redirect_uri = login->redirect_uri,
                              .client_id = client->client_id,
                              .expires_ms = client->expires_s * 1000 };
    if (client->has_method)
        login->method = client->method;
    if (!client->client_secret.n && login->method != CLIENT_PRIVATE_KEY_JWT)
        login->method = CLIENT_NONE;
    login->client_id = arena_copy(&login->mem, client->client_id);
    row.auth_method = client_auth_word(login->method);
    enum status status = login->client_id.p ? safe_make_ready(login->env.safe) : ST_LIMIT;
    if (status != ST_OK)
        return status;
    return vault_put_client(&login->env.safe->vault, &row,
                            login->method == CLIENT_NONE ? STR("") : client->client_secret);
}

static void on_registered(void *user, const struct fetch_answer *answer)
{
    struct login *login = user;
    struct registration_answer found;
    struct arena mem;
    login->fetch = NULL;
    if (answer->status != ST_OK) {
        login->why_text =
            arena_printf(&login->mem, "registering as a client: %s", fetch_why(answer));
        login_raise(login, OAUTH_EVENT_UNSURE, NULL);
        return;
    }
    arena_init(&mem, LOGIN_MEMORY_MAX);
    registration_answer_read(answer->http_status, answer->body, &mem, &found);
    enum oauth_event event = OAUTH_EVENT_GRANTED;
    const char *why = NULL;
    if (found.outcome != OUTCOME_GRANTED) {
        event = found.outcome == OUTCOME_REFUSED ? OAUTH_EVENT_REFUSED : OAUTH_EVENT_UNSURE;
        login->why_text =
            arena_printf(&login->mem, "registering as a client: the authorization server says: %s",
                         oauth_error_text(found.error));
    } else if (keep_client(login, &found.client) != ST_OK) {
        event = OAUTH_EVENT_UNSURE;
        why = "the registration could not be stored";
    }
    arena_reset(&mem);
    login_raise(login, event, why);
}

/* With a secret if the server can have one: what is sealed here is worth more than a token alone.
 */
static enum client_auth_method registration_method(const struct login *login)
{
    static const enum client_auth_method order[] = { CLIENT_SECRET_BASIC, CLIENT_SECRET_POST };
    if (login->settings->has_method)
        return login->settings->method;
    for (size_t i = 0; i < COUNT(order); i++) {
        if (login->metadata.auth_mask & 1u << order[i])
            return order[i];
    }
    return CLIENT_NONE;
}

void login_register(struct login *login)
{
    struct web_url redirect;
    struct buf body;
    login->method = registration_method(login);
    bool is_url = web_url_read(login->redirect_uri, &login->mem, &redirect);
    struct registration_request registration = {
        .client_name = login->env.safe->settings->client_name,
        .redirect_uri = login->redirect_uri,
        .is_native = is_url && redirect.is_loopback,
        .method = login->method,
    };
    buf_init(&body, REGISTRATION_BYTES_MAX);
    enum status status = registration_request(&registration, &body);
    struct fetch_request request = login_request(login, login->metadata.registration_endpoint);
    request.content_type = STR("application/json");
    request.body = buf_str(&body);
    if (status == ST_OK)
        login_fetch(login, &request, on_registered);
    else
        login_raise(login, OAUTH_EVENT_UNSURE, status_text(status));
    buf_free(&body);
}
