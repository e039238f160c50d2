/* SPDX-License-Identifier: Apache-2.0 */
/* tools_call.c - the method that everything else is about: judged, then written afresh.
 *
 * What reaches the server are the tool's name and the arguments, nothing else of the client's
 * message, and the arguments are the very bytes that were judged: the client's own, or those that
 * rules have set something in and that were read and judged again. There is no path around
 * decide_call: without its allow no request is built.
 *
 * A call of a pinned tool may have to wait until it is known how the server defines the tool now.
 * It is held as the members that would go out, and these are read and judged again when it is
 * known; likewise when the server was started anew before the request went out.
 */
#include "runtime/gateway/call_fields.h"
#include "runtime/gateway/decide.h"
#include "runtime/gateway/denial.h"
#include "runtime/gateway/drift.h"
#include "runtime/gateway/result.h"

#include <stddef.h>

enum { DENIAL_BYTES_MAX = 256 * 1024 }; /* of a whole denial, its texts escaped */

static void on_answer(void *user, const struct answer *answer);

/* NULL, or why params, an object, can't be. */
static const char *read_params(const struct json_doc *doc, uint32_t params, struct asked *asked)
{
    uint32_t name = json_member(doc, params, STR("name"));
    if (name == JSON_NONE || json_at(doc, name)->type != JSON_STRING)
        return "params.name must be a string";
    uint32_t arguments = json_member(doc, params, STR("arguments"));
    if (arguments != JSON_NONE && json_at(doc, arguments)->type != JSON_OBJECT)
        return "params.arguments must be an object";
    *asked = (struct asked){ .method = kind_method_find(STR("tools/call")),
                             .name = json_text(json_at(doc, name)),
                             .doc = doc,
                             .arguments = arguments };
    return NULL;
}

/* Arguments without any bytes are none. */
static void write_members(struct buf *out, Str tool, Str arguments)
{
    jsonrpc_write_key(out, STR("name"));
    json_write_string(out, tool);
    if (!arguments.n)
        return;
    jsonrpc_write_key(out, STR("arguments"));
    buf_add(out, arguments);
}

static Str asked_arguments(const struct asked *asked)
{
    return asked->arguments == JSON_NONE ? STR("") : json_raw(asked->doc, asked->arguments);
}

/* The arguments as they were judged last. */
static Str judged_arguments(const struct asked *asked, const struct decision *decision)
{
    return decision->rewritten ? json_raw(decision->rewritten, 0) : asked_arguments(asked);
}

static void find_standing(struct vm *vm, const struct caller *caller, struct asked *asked)
{
    Str alias = server_alias(caller->server);
    struct upstream_key key = caller_key(caller);
    const struct b_pin *pin = vm ? program_pin(vm_program(vm), alias, asked->name) : NULL;
    if (pin)
        asked->standing = lookout_standing(upstream_find(caller->server, &key), asked->name, pin);
    else
        asked->standing.kind = STANDING_FREE;
}

/* vm: the one that the standing was found with. */
static enum decided decide(struct gateway *gateway, struct vm *vm, const struct caller *caller,
                           const struct asked *asked, struct verdict_text *verdict)
{
    Str alias = server_alias(caller->server);
    enum decided decided = decide_call(gateway->audit, vm, caller, asked, verdict);
    if (vm && verdict->decision.cause == CAUSE_CHANGED_TOOL)
        drift_report(caller->server, gateway->audit, program_name(vm_program(vm)), asked->name,
                     program_pin(vm_program(vm), alias, asked->name), &asked->standing);
    return decided;
}

/* Of a call that may be judged again after this, the client's own words: what a rule has set is no
 * part of them, and the next judgment may be another policy's. Unchanged, they are what was sent. A
 * call over HTTP may come back refused for its headers. */
static void hold_own(struct call *call, const struct asked *asked, const struct decision *decision,
                     uint32_t turn)
{
    bool may_come_back = turn || call->caller.server->spec->transport == SERVER_HTTP;
    buf_free(&call->held);
    if (may_come_back && decision->rewritten)
        write_members(&call->held, asked->name, asked_arguments(asked));
}

/* The headers of what write_members writes. */
static void write_fields(const struct caller *caller, const struct asked *asked,
                         const struct decision *decision, struct buf *out)
{
    if (decision->rewritten)
        fields_write(caller, asked->name, decision->rewritten, 0, out);
    else if (asked->arguments != JSON_NONE)
        fields_write(caller, asked->name, asked->doc, asked->arguments, out);
}

