/* SPDX-License-Identifier: Apache-2.0 */
/* revoke.c - an end in two halves: here, in one transaction, and at the issuer, as often as it
 * takes.
 *
 * The refresh token is told first: with it the issuer ends the whole grant (RFC 7009, section 2.1).
 * An access token that outlives it is told as well.
 */
#include "runtime/keeper/revoke.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/crypto/secret.h"
#include "runtime/oauth/machine.h"
#include "runtime/oauth/pkce.h"
#include "runtime/oauth/request.h"
#include "runtime/oauth/token_answer.h"

#include <stdlib.h>

enum {
    IDENTITY_MAX = 128,
    SCRATCH_MAX = 4 << 20,
    FORM_MAX = 64 * 1024,
    TRIES_OF_STORE = 5, /* when somebody changes the row at the same time */
};

static Str identity_of(Str id, char out[IDENTITY_MAX])
{
    int n = snprintf(out, IDENTITY_MAX, "revocation %.*s", STR_ARG(id));
    ENSURE(n > 0 && n < IDENTITY_MAX);
    return (Str){ .p = out, .n = (size_t)n };
}

static enum status make_row(struct safe *safe, const struct connection_row *connection,
                            const struct buf *token, struct arena *mem, struct revocation_row *row)
{
    struct oauth_random random;
    char identity[IDENTITY_MAX];
    struct buf sealed;
    oauth_random_make(&random);
    *row = (struct revocation_row){
        .id = arena_copy(mem, oauth_random_str(&random)),
        .server = connection->server,
        .principal = connection->principal,
        .issuer = connection->issuer,
        .endpoint = connection->revocation_endpoint,
        .client_id = connection->client_id,
        .redirect_uri = connection->redirect_uri,
        .auth_method = connection->auth_method,
        .state = STR("pending"),
        .created_ms = world_wall_ms(),
        .next_ms = world_wall_ms(),
    };
    if (!row->id.p)
        return ST_LIMIT;
    buf_init(&sealed, VAULT_TOKEN_MAX + SEAL_OVERHEAD);
    enum status status = seal(safe->ring, buf_str(token), identity_of(row->id, identity), &sealed);
    row->token = arena_copy(mem, buf_str(&sealed));
    buf_free(&sealed);
    return status == ST_OK && !row->token.p ? ST_LIMIT : status;
}

/* The rows for both tokens; none without a place to tell them at. */
static enum status make_rows(struct safe *safe, const struct connection_row *connection,
                             const struct tokens *tokens, struct arena *mem,
                             struct revocation_row rows[2], size_t *count)
{
    const struct buf *both[] = { &tokens->refresh, &tokens->access };
    enum status status = ST_OK;
    *count = 0;
    if (!connection->revocation_endpoint.n)
        return ST_OK;
    for (size_t i = 0; status == ST_OK && i < COUNT(both); i++) {
        if (!both[i]->n)
            continue;
        status = make_row(safe, connection, both[i], mem, &rows[*count]);
        rows[*count].is_refresh = i == 0;
        (*count)++;
    }
    return status;
}

enum status revoke_remember(struct safe *safe, const struct connection_row *row,
                            const struct tokens *tokens, struct arena *mem)
{
    struct revocation_row rows[2];
    struct store *store = safe->vault.store;
    size_t count = 0;
    enum status status = make_rows(safe, row, tokens, mem, rows, &count);
    for (size_t i = 0; status == ST_OK && i < count; i++)
        status = store->ops->revocation_put(store, &rows[i]);
    return status;
}

