/* SPDX-License-Identifier: Apache-2.0 */
/* judged_call.c - what a client asks of a server besides the call of a tool: judged, then written
 * afresh.
 *
 * What reaches the server is the name and the members of params that the method is known to have,
 * nothing else of the client's message, and the bytes are those that were judged. There is no path
 * around decide_call: without its allow no request is built.
 */
#include "runtime/gateway/call.h"
#include "runtime/gateway/decide.h"
#include "runtime/gateway/denial.h"
#include "runtime/gateway/relay.h"
#include "runtime/gateway/result.h"
#include "runtime/gateway/subscription.h"

enum {
    DENIAL_BYTES_MAX = 256 * 1024, /* of a whole denial, its texts escaped */
    NAME_BYTES_MAX = 8192,         /* of a name or URI: more than the canonical form takes */
};

static void on_answer(void *user, const struct answer *answer)
{
    struct call *call = user;
    call->leg = NULL;
    if (answer->kind != ANSWER_RESULT) {
        call_fail_answer(call, answer);
        return;
    }
    if (call->session && str_eq(call->method->method, STR("resources/subscribe")) &&
        !subscription_add(call->session, buf_str(&call->held))) {
        call_fail(call, "this session has too many subscriptions");
        return;
    }
    /* What is read is as private as a list of it: not to be kept. */
    call_reply_result(call, answer,
                      call->method->name == PLACE_URI ? result_write_list_era : result_write_era);
}

/* Members of params that travel, besides those of PLACE_NAME and ARGS_ARGUMENTS. */
static const struct {
    Str method;
    Str members[3]; /* empty: no more */
} known[] = {
    { STR_INIT("resources/read"), { STR_INIT("uri") } },
    { STR_INIT("resources/subscribe"), { STR_INIT("uri") } },
    { STR_INIT("resources/unsubscribe"), { STR_INIT("uri") } },
    { STR_INIT("completion/complete"),
      { STR_INIT("ref"), STR_INIT("argument"), STR_INIT("context") } },
    { STR_INIT("logging/setLevel"), { STR_INIT("level") } },
};

/* The string params.key. NULL, or what is wrong with it. */
static const char *read_text(const struct json_doc *doc, uint32_t object, Str key, Str *out)
{
    uint32_t at = json_member(doc, object, key);
    if (at == JSON_NONE || json_at(doc, at)->type != JSON_STRING)
        return "the name of what is asked for must be a string";
    *out = json_text(json_at(doc, at));
    return out->n > NAME_BYTES_MAX ? "the name of what is asked for is too long" : NULL;
}

/* A reference has the one member that its type is about: with both, we and the server could mean
 * another each. */
static const char *read_ref(const struct json_doc *doc, uint32_t params, Str *out)
{
    uint32_t ref = json_member(doc, params, STR("ref"));
    if (ref == JSON_NONE || json_at(doc, ref)->type != JSON_OBJECT)
        return "params.ref must be an object";
    Str type = json_member_string(doc, ref, STR("type"));
    bool is_prompt = str_eq(type, STR("ref/prompt"));
    if (!is_prompt && !str_eq(type, STR("ref/resource")))
        return "params.ref.type must be \"ref/prompt\" or \"ref/resource\"";
    if (json_member(doc, ref, is_prompt ? STR("uri") : STR("name")) != JSON_NONE)
        return "params.ref names two things";
    return read_text(doc, ref, is_prompt ? STR("name") : STR("uri"), out);
}

static const char *read_name(const struct request *request, struct asked *asked)
{
    const struct json_doc *doc = &request->doc;
    uint32_t params = request->message.params;
    if (asked->method->name == PLACE_NONE)
        return NULL;
    if (params == JSON_NONE)
        return "params are missing";
    if (asked->method->name == PLACE_REF)
        return read_ref(doc, params, &asked->name);
    return read_text(doc, params, asked->method->name == PLACE_URI ? STR("uri") : STR("name"),
                     &asked->name);
}

/* Fills *asked from params; false after a refusal has been replied. */
static bool read_params(struct request *request, struct asked *asked)
{
    const struct json_doc *doc = &request->doc;
    uint32_t params = request->message.params;
    *asked = (struct asked){ .method = kind_method_find(request->message.method),
                             .doc = doc,
                             .arguments = params,
                             .standing = { .kind = STANDING_FREE } };
    ENSURE(asked->method != NULL); /* the table of methods leads here */
    const char *fault = read_name(request, asked);
    if (!fault && asked->method->args == ARGS_ARGUMENTS && params != JSON_NONE) {
        asked->arguments = json_member(doc, params, STR("arguments"));
        if (asked->arguments != JSON_NONE && json_at(doc, asked->arguments)->type != JSON_OBJECT)
            fault = "params.arguments must be an object";
    }
    if (fault)
        request_error(request, 200, JSONRPC_INVALID_PARAMS, fault);
    return !fault;
}

