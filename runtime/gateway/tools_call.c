/* SPDX-License-Identifier: Apache-2.0 */
/* tools_call.c - the method that everything else is about: judged, then written afresh.
 *
 * What reaches the server are the tool's name and the arguments, nothing else of the client's
 * message, and the arguments are the very bytes that were judged: the client's own, or those that
 * rules have set something in and that were read and judged again. There is no path around
 * decide_call: without its allow no request is built.
 */
#include "runtime/gateway/call.h"
#include "runtime/gateway/decide.h"
#include "runtime/gateway/denial.h"
#include "runtime/gateway/result.h"

enum { DENIAL_BYTES_MAX = 256 * 1024 }; /* of a whole denial, its texts escaped */

static void on_answer(void *user, const struct answer *answer)
{
    struct call *call = user;
    call->leg = NULL;
    if (answer->kind != ANSWER_RESULT) {
        call_fail_answer(call, answer);
        return;
    }
    size_t limit = (size_t)call->gateway->limits.max_result_bytes + REPLY_FRAME_MAX;
    struct buf result, body;
    buf_init(&result, limit);
    buf_init(&body, limit);
    buf_add_char(&result, '{');
    result_copy_members(&result, answer->doc, answer->result, NULL, 0);
    result_write_meta(&result, answer->doc, json_member(answer->doc, answer->result, STR("_meta")),
                      call->era, server_alias(call->caller.server));
    result_write_era(&result, call->era);
    buf_add_char(&result, '}');
    jsonrpc_write_result(&body, call->id, buf_str(&result));
    body.is_full = body.is_full || result.is_full;
    buf_free(&result);
    call_reply(call, 200, &body);
    buf_free(&body);
}

/* Fills *call from params; false after a refusal has been replied. */
static bool read_params(struct request *request, struct tool_call *call)
{
    const struct json_doc *doc = &request->doc;
    uint32_t params = request->message.params;
    uint32_t name = params == JSON_NONE ? JSON_NONE : json_member(doc, params, STR("name"));
    if (name == JSON_NONE || json_at(doc, name)->type != JSON_STRING) {
        request_error(request, 200, JSONRPC_INVALID_PARAMS, "params.name must be a string");
        return false;
    }
    uint32_t arguments = json_member(doc, params, STR("arguments"));
    if (arguments != JSON_NONE && json_at(doc, arguments)->type != JSON_OBJECT) {
        request_error(request, 200, JSONRPC_INVALID_PARAMS, "params.arguments must be an object");
        return false;
    }
    *call = (struct tool_call){ .tool = json_text(json_at(doc, name)),
                                .doc = doc,
                                .arguments = arguments };
    return true;
}

/* The arguments as they were judged last. */
static Str judged_arguments(const struct tool_call *asked, const struct decision *decision)
{
    if (decision->rewritten)
        return json_raw(decision->rewritten, 0);
    return asked->arguments == JSON_NONE ? STR("") : json_raw(asked->doc, asked->arguments);
}

static struct call *forward(struct request *request, const struct tool_call *asked,
                            const struct decision *decision)
{
    struct gateway *gateway = request->gateway;
    struct call *call = call_new(request);
    if (!call)
        return NULL;
    struct upstream *upstream =
        upstream_get(gateway->upstreams, call->caller.server, call->caller.principal.id);
    struct buf members;
    buf_init(&members, (size_t)gateway->limits.max_body_bytes + REPLY_FRAME_MAX);
    jsonrpc_write_key(&members, STR("name"));
    json_write_string(&members, asked->tool);
    Str arguments = judged_arguments(asked, decision);
    if (arguments.n) {
        jsonrpc_write_key(&members, STR("arguments"));
        buf_add(&members, arguments);
    }
    struct upstream_request out = { .method = STR("tools/call"),
                                    .name = asked->tool,
                                    .members = buf_str(&members) };
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
    denial_write(&body, request->message.id, request->era,
                 server_alias(request->in->caller->server), verdict);
    request_reply(request, 200, &body, (Str){ 0 });
    buf_free(&body);
}

struct call *tools_call(struct request *request)
{
    const struct caller *caller = request->in->caller;
    struct tool_call asked;
    struct verdict_text verdict;
    if (!read_params(request, &asked))
        return NULL;
    struct vm *vm = policies_get(request->gateway->policies, caller->policy);
    switch (decide_call(request->gateway->audit, vm, caller, &asked, &verdict)) {
    case DECIDED_ALLOW: return forward(request, &asked, &verdict.decision);
    case DECIDED_DENY: deny(request, &verdict); break;
    case DECIDED_UNRECORDED:
        request_error(request, 200, JSONRPC_INTERNAL_ERROR,
                      "the decision could not be recorded, so the call was not made");
        break;
    }
    return NULL;
}