/* Ends the call when it can't be sent. */
static struct call *forward(struct call *call, const struct asked *asked,
                            const struct decision *decision)
{
    const struct caller *caller = &call->caller;
    struct buf members, fields;
    buf_init(&members, (size_t)call->gateway->limits.max_body_bytes + REPLY_FRAME_MAX);
    buf_init(&fields, MIRROR_FIELDS_MAX);
    write_members(&members, asked->name, judged_arguments(asked, decision));
    write_fields(caller, asked, decision, &fields);
    struct upstream_key key = caller_key(caller);
    struct upstream *upstream = upstream_get(call->gateway->upstreams, caller->server, &key);
    struct upstream_request out = { .method = STR("tools/call"),
                                    .name = asked->name,
                                    .fields = buf_str(&fields),
                                    .members = buf_str(&members) };
    call_listen(call, &out);
    if (upstream && asked->standing.kind == STANDING_ACCEPTED) {
        out.turn = lookout_turn(upstream);
        lookout_refresh(upstream);
    }
    if (upstream && !members.is_full && !fields.is_full)
        call->leg = upstream_send(upstream, &out, on_answer, call);
    buf_free(&members);
    buf_free(&fields);
    hold_own(call, asked, decision, out.turn);
    if (call->leg)
        return call;
    call_fail(call, "no memory left");
    return NULL;
}

static void write_denial(struct buf *out, struct jsonrpc_id id, enum server_era era,
                         const struct caller *caller, const struct verdict_text *verdict)
{
    buf_init(out, DENIAL_BYTES_MAX);
    denial_write(out, id, era, server_alias(caller->server), verdict);
}

/* ------------------------- calls that have to wait ------------------------- */

static void refuse_held(struct call *call, const struct refusal *refusal)
{
    struct buf body;
    buf_init(&body, REPLY_FRAME_MAX);
    jsonrpc_write_error(&body, call->id, refusal->code, str_of(refusal->why), (Str){ 0 });
    call_reply(call, refusal->status, &body);
    buf_free(&body);
}

/* Reads what is held, judges it, and ends the call or sends it. */
static void judge_held(struct call *call, const struct json_doc *doc, const char *fault)
{
    struct gateway *gateway = call->gateway;
    struct asked asked;
    struct verdict_text verdict;
    struct buf body;
    const char *bad = read_params(doc, 0, &asked);
    ENSURE(!bad); /* it was read before */
    struct refusal refusal;
    if (!fields_agree(&call->caller, call->is_http_modern, call->fields, &asked, &refusal)) {
        refuse_held(call, &refusal);
        return;
    }
    struct vm *vm = policies_get(gateway->policies, call->caller.policy);
    find_standing(vm, &call->caller, &asked);
    if (asked.standing.kind == STANDING_WAIT)
        asked.standing = (struct standing){
            .kind = STANDING_UNCHECKED,
            .why = fault ? fault : "the server's list of tools changes faster than it can be read",
        };
    switch (decide(gateway, vm, &call->caller, &asked, &verdict)) {
    case DECIDED_ALLOW: (void)forward(call, &asked, &verdict.decision); break;
    case DECIDED_DENY:
        write_denial(&body, call->id, call->era, &call->caller, &verdict);
        call_reply(call, 200, &body);
        buf_free(&body);
        break;
    case DECIDED_WAIT:
    case DECIDED_UNRECORDED:
        call_fail(call, "the decision could not be recorded, so the call was not made");
        break;
    }
}

static void on_ready(struct waiter *waiter, const char *fault)
{
    struct call *call = (void *)((char *)waiter - offsetof(struct call, waiter));
    struct json_limits strict = request_limits(&call->gateway->limits);
    struct json_doc doc;
    struct arena arena;
    struct buf params;
    strict.max_bytes += REPLY_FRAME_MAX;
    arena_init(&arena, request_memory(&call->gateway->limits) + REPLY_FRAME_MAX);
    buf_init(&params, call->held.n + 2);
    buf_add_char(&params, '{');
    buf_add(&params, buf_str(&call->held));
    buf_add_char(&params, '}');
    if (!params.is_full &&
        json_parse(buf_str(&params), &strict, &arena, &doc, NULL) == JSON_ERR_NONE)
        judge_held(call, &doc, fault);
    else
        call_fail(call, "no memory left");
    arena_reset(&arena);
    buf_free(&params);
}

