/* SPDX-License-Identifier: Apache-2.0 */
/* login_discover.c - who may issue tokens for the server, and where.
 *
 * Places are asked in the order of the specification. A place where nothing of the kind lies leads
 * to the next one; a document that speaks of something else ends the login, since going on would
 * let whoever put it there choose. Without any metadata the defaults of 2025-03-26 stand in, at
 * the server's own origin.
 */
#include "runtime/keeper/login_internal.h"

static void add_places(struct login *login, const struct well_known *known)
{
    for (size_t i = 0; i < known->count && login->place_count < LOGIN_PLACES_MAX; i++)
        login->places[login->place_count++] = known->urls[i];
}

/* Is there nothing at this place? A page for people is nothing, too. */
static bool is_absent(const struct fetch_answer *answer)
{
    bool is_missing = answer->http_status >= 300 && answer->http_status < 500;
    return is_missing || (answer->http_status == 200 && !answer->is_json);
}

/* Raises what a request that gave no document means; false when there is one. */
static bool raise_failure(struct login *login, const struct fetch_answer *answer,
                          const char *subject)
{
    bool is_last = login->place + 1 >= login->place_count;
    if (answer->status == ST_OK && is_absent(answer)) {
        login->place++;
        login_raise(login, is_last ? OAUTH_EVENT_NONE_LEFT : OAUTH_EVENT_ABSENT, subject);
        return true;
    }
    if (answer->status == ST_OK && answer->http_status == 200)
        return false;
    login->why_text = arena_printf(&login->mem, "%s: %s", subject,
                                   answer->status == ST_OK ? "the place answered with an error"
                                                           : fetch_why(answer));
    login_raise(login, answer->status == ST_DENIED ? OAUTH_EVENT_REFUSED : OAUTH_EVENT_UNSURE,
                NULL);
    return true;
}

/* ------------------------------ the resource --------------------------- */

static void on_resource(void *user, const struct fetch_answer *answer)
{
    struct login *login = user;
    const char *why = NULL;
    login->fetch = NULL;
    if (raise_failure(login, answer, "the server's resource metadata can't be had"))
        return;
    Str text = arena_copy(&login->mem, answer->body);
    enum status status = text.p ? resource_metadata_read(text, &login->server, &login->mem,
                                                         &login->resource_metadata, &why)
                                : ST_LIMIT;
    if (status != ST_OK) {
        login_raise(login, OAUTH_EVENT_REFUSED, why ? why : status_text(status));
        return;
    }
    login->has_resource_metadata = true;
    login_raise(login, OAUTH_EVENT_FOUND, NULL);
}

void login_fetch_resource(struct login *login)
{
    if (login->place_count == 0) {
        struct well_known known = { .count = 0 };
        if (login->challenge.resource_metadata.n)
            login->places[login->place_count++] = login->challenge.resource_metadata;
        if (!well_known_resource(&login->server, &login->mem, &known)) {
            login_raise(login, OAUTH_EVENT_UNSURE, "no memory left");
            return;
        }
        add_places(login, &known);
    }
    struct fetch_request request = login_request(login, login->places[login->place]);
    login_fetch(login, &request, on_resource);
}

/* ------------------------------- the issuer ---------------------------- */

/* 2025-03-26: without metadata, endpoints below the server's origin, PKCE required. */
static void take_defaults(struct login *login)
{
    struct issuer_metadata *metadata = &login->metadata;
    Str origin = login->server.origin;
    *metadata = (struct issuer_metadata){ .issuer = origin, .has_s256 = true };
    metadata->authorization_endpoint = arena_printf(&login->mem, "%.*s/authorize", STR_ARG(origin));
    metadata->token_endpoint = arena_printf(&login->mem, "%.*s/token", STR_ARG(origin));
    metadata->registration_endpoint = arena_printf(&login->mem, "%.*s/register", STR_ARG(origin));
    metadata->auth_mask = 1u << CLIENT_NONE | 1u << CLIENT_SECRET_BASIC | 1u << CLIENT_SECRET_POST;
}

static void judge_issuer(struct login *login)
{
    const struct issuer_metadata *metadata = &login->metadata;
    const char *why = NULL;
    if (!metadata->authorization_endpoint.p && !login->settings->is_machine)
        why = "the authorization server names no authorization endpoint";
    else if (!metadata->has_s256 && !login->settings->assumes_s256 && !login->settings->is_machine)
        why = "the authorization server does not say that it supports PKCE with S256 (set "
              "oauth.assume_s256 if it does)";
    if (why)
        login_raise(login, OAUTH_EVENT_REFUSED, why);
    else
        login_choose_client(login);
}

static void on_issuer(void *user, const struct fetch_answer *answer)
{
    struct login *login = user;
    const char *why = NULL;
    login->fetch = NULL;
    bool is_last = login->place + 1 >= login->place_count;
    bool may_default = !login->has_resource_metadata && !login->settings->issuer.n;
    if (answer->status == ST_OK && is_absent(answer) && is_last && may_default) {
        take_defaults(login);
        judge_issuer(login);
        return;
    }
    if (raise_failure(login, answer, "the authorization server's metadata can't be had"))
        return;
    struct issuer_question question = { .issuer = login->issuer,
                                        .is_development = login->settings->is_development };
    Str text = arena_copy(&login->mem, answer->body);
    enum status status =
        text.p ? issuer_metadata_read(text, &question, &login->mem, &login->metadata, &why)
               : ST_LIMIT;
    if (status == ST_OK)
        judge_issuer(login);
    else
        login_raise(login, OAUTH_EVENT_REFUSED, why ? why : status_text(status));
}

static Str choose_issuer(const struct login *login)
{
    if (login->settings->issuer.n)
        return login->settings->issuer;
    if (login->has_resource_metadata)
        return login->resource_metadata.issuers[0];
    return login->server.origin; /* 2025-03-26 */
}

static bool open_issuer(struct login *login)
{
    struct web_url url;
    struct well_known known = { .count = 0 };
    login->issuer = choose_issuer(login);
    login->place_count = login->place = 0;
    if (!web_url_read(login->issuer, &login->mem, &url) ||
        !web_url_is_fit(&url, login->settings->is_development) ||
        !well_known_issuer(&url, &login->mem, &known))
        return false;
    add_places(login, &known);
    return true;
}

void login_fetch_issuer(struct login *login)
{
    if (!login->issuer.n && !open_issuer(login)) {
        login_raise(login, OAUTH_EVENT_REFUSED, "the issuer that the server names is no https URL");
        return;
    }
    struct fetch_request request = login_request(login, login->places[login->place]);
    login_fetch(login, &request, on_issuer);
}
