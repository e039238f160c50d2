/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - requests in flight: counted, told apart by id, ended once.
 *
 * Replies that carry an error are always our own words, except for the message of an error that a
 * server put into JSON-RPC, which is the tool's answer like any other.
 */
#include "runtime/gateway/call.h"

#include "runtime/gateway/call_fields.h"
#include "runtime/gateway/decide.h"
#include "runtime/gateway/relay.h"
#include "runtime/gateway/result.h"

void request_reply(const struct request *request, int status, const struct buf *body, Str session)
{
    struct reply reply = { .status = status, .body = buf_str(body), .session = session };
    request->in->reply(request->in->user, &reply);
}

void request_error(const struct request *request, int status, int64_t code, const char *why)
{
    struct buf body;
    buf_init(&body, REPLY_FRAME_MAX);
    jsonrpc_write_error(&body, request->message.id, code, str_of(why), (Str){ 0 });
    request_reply(request, status, &body, (Str){ 0 });
    buf_free(&body);
}

void request_result(const struct request *request, Str raw_result, Str session)
{
    struct buf body;
    buf_init(&body, raw_result.n + REPLY_FRAME_MAX);
    jsonrpc_write_result(&body, request->message.id, raw_result);
    request_reply(request, 200, &body, session);
    buf_free(&body);
}

struct call *flight_find(const struct flight *flight, struct jsonrpc_id id)
{
    struct call *call = flight->first;
    while (call && !jsonrpc_id_eq(call->id, id))
        call = call->next_in_flight;
    return call;
}

static uint32_t count_of_grant(const struct gateway *gateway, const struct caller *caller)
{
    uint32_t count = 0;
    for (const struct call *call = gateway->calls; call; call = call->next)
        count += call->caller.server == caller->server && str_eq(call->caller.grant, caller->grant);
    return count;
}

bool caller_copy(struct arena *mem, const struct caller *caller, struct caller *to)
{
    const struct principal *from = &caller->principal;
    Str *groups = ARENA_NEW(mem, Str, from->group_count);
    if (!groups)
        return false;
    bool is_whole = true;
    for (size_t i = 0; i < from->group_count; i++) {
        groups[i] = arena_copy(mem, from->groups[i]);
        is_whole = is_whole && groups[i].n == from->groups[i].n;
    }
    *to = (struct caller){
        .principal = { .id = arena_copy(mem, from->id),
                       .groups = groups,
                       .group_count = from->group_count },
        .grant = arena_copy(mem, caller->grant),
        .label = caller->label.n ? arena_copy(mem, caller->label) : caller->label,
        .policy = arena_copy(mem, caller->policy),
        .server = caller->server,
        .session = arena_copy(mem, caller->session),
        .offers = caller->offers,
    };
    return is_whole && to->principal.id.n == from->id.n && to->grant.n == caller->grant.n &&
           to->policy.n == caller->policy.n;
}

static void call_free(struct call *call)
{
    listing_free(call->listing);
    catalogue_free(call->catalogue);
    buf_free(&call->held);
    arena_reset(&call->mem);
    free(call);
}

static void call_link(struct call *call)
{
    struct gateway *gateway = call->gateway;
    buf_init(&call->held, (size_t)gateway->limits.max_body_bytes + REPLY_FRAME_MAX);
    call->next = gateway->calls;
    if (call->next)
        call->next->before = call;
    gateway->calls = call;
    if (call->flight) {
        call->next_in_flight = call->flight->first;
        call->flight->first = call;
    }
}

static void call_unlink(struct call *call)
{
    lookout_leave(&call->waiter);
    if (call->before)
        call->before->next = call->next;
    else
        call->gateway->calls = call->next;
    if (call->next)
        call->next->before = call->before;
    if (call->flight) {
        struct call **link = &call->flight->first;
        while (*link != call)
            link = &(*link)->next_in_flight;
        *link = call->next_in_flight;
    }
}

