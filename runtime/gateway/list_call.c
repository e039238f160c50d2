/* SPDX-License-Identifier: Apache-2.0 */
/* list_call.c - the server's resources, templates or prompts, less those that no arguments could
 * make this caller's.
 *
 * All pages are fetched and one is given out, made for one grant and never kept. Elements travel as
 * the bytes that the server sent; order and unknown members stay. Tools have a list of their own
 * (tools_list.c), since they are compared with their pins.
 */
#include "runtime/base/log.h"
#include "runtime/gateway/call.h"
#include "runtime/gateway/decide.h"
#include "runtime/gateway/pages.h"
#include "runtime/gateway/result.h"

enum {
    LISTED_NAME_MAX = 8192, /* bytes of a URI or the name of a prompt */
    SHOWN_NAME_MAX = 128,   /* of one, in the log */
};

struct catalogue {
    struct vm *vm; /* a share: a list is made by the policy that it began under, whole */
    const struct kind_list *list;
    struct pages *pages;
    struct buf members; /* of the first page's result, without the list and cursor */
    struct buf shown;   /* array elements with commas */
    bool has_first;
    uint32_t odd; /* elements left out for their names */
};

void catalogue_free(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    pages_cancel(catalogue->pages);
    vm_close(catalogue->vm);
    buf_free(&catalogue->members);
    buf_free(&catalogue->shown);
    free(catalogue);
}

/* Could a message of that name be allowed? Of a template, one of the names it stands for: those
 * that begin with its text up to the first expression. */
static bool is_possible(struct call *call, Str name)
{
    const struct kind_list *list = call->catalogue->list;
    struct vm *vm = call->catalogue->vm;
    struct vm_question question = { .server = server_alias(call->caller.server),
                                    .kind = list->kind,
                                    .principal = &call->caller.principal };
    Str rest = name;
    return list->is_template ? vm_may_allow_some(vm, &question, str_cut(&rest, '{'))
                             : vm_may_allow(vm, &question, name);
}

/* One element: shown, hidden or dropped. */
static void take_element(struct call *call, const struct json_doc *doc, uint32_t at)
{
    struct catalogue *catalogue = call->catalogue;
    Str name = json_member_string(doc, at, catalogue->list->key);
    if (!name.n || name.n > LISTED_NAME_MAX) {
        if (catalogue->odd++ == 0) /* one line a list: the server chooses how many there are */
            log_warn("hidden for its name server=%.*s method=%.*s name=%.*s",
                     STR_ARG(server_alias(call->caller.server)), STR_ARG(catalogue->list->method),
                     name.n > SHOWN_NAME_MAX ? SHOWN_NAME_MAX : (int)name.n, name.p ? name.p : "");
        return;
    }
    if (!is_possible(call, name))
        return;
    if (catalogue->shown.n)
        buf_add_char(&catalogue->shown, ',');
    buf_add(&catalogue->shown, json_raw(doc, at));
}

static const char *take_page(void *user, const struct json_doc *doc, uint32_t result,
                             uint32_t items)
{
    struct call *call = user;
    struct catalogue *catalogue = call->catalogue;
    const Str own[] = { catalogue->list->member, STR("nextCursor") };
    if (!catalogue->has_first) {
        result_copy_members(&catalogue->members, doc, result, own, COUNT(own));
        result_write_meta(&catalogue->members, doc, json_member(doc, result, STR("_meta")),
                          call->era, server_alias(call->caller.server));
        catalogue->has_first = true;
    }
    for (uint32_t i = json_first(doc, items); i != JSON_NONE; i = json_after(doc, items, i))
        take_element(call, doc, i);
    return catalogue->shown.is_full ? "the answer is over the size limit" : NULL;
}

static void reply_list(struct call *call)
{
    struct catalogue *catalogue = call->catalogue;
    struct buf result, body;
    size_t limit = catalogue->members.n + catalogue->shown.n + REPLY_FRAME_MAX;
    buf_init(&result, limit);
    buf_init(&body, limit + REPLY_FRAME_MAX);
    buf_add_char(&result, '{');
    buf_add(&result, buf_str(&catalogue->members));
    jsonrpc_write_key(&result, catalogue->list->member);
    buf_add_char(&result, '[');
    buf_add(&result, buf_str(&catalogue->shown));
    buf_add_char(&result, ']');
    result_write_list_era(&result, call->era);
    buf_add_char(&result, '}');
    jsonrpc_write_result(&body, call->id, buf_str(&result));
    body.is_full = body.is_full || result.is_full || catalogue->members.is_full;
    buf_free(&result);
    call_reply(call, 200, &body);
    buf_free(&body);
}

static void on_listed(void *user, const struct answer *answer, const char *fault)
{
    struct call *call = user;
    call->catalogue->pages = NULL;
    if (answer)
        call_fail_answer(call, answer);
    else if (fault)
        call_fail(call, fault);
    else
        reply_list(call);
}

/* False: no memory. */
static bool ask(struct call *call, struct vm *vm, const struct kind_list *list)
{
    struct gateway *gateway = call->gateway;
    const struct pages_asked asked = {
        .method = list->method,
        .member = list->member,
        .max_items = gateway->limits.max_tools,
        .take = take_page,
        .done = on_listed,
        .user = call,
    };
    struct upstream_key key = caller_key(&call->caller);
    struct upstream *upstream = upstream_get(gateway->upstreams, call->caller.server, &key);
    struct catalogue *catalogue = calloc(1, sizeof *catalogue);
    call->catalogue = catalogue;
    if (!upstream || !catalogue)
        return false;
    catalogue->list = list;
    catalogue->vm = vm_share(vm);
    buf_init(&catalogue->members, gateway->limits.max_result_bytes);
    buf_init(&catalogue->shown, gateway->limits.max_result_bytes);
    catalogue->pages = pages_ask(upstream, &gateway->limits, &asked);
    return catalogue->pages != NULL;
}

struct call *list_call(struct request *request)
{
    const struct caller *caller = request->in->caller;
    const struct kind_list *list = kind_list_find(request->message.method);
    uint32_t params = request->message.params;
    ENSURE(list != NULL); /* the table of methods leads here */
    if (params != JSON_NONE && json_member(&request->doc, params, STR("cursor")) != JSON_NONE) {
        request_error(request, 200, JSONRPC_INVALID_PARAMS,
                      "this cursor is unknown: the gateway's list has one page");
        return NULL;
    }
    struct vm *vm = policies_get(request->gateway->policies, caller->policy);
    Str verdict = vm ? STR("allow") : STR("deny"), cause = { 0 };
    if (!vm)
        cause = str_of(vm_cause_word(CAUSE_INTERNAL));
    const char *fault = NULL;
    if (!decide_record(request->gateway->audit, vm, caller, list->method, verdict, cause))
        fault = "the request could not be recorded, so it was not made";
    else if (!vm)
        fault = "the policy of this grant is not loaded";
    if (fault) {
        request_error(request, 200, JSONRPC_INTERNAL_ERROR, fault);
        return NULL;
    }
    struct call *call = call_new(request);
    if (!call)
        return NULL;
    if (ask(call, vm, list))
        return call;
    call_fail(call, "no memory left");
    return NULL;
}
