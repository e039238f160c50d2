/* SPDX-License-Identifier: Apache-2.0 */
/* keep_refresh.c - one refresh: the lease, another look at the row, the request, the new tokens
 * into the store.
 *
 * A refresh token may be good once. So nobody else may use it meanwhile (lease), it is never used
 * from a row that is not the newest (look), and what came for it is stored before anything else
 * happens. An answer that decides nothing leaves the old tokens as they are.
 */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/crypto/secret.h"
#include "runtime/keeper/keep_internal.h"
#include "runtime/keeper/revoke.h"
#include "runtime/oauth/token_answer.h"

enum { FORM_MAX = 64 * 1024, SCOPES_TEXT_MAX = SCOPES_MAX * (SCOPE_BYTES_MAX + 1) };

void held_drop_lease(struct held *held)
{
    if (!held->has_lease)
        return;
    held->has_lease = false;
    keep_store(held)->ops->lease_drop(keep_store(held), held->server, held->principal);
}

void held_forget_fresh(struct held *held)
{
    tokens_close(&held->fresh);
    arena_reset(&held->fresh_mem);
    held->fresh_scopes = STR("");
}

/* What came too late for a connection that was ended meanwhile is not kept, and its issuer hears of
 * it. */
static void give_back(struct held *held)
{
    if (!str_eq(held->row.state, oauth_state_word(OAUTH_STATE_REVOKED)))
        return;
    enum status status =
        revoke_remember(held->keep->env.safe, &held->row, &held->fresh, &held->fresh_mem);
    if (status != ST_OK)
        log_error("tokens of an ended connection can't be revoked server=%.*s why=%s",
                  STR_ARG(held->row.server), status_text(status));
}

/* ------------------------------- the answer ---------------------------- */

/* Without a new refresh token the old one stays good (RFC 6749, section 6). */
static enum status add_refresh(struct held *held, Str given)
{
    struct tokens old;
    if (given.n) {
        buf_add(&held->fresh.refresh, given);
        return ST_OK;
    }
    if (!tokens_open(&old))
        return ST_NO_MEMORY;
    enum status status = held_read(held, &old);
    if (status == ST_OK)
        buf_add(&held->fresh.refresh, buf_str(&old.refresh));
    tokens_close(&old);
    return status;
}

static bool take_answer(struct held *held, const struct token_answer *answer)
{
    struct buf scopes;
    buf_init(&scopes, SCOPES_TEXT_MAX);
    arena_init(&held->fresh_mem, HELD_MEMORY_MAX);
    if (!tokens_open(&held->fresh))
        return false;
    buf_add(&held->fresh.access, answer->access_token);
    if (add_refresh(held, answer->refresh_token) != ST_OK)
        return false;
    held->fresh_expires_ms = answer->life_s ? world_wall_ms() + answer->life_s * 1000 : 0;
    scope_write(&scopes, &answer->scopes, ' ');
    held->fresh_scopes = answer->has_scopes ? arena_copy(&held->fresh_mem, buf_str(&scopes))
                                            : arena_copy(&held->fresh_mem, held->row.scopes);
    bool is_whole = !scopes.is_full && !held->fresh.access.is_full && !held->fresh.refresh.is_full;
    buf_free(&scopes);
    return is_whole && held->fresh_scopes.p;
}

/* A refusal is final only when it names an error of OAuth's: a page of a proxy is none. */
static enum oauth_event event_of(struct held *held, const struct token_answer *answer)
{
    switch (answer->outcome) {
    case OUTCOME_GRANTED:
        return take_answer(held, answer) ? OAUTH_EVENT_GRANTED : OAUTH_EVENT_UNSURE;
    case OUTCOME_REFUSED:
        if (held->wanted.count) { /* more scopes than it may have: without them, then */
            held->wanted.count = 0;
            return OAUTH_EVENT_UNSURE;
        }
        return answer->error == OAUTH_OTHER ? OAUTH_EVENT_UNSURE : OAUTH_EVENT_REFUSED;
    case OUTCOME_TRANSIENT:
    case OUTCOME_MALFORMED: break;
    }
    return OAUTH_EVENT_UNSURE;
}

static void on_answer(void *user, const struct fetch_answer *answer)
{
    struct held *held = user;
    struct token_answer found = { .outcome = OUTCOME_TRANSIENT };
    struct arena mem;
    held->fetch = NULL;
    held->keep->refreshes--;
    arena_init(&mem, HELD_MEMORY_MAX);
    char separator = held->settings ? quirks_separator(&held->settings->quirks) : ' ';
    if (answer->status == ST_OK)
        token_answer_read(answer->http_status, answer->body, separator, &mem, &found);
    enum oauth_event event = event_of(held, &found);
    if (held->is_orphan) {
        if (event == OAUTH_EVENT_GRANTED)
            give_back(held);
        held_forget_fresh(held);
        held_drop_lease(held);
        held->is_orphan = false;
        arena_reset(&mem);
        held_plan(held);
        return;
    }
    if (event != OAUTH_EVENT_GRANTED) {
        held_forget_fresh(held);
        log_warn("refresh failed server=%.*s principal=%.*s why=%s", STR_ARG(held->row.server),
                 STR_ARG(held->row.principal),
                 answer->status != ST_OK ? fetch_why(answer) : oauth_error_text(found.error));
    }
    if (event == OAUTH_EVENT_REFUSED)
        held->row.reason = str_of(oauth_error_text(found.error));
    arena_reset(&mem);
    held_raise(held, event);
}