struct call *call_new(struct request *request)
{
    struct gateway *gateway = request->gateway;
    struct session *session = request->session ? request->session : request->in->session;
    struct flight *flight = session ? &session->flight : NULL;
    if (flight && flight_find(flight, request->message.id)) {
        request_error(request, 400, JSONRPC_INVALID_REQUEST,
                      "a request with this id is not answered yet");
        return NULL;
    }
    if (count_of_grant(gateway, request->in->caller) >= gateway->limits.max_calls_per_grant) {
        request_error(request, 200, JSONRPC_INTERNAL_ERROR,
                      "too many requests of this grant wait for this server");
        return NULL;
    }
    struct call *call = calloc(1, sizeof *call);
    if (call) {
        arena_init(&call->mem, CALL_MEMORY_MAX);
        call->id = request->message.id;
        call->id.text = arena_copy(&call->mem, request->message.id.text);
    }
    if (!call || call->id.text.n != request->message.id.text.n ||
        !caller_copy(&call->mem, request->in->caller, &call->caller) ||
        !fields_keep(request, &call->mem, &call->fields)) {
        if (call)
            call_free(call);
        request_error(request, 200, JSONRPC_INTERNAL_ERROR, "no memory left");
        return NULL;
    }
    call->gateway = gateway;
    call->flight = flight;
    call->era = request->era;
    call->session = session;
    call->is_http_modern = request_has_fields(request);
    call->reply = request->in->reply;
    call->event = request->in->event;
    call->user = request->in->user;
    relay_read_meta(call, request);
    call_link(call);
    return call;
}

static void call_end(struct call *call, int status, Str body)
{
    struct reply reply = { .status = status, .body = body };
    if (call->leg)
        leg_cancel(call->leg);
    call_unlink(call);
    if (call->reply)
        call->reply(call->user, &reply);
    call_free(call);
}

void call_say(struct call *call, Str text)
{
    const struct event event = { .text = text, .session = call->session };
    if (!call->event || call->event(call->user, &event))
        return;
    call->is_behind = true;
    if (call->leg)
        leg_pause(call->leg, true);
}

void call_caught_up(struct call *call)
{
    call->is_behind = false;
    if (call->leg)
        leg_pause(call->leg, false);
}

void gateway_resume(struct gateway *gateway)
{
    for (struct call *call = gateway->calls; call; call = call->next)
        if (call->is_behind)
            call_caught_up(call);
}

void call_listen(const struct call *call, struct upstream_request *request)
{
    request->wants_progress = call->progress_token.n > 0;
    bool is_legacy = call->era == ERA_LEGACY && call->session;
    request->log_level = relay_level_word(is_legacy ? call->session->log_level : call->log_level);
    request->said = relay_said;
}

void call_abandon(struct call *call)
{
    call->reply = NULL;
    call->event = NULL;
    call_caught_up(call); /* what the server still says is dropped */
    if (call->era == ERA_LEGACY)
        return;
    if (call->leg)
        leg_cancel(call->leg);
    call_unlink(call);
    call_free(call);
}

void call_cancel(struct call *call)
{
    call_end(call, 202, (Str){ 0 });
}

static void call_error(struct call *call, int status, int64_t code, Str message, Str raw_data)
{
    struct buf body;
    buf_init(&body, (size_t)call->gateway->limits.max_result_bytes + REPLY_FRAME_MAX);
    jsonrpc_write_error(&body, call->id, code, message, raw_data);
    if (body.is_full) {
        buf_clear(&body);
        jsonrpc_write_error(&body, call->id, code, STR("the server's message is too long"),
                            (Str){ 0 });
    }
    call_end(call, status, buf_str(&body));
    buf_free(&body);
}

void call_fail(struct call *call, const char *why)
{
    Str message =
        arena_printf(&call->mem, "%.*s: %s", STR_ARG(server_alias(call->caller.server)), why);
    call_error(call, 200, JSONRPC_INTERNAL_ERROR, message.n ? message : str_of(why), (Str){ 0 });
}

void call_reply(struct call *call, int status, const struct buf *body)
{
    if (body->is_full)
        call_fail(call, "the answer is over the size limit");
    else
        call_end(call, status, buf_str(body));
}

