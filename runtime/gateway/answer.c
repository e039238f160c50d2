/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - reading what a server sends: strictly, and only what was asked for.
 *
 * An answer counts when it comes on the stream of its request, with the request's id as the
 * integer that we sent, for the first time. Everything else that a server says on its own accord
 * is dropped; requests are refused, for we offered no capability. A result that is no object, or
 * is of a kind we don't know, is a failure: nothing is passed on that was not understood.
 */
#include "runtime/base/log.h"
#include "runtime/gateway/leg.h"

#include <inttypes.h>

enum {
    ANSWER_NODES_MAX = 1 << 20,
    ANSWER_MEMBERS_MAX = 65536,
    REFUSAL_BYTES_MAX = 4096, /* of an answer to a request of the server's */
    /* Beside the nodes: decoded strings and tables for duplicate keys. */
    ANSWER_SCRATCH_FACTOR = 4,
};

/* What a client hears of an answer that can't be read. */
static const char *unreadable(enum json_error error)
{
    return error == JSON_ERR_NO_MEMORY ? "no memory is left to read the server's answer"
                                       : "the server sent an answer that is not acceptable JSON";
}

static struct json_limits answer_limits(const struct gateway_limits *limits)
{
    return (struct json_limits){
        .max_bytes = limits->max_result_bytes,
        .max_depth = limits->max_depth,
        .max_nodes = ANSWER_NODES_MAX,
        .max_members = ANSWER_MEMBERS_MAX,
        .allow_nul = true,
    };
}

static size_t answer_memory(const struct gateway_limits *limits)
{
    return (size_t)limits->max_result_bytes +
           (size_t)ANSWER_SCRATCH_FACTOR * ANSWER_NODES_MAX * sizeof(struct json_node);
}

/* Logs the 1st, 2nd, 4th, 8th ... time: a server can't flood the log. */
void upstream_drop_message(struct upstream *upstream, const char *what)
{
    upstream->dropped++;
    if ((upstream->dropped & (upstream->dropped - 1)) == 0)
        log_warn("server said something that was dropped server=%.*s what=%s count=%" PRIu32,
                 STR_ARG(upstream->server->spec->alias), what, upstream->dropped);
}

/* NULL when the result may be passed on. */
static const char *result_fault(const struct json_doc *doc, uint32_t result)
{
    if (json_at(doc, result)->type != JSON_OBJECT)
        return "the server sent a result that is no object";
    uint32_t type = json_member(doc, result, STR("resultType"));
    if (type == JSON_NONE)
        return NULL;
    Str kind = json_member_string(doc, result, STR("resultType"));
    if (str_eq(kind, STR("complete")))
        return NULL;
    return str_eq(kind, STR("input_required"))
               ? "the server asks for input that the gateway does not offer"
               : "the server sent a kind of result that the gateway does not know";
}

static void deliver(struct leg *leg, const struct json_doc *doc,
                    const struct jsonrpc_message *message)
{
    struct answer answer = { .kind = ANSWER_ERROR, .era = leg->upstream->era, .doc = doc };
    if (!leg->is_handshake)
        leg->upstream->rest_ms = 0; /* it works: the next failure is a first one */
    if (message->kind == JSONRPC_RESULT) {
        const char *fault = result_fault(doc, message->result);
        if (fault) {
            leg_fail(leg, FAILURE_MALFORMED, fault);
            return;
        }
        answer.kind = ANSWER_RESULT;
        answer.result = message->result;
    } else {
        answer.code = message->error_code;
        answer.message = message->error_message;
        answer.data = message->error_data;
        answer.members = buf_str(&leg->members);
    }
    leg_finish(leg, &answer);
}

static bool is_id_of(const struct leg *leg, struct jsonrpc_id id)
{
    uint64_t number;
    return id.is_present && !id.is_string && leg->is_sent && !leg->is_notification &&
           str_to_u64(id.text, UINT64_MAX, &number) && number == leg->id;
}

static bool is_response(const struct jsonrpc_message *message)
{
    return message->kind == JSONRPC_RESULT || message->kind == JSONRPC_ERROR;
}