static void write_members(const struct asked *asked, const struct json_doc *doc, uint32_t object,
                          struct buf *out)
{
    for (size_t i = 0; i < COUNT(known); i++) {
        for (size_t k = 0; k < COUNT(known[i].members) && known[i].members[k].n; k++) {
            uint32_t at = json_member(doc, object, known[i].members[k]);
            if (at == JSON_NONE || !str_eq(known[i].method, asked->method->method))
                continue;
            jsonrpc_write_key(out, known[i].members[k]);
            buf_add(out, json_raw(doc, at));
        }
    }
}

/* The params that go out: what was judged last. */
static void write_params(const struct asked *asked, const struct decision *decision,
                         struct buf *out)
{
    const struct json_doc *doc = decision->rewritten ? decision->rewritten : asked->doc;
    uint32_t object = decision->rewritten ? 0 : asked->arguments; /* 0: the rewritten root */
    bool has_object = decision->rewritten || object != JSON_NONE;
    if (asked->method->name == PLACE_NAME) {
        jsonrpc_write_key(out, STR("name"));
        json_write_string(out, asked->name);
    }
    if (has_object && asked->method->args == ARGS_PARAMS) {
        write_members(asked, doc, object, out);
    } else if (has_object) {
        jsonrpc_write_key(out, STR("arguments"));
        buf_add(out, json_raw(doc, object));
    }
}

/* What Mcp-Name repeats. Source: MCP 2026-07-28, standard request headers. */
static Str header_name(const struct asked *asked)
{
    bool has_header = asked->method->name == PLACE_NAME || asked->method->name == PLACE_URI;
    return has_header ? asked->name : STR("");
}

/* Unsubscribing concerns the server only when no other session hears of the resource through it.
 * True: replied. */
static bool end_subscription(struct request *request, const struct asked *asked)
{
    struct session *session = request->session ? request->session : request->in->session;
    if (!str_eq(asked->method->method, STR("resources/unsubscribe")))
        return false;
    subscription_remove(session, asked->name);
    if (!subscription_is_shared(request->gateway, session, asked->name))
        return false;
    request_result(request, STR("{}"), (Str){ 0 });
    return true;
}

static struct call *forward(struct request *request, const struct asked *asked,
                            const struct decision *decision)
{
    struct gateway *gateway = request->gateway;
    if (end_subscription(request, asked))
        return NULL;
    struct call *call = call_new(request);
    if (!call)
        return NULL;
    call->method = asked->method;
    if (str_eq(asked->method->method, STR("resources/subscribe")))
        buf_add(&call->held, asked->name);
    struct upstream_key key = caller_key(&call->caller);
    struct upstream *upstream = upstream_get(gateway->upstreams, call->caller.server, &key);
    struct buf members;
    buf_init(&members, (size_t)gateway->limits.max_body_bytes + REPLY_FRAME_MAX);
    write_params(asked, decision, &members);
    struct upstream_request out = { .method = asked->method->method,
                                    .name = header_name(asked),
                                    .members = buf_str(&members) };
    call_listen(call, &out);
    if (upstream && !members.is_full)
        call->leg = upstream_send(upstream, &out, on_answer, call);
    buf_free(&members);
    if (call->leg)
        return call;
    call_fail(call, "no memory left");
    return NULL;
}

static void deny(struct request *request, const struct verdict_text *verdict)
{
    struct buf body;
    buf_init(&body, DENIAL_BYTES_MAX);
    denial_write_error(&body, request->message.id, verdict);
    request_reply(request, 200, &body, (Str){ 0 });
    buf_free(&body);
}

/* What the client wants to hear of is remembered, since not every server can be told; NULL after
 * a reply. */
static struct call *set_level(struct request *request, const struct asked *asked,
                              const struct decision *decision)
{
    struct session *session = request->session ? request->session : request->in->session;
    const struct json_doc *doc = decision->rewritten ? decision->rewritten : asked->doc;
    uint32_t object = decision->rewritten ? 0 : asked->arguments;
    bool has_object = decision->rewritten || object != JSON_NONE;
    int level =
        has_object ? relay_level(json_member_string(doc, object, STR("level"))) : LOG_LEVEL_NONE;
    if (level == LOG_LEVEL_NONE) {
        request_error(request, 200, JSONRPC_INVALID_PARAMS, "params.level is no level of logging");
        return NULL;
    }
    session->log_level = level;
    if (request->in->caller->server->known_era != ERA_MODERN)
        return forward(request, asked, decision);
    request_result(request, STR("{}"), (Str){ 0 });
    return NULL;
}

struct call *judged_call(struct request *request)
{
    const struct caller *caller = request->in->caller;
    struct asked asked;
    struct verdict_text verdict;
    if (!read_params(request, &asked))
        return NULL;
    struct vm *vm = policies_get(request->gateway->policies, caller->policy);
    switch (decide_call(request->gateway->audit, vm, caller, &asked, &verdict)) {
    case DECIDED_ALLOW:
        return asked.method->kind == KIND_LOGGING ? set_level(request, &asked, &verdict.decision)
                                                  : forward(request, &asked, &verdict.decision);
    case DECIDED_DENY: deny(request, &verdict); break;
    case DECIDED_WAIT: /* only tools wait */
    case DECIDED_UNRECORDED:
        request_error(request, 200, JSONRPC_INTERNAL_ERROR,
                      "the decision could not be recorded, so the call was not made");
        break;
    }
    return NULL;
}
