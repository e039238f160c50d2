/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_http.c - messages as POSTs to a Streamable HTTP server.
 *
 * Every request is made from nothing: no header, cookie or session id of a client's travels on,
 * and of an answer only its JSON. Redirects are refusals, bodies of refusals are not passed on.
 * An answer is one JSON document or the events of a stream; the first that fits ends both.
 */
#include "runtime/base/log.h"
#include "runtime/gateway/leg.h"
#include "runtime/gateway/mirror.h"
#include "runtime/gateway/revision.h"

enum {
    REFUSAL_BODY_MAX = 64 * 1024, /* of a 4xx to a probe: there may be a JSON-RPC error in it */
    HEADERS_MAX = 8 + MIRROR_PARAMS_MAX,
    BEARER_BYTES_MAX = 8 * 1024,
    NAME_FIELD_MAX = 16 * 1024, /* of Mcp-Name: a name of 8 KiB, encoded */
    CANCEL_BYTES_MAX = 256,
};

static bool is_initialize(const struct leg *leg)
{
    return leg->is_handshake && str_eq(leg->method, STR("initialize"));
}

static bool is_probe(const struct leg *leg)
{
    return leg->is_handshake && str_eq(leg->method, STR("server/discover"));
}

/* In the modern era some errors have a status of their own, 400 or 404. A legacy server's refusals
 * are of the transport, and speak of sessions that are none of the client's. */
static bool may_explain(const struct leg *leg, int status)
{
    bool is_status = status == 400 || status == 404;
    bool is_call = leg->upstream->era == ERA_MODERN && !leg->is_notification;
    return (is_status && is_call) || (is_probe(leg) && status >= 400 && status < 500);
}

/* Visible ASCII, as the protocol says; anything else would be another header's beginning. */
static bool session_is_wellformed(Str id)
{
    if (!id.n || id.n > UPSTREAM_SESSION_MAX)
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] < 0x21 || id.p[i] > 0x7E)
            return false;
    return true;
}

static void keep_session(struct leg *leg, const struct http_head *head)
{
    struct upstream *upstream = leg->upstream;
    bool is_repeated = false;
    Str id = http_header(head, STR("Mcp-Session-Id"), &is_repeated);
    upstream->generation++;
    buf_clear(&upstream->session);
    if (session_is_wellformed(id) && !is_repeated)
        buf_add(&upstream->session, id);
    else if (id.n)
        upstream_drop_message(upstream, "a malformed session id");
}

static void on_head(void *user, const struct http_head *head)
{
    struct leg *leg = user;
    Str type = http_header(head, STR("Content-Type"), NULL);
    leg->status = head->status;
    leg->body_kind = LEG_BODY_IGNORED;
    bool is_json = http_content_type_is(type, STR("application/json"));
    if (head->status == 200 && is_json)
        leg->body_kind = LEG_BODY_JSON;
    else if (head->status == 200 && http_content_type_is(type, STR("text/event-stream")))
        leg->body_kind = LEG_BODY_SSE;
    else if (is_json && may_explain(leg, head->status))
        leg->body_kind = LEG_BODY_REFUSAL;
    if (head->status == 200 && is_initialize(leg))
        keep_session(leg, head);
    if (head->status == 401 || head->status == 403)
        auth_note_refusal(leg, head);
}

static void take_events(struct leg *leg, Str bytes)
{
    struct sse_event event;
    for (;;) {
        switch (sse_next(&leg->sse, &bytes, &event)) {
        case SSE_MORE: return;
        case SSE_BAD:
            leg_fail(leg, FAILURE_MALFORMED, "the server sent an answer over the size limit");
            return;
        case SSE_EVENT:
            leg_note_event(leg, &event);
            if (event.data.n && str_eq(event.type, STR("message")) && leg_take(leg, event.data))
                return;
        }
    }
}

static void on_data(void *user, Str bytes)
{
    struct leg *leg = user;
    switch (leg->body_kind) {
    case LEG_BODY_IGNORED: return;
    case LEG_BODY_SSE:
        if (!leg->is_notification)
            take_events(leg, bytes);
        return;
    case LEG_BODY_JSON:
        buf_add(&leg->body, bytes);
        if (leg->body.is_full)
            leg_fail(leg, FAILURE_MALFORMED, "the server sent an answer over the size limit");
        return;
    case LEG_BODY_REFUSAL:
        if (leg->body.n + bytes.n <= REFUSAL_BODY_MAX)
            buf_add(&leg->body, bytes);
        else
            leg->body_kind = LEG_BODY_IGNORED;
        return;
    }
}

static const char *refusal_text(int status)
{
    if (status == 401 || status == 403)
        return "the server needs authorization";
    if (status >= 300 && status < 400)
        return "the server answered with a redirect, which is never followed";
    if (status >= 500)
        return "the server answered with an error of its own";
    if (status >= 400)
        return "the server refused the request";
    return "the server gave no answer that can be read";
}

