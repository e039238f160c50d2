/* SPDX-License-Identifier: Apache-2.0 */
/* login.c - the wheel of a login: an event moves the machine, the machine names an action, the
 * action ends in an event.
 *
 * The callback is called from the loop's next turn, never from inside login_begin, so that whoever
 * begins has the login in hand before it ends.
 */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/crypto/secret.h"
#include "runtime/keeper/login_internal.h"

#include <stdlib.h>

enum { RESULT_KEEP_MS = 15 * 60 * 1000 };

const char *fetch_why(const struct fetch_answer *answer)
{
    switch (answer->status) {
    case ST_DENIED:
        return "its address is not one that may be asked (set allow_private if it should be), or "
               "its certificate is not valid";
    case ST_NOT_FOUND: return "its name can't be resolved";
    case ST_TIMEOUT: return "it did not answer in time";
    case ST_LIMIT: return "its answer is too long";
    case ST_OK: return "its answer can't be used";
    default: return "it can't be reached";
    }
}

struct login *login_new(const struct login_env *env, login_done_fn done, void *user)
{
    struct login *login = calloc(1, sizeof *login);
    if (!login)
        return NULL;
    login->env = *env;
    login->done = done;
    login->user = user;
    login->state = OAUTH_STATE_START;
    arena_init(&login->mem, LOGIN_MEMORY_MAX);
    return login;
}

/* Of the arena's, which is ours to write to though a Str says const. */
static void wipe(Str text)
{
    char *bytes;
    memcpy(&bytes, &text.p, sizeof bytes);
    secret_wipe(bytes, text.n);
}

static void login_free(struct login *login)
{
    if (login->has_tokens)
        tokens_close(&login->tokens);
    wipe(login->verifier);
    arena_reset(&login->mem);
    free(login);
}

void login_cancel(struct login *login)
{
    if (login->fetch)
        fetch_cancel(login->fetch);
    login_free(login);
}

struct fetch_request login_request(const struct login *login, Str url)
{
    return (struct fetch_request){ .url = url,
                                   .is_development = login->settings->is_development,
                                   .may_be_private = login->settings->allow_private };
}

void login_fetch(struct login *login, const struct fetch_request *request, fetch_done_fn done)
{
    enum status status = fetch_start(login->env.http, request, done, login, &login->fetch);
    if (status == ST_OK)
        return;
    login->fetch = NULL;
    bool is_refused = status == ST_DENIED || status == ST_INVALID;
    login_raise(login, is_refused ? OAUTH_EVENT_REFUSED : OAUTH_EVENT_UNSURE,
                is_refused ? "a URL that would have to be asked is not https"
                           : status_text(status));
}

/* For the process that began: how its flow ended. */
static void leave_result(const struct login *login, const struct login_outcome *outcome)
{
    struct store *store = login->env.safe->vault.store;
    int64_t now = world_wall_ms();
    struct login_result_row row = { .is_done = outcome->is_done,
                                    .text = outcome->text,
                                    .expires_ms = now + RESULT_KEEP_MS };
    if (!login->is_resumed)
        return;
    memcpy(row.state_hash, login->state_hash, sizeof row.state_hash);
    if (store->ops->result_put(store, &row, now) != ST_OK)
        log_error("how a login ended could not be stored");
}

static void finish(struct login *login)
{
    struct login_outcome outcome = {
        .is_done = login->state == OAUTH_STATE_DONE,
        .server = login->settings ? login->settings->server : STR(""),
        .principal = login->principal,
        .text = login->why_text.n ? login->why_text
                                  : str_of(login->why ? login->why : "the login failed"),
    };
    if (outcome.is_done)
        outcome.text = STR("connected");
    memcpy(outcome.state_hash, login->state_hash, sizeof outcome.state_hash);
    leave_result(login, &outcome);
    if (!outcome.is_done)
        log_warn("login failed server=%.*s principal=%.*s why=%.*s", STR_ARG(outcome.server),
                 STR_ARG(outcome.principal), STR_ARG(outcome.text));
    else
        log_info("connected server=%.*s principal=%.*s", STR_ARG(outcome.server),
                 STR_ARG(outcome.principal));
    login->done(login->user, &outcome);
    login_free(login);
}

