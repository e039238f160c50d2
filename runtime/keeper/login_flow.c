/* SPDX-License-Identifier: Apache-2.0 */
/* login_flow.c - from the URL that a user opens to tokens that are stored.
 *
 * What the second half must know of the first is one sealed record, written before the URL is shown
 * and spent by whatever comes back with its state: issuer, verifier, redirect URI, resource, client
 * and principal. The code goes to the token endpoint of the issuer in that record and to no other.
 */
#include "runtime/base/world.h"
#include "runtime/crypto/encode.h"
#include "runtime/crypto/secret.h"
#include "runtime/crypto/sha256.h"
#include "runtime/keeper/login_internal.h"
#include "runtime/oauth/callback.h"
#include "runtime/oauth/json_read.h"
#include "runtime/oauth/pkce.h"

#include <stdlib.h>

enum {
    FACTS_MAX = 32 * 1024,
    URL_MAX = 16 * 1024,
    FORM_MAX = 64 * 1024,
    SCOPES_TEXT_MAX = SCOPES_MAX * (SCOPE_BYTES_MAX + 1),
    IDENTITY_CHARS = 5 + HEX_SIZE(FLOW_HASH_BYTES),
};

/* ------------------------------- the record ---------------------------- */

/* The members of the record that are texts, by their names. */
#define FACTS(X)                                                                                   \
    X("issuer", metadata.issuer)                                                                   \
    X("token_endpoint", metadata.token_endpoint)                                                   \
    X("revocation_endpoint", metadata.revocation_endpoint)                                         \
    X("client_id", client_id)                                                                      \
    X("redirect_uri", redirect_uri)                                                                \
    X("resource", resource)                                                                        \
    X("verifier", verifier)                                                                        \
    X("binding", binding)

static void add_text(struct buf *out, const char *key, Str value)
{
    buf_printf(out, "%s\"%s\":", out->n > 1 ? "," : "", key);
    json_write_string(out, value);
}

static void write_facts(const struct login *login, struct buf *out)
{
    struct buf scopes;
    buf_init(&scopes, SCOPES_TEXT_MAX);
    scope_write(&scopes, &login->scopes, ' ');
    buf_add_char(out, '{');
#define X(key, member) add_text(out, (key), login->member);
    FACTS(X)
#undef X
    add_text(out, "scopes", buf_str(&scopes));
    add_text(out, "auth_method", client_auth_word(login->method));
    add_text(out, "sends_iss", login->metadata.sends_iss ? STR("yes") : STR("no"));
    buf_printf(out, ",\"step_ups\":\"%lld\"}", (long long)login->step_ups);
    out->is_full = out->is_full || scopes.is_full;
    buf_free(&scopes);
}

static enum status read_facts(Str text, struct login *login)
{
    struct json_doc doc;
    Str scopes = { 0 }, method = { 0 }, sends = { 0 }, steps = { 0 };
    uint64_t step_ups = 0;
    enum status status = oauth_json_read(text, FACTS_MAX, &login->mem, &doc);
    if (status != ST_OK)
        return status;
    bool is_ok = true;
#define X(key, member) is_ok = is_ok && read_string(&doc, STR(key), &login->member);
    FACTS(X)
#undef X
    is_ok = is_ok && read_string(&doc, STR("scopes"), &scopes) &&
            read_string(&doc, STR("auth_method"), &method) &&
            read_string(&doc, STR("sends_iss"), &sends) &&
            read_string(&doc, STR("step_ups"), &steps);
    if (!is_ok || !client_auth_read(method, &login->method) ||
        !scope_add_list(&login->scopes, scopes, ' ') || !str_to_u64(steps, UINT32_MAX, &step_ups))
        return ST_INVALID;
    login->step_ups = (int64_t)step_ups;
    login->metadata.sends_iss = str_eq(sends, STR("yes"));
    return ST_OK;
}

static Str identity_of(const unsigned char hash[FLOW_HASH_BYTES], char out[IDENTITY_CHARS])
{
    memcpy(out, "flow ", 5);
    hex_encode((Str){ .p = (const char *)hash, .n = FLOW_HASH_BYTES }, out + 5);
    return (Str){ .p = out, .n = IDENTITY_CHARS };
}

