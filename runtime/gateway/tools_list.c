/* SPDX-License-Identifier: Apache-2.0 */
/* tools_list.c - the server's tools, less those that no arguments could make this caller's and
 * those that are not what the policy was compiled for.
 *
 * All pages are fetched and one is given out, made for one grant and never kept. Tools travel as
 * the bytes that the server sent, but for what rules that say `advertise` ask of arguments; order
 * and unknown members stay, and definitions are compared as the server sent them. Of a tool that is
 * named twice the first is kept; of a pinned one, neither, unless both are the accepted one.
 */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/gateway/call_fields.h"
#include "runtime/gateway/decide.h"
#include "runtime/gateway/drift.h"
#include "runtime/gateway/narrow_schema.h"
#include "runtime/gateway/pages.h"
#include "runtime/gateway/result.h"

#include <stdlib.h>

/* A tool that may be shown, if it is the accepted one. */
struct shown_tool {
    const struct definition *definition;
    size_t from, n; /* its bytes in listing->tools */
};

struct listing {
    struct vm *vm; /* a share: a list is made by the policy that it began under, whole */
    struct pages *pages;
    struct buf members; /* of the first page's result, without tools and cursor */
    struct buf tools;   /* of the shown ones, one after the other */
    struct definitions *definitions;
    struct mirrors *marks;
    struct vm_needs needs;    /* of the tool in hand */
    struct shown_tool *shown; /* owned */
    uint32_t shown_count, shown_room;
    uint32_t odd, repeated, unmarked; /* tools left out for their names, for having been there
                                       * already, for wrong marks */
    bool has_first, is_pinned;
    uint32_t turn; /* that it was asked for in */
    int64_t asked_ms;
};

void listing_free(struct listing *listing)
{
    if (!listing)
        return;
    pages_cancel(listing->pages);
    vm_close(listing->vm);
    definitions_free(listing->definitions);
    mirrors_free(listing->marks);
    buf_free(&listing->members);
    buf_free(&listing->tools);
    free(listing->shown);
    free(listing);
}

static struct listing *listing_new(const struct gateway_limits *limits)
{
    struct listing *listing = calloc(1, sizeof *listing);
    if (!listing)
        return NULL;
    buf_init(&listing->members, limits->max_result_bytes);
    buf_init(&listing->tools, limits->max_result_bytes);
    listing->asked_ms = world_mono_ms();
    listing->definitions = definitions_new();
    listing->marks = mirrors_new();
    if (listing->definitions && listing->marks)
        return listing;
    listing_free(listing);
    return NULL;
}

static bool is_pinned(const struct vm *vm, Str alias)
{
    const struct program *program = vm_program(vm);
    uint32_t server = program_server(program, alias);
    return server != B_NONE && (program->servers[server].flags & B_SERVER_PINNED);
}

/* The tool at `tool`, as the caller may use it. False: no memory, or over the limit. */
static bool show(struct listing *listing, const struct definition *definition,
                 const struct json_doc *doc, uint32_t tool)
{
    if (listing->shown_count == listing->shown_room) {
        uint32_t room = listing->shown_room ? listing->shown_room * 2 : 64;
        struct shown_tool *more = realloc(listing->shown, room * sizeof(*more));
        if (!more)
            return false;
        listing->shown = more;
        listing->shown_room = room;
    }
    size_t from = listing->tools.n;
    narrow_schema_write(doc, tool, &listing->needs, &listing->tools);
    listing->shown[listing->shown_count++] =
        (struct shown_tool){ .definition = definition, .from = from, .n = listing->tools.n - from };
    return !listing->tools.is_full;
}

/* A tool whose marks are wrong can't be called where headers count: on either side. False: no
 * memory. */
static bool take_marks(struct call *call, const struct json_doc *doc, uint32_t tool, Str name,
                       bool *is_callable)
{
    struct listing *listing = call->listing;
    bool is_valid;
    if (!mirrors_add(listing->marks, doc, tool, name, &is_valid))
        return false;
    *is_callable = is_valid || (!call->is_http_modern && !server_reads_fields(call->caller.server));
    if (!*is_callable && listing->unmarked++ == 0)
        log_warn("tool hidden for its x-mcp-header server=%.*s tool=%.*s",
                 STR_ARG(server_alias(call->caller.server)), STR_ARG(name));
    return true;
}

/* One tool: shown, hidden or dropped. False: no memory. */
static bool take_tool(struct call *call, const struct json_doc *doc, uint32_t tool)
{
    struct listing *listing = call->listing;
    Str alias = server_alias(call->caller.server);
    Str name = json_member_string(doc, tool, STR("name"));
    if (!tool_name_is_plain(name)) {
        if (listing->odd++ == 0) /* one line a list: the server chooses how many there are */
            log_warn("tool hidden for its name server=%.*s tool=%.*s", STR_ARG(alias),
                     name.n > TOOL_NAME_MAX ? TOOL_NAME_MAX : (int)name.n, name.p ? name.p : "");
        return true;
    }
    const struct definition *definition =
        definitions_add(listing->definitions, doc, tool, name, listing->is_pinned);
    bool is_callable;
    if (!definition || !take_marks(call, doc, tool, name, &is_callable))
        return false;
    if (!is_callable)
        return true;
    const struct vm_question question = { .server = alias, .principal = &call->caller.principal };
    if (!vm_may_allow(listing->vm, &question, name))
        return true;
    if (!definition->is_repeated) {
        vm_narrow(listing->vm, &question, name, &listing->needs);
        return show(listing, definition, doc, tool);
    }
    if (listing->repeated++ == 0)
        log_warn("tool named twice server=%.*s tool=%.*s", STR_ARG(alias), STR_ARG(name));
    return true;
}

