/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_auth.c - a token for this one request, from the keeper and into the head.
 *
 * The gateway knows no refresh token and keeps no access token: what the keeper lends goes into one
 * request's head. A refusal of the server's is never relayed; the client hears what to do.
 */
#include "runtime/gateway/upstream_auth.h"

#include "runtime/gateway/leg.h"
#include "runtime/keeper/asker.h"
#include "runtime/oauth/bearer.h"

enum { CHALLENGE_MEMORY_MAX = 64 * 1024, SCOPES_TEXT_MAX = SCOPES_MAX * (SCOPE_BYTES_MAX + 1) };

static Str principal_of(const struct leg *leg)
{
    const struct upstream *upstream = leg->upstream;
    if (!upstream->server->spec->is_per_principal)
        return STR("");
    return upstream->key.principal;
}

/* Ends the leg with a sentence for the client. */
static void fail(struct leg *leg, enum answer_failure failure, const char *reason)
{
    struct buf *why = &leg->auth.why;
    Str alias = leg->upstream->server->spec->alias, principal = principal_of(leg);
    buf_init(why, AUTH_TEXT_MAX);
    buf_printf(why, "%s", reason);
    if (failure == FAILURE_LOGIN && principal.n)
        buf_printf(why, "; a login is needed: mcpd connect %.*s --principal %.*s", STR_ARG(alias),
                   STR_ARG(principal));
    else if (failure == FAILURE_LOGIN)
        buf_printf(why, "; a login is needed: mcpd connect %.*s", STR_ARG(alias));
    buf_add_char(why, '\0');
    leg_fail(leg, failure, why->is_full ? "a login is needed" : why->p);
}

static void send_with(struct leg *leg, const struct message *message)
{
    struct http_header credential = { .name = message->fields[0], .value = message->fields[1] };
    leg->auth.generation = message->number;
    leg->auth.has_token = true;
    if (leg->turn && leg->turn != lookout_turn(leg->upstream))
        leg_fail(leg, FAILURE_STALE, "the server's tools may have changed");
    else if (leg_http_start(leg, buf_str(&leg->auth.text), &credential) != ST_OK)
        leg_fail(leg, FAILURE_GONE, "the request could not be sent to the server");
}

static void refuse(struct leg *leg, const struct message *message)
{
    char reason[AUTH_TEXT_MAX / 2];
    Str text = message->fields[0];
    (void)snprintf(reason, sizeof reason, "%.*s", STR_ARG(text));
    fail(leg, message->number == NO_LATER ? FAILURE_REFUSED : FAILURE_LOGIN, reason);
}

static void on_answer(void *user, const struct message *message)
{
    struct leg *leg = user;
    leg->auth.ask = NULL;
    if (!message)
        fail(leg, FAILURE_REFUSED, "the gateway's token keeper is not running; try again later");
    else if (message->type == MESSAGE_TOKEN)
        send_with(leg, message);
    else
        refuse(leg, message);
}

static enum status ask(struct leg *leg, Str cause)
{
    struct message message = {
        .type = MESSAGE_ASK,
        .number = leg->auth.generation,
        .fields = { leg->upstream->server->spec->alias, principal_of(leg), cause,
                    buf_str(&leg->auth.scopes) },
    };
    leg->auth.ask = asker_ask(leg->upstream->owner->keeper, &message, on_answer, leg);
    leg->auth.tries++;
    return leg->auth.ask ? ST_OK : ST_NO_MEMORY;
}

enum status auth_hold(struct leg *leg, Str text)
{
    struct buf *held = &leg->auth.text;
    if (!leg->upstream->owner->keeper)
        return ST_OK;
    buf_free(held);
    buf_init(held, text.n);
    buf_add(held, text);
    return held->is_full ? ST_NO_MEMORY : ST_OK;
}

enum status auth_ask(struct leg *leg)
{
    return ask(leg, STR(""));
}

void auth_note_refusal(struct leg *leg, const struct http_head *head)
{
    struct bearer_challenge challenge;
    struct arena mem;
    arena_init(&mem, CHALLENGE_MEMORY_MAX);
    leg->auth.wants_scopes = false;
    buf_free(&leg->auth.scopes);
    buf_init(&leg->auth.scopes, SCOPES_TEXT_MAX);
    if (bearer_read(head, &mem, &challenge)) {
        leg->auth.wants_scopes = head->status == 403 && challenge.has_scopes &&
                                 challenge.error == BEARER_INSUFFICIENT_SCOPE;
        if (challenge.has_scopes)
            scope_write(&leg->auth.scopes, &challenge.scopes, ' ');
    }
    arena_reset(&mem);
}

bool auth_retries(struct leg *leg)
{
    bool is_refused = leg->status == 401 || (leg->status == 403 && leg->auth.wants_scopes);
    if (!is_refused || !leg->upstream->owner->keeper)
        return false;
    Str cause = !leg->auth.has_token ? STR("") /* perhaps there is a connection by now */
                : leg->status == 401 ? STR("401")
                                     : STR("403");
    if (leg->auth.tries >= AUTH_TRIES_MAX)
        fail(leg, FAILURE_REFUSED, "the server refuses every token");
    else if (ask(leg, cause) != ST_OK)
        leg_fail(leg, FAILURE_INTERNAL, "no memory left");
    return true;
}

bool auth_release(struct leg *leg)
{
    bool was_waiting = leg->auth.ask != NULL;
    if (was_waiting)
        ask_cancel(leg->auth.ask);
    leg->auth.ask = NULL;
    return was_waiting;
}

void auth_free(struct leg *leg)
{
    buf_free(&leg->auth.text);
    buf_free(&leg->auth.why);
    buf_free(&leg->auth.scopes);
}