static enum status store_flow(struct login *login)
{
    struct buf facts, sealed;
    char identity[IDENTITY_CHARS];
    struct safe *safe = login->env.safe;
    int64_t now = world_wall_ms();
    enum status status = safe_make_ready(safe);
    if (status != ST_OK)
        return status;
    if (!secret_buf_open(&facts, FACTS_MAX))
        return ST_NO_MEMORY;
    buf_init(&sealed, FACTS_MAX + SEAL_OVERHEAD);
    write_facts(login, &facts);
    status = facts.is_full ? ST_LIMIT
                           : seal(safe->ring, buf_str(&facts),
                                  identity_of(login->state_hash, identity), &sealed);
    struct flow_row row = { .server = login->settings->server,
                            .principal = login->principal,
                            .facts = buf_str(&sealed),
                            .expires_ms = now + LOGIN_USER_MS };
    memcpy(row.state_hash, login->state_hash, sizeof row.state_hash);
    if (status == ST_OK)
        status = safe->vault.store->ops->flow_add(safe->vault.store, &row, now);
    secret_buf_close(&facts);
    buf_free(&sealed);
    return status;
}

/* ------------------------------ to the user ---------------------------- */

/* Of the connection that there is: what it holds and what its server wanted besides. */
struct before {
    struct scope_set held;
    bool is_step_up;
    int64_t step_ups;
};

static void look_before(struct login *login, struct before *out)
{
    struct connection_row row;
    struct store *store = login->env.safe->vault.store;
    *out = (struct before){ .is_step_up = false };
    if (store->ops->connection_get(store, login->settings->server, login->principal, &login->mem,
                                   &row) != ST_OK ||
        !row.wanted.n)
        return;
    out->is_step_up =
        scope_add_list(&out->held, row.scopes, ' ') && scope_add_list(&out->held, row.wanted, ' ');
    out->step_ups = row.step_ups;
}

static bool choose_scopes(struct login *login)
{
    const struct oauth_settings *settings = login->settings;
    struct before before;
    look_before(login, &before);
    struct scope_facts facts = {
        .configured = settings->has_scopes ? &settings->scopes : NULL,
        .challenged = login->challenge.has_scopes ? &login->challenge.scopes : NULL,
        .resource = login->resource_metadata.has_scopes ? &login->resource_metadata.scopes : NULL,
        .issuer = login->metadata.has_scopes ? &login->metadata.scopes : NULL,
        .held = before.is_step_up ? &before.held : NULL,
    };
    login->step_ups = before.is_step_up ? before.step_ups + 1 : 0;
    return scope_choose(&facts, &login->scopes) && scope_union(&login->scopes, &login->wanted);
}

static bool choose_resource(struct login *login)
{
    if (login->settings->resource.n) {
        login->resource = login->settings->resource;
        return true;
    }
    if (login->has_resource_metadata) {
        login->resource = login->resource_metadata.resource;
        return true;
    }
    return resource_uri(&login->server, &login->mem, &login->resource);
}

static void make_secrets(struct login *login)
{
    struct oauth_random random;
    oauth_random_make(&random);
    login->verifier = arena_copy(&login->mem, oauth_random_str(&random));
    oauth_random_make(&random);
    login->state_text = arena_copy(&login->mem, oauth_random_str(&random));
    sha256(oauth_random_str(&random), login->state_hash);
    secret_wipe(&random, sizeof random);
}

static bool write_url(struct login *login)
{
    struct buf url;
    buf_init(&url, URL_MAX);
    struct authorize_request request = {
        .endpoint = login->metadata.authorization_endpoint,
        .client_id = login->client_id,
        .redirect_uri = login->redirect_uri,
        .state = login->state_text,
        .verifier = login->verifier,
        .resource = login->resource,
        .scopes = &login->scopes,
        .quirks = &login->settings->quirks,
    };
    bool is_written = authorize_url(&request, &url) == ST_OK;
    if (is_written)
        login->code = arena_copy(&login->mem, buf_str(&url));
    buf_free(&url);
    return is_written && login->code.p;
}

void login_ask_user(struct login *login)
{
    struct login_outcome outcome = { .wants_user = true };
    make_secrets(login);
    bool is_ready = login->verifier.p && login->state_text.p && choose_resource(login) &&
                    choose_scopes(login) && write_url(login);
    if (is_ready && login->step_ups > STEP_UPS_MAX) {
        login_raise(login, OAUTH_EVENT_REFUSED,
                    "the server has asked for more scopes after each of three logins; it is not "
                    "asked again (see oauth.scopes)");
        return;
    }
    enum status status = is_ready ? store_flow(login) : ST_LIMIT;
    if (status != ST_OK) {
        login->why_text =
            arena_printf(&login->mem, "the login can't be remembered: %s", status_text(status));
        login_raise(login, OAUTH_EVENT_REFUSED, NULL);
        return;
    }
    outcome.url = login->code;
    outcome.state = login->state_text;
    outcome.server = login->settings->server;
    outcome.principal = login->principal;
    memcpy(outcome.state_hash, login->state_hash, sizeof outcome.state_hash);
    login->done(login->user, &outcome);
    login_cancel(login);
}