/* The leg whose token the notification names, or NULL. */
static struct leg *leg_of_token(struct upstream *upstream, const struct json_doc *doc,
                                const struct jsonrpc_message *message)
{
    uint64_t number;
    uint32_t at = message->params == JSON_NONE
                      ? JSON_NONE
                      : json_member(doc, message->params, STR("progressToken"));
    if (at == JSON_NONE || json_at(doc, at)->type != JSON_NUMBER ||
        !str_to_u64(json_text(json_at(doc, at)), UINT64_MAX, &number))
        return NULL;
    for (struct leg *leg = upstream->legs; leg; leg = leg->next)
        if (leg->id == number && leg->is_sent && leg->wants_progress)
            return leg;
    return NULL;
}

/* The leg that a log message is about, when that is certain. */
static struct leg *only_listener(const struct upstream *upstream)
{
    struct leg *only = NULL;
    for (struct leg *leg = upstream->legs; leg; leg = leg->next) {
        if (!leg->is_sent || !leg->said)
            continue;
        if (only)
            return NULL;
        only = leg;
    }
    return only;
}

/* What a server says on its own accord: of a request, if it is certain which one, else of none.
 * stream: the leg on whose stream it came; NULL: on a stream of all. */
static void take_notification(struct upstream *upstream, struct leg *stream,
                              const struct json_doc *doc, const struct jsonrpc_message *message)
{
    struct leg *about = NULL;
    if (str_eq(message->method, STR("notifications/tools/list_changed")))
        lookout_forget(upstream);
    if (str_eq(message->method, STR("notifications/progress"))) {
        about = leg_of_token(upstream, doc, message);
        if (!about || !about->said || (stream && stream != about)) {
            upstream_drop_message(upstream, "progress of nothing that was asked on this stream");
            return;
        }
    } else if (str_eq(message->method, STR("notifications/message"))) {
        about = stream && stream->said ? stream : only_listener(upstream);
    }
    if (about)
        about->said(about->user, doc, message);
    else if (upstream->owner->heard)
        upstream->owner->heard(upstream->owner->heard_user, upstream, doc, message);
}

static void respond_with(struct upstream *upstream, const struct buf *out)
{
    if (!out->is_full)
        upstream_respond(upstream, buf_str(out));
}

/* A request of the server's, which only the legacy era has. */
static void take_request(struct upstream *upstream, struct leg *stream, const struct json_doc *doc,
                         const struct jsonrpc_message *message)
{
    struct buf out;
    if (upstream->era != ERA_LEGACY && !upstream->transport->is_stdio) {
        upstream_drop_message(upstream, "a request, which its era does not have");
        return;
    }
    if (upstream->key.offers && upstream->owner->asked && upstream->era == ERA_LEGACY &&
        kind_method_find(message->method)) {
        struct leg *about = stream && stream->said ? stream : only_listener(upstream);
        upstream->owner->asked(upstream->owner->heard_user, upstream, about ? about->user : NULL,
                               doc, message);
        return;
    }
    buf_init(&out, REFUSAL_BYTES_MAX);
    if (str_eq(message->method, STR("ping")) && upstream->era == ERA_LEGACY)
        jsonrpc_write_result(&out, message->id, STR("{}"));
    else
        jsonrpc_write_error(&out, message->id, JSONRPC_METHOD_NOT_FOUND,
                            STR("the gateway offers no such method"), (Str){ 0 });
    respond_with(upstream, &out);
    buf_free(&out);
    upstream_drop_message(upstream, "a request");
}

bool leg_take(struct leg *leg, Str text)
{
    struct upstream *upstream = leg->upstream;
    const struct gateway_limits *limits = upstream->owner->limits;
    struct json_limits strict = answer_limits(limits);
    struct arena arena;
    struct json_doc doc;
    struct jsonrpc_message message;
    bool is_taken = true;
    arena_init(&arena, answer_memory(limits));
    enum json_error error = json_parse(text, &strict, &arena, &doc, NULL);
    if (error != JSON_ERR_NONE) {
        log_warn("server's answer refused server=%.*s why=%s",
                 STR_ARG(upstream->server->spec->alias), json_error_text(error));
        leg_fail(leg, error == JSON_ERR_NO_MEMORY ? FAILURE_INTERNAL : FAILURE_MALFORMED,
                 unreadable(error));
    } else {
        jsonrpc_read(&doc, &message);
        if (message.kind == JSONRPC_INVALID) {
            leg_fail(leg, FAILURE_MALFORMED, "the server sent something that is no message");
        } else if (is_response(&message) && is_id_of(leg, message.id)) {
            deliver(leg, &doc, &message);
        } else if (message.kind == JSONRPC_ERROR && !message.id.is_present) {
            leg_fail(leg, FAILURE_MALFORMED, "the server could not read the request");
        } else {
            is_taken = false;
            if (message.kind == JSONRPC_NOTIFICATION)
                take_notification(upstream, leg, &doc, &message);
            else if (message.kind == JSONRPC_REQUEST)
                take_request(upstream, leg, &doc, &message);
            else
                upstream_drop_message(upstream, "a message that is not this request's answer");
        }
    }
    arena_reset(&arena);
    return is_taken;
}