static void end_notification(struct leg *leg)
{
    if (auth_retries(leg))
        return;
    if (leg->status >= 200 && leg->status < 300)
        leg_finish(leg, &(struct answer){ .kind = ANSWER_RESULT, .era = leg->upstream->era });
    else
        leg_fail(leg, FAILURE_REFUSED, refusal_text(leg->status));
}

/* 404 ends a session by the protocol: nothing ran. Some servers say 400 for a session they don't
 * know, and a server that changed its era refuses the method or the path: then this request fails,
 * and the next one begins anew. */
static void end_refused(struct leg *leg)
{
    struct upstream *upstream = leg->upstream;
    int status = leg->status;
    if (auth_retries(leg))
        return;
    enum refusal_kind kind = REFUSAL_UNREAD;
    if (leg->body_kind == LEG_BODY_REFUSAL)
        kind = leg_take_refusal(leg, buf_str(&leg->body));
    if (kind == REFUSAL_TAKEN)
        return;
    if (kind == REFUSAL_OF_ERA) {
        leg_era_lost(leg);
        return;
    }
    if (leg->resumes) {
        leg_fail(leg, FAILURE_GONE, "the server ended its stream and does not go on with it");
        return;
    }
    if (status == 404 && leg->has_session && !leg->is_handshake) {
        leg_session_lost(leg);
        return;
    }
    bool casts_doubt = status == 400 || status == 404 || status == 405;
    leg_fail(leg, FAILURE_REFUSED, refusal_text(status));
    if (casts_doubt)
        upstream_doubt(upstream);
}

static void on_end(void *user, enum status status, const char *why)
{
    struct leg *leg = user;
    leg->http = NULL;
    if (leg->body_kind == LEG_BODY_SSE && !leg->is_notification && leg_resume(leg))
        return;
    if (status != ST_OK) {
        log_info("request to server failed server=%.*s why=%s",
                 STR_ARG(leg->upstream->server->spec->alias), why ? why : status_text(status));
        leg_fail(leg, FAILURE_GONE, "the server can't be reached or broke off");
        return;
    }
    if (leg->is_notification) {
        end_notification(leg);
    } else if (leg->body_kind == LEG_BODY_SSE) {
        leg_fail(leg, FAILURE_MALFORMED, "the server ended its stream without an answer");
    } else if (leg->body_kind == LEG_BODY_JSON) {
        if (!leg_take(leg, buf_str(&leg->body)))
            leg_fail(leg, FAILURE_MALFORMED, "the server sent another request's answer");
    } else {
        end_refused(leg);
    }
}

static const struct http_call_events events = {
    .on_head = on_head,
    .on_data = on_data,
    .on_end = on_end,
};

struct header_list {
    struct http_header items[HEADERS_MAX];
    size_t count;
};

static void add_header(struct header_list *list, Str name, Str value)
{
    ENSURE(list->count < HEADERS_MAX);
    list->items[list->count++] = (struct http_header){ .name = name, .value = value };
}

static void add_fields(struct header_list *list, Str fields)
{
    while (fields.n) {
        Str line = str_cut(&fields, '\n');
        Str name = str_cut(&line, ':');
        add_header(list, name, line);
    }
}

/* credential: NULL for none; name: the field's value, empty for none. */
static void make_headers(const struct leg *leg, const struct http_header *credential,
                         const struct buf *name, struct header_list *out)
{
    const struct upstream *upstream = leg->upstream;
    if (leg->resumes) {
        add_header(out, STR("Accept"), STR("text/event-stream"));
        add_header(out, STR("Last-Event-ID"), buf_str(&leg->event_id));
    } else {
        add_header(out, STR("Content-Type"), STR("application/json"));
        add_header(out, STR("Accept"), STR("application/json, text/event-stream"));
    }
    add_header(out, STR("User-Agent"), STR("mcpd/" MCP_VERSION));
    if (credential)
        add_header(out, credential->name, credential->value);
    if (upstream->era == ERA_MODERN) {
        add_header(out, STR("MCP-Protocol-Version"), REVISION_MODERN);
        add_header(out, STR("Mcp-Method"), leg->method);
        if (name->n)
            add_header(out, STR("Mcp-Name"), buf_str(name));
        add_fields(out, leg->fields);
        return;
    }
    if (upstream->version.n)
        add_header(out, STR("MCP-Protocol-Version"), upstream->version);
    if (upstream->session.n)
        add_header(out, STR("Mcp-Session-Id"), buf_str(&upstream->session));
}