void call_reply_result(struct call *call, const struct answer *answer,
                       void (*write_era)(struct buf *out, enum server_era era))
{
    size_t limit = (size_t)call->gateway->limits.max_result_bytes + REPLY_FRAME_MAX;
    struct buf result, body;
    buf_init(&result, limit);
    buf_init(&body, limit);
    buf_add_char(&result, '{');
    result_copy_members(&result, answer->doc, answer->result, NULL, 0);
    result_write_meta(&result, answer->doc, json_member(answer->doc, answer->result, STR("_meta")),
                      call->era, server_alias(call->caller.server));
    write_era(&result, call->era);
    buf_add_char(&result, '}');
    jsonrpc_write_result(&body, call->id, buf_str(&result));
    body.is_full = body.is_full || result.is_full;
    buf_free(&result);
    call_reply(call, 200, &body);
    buf_free(&body);
}

/* Codes that say something about the connection they travel on mean ours to the server, not the
 * client's to us; those of -32020 to -32099 are the protocol's own. A capability that the client
 * lacks is its own matter, if its revision has the code. A resource that is not there has a code of
 * its own in the legacy era; in the modern one an error of params that names the URI means it. */
static int64_t passed_code(const struct call *call, const struct answer *answer)
{
    bool is_read = call->method && call->method->name == PLACE_URI;
    bool names_uri = answer->data != JSON_NONE &&
                     json_member(answer->doc, answer->data, STR("uri")) != JSON_NONE;
    if (call->era == ERA_MODERN && answer->code == MCP_MISSING_CAPABILITY)
        return answer->code;
    if (call->era == ERA_MODERN && answer->code == MCP_RESOURCE_NOT_FOUND)
        return JSONRPC_INVALID_PARAMS;
    if (call->era == ERA_LEGACY && answer->era == ERA_MODERN && is_read && names_uri &&
        answer->code == JSONRPC_INVALID_PARAMS)
        return MCP_RESOURCE_NOT_FOUND;
    return answer->code <= -32020 && answer->code >= -32099 ? (int64_t)JSONRPC_INTERNAL_ERROR
                                                            : answer->code;
}

/* Two errors have a status of their own in the modern era. */
static int status_of_code(const struct call *call, int64_t code)
{
    if (call->era == ERA_MODERN && code == JSONRPC_METHOD_NOT_FOUND)
        return 404;
    return code == MCP_MISSING_CAPABILITY ? 400 : 200;
}

static void fail_with(struct call *call, const struct answer *answer)
{
    int64_t code = passed_code(call, answer);
    struct buf data;
    buf_init(&data, call->gateway->limits.max_result_bytes);
    if (answer->data != JSON_NONE)
        result_write_error_data(&data, answer->doc, answer->data);
    Str told = { 0 };
    if (!data.is_full)
        told = buf_str(&data);
    call_error(call, status_of_code(call, code), code, answer->message, told);
    buf_free(&data);
}

void call_fail_answer(struct call *call, const struct answer *answer)
{
    if (answer->kind == ANSWER_ERROR)
        fail_with(call, answer);
    else
        call_fail(call, answer->why);
}

void call_reply_login(struct call *call, const struct answer *answer)
{
    struct buf result, body;
    Str alias = server_alias(call->caller.server);
    Str text = arena_printf(&call->mem, "%.*s: %s", STR_ARG(alias), answer->why);
    buf_init(&result, REPLY_FRAME_MAX);
    buf_init(&body, (size_t)2 * REPLY_FRAME_MAX);
    buf_add(&result, STR("{\"content\":[{\"type\":\"text\",\"text\":"));
    json_write_string(&result, text);
    buf_add(&result, STR("}],\"isError\":true,\"_meta\":{\"mcpd/login\":{\"server\":"));
    json_write_string(&result, alias);
    buf_add_char(&result, '}');
    result_write_server_info(&result, call->era, alias);
    buf_add_char(&result, '}');
    result_write_era(&result, call->era);
    buf_add_char(&result, '}');
    jsonrpc_write_result(&body, call->id, buf_str(&result));
    body.is_full = body.is_full || result.is_full;
    buf_free(&result);
    call_reply(call, 200, &body);
    buf_free(&body);
}

void flight_end(struct flight *flight)
{
    while (flight->first)                                  /* each ends by leaving the flight */
        call_fail(flight->first, "the session has ended"); /* NOLINT(clang-analyzer-unix.Malloc) */
}