/* What an error says that came instead of an answer. Codes that servers with sessions have always
 * used for the transport (-32000 to -32019) are none of the modern era's, and an error for nobody
 * may be anybody's: both leave it open whether the server still speaks as we think. */
static enum refusal_kind classify_refusal(const struct leg *leg,
                                          const struct jsonrpc_message *message)
{
    if (message->kind != JSONRPC_ERROR || (message->id.is_present && !is_id_of(leg, message->id)))
        return REFUSAL_UNREAD;
    if (leg->is_handshake)
        return REFUSAL_TAKEN;
    if (message->error_code == MCP_UNSUPPORTED_VERSION)
        return REFUSAL_OF_ERA;
    bool is_transport = message->error_code <= -32000 && message->error_code >= -32019;
    return message->id.is_present && !is_transport ? REFUSAL_TAKEN : REFUSAL_UNREAD;
}

enum refusal_kind leg_take_refusal(struct leg *leg, Str text)
{
    const struct gateway_limits *limits = leg->upstream->owner->limits;
    struct json_limits strict = answer_limits(limits);
    struct arena arena;
    struct json_doc doc;
    struct jsonrpc_message message = { .kind = JSONRPC_INVALID };
    arena_init(&arena, answer_memory(limits));
    if (json_parse(text, &strict, &arena, &doc, NULL) == JSON_ERR_NONE)
        jsonrpc_read(&doc, &message);
    enum refusal_kind kind = classify_refusal(leg, &message);
    if (kind == REFUSAL_TAKEN)
        deliver(leg, &doc, &message);
    arena_reset(&arena);
    return kind;
}

/* The only leg that is out, or NULL. */
static struct leg *only_leg(struct upstream *upstream)
{
    struct leg *only = NULL;
    for (struct leg *leg = upstream->legs; leg; leg = leg->next) {
        if (!leg->is_sent || leg->is_notification)
            continue;
        if (only)
            return NULL;
        only = leg;
    }
    return only;
}

/* Servers print notes where only messages belong; those are skipped. What looks like a message
 * but can't be accepted was the answer, if just one was awaited. */
static void take_unreadable(struct upstream *upstream, Str text, const char *why)
{
    upstream_drop_message(upstream, why);
    struct leg *leg = str_starts(text, STR("{")) ? only_leg(upstream) : NULL;
    if (leg)
        leg_fail(leg, FAILURE_MALFORMED, "the server sent an answer that can't be accepted");
}

static void take_response(struct upstream *upstream, const struct json_doc *doc,
                          const struct jsonrpc_message *message)
{
    for (struct leg *leg = upstream->legs; leg; leg = leg->next)
        if (is_id_of(leg, message->id)) {
            deliver(leg, doc, message);
            return;
        }
    upstream_drop_message(upstream, "an answer that nobody waits for");
}

void upstream_take(struct upstream *upstream, Str text)
{
    const struct gateway_limits *limits = upstream->owner->limits;
    struct json_limits strict = answer_limits(limits);
    struct arena arena;
    struct json_doc doc;
    struct jsonrpc_message message;
    arena_init(&arena, answer_memory(limits));
    enum json_error error = json_parse(text, &strict, &arena, &doc, NULL);
    if (error != JSON_ERR_NONE) {
        take_unreadable(upstream, text, json_error_text(error));
    } else {
        jsonrpc_read(&doc, &message);
        if (message.kind == JSONRPC_INVALID)
            take_unreadable(upstream, text, message.why);
        else if (is_response(&message))
            take_response(upstream, &doc, &message);
        else if (message.kind == JSONRPC_REQUEST)
            take_request(upstream, NULL, &doc, &message);
        else if (message.kind == JSONRPC_NOTIFICATION)
            take_notification(upstream, NULL, &doc, &message);
    }
    arena_reset(&arena);
}