enum status leg_http_start(struct leg *leg, Str text, const struct http_header *credential)
{
    struct upstream *upstream = leg->upstream;
    struct header_list headers = { .count = 0 };
    struct buf name;
    buf_init(&name, NAME_FIELD_MAX);
    mirror_write_value(&name, leg->name);
    make_headers(leg, credential, &name, &headers);
    struct http_request_spec spec = {
        .url = upstream->server->spec->url,
        .ca_file = upstream->server->spec->ca_file,
        .method = leg->resumes ? STR("GET") : STR("POST"),
        .headers = headers.items,
        .header_count = headers.count,
        .body = text,
        .connect_timeout_ms = upstream->owner->limits->connect_timeout_ms,
    };
    if (!leg->resumes) { /* what is taken up again stays in its session */
        leg->generation = upstream->generation;
        leg->has_session = upstream->session.n > 0;
    }
    leg->status = 0;
    leg->body_kind = LEG_BODY_IGNORED;
    buf_clear(&leg->body); /* of an earlier try */
    leg->http = name.is_full ? NULL : http_client_start(upstream->owner->http, &spec, &events, leg);
    buf_free(&name);
    if (leg->http && leg->is_paused)
        http_call_pause(leg->http, true);
    return leg->http ? ST_OK : ST_NO_MEMORY;
}

static enum status send_with_bearer(struct leg *leg, Str text, Str token)
{
    struct buf value;
    buf_init(&value, BEARER_BYTES_MAX);
    buf_add(&value, STR("Bearer "));
    buf_add(&value, token);
    struct http_header credential = { STR("Authorization"), buf_str(&value) };
    enum status status = value.is_full ? ST_NO_MEMORY : leg_http_start(leg, text, &credential);
    buf_free(&value);
    return status;
}

static enum status send_text(struct leg *leg, Str text)
{
    const struct server *server = leg->upstream->server;
    if (auth_hold(leg, text) != ST_OK)
        return ST_NO_MEMORY;
    if (server->has_tokens)
        return auth_ask(leg);
    if (server->spec->bearer.n)
        return send_with_bearer(leg, text, server->spec->bearer);
    return leg_http_start(leg, text, NULL);
}

static enum status http_send(struct upstream *upstream, struct leg *leg, Str text)
{
    (void)upstream;
    return send_text(leg, text);
}

enum status http_send_resume(struct leg *leg)
{
    leg->auth.tries = 0;
    return send_text(leg, (Str){ 0 });
}

static void http_release(struct leg *leg, bool was_cancelled)
{
    struct upstream *upstream = leg->upstream;
    bool was_waiting = auth_release(leg);
    if (leg->http)
        http_call_cancel(leg->http);
    leg->http = NULL;
    if (leg->pause)
        timer_stop(leg->pause);
    if (was_waiting || !was_cancelled || !leg->is_sent || leg->is_notification ||
        upstream->era == ERA_MODERN)
        return; /* there, the closed stream is the cancellation */
    struct buf members;
    buf_init(&members, CANCEL_BYTES_MAX);
    buf_printf(&members, "\"requestId\":%llu", (unsigned long long)leg->id);
    upstream_notify(upstream, STR("notifications/cancelled"), buf_str(&members));
    buf_free(&members);
}

static void http_pause(struct leg *leg, bool paused)
{
    if (leg->http)
        http_call_pause(leg->http, paused);
}

static void ignore_head(void *user, const struct http_head *head)
{
    (void)user;
    (void)head;
}

static void ignore_data(void *user, Str bytes)
{
    (void)user;
    (void)bytes;
}

static void ignore_end(void *user, enum status status, const char *why)
{
    (void)user;
    (void)status;
    (void)why;
}

/* Ends the server's session, if it is still there to hear it. */
static void http_stop(struct upstream *upstream)
{
    static const struct http_call_events ignored = { ignore_head, ignore_data, ignore_end };
    if (!upstream->session.n || upstream->is_closed)
        return;
    struct http_header headers[] = {
        { STR("Mcp-Session-Id"), buf_str(&upstream->session) },
        { STR("MCP-Protocol-Version"), upstream->version.n ? upstream->version : REVISION_LEGACY },
    };
    struct http_request_spec spec = {
        .url = upstream->server->spec->url,
        .ca_file = upstream->server->spec->ca_file,
        .method = STR("DELETE"),
        .headers = headers,
        .header_count = COUNT(headers),
        .connect_timeout_ms = upstream->owner->limits->connect_timeout_ms,
        .total_timeout_ms = upstream->owner->limits->connect_timeout_ms,
    };
    if (!http_client_start(upstream->owner->http, &spec, &ignored, NULL))
        log_debug("server not told of the session's end");
    buf_clear(&upstream->session);
}

const struct transport transport_http = {
    .send = http_send,
    .release = http_release,
    .pause = http_pause,
    .stop = http_stop,
};