/* Ends the call when it can't wait. What it would send is held already. */
static struct call *wait_for_list(struct call *call)
{
    const struct caller *caller = &call->caller;
    struct upstream_key key = caller_key(caller);
    struct upstream *upstream = upstream_get(call->gateway->upstreams, caller->server, &key);
    call->waiter.ready = on_ready;
    if (++call->rounds > CALL_ROUNDS_MAX)
        call_fail(call, "the server was started anew again and again before the call was sent");
    else if (!upstream || call->held.is_full || !lookout_wait(upstream, &call->waiter))
        call_fail(call, "no memory left");
    else
        return call;
    return NULL;
}

/* It was not sent; or it was refused, unread, for headers that we have not made as the server wants
 * them: its list has changed, or was never seen. */
static bool is_to_be_sent_again(struct call *call, const struct answer *answer)
{
    if (answer->kind == ANSWER_FAILED)
        return answer->failure == FAILURE_STALE;
    bool is_first = !call->was_refused;
    call->was_refused = true;
    return answer->code == MCP_HEADER_MISMATCH && is_first &&
           server_reads_fields(call->caller.server);
}

static void on_answer(void *user, const struct answer *answer)
{
    struct call *call = user;
    call->leg = NULL;
    if (answer->kind == ANSWER_RESULT) {
        call_reply_result(call, answer, result_write_era);
    } else if (is_to_be_sent_again(call, answer)) {
        if (!call->held.n)
            buf_add(&call->held, answer->members);
        (void)wait_for_list(call);
    } else if (answer->kind == ANSWER_FAILED && answer->failure == FAILURE_LOGIN) {
        call_reply_login(call, answer);
    } else {
        call_fail_answer(call, answer);
    }
}

/* ------------------------------- the method -------------------------------- */

static struct call *send_now(struct request *request, const struct asked *asked,
                             const struct decision *decision)
{
    struct call *call = call_new(request);
    return call ? forward(call, asked, decision) : NULL;
}

/* What is held is the client's own: rules set their values when it is judged again. */
static struct call *send_later(struct request *request, const struct asked *asked)
{
    struct call *call = call_new(request);
    if (!call)
        return NULL;
    write_members(&call->held, asked->name, asked_arguments(asked));
    return wait_for_list(call);
}

static void deny(struct request *request, const struct verdict_text *verdict)
{
    struct buf body;
    write_denial(&body, request->message.id, request->era, request->in->caller, verdict);
    request_reply(request, 200, &body, (Str){ 0 });
    buf_free(&body);
}

/* A client's headers can't be compared with a list that is not known. */
static bool must_see_list(const struct request *request)
{
    const struct caller *caller = request->in->caller;
    struct upstream_key key = caller_key(caller);
    const struct upstream *upstream = upstream_find(caller->server, &key);
    return request_has_fields(request) && mirror_has_fields(request->in->headers.head) &&
           !lookout_marks(upstream) && lookout_may_ask(upstream);
}

/* False after a refusal has been replied. */
static bool check_fields(struct request *request, const struct asked *asked)
{
    struct refusal refusal = { 0 };
    Str fields;
    struct arena mem;
    arena_init(&mem, (size_t)MIRROR_FIELDS_MAX * 2);
    bool is_fine = fields_keep(request, &mem, &fields);
    if (!is_fine)
        request_error(request, 200, JSONRPC_INTERNAL_ERROR, "no memory left");
    else if (!fields_agree(request->in->caller, request_has_fields(request), fields, asked,
                           &refusal)) {
        request_error(request, refusal.status, refusal.code, refusal.why);
        is_fine = false;
    }
    arena_reset(&mem);
    return is_fine;
}

struct call *tools_call(struct request *request)
{
    const struct caller *caller = request->in->caller;
    struct gateway *gateway = request->gateway;
    struct asked asked;
    struct verdict_text verdict;
    uint32_t params = request->message.params;
    const char *bad = params == JSON_NONE ? "params.name must be a string"
                                          : read_params(&request->doc, params, &asked);
    if (bad) {
        request_error(request, 200, JSONRPC_INVALID_PARAMS, bad);
        return NULL;
    }
    if (must_see_list(request))
        return send_later(request, &asked);
    if (!check_fields(request, &asked))
        return NULL;
    struct vm *vm = policies_get(gateway->policies, caller->policy);
    find_standing(vm, caller, &asked);
    switch (decide(gateway, vm, caller, &asked, &verdict)) {
    case DECIDED_ALLOW: return send_now(request, &asked, &verdict.decision);
    case DECIDED_WAIT: return send_later(request, &asked);
    case DECIDED_DENY: deny(request, &verdict); break;
    case DECIDED_UNRECORDED:
        request_error(request, 200, JSONRPC_INTERNAL_ERROR,
                      "the decision could not be recorded, so the call was not made");
        break;
    }
    return NULL;
}