/* ------------------------------ to the tokens -------------------------- */

static void describe(const struct login *login, struct connection_row *row)
{
    *row = (struct connection_row){
        .server = login->settings->server,
        .principal = login->principal,
        .issuer = login->metadata.issuer,
        .client_id = login->client_id,
        .redirect_uri = login->redirect_uri,
        .resource = login->resource,
        .token_endpoint = login->metadata.token_endpoint,
        .revocation_endpoint = login->metadata.revocation_endpoint,
        .state = oauth_state_word(OAUTH_STATE_ACTIVE),
        .kind = login->settings->is_machine ? STR("client") : STR("code"),
        .auth_method = client_auth_word(login->method),
        .expires_ms = login->expires_ms,
        .refreshed_ms = world_wall_ms(),
        .step_ups = login->step_ups,
    };
}

static bool take_tokens(struct login *login, const struct token_answer *answer)
{
    if (!tokens_open(&login->tokens))
        return false;
    login->has_tokens = true;
    buf_add(&login->tokens.access, answer->access_token);
    buf_add(&login->tokens.refresh, answer->refresh_token);
    login->expires_ms = answer->life_s ? world_wall_ms() + answer->life_s * 1000 : 0;
    const struct scope_set *granted = answer->has_scopes ? &answer->scopes : &login->scopes;
    for (size_t i = 0; i < granted->count; i++) {
        Str scope = arena_copy(&login->mem, granted->items[i]);
        if (!scope.p || !scope_add(&login->granted, scope))
            return false;
    }
    return !login->tokens.access.is_full && !login->tokens.refresh.is_full;
}

static void on_token(void *user, const struct fetch_answer *answer)
{
    struct login *login = user;
    struct token_answer found;
    struct arena mem;
    login->fetch = NULL;
    if (answer->status != ST_OK) {
        login->why_text = arena_printf(&login->mem, "asking for tokens: %s", fetch_why(answer));
        login_raise(login, OAUTH_EVENT_UNSURE, NULL);
        return;
    }
    arena_init(&mem, LOGIN_MEMORY_MAX);
    token_answer_read(answer->http_status, answer->body, quirks_separator(&login->settings->quirks),
                      &mem, &found);
    enum oauth_event event = OAUTH_EVENT_GRANTED;
    const char *why = NULL;
    if (found.outcome == OUTCOME_MALFORMED) {
        event = OAUTH_EVENT_UNSURE;
        why = "asking for tokens: the authorization server's answer can't be read";
    } else if (found.outcome != OUTCOME_GRANTED) {
        event = found.outcome == OUTCOME_REFUSED ? OAUTH_EVENT_REFUSED : OAUTH_EVENT_UNSURE;
        login->why_text =
            arena_printf(&login->mem, "asking for tokens: the authorization server says: %s",
                         oauth_error_text(found.error));
    } else if (!take_tokens(login, &found)) {
        event = OAUTH_EVENT_UNSURE;
        why = "asking for tokens: the answer is too long";
    }
    arena_reset(&mem); /* the body itself is wiped by the fetch */
    login_raise(login, event, why);
}

static enum status send_token_request(struct login *login, const struct credentials *credentials)
{
    struct buf form, header;
    const struct oauth_settings *settings = login->settings;
    struct token_request request = {
        .client = &credentials->client,
        .method = credentials->method,
        .issuer = login->metadata.issuer,
        .resource = login->resource,
        .scopes = settings->is_machine ? &login->scopes : NULL,
        .quirks = &settings->quirks,
    };
    if (!secret_buf_open(&form, FORM_MAX))
        return ST_NO_MEMORY;
    if (!secret_buf_open(&header, FORM_MAX)) {
        secret_buf_close(&form);
        return ST_NO_MEMORY;
    }
    enum status status = settings->is_machine
                             ? token_request_client(&request, &form, &header)
                             : token_request_code(&request, login->code, login->redirect_uri,
                                                  login->verifier, &form, &header);
    struct fetch_request out = login_request(login, login->metadata.token_endpoint);
    out.content_type = STR("application/x-www-form-urlencoded");
    out.body = buf_str(&form);
    out.authorization = buf_str(&header);
    if (status == ST_OK)
        status = fetch_start(login->env.http, &out, on_token, login, &login->fetch);
    secret_buf_close(&form);
    secret_buf_close(&header);
    return status;
}