static enum status try_end(struct safe *safe, Str server, Str principal, Str reason,
                           struct arena *mem, bool *can_tell)
{
    struct revocation_row rows[2];
    struct connection_row row;
    struct tokens tokens;
    size_t count = 0;
    struct store *store = safe->vault.store;
    if (!tokens_open(&tokens))
        return ST_NO_MEMORY;
    enum status status = safe_get(safe, server, principal, mem, &row, &tokens);
    if (status == ST_DENIED) /* its key is lost: ended all the same, but nobody can be told */
        status = store->ops->connection_get(store, server, principal, mem, &row);
    else if (status == ST_OK)
        status = make_rows(safe, &row, &tokens, mem, rows, &count);
    tokens_close(&tokens);
    struct connection_mark mark = {
        .server = server,
        .principal = principal,
        .state = oauth_state_word(OAUTH_STATE_REVOKED),
        .reason = reason,
        .generation = row.generation,
        .forget = true,
    };
    if (status == ST_OK)
        status = store->ops->connection_end(store, &mark, rows, count);
    *can_tell = count > 0;
    return status;
}

enum status revoke_connection(struct safe *safe, Str server, Str principal, Str reason,
                              bool *can_tell)
{
    enum status status = ST_CONFLICT;
    for (unsigned i = 0; status == ST_CONFLICT && i < TRIES_OF_STORE; i++) {
        struct arena mem;
        arena_init(&mem, SCRATCH_MAX);
        status = try_end(safe, server, principal, reason, &mem, can_tell);
        arena_reset(&mem);
    }
    return status;
}

/* -------------------------------- telling ------------------------------ */

struct revoker {
    struct loop *loop;
    struct login_env env;
    struct timer *timer;
    struct fetch *fetch;
    struct arena mem; /* of row */
    struct revocation_row row;
};

static void look(void *user);

static void finish(struct revoker *revoker, const char *state, const char *outcome)
{
    struct revocation_row *row = &revoker->row;
    struct store *store = revoker->env.safe->vault.store;
    bool is_over = strcmp(state, "pending") != 0;
    int64_t wait = REVOKE_FIRST_MS;
    for (int64_t i = 0; i < row->tries && wait < REVOKE_REST_MAX_MS; i++)
        wait *= 2;
    row->tries++;
    if (!is_over && row->tries >= REVOKE_TRIES_MAX) {
        state = "given_up";
        is_over = true;
    }
    row->state = str_of(state);
    row->outcome = str_of(outcome);
    row->next_ms = world_wall_ms() + (wait < REVOKE_REST_MAX_MS ? wait : REVOKE_REST_MAX_MS);
    if (is_over)
        row->token = STR("");
    log_info("revocation server=%.*s principal=%.*s state=%s outcome=%s", STR_ARG(row->server),
             STR_ARG(row->principal), state, outcome);
    if (store->ops->revocation_put(store, row) != ST_OK)
        log_error("a revocation's outcome can't be stored server=%.*s", STR_ARG(row->server));
    arena_reset(&revoker->mem);
    timer_start(revoker->timer, 0);
}

static void on_answer(void *user, const struct fetch_answer *answer)
{
    struct revoker *revoker = user;
    revoker->fetch = NULL;
    int status = answer->http_status;
    if (answer->status != ST_OK)
        finish(revoker, "pending", fetch_why(answer));
    else if (status >= 200 && status < 300)
        finish(revoker, "done", "the provider has revoked it");
    else if (status == 400 || status == 404)
        finish(revoker, "given_up", "the provider refuses to revoke it");
    else
        finish(revoker, "pending", "the provider can't revoke it now");
}

static enum status send_form(struct revoker *revoker, const struct token_request *request,
                             Str token)
{
    struct buf form, header;
    const struct oauth_settings *settings =
        settings_find(revoker->env.safe->settings, revoker->row.server);
    if (!secret_buf_open(&form, FORM_MAX))
        return ST_NO_MEMORY;
    if (!secret_buf_open(&header, FORM_MAX)) {
        secret_buf_close(&form);
        return ST_NO_MEMORY;
    }
    enum status status =
        revocation_request(request, token, revoker->row.is_refresh, &form, &header);
    struct fetch_request out = {
        .url = revoker->row.endpoint,
        .content_type = STR("application/x-www-form-urlencoded"),
        .body = buf_str(&form),
        .authorization = buf_str(&header),
        .is_development = settings && settings->is_development,
        .may_be_private = settings && settings->allow_private,
    };
    if (status == ST_OK)
        status = fetch_start(revoker->env.http, &out, on_answer, revoker, &revoker->fetch);
    secret_buf_close(&form);
    secret_buf_close(&header);
    return status;
}

