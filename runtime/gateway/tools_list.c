/* SPDX-License-Identifier: Apache-2.0 */
/* tools_list.c - the server's tools, less those that no arguments could make this caller's.
 *
 * All pages are fetched and one is given out, made for one grant and never kept. Tools travel as
 * the bytes that the server sent; order and unknown members stay. Pages, tools, bytes and the time
 * for all of them together are limited: a list that does not end is no list. Of a tool that is
 * named twice the first is kept.
 */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/gateway/call.h"
#include "runtime/gateway/decide.h"
#include "runtime/gateway/result.h"

#include <xxhash.h>

enum {
    CURSOR_BYTES_MAX = 64 * 1024,
    NAMES_MEMORY_MAX = 64 << 20,
};

/* Names seen so far: open addressing, at most half full. */
struct names {
    Str *slots;
    size_t mask;
    uint64_t seed;
};

struct listing {
    struct buf members; /* of the first page's result, without tools and cursor */
    struct buf tools;   /* array elements with commas */
    struct names names;
    struct arena mem;
    uint32_t pages, count;  /* count: tools seen, shown or not */
    uint32_t odd, repeated; /* tools left out for their names, for having been there already */
    int64_t deadline_ms;    /* of the whole list */
};

void listing_free(struct listing *listing)
{
    if (!listing)
        return;
    buf_free(&listing->members);
    buf_free(&listing->tools);
    arena_reset(&listing->mem);
    free(listing);
}

static struct listing *listing_new(const struct gateway_limits *limits)
{
    struct listing *listing = calloc(1, sizeof *listing);
    if (!listing)
        return NULL;
    size_t slots = 2;
    while (slots < 2 * (size_t)limits->max_tools)
        slots *= 2;
    buf_init(&listing->members, limits->max_result_bytes);
    buf_init(&listing->tools, limits->max_result_bytes);
    arena_init(&listing->mem, NAMES_MEMORY_MAX);
    listing->deadline_ms = world_mono_ms() + limits->list_timeout_ms;
    listing->names.slots = ARENA_NEW(&listing->mem, Str, slots);
    listing->names.mask = slots - 1;
    world_entropy(&listing->names.seed, sizeof listing->names.seed);
    if (listing->names.slots)
        return listing;
    listing_free(listing);
    return NULL;
}

/* True when the name was not there before. The caller sees to it that there is room. */
static bool names_add(struct listing *listing, Str name)
{
    struct names *names = &listing->names;
    size_t at = XXH3_64bits_withSeed(name.p, name.n, names->seed) & names->mask;
    while (names->slots[at].n) {
        if (str_eq(names->slots[at], name))
            return false;
        at = (at + 1) & names->mask;
    }
    names->slots[at] = arena_copy(&listing->mem, name);
    return names->slots[at].n != 0;
}

/* NULL, or why the page can't be asked for. */
static const char *send_page(struct call *call, Str cursor);

/* One tool: shown, hidden or dropped. */
static void take_tool(struct call *call, struct vm *vm, const struct json_doc *doc, uint32_t tool)
{
    struct listing *listing = call->listing;
    Str alias = server_alias(call->caller.server);
    Str name = json_member_string(doc, tool, STR("name"));
    listing->count++;
    if (!tool_name_is_plain(name)) {
        if (listing->odd++ == 0) /* one line a list: the server chooses how many there are */
            log_warn("tool hidden for its name server=%.*s tool=%.*s", STR_ARG(alias),
                     name.n > TOOL_NAME_MAX ? TOOL_NAME_MAX : (int)name.n, name.p ? name.p : "");
        return;
    }
    if (!vm_may_allow(
            vm, &(struct vm_question){ .server = alias, .principal = &call->caller.principal },
            name))
        return;
    if (!names_add(listing, name)) {
        if (listing->repeated++ == 0)
            log_warn("tool named twice server=%.*s tool=%.*s", STR_ARG(alias), STR_ARG(name));
        return;
    }
    if (listing->tools.n)
        buf_add_char(&listing->tools, ',');
    buf_add(&listing->tools, json_raw(doc, tool));
}

/* NULL, or why the page can't be accepted. */
static const char *take_page(struct call *call, const struct json_doc *doc, uint32_t result)
{
    static const Str own[] = { STR_INIT("tools"), STR_INIT("nextCursor") };
    struct listing *listing = call->listing;
    struct gateway *gateway = call->gateway;
    struct vm *vm = policies_get(gateway->policies, call->caller.policy);
    uint32_t tools = json_member(doc, result, STR("tools"));
    if (!vm)
        return "the policy of this grant is not loaded";
    if (tools == JSON_NONE || json_at(doc, tools)->type != JSON_ARRAY)
        return "the server sent a list without tools";
    if (listing->count + (uint64_t)json_at(doc, tools)->count > gateway->limits.max_tools)
        return "the server has more tools than the limit";
    if (listing->pages == 0) {
        result_copy_members(&listing->members, doc, result, own, COUNT(own));
        result_write_meta(&listing->members, doc, json_member(doc, result, STR("_meta")), call->era,
                          server_alias(call->caller.server));
    }
    for (uint32_t i = json_first(doc, tools); i != JSON_NONE; i = json_after(doc, tools, i))
        take_tool(call, vm, doc, i);
    listing->pages++;
    return NULL;
}