void login_exchange(struct login *login)
{
    struct connection_row row;
    struct credentials credentials;
    if (login->settings->is_machine && (!choose_resource(login) || !choose_scopes(login))) {
        login_raise(login, OAUTH_EVENT_UNSURE, "too many scopes");
        return;
    }
    describe(login, &row);
    enum status status =
        credentials_open(login->env.safe, login->settings, &row, &login->mem, &credentials);
    if (status != ST_OK) {
        login_raise(login, OAUTH_EVENT_REFUSED, "the client's credentials can't be read");
        return;
    }
    status = send_token_request(login, &credentials);
    credentials_close(&credentials);
    if (status != ST_OK)
        login_raise(login, OAUTH_EVENT_UNSURE, "the token request can't be sent");
}

void login_save(struct login *login)
{
    struct connection_row row;
    struct buf scopes;
    int64_t generation;
    buf_init(&scopes, SCOPES_TEXT_MAX);
    scope_write(&scopes, &login->granted, ' ');
    describe(login, &row);
    row.scopes = buf_str(&scopes);
    enum status status = scopes.is_full ? ST_LIMIT : safe_make_ready(login->env.safe);
    if (status == ST_OK)
        status = vault_put(&login->env.safe->vault, &row, &login->tokens, &generation);
    buf_free(&scopes);
    login_raise(login, status == ST_OK ? OAUTH_EVENT_SAVED : OAUTH_EVENT_NOT_SAVED,
                "the tokens could not be stored");
}

/* ------------------------------ the way back --------------------------- */

/* Spends the flow and reads its record. */
static enum status take_flow(struct login *login, Str state)
{
    struct flow_row row;
    struct buf facts;
    char identity[IDENTITY_CHARS];
    struct safe *safe = login->env.safe;
    struct store *store = safe->vault.store;
    sha256(state, login->state_hash);
    enum status status =
        store->ops->flow_take(store, login->state_hash, world_wall_ms(), &login->mem, &row);
    if (status != ST_OK)
        return status;
    login->settings = settings_find(safe->settings, row.server);
    login->principal = row.principal;
    if (!login->settings)
        return ST_NOT_FOUND;
    if (!secret_buf_open(&facts, FACTS_MAX))
        return ST_NO_MEMORY;
    status = unseal(safe->ring, row.facts, identity_of(login->state_hash, identity), &facts);
    if (status == ST_NOT_FOUND && safe_reread(safe) == ST_OK)
        status = unseal(safe->ring, row.facts, identity_of(login->state_hash, identity), &facts);
    Str text =
        arena_copy(&login->mem, buf_str(&facts)); /* slices of it live as long as the login */
    if (status == ST_OK)
        status = text.p ? read_facts(text, login) : ST_LIMIT;
    secret_buf_close(&facts);
    return status;
}

static const char *judge(struct login *login, const struct callback *callback, Str binding)
{
    struct callback_expectation expected = { .issuer = login->metadata.issuer,
                                             .sends_iss = login->metadata.sends_iss };
    if (login->binding.n &&
        (binding.n != login->binding.n || !bytes_equal_ct(binding.p, login->binding.p, binding.n)))
        return "the login was finished in another browser than it was begun in";
    switch (callback_judge(callback, &expected)) {
    case CALLBACK_CODE: return NULL;
    case CALLBACK_ERROR:
        login->why_text = arena_printf(&login->mem, "the authorization server says: %s",
                                       oauth_error_text(oauth_error_read(callback->error)));
        return "the authorization server says no";
    case CALLBACK_NO_ISS: return "the redirect does not say which issuer it comes from";
    case CALLBACK_WRONG_ISS: return "the redirect comes from another issuer";
    case CALLBACK_INCOMPLETE: break;
    }
    return "the redirect brings neither a code nor an error";
}

/* From the loop, so that the one who resumes has the login in hand. */
static void go_on(struct login *login, const char *why)
{
    login->state = OAUTH_STATE_USER;
    login_raise(login, why ? OAUTH_EVENT_REFUSED : OAUTH_EVENT_CODE, why);
}

enum status login_resume(const struct login_env *env, Str query, Str binding, login_done_fn done,
                         void *user, struct login **out)
{
    struct callback callback;
    struct login *login = login_new(env, done, user);
    *out = login;
    if (!login)
        return ST_NO_MEMORY;
    enum status status = callback_read(query, &login->mem, &callback);
    if (status == ST_OK)
        status = take_flow(login, callback.state);
    if (status != ST_OK) {
        login_cancel(login);
        *out = NULL;
        return status;
    }
    login->is_resumed = true;
    login->code = callback.code;
    go_on(login, judge(login, &callback, binding));
    return ST_OK;
}