static enum status send_one(struct revoker *revoker)
{
    struct buf token;
    struct credentials credentials;
    char identity[IDENTITY_MAX];
    struct safe *safe = revoker->env.safe;
    const struct revocation_row *row = &revoker->row;
    struct connection_row client = { .issuer = row->issuer,
                                     .client_id = row->client_id,
                                     .redirect_uri = row->redirect_uri,
                                     .auth_method = row->auth_method };
    if (!secret_buf_open(&token, VAULT_TOKEN_MAX))
        return ST_NO_MEMORY;
    enum status status = unseal(safe->ring, row->token, identity_of(row->id, identity), &token);
    if (status == ST_NOT_FOUND && safe_reread(safe) == ST_OK)
        status = unseal(safe->ring, row->token, identity_of(row->id, identity), &token);
    if (status == ST_OK)
        status = credentials_open(safe, settings_find(safe->settings, row->server), &client,
                                  &revoker->mem, &credentials);
    if (status == ST_OK) {
        struct token_request request = { .client = &credentials.client,
                                         .method = credentials.method,
                                         .issuer = row->issuer };
        status = send_form(revoker, &request, buf_str(&token));
        credentials_close(&credentials);
    }
    secret_buf_close(&token);
    return status;
}

/* The first that is due; *next_ms says when to look again. */
static const struct revocation_row *choose(const struct revocation_row *rows, size_t count,
                                           int64_t *next_ms)
{
    int64_t now = world_wall_ms();
    *next_ms = 0;
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(rows[i].state, STR("pending")))
            continue;
        if (rows[i].next_ms <= now)
            return &rows[i];
        if (!*next_ms || rows[i].next_ms < *next_ms)
            *next_ms = rows[i].next_ms;
    }
    return NULL;
}

/* Two processes may tell the same: RFC 7009 makes that harmless. */
static void look(void *user)
{
    struct revoker *revoker = user;
    struct revocation_row *rows = NULL;
    size_t count = 0;
    int64_t next_ms = 0;
    struct store *store = revoker->env.safe->vault.store;
    if (revoker->fetch)
        return;
    arena_init(&revoker->mem, SCRATCH_MAX);
    const struct revocation_row *found = NULL;
    if (store->ops->revocation_list(store, &revoker->mem, &rows, &count) == ST_OK)
        found = choose(rows, count, &next_ms);
    if (!found) {
        arena_reset(&revoker->mem);
        if (next_ms)
            timer_start(revoker->timer, next_ms - world_wall_ms() + 1);
        return;
    }
    revoker->row = *found;
    enum status status = send_one(revoker);
    if (status != ST_OK)
        finish(revoker, status == ST_NO_MEMORY ? "pending" : "given_up",
               "the token or the client's credentials can't be read");
}

enum status revoker_open(struct loop *loop, const struct login_env *env, struct revoker **out)
{
    struct revoker *revoker = calloc(1, sizeof *revoker);
    if (!revoker)
        return ST_NO_MEMORY;
    *revoker = (struct revoker){ .loop = loop, .env = *env };
    revoker->timer = timer_open(loop, look, revoker);
    if (!revoker->timer) {
        free(revoker);
        return ST_NO_MEMORY;
    }
    timer_start(revoker->timer, 0);
    *out = revoker;
    return ST_OK;
}

void revoker_close(struct revoker *revoker)
{
    if (!revoker)
        return;
    if (revoker->fetch)
        fetch_cancel(revoker->fetch);
    arena_reset(&revoker->mem);
    timer_close(revoker->timer);
    free(revoker);
}

void revoker_look(struct revoker *revoker)
{
    if (!revoker->fetch)
        timer_start(revoker->timer, 0);
}

bool revoker_is_busy(const struct revoker *revoker)
{
    return revoker->fetch != NULL;
}