/* ------------------------------- the request --------------------------- */

static enum status write_request(struct held *held, const struct credentials *credentials,
                                 Str refresh_token, struct buf *form, struct buf *header)
{
    struct scope_set scopes = { .count = 0 };
    static const struct provider_quirks none = { .has_commas = false };
    bool is_client = str_eq(held->row.kind, STR("client"));
    bool has_scopes =
        scope_add_list(&scopes, held->row.scopes, ' ') && scope_union(&scopes, &held->wanted);
    struct token_request request = {
        .client = &credentials->client,
        .method = credentials->method,
        .issuer = held->row.issuer,
        .resource = held->row.resource,
        .scopes = is_client && has_scopes ? &scopes : NULL, /* else those that were granted */
        .quirks = held->settings ? &held->settings->quirks : &none,
    };
    if (is_client)
        return token_request_client(&request, form, header);
    return token_request_refresh(&request, refresh_token, form, header);
}

static enum status send_request(struct held *held, const struct credentials *credentials,
                                Str refresh_token)
{
    struct buf form, header;
    if (!secret_buf_open(&form, FORM_MAX))
        return ST_NO_MEMORY;
    if (!secret_buf_open(&header, FORM_MAX)) {
        secret_buf_close(&form);
        return ST_NO_MEMORY;
    }
    enum status status = write_request(held, credentials, refresh_token, &form, &header);
    struct fetch_request out = {
        .url = held->row.token_endpoint,
        .content_type = STR("application/x-www-form-urlencoded"),
        .body = buf_str(&form),
        .authorization = buf_str(&header),
        .is_development = held->settings && held->settings->is_development,
        .may_be_private = held->settings && held->settings->allow_private,
    };
    if (status == ST_OK)
        status = fetch_start(held->keep->env.http, &out, on_answer, held, &held->fetch);
    secret_buf_close(&form);
    secret_buf_close(&header);
    return status;
}

/* Reads the newest row with its tokens. False, with what follows raised, when it is not the one
 * that we know. */
static bool read_newest(struct held *held, struct tokens *tokens)
{
    int64_t known = held->row.generation;
    enum status status = held_read(held, tokens);
    if (status == ST_OK && held->row.generation == known)
        return true;
    held_drop_lease(held);
    held_raise(held, status == ST_OK ? OAUTH_EVENT_SUPERSEDED : OAUTH_EVENT_UNSURE);
    return false;
}

static enum status begin_request(struct held *held, const struct tokens *tokens)
{
    struct credentials credentials;
    struct arena mem;
    arena_init(&mem, HELD_MEMORY_MAX);
    enum status status =
        credentials_open(held->keep->env.safe, held->settings, &held->row, &mem, &credentials);
    if (status == ST_OK) {
        status = send_request(held, &credentials, buf_str(&tokens->refresh));
        credentials_close(&credentials);
    }
    arena_reset(&mem);
    return status;
}

/* True when the right to refresh is ours. */
static bool take_lease(struct held *held)
{
    struct store *store = keep_store(held);
    if (held->has_lease)
        return true;
    enum status status =
        held->fetch ? ST_CONFLICT : store->ops->lease_take(store, held->server, held->principal);
    held->has_lease = status == ST_OK;
    if (status == ST_CONFLICT) /* somebody refreshes it: see what comes of that */
        timer_start(held->timer, KEEP_LEASE_LOOK_MS);
    else if (status != ST_OK)
        held_raise(held, OAUTH_EVENT_UNSURE);
    return held->has_lease;
}

void held_refresh(struct held *held)
{
    struct tokens tokens;
    if (!take_lease(held))
        return;
    if (!tokens_open(&tokens)) {
        held_raise(held, OAUTH_EVENT_UNSURE);
        return;
    }
    if (read_newest(held, &tokens)) {
        enum status status = begin_request(held, &tokens);
        if (status == ST_OK) {
            held->keep->refreshes++;
        } else {
            log_error("a refresh can't be made server=%.*s why=%s", STR_ARG(held->server),
                      status_text(status));
            held_raise(held, OAUTH_EVENT_UNSURE);
        }
    }
    tokens_close(&tokens);
}

void held_save(struct held *held)
{
    struct connection_row row = held->row;
    int64_t generation = 0;
    row.scopes = held->fresh_scopes;
    row.state = oauth_state_word(OAUTH_STATE_ACTIVE);
    row.reason = STR("");
    row.expires_ms = held->fresh_expires_ms;
    row.refreshed_ms = world_wall_ms();
    enum status status = vault_put(&held->keep->env.safe->vault, &row, &held->fresh, &generation);
    if (status == ST_OK) {
        held_raise(held, OAUTH_EVENT_SAVED);
    } else if (status == ST_CONFLICT) {
        struct connection_row now;
        if (keep_store(held)->ops->connection_get(keep_store(held), row.server, row.principal,
                                                  &held->fresh_mem, &now) == ST_OK)
            held->row.state = now.state; /* ended meanwhile? */
        give_back(held);
        held_raise(held, OAUTH_EVENT_SUPERSEDED);
    } else {
        log_error("refreshed tokens can't be stored, and are kept in memory server=%.*s why=%s",
                  STR_ARG(row.server), status_text(status));
        held_raise(held, OAUTH_EVENT_NOT_SAVED);
    }
}