static void reply_list(struct call *call)
{
    struct listing *listing = call->listing;
    struct buf result, body;
    size_t limit = listing->members.n + listing->tools.n + REPLY_FRAME_MAX;
    buf_init(&result, limit);
    buf_init(&body, limit + REPLY_FRAME_MAX);
    buf_add_char(&result, '{');
    buf_add(&result, buf_str(&listing->members));
    jsonrpc_write_key(&result, STR("tools"));
    buf_add_char(&result, '[');
    buf_add(&result, buf_str(&listing->tools));
    buf_add_char(&result, ']');
    result_write_list_era(&result, call->era);
    buf_add_char(&result, '}');
    jsonrpc_write_result(&body, call->id, buf_str(&result));
    body.is_full =
        body.is_full || result.is_full || listing->members.is_full || listing->tools.is_full;
    buf_free(&result);
    call_reply(call, 200, &body);
    buf_free(&body);
}

static void on_page(void *user, const struct answer *answer)
{
    struct call *call = user;
    call->leg = NULL;
    if (answer->kind != ANSWER_RESULT) {
        call_fail_answer(call, answer);
        return;
    }
    const char *fault = take_page(call, answer->doc, answer->result);
    if (fault) {
        call_fail(call, fault);
        return;
    }
    uint32_t next = json_member(answer->doc, answer->result, STR("nextCursor"));
    if (next == JSON_NONE || json_at(answer->doc, next)->type == JSON_NULL) {
        reply_list(call);
        return;
    }
    if (json_at(answer->doc, next)->type != JSON_STRING)
        fault = "the server sent a cursor that is no string";
    else if (call->listing->pages >= call->gateway->limits.max_list_pages)
        fault = "the server's list of tools has too many pages";
    else
        fault = send_page(call, json_text(json_at(answer->doc, next)));
    if (fault)
        call_fail(call, fault);
}

static const char *send_page(struct call *call, Str cursor)
{
    struct upstream *upstream =
        upstream_get(call->gateway->upstreams, call->caller.server, call->caller.principal.id);
    int64_t left_ms = call->listing->deadline_ms - world_mono_ms();
    struct upstream_request request = { .method = STR("tools/list"), .timeout_ms = left_ms };
    if (left_ms <= 0)
        return "the server did not list its tools in time";
    struct buf members;
    buf_init(&members, CURSOR_BYTES_MAX);
    if (cursor.p) { /* an empty cursor is a cursor */
        jsonrpc_write_key(&members, STR("cursor"));
        json_write_string(&members, cursor);
    }
    request.members = buf_str(&members);
    const char *fault =
        members.is_full ? "the server sent a cursor over the size limit" : "no memory left";
    if (upstream && !members.is_full)
        call->leg = upstream_send(upstream, &request, on_page, call);
    buf_free(&members);
    return call->leg ? NULL : fault;
}

struct call *tools_list(struct request *request)
{
    struct gateway *gateway = request->gateway;
    const struct caller *caller = request->in->caller;
    uint32_t params = request->message.params;
    if (params != JSON_NONE && json_member(&request->doc, params, STR("cursor")) != JSON_NONE) {
        request_error(request, 200, JSONRPC_INVALID_PARAMS,
                      "this cursor is unknown: the gateway's list has one page");
        return NULL;
    }
    struct vm *vm = policies_get(gateway->policies, caller->policy);
    Str verdict = STR("allow"), cause = { 0 };
    if (!vm) {
        verdict = STR("deny");
        cause = str_of(vm_cause_word(CAUSE_INTERNAL));
    }
    if (!decide_record(gateway->audit, vm, caller, STR("tools/list"), verdict, cause)) {
        request_error(request, 200, JSONRPC_INTERNAL_ERROR,
                      "the request could not be recorded, so it was not made");
        return NULL;
    }
    if (!vm) {
        request_error(request, 200, JSONRPC_INTERNAL_ERROR,
                      "the policy of this grant is not loaded");
        return NULL;
    }
    struct call *call = call_new(request);
    if (!call)
        return NULL;
    call->listing = listing_new(&gateway->limits);
    const char *fault = call->listing ? send_page(call, (Str){ 0 }) : "no memory left";
    if (!fault)
        return call;
    call_fail(call, fault);
    return NULL;
}