static const char *take_page(void *user, const struct json_doc *doc, uint32_t result,
                             uint32_t items)
{
    static const Str own[] = { STR_INIT("tools"), STR_INIT("nextCursor") };
    struct call *call = user;
    struct listing *listing = call->listing;
    if (!listing->has_first) {
        result_copy_members(&listing->members, doc, result, own, COUNT(own));
        result_write_meta(&listing->members, doc, json_member(doc, result, STR("_meta")), call->era,
                          server_alias(call->caller.server));
        listing->has_first = true;
    }
    for (uint32_t i = json_first(doc, items); i != JSON_NONE; i = json_after(doc, items, i))
        if (!take_tool(call, doc, i))
            return listing->tools.is_full ? "the answer is over the size limit" : "no memory left";
    return NULL;
}

/* Puts every tool on record that is not the accepted one, shown or not. */
static void report_changes(struct call *call)
{
    Str alias = server_alias(call->caller.server);
    const struct program *program = vm_program(call->listing->vm);
    const struct definition *definition;
    uint32_t at = 0;
    while ((definition = definitions_next(call->listing->definitions, &at)) != NULL) {
        const struct b_pin *pin = program_pin(program, alias, definition->name);
        if (!pin)
            continue;
        struct standing standing = definition_standing(definition, pin);
        if (standing.kind == STANDING_CHANGED)
            drift_report(call->caller.server, call->gateway->audit, program_name(program),
                         definition->name, pin, &standing);
    }
}

static void write_tools(struct call *call, struct buf *out)
{
    struct listing *listing = call->listing;
    const struct program *program = vm_program(listing->vm);
    bool is_first = true;
    for (uint32_t i = 0; i < listing->shown_count; i++) {
        const struct shown_tool *tool = &listing->shown[i];
        const struct b_pin *pin =
            program_pin(program, server_alias(call->caller.server), tool->definition->name);
        if (pin && definition_standing(tool->definition, pin).kind != STANDING_ACCEPTED)
            continue;
        if (!is_first)
            buf_add_char(out, ',');
        is_first = false;
        buf_add(out, str_sub(buf_str(&listing->tools), tool->from, tool->from + tool->n));
    }
}

/* The list goes to the call's server's lookout as well: it is as good as one of its own. */
static void learn_list(struct call *call)
{
    struct listing *listing = call->listing;
    struct upstream_key key = caller_key(&call->caller);
    struct upstream *upstream = upstream_find(call->caller.server, &key);
    if (!upstream)
        return;
    lookout_learn_marks(upstream, listing->marks, listing->turn);
    listing->marks = NULL;
    if (!listing->is_pinned)
        return;
    lookout_learn(upstream, listing->definitions, listing->turn, listing->asked_ms);
    listing->definitions = NULL;
}

static void reply_list(struct call *call)
{
    struct listing *listing = call->listing;
    struct buf result, body;
    size_t limit = listing->members.n + listing->tools.n + listing->shown_count + REPLY_FRAME_MAX;
    buf_init(&result, limit);
    buf_init(&body, limit + REPLY_FRAME_MAX);
    buf_add_char(&result, '{');
    buf_add(&result, buf_str(&listing->members));
    jsonrpc_write_key(&result, STR("tools"));
    buf_add_char(&result, '[');
    write_tools(call, &result);
    buf_add_char(&result, ']');
    result_write_list_era(&result, call->era);
    buf_add_char(&result, '}');
    jsonrpc_write_result(&body, call->id, buf_str(&result));
    body.is_full = body.is_full || result.is_full || listing->members.is_full;
    buf_free(&result);
    learn_list(call);
    call_reply(call, 200, &body);
    buf_free(&body);
}

static void on_listed(void *user, const struct answer *answer, const char *fault)
{
    struct call *call = user;
    call->listing->pages = NULL;
    if (answer) {
        call_fail_answer(call, answer);
    } else if (fault) {
        call_fail(call, fault);
    } else {
        report_changes(call);
        reply_list(call);
    }
}

/* False: no memory. */
static bool ask(struct call *call, struct vm *vm)
{
    struct gateway *gateway = call->gateway;
    const struct caller *caller = &call->caller;
    struct upstream_key key = caller_key(caller);
    struct upstream *upstream = upstream_get(gateway->upstreams, caller->server, &key);
    struct listing *listing = listing_new(&gateway->limits);
    const struct pages_asked asked = {
        .method = STR("tools/list"),
        .member = STR("tools"),
        .max_items = gateway->limits.max_tools,
        .take = take_page,
        .done = on_listed,
        .user = call,
    };
    call->listing = listing;
    if (!upstream || !listing)
        return false;
    listing->vm = vm_share(vm);
    listing->is_pinned = is_pinned(vm, server_alias(caller->server));
    listing->turn = lookout_turn(upstream);
    listing->pages = pages_ask(upstream, &gateway->limits, &asked);
    return listing->pages != NULL;
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
    if (ask(call, vm))
        return call;
    call_fail(call, "no memory left");
    return NULL;
}