static void perform(struct login *login, enum oauth_action action)
{
    switch (action) {
    case OAUTH_DO_FETCH_RESOURCE: login_fetch_resource(login); return;
    case OAUTH_DO_FETCH_ISSUER: login_fetch_issuer(login); return;
    case OAUTH_DO_SEND_REGISTRATION: login_register(login); return;
    case OAUTH_DO_ASK_USER: login_ask_user(login); return;
    case OAUTH_DO_SEND_EXCHANGE: login_exchange(login); return;
    case OAUTH_DO_SAVE: login_save(login); return;
    case OAUTH_DO_FINISH:
    case OAUTH_DO_REPORT: finish(login); return;
    default: UNREACHABLE("an action that is no login's");
    }
}

void login_raise(struct login *login, enum oauth_event event, const char *why)
{
    enum oauth_action action;
    if (why)
        login->why = why;
    ENSURE(oauth_step(&login->state, event, &action)); /* events are ours alone */
    perform(login, action);
}

static bool copy_scopes(struct login *login, const struct scope_set *scopes)
{
    for (size_t i = 0; scopes && i < scopes->count; i++) {
        Str copy = arena_copy(&login->mem, scopes->items[i]);
        if (!copy.p || !scope_add(&login->wanted, copy))
            return false;
    }
    return true;
}

static void on_probed(void *user, const struct fetch_answer *answer)
{
    struct login *login = user;
    login->fetch = NULL;
    /* Whatever it says: the well-known places answer too, and some servers challenge calls only. */
    if (answer->status == ST_OK && answer->http_status == 401 && answer->has_challenge) {
        const struct bearer_challenge *said = &answer->challenge;
        login->has_challenge = true;
        if (said->resource_metadata.n)
            login->challenge.resource_metadata = arena_copy(&login->mem, said->resource_metadata);
        for (size_t i = 0; said->has_scopes && i < said->scopes.count; i++) {
            Str scope = arena_copy(&login->mem, said->scopes.items[i]);
            login->challenge.has_scopes |= scope.p && scope_add(&login->challenge.scopes, scope);
        }
    }
    login_raise(login, OAUTH_EVENT_BEGIN, NULL);
}

/* A request without a token, to hear what the server says about how to get one. The URL is the
 * operator's own, so it may lie anywhere. */
static enum status probe(struct login *login)
{
    struct fetch_request request = {
        .url = login->settings->url,
        .content_type = STR("application/json"),
        .body = STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
                    "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{"
                    "\"name\":\"mcpd\",\"version\":\"" MCP_VERSION "\"}}}"),
        .is_development = true,
        .may_be_private = true,
        .is_probe = true,
    };
    return fetch_start(login->env.http, &request, on_probed, login, &login->fetch);
}

enum status login_begin(const struct login_env *env, const struct login_spec *spec,
                        login_done_fn done, void *user, struct login **out)
{
    struct login *login = login_new(env, done, user);
    if (!login)
        return ST_NO_MEMORY;
    login->settings = spec->settings;
    login->principal = arena_copy(&login->mem, spec->principal);
    login->binding = arena_copy(&login->mem, spec->binding);
    login->redirect_uri = arena_copy(
        &login->mem, spec->redirect_uri.n ? spec->redirect_uri : spec->settings->redirect_uri);
    login->registers_again = spec->registers_again;
    bool is_copied = login->principal.p && login->binding.p && login->redirect_uri.p &&
                     spec->binding.n <= BINDING_MAX && copy_scopes(login, spec->scopes);
    enum status status = is_copied ? ST_OK : ST_INVALID;
    if (status == ST_OK && !web_url_read(spec->settings->url, &login->mem, &login->server))
        status = ST_INVALID;
    if (status == ST_OK)
        status = probe(login);
    if (status != ST_OK) {
        login_free(login);
        return status;
    }
    *out = login;
    return ST_OK;
}
