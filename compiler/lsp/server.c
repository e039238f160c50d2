/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - which message, and whether its time has come: before `initialize` nothing is answered
 * but by an error, after `shutdown` nothing but `exit`. Messages are read by the strict reader of
 * the gateway, as there is no reason to have a second one. */
#include "compiler/lsp/lsp_internal.h"

#include <stdlib.h>

static const struct json_limits message_limits = {
    .max_bytes = FRAME_BODY_MAX,
    .max_depth = 64,
    .max_nodes = 1024 * 1024,
    .max_members = 4096,
    .allow_nul = true,
};

enum method_kind { REQUEST, NOTICE };

static const struct method {
    const char *name;
    enum method_kind kind;
    enum lsp_error (*run)(struct lsp *lsp, struct request *rq);
} methods[] = {
#define METHOD(name, kind, function) { name, kind, function },
#include "compiler/lsp/method.def"
#undef METHOD
};

struct lsp *lsp_open(void)
{
    struct lsp *lsp = calloc(1, sizeof *lsp);
    if (!lsp)
        return NULL;
    frame_init(&lsp->frames);
    arena_init(&lsp->mem, LSP_MESSAGE_MEMORY);
    buf_init(&lsp->body, LSP_OUT_MAX);
    buf_init(&lsp->out, LSP_OUT_MAX);
    buf_init(&lsp->help, URI_BYTES_MAX);
    for (size_t i = 0; i < LSP_FOLDERS_MAX; i++)
        buf_init(&lsp->folders[i], URI_BYTES_MAX);
    lsp->overlay = (struct overlay){ .find = documents_overlay, .user = &lsp->documents };
    return lsp;
}

void lsp_close(struct lsp *lsp)
{
    documents_free(&lsp->documents);
    frame_free(&lsp->frames);
    arena_reset(&lsp->mem);
    buf_free(&lsp->body);
    buf_free(&lsp->out);
    buf_free(&lsp->help);
    for (size_t i = 0; i < LSP_FOLDERS_MAX; i++)
        buf_free(&lsp->folders[i]);
    free(lsp);
}

/* ------------------------------- answers -------------------------------- */

static const char *error_words(enum lsp_error error)
{
    switch (error) {
    case LSP_OK: return "";
    case LSP_PARSE_ERROR: return "the message is no JSON that can be read for certain";
    case LSP_INVALID_REQUEST: return "the message is no request for this time";
    case LSP_METHOD_NOT_FOUND: return "there is no such method";
    case LSP_INVALID_PARAMS: return "the parameters are not those of the method";
    case LSP_INTERNAL: return "the answer is too long";
    case LSP_NOT_INITIALIZED: return "initialize comes first";
    case LSP_REQUEST_FAILED: return "this can't be done";
    case LSP_CANCELLED: return "cancelled";
    }
    return "";
}

/* id is the raw JSON of the request's. */
static void send_error(struct lsp *lsp, Str id, enum lsp_error error, const char *why)
{
    buf_clear(&lsp->body);
    buf_printf(&lsp->body,
               "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"error\":{\"code\":%d,\"message\":", STR_ARG(id),
               (int)error);
    write_text(&lsp->body, str_of(why ? why : error_words(error)));
    buf_add(&lsp->body, STR("}}"));
    lsp_send(lsp);
}

static void answer(struct lsp *lsp, const struct method *method, struct request *rq, Str id)
{
    buf_clear(&lsp->body);
    buf_printf(&lsp->body, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":", STR_ARG(id));
    rq->out = &lsp->body;
    enum lsp_error error = method->run(lsp, rq);
    buf_add_char(&lsp->body, '}');
    if (error == LSP_OK && lsp->body.is_full)
        error = LSP_INTERNAL;
    if (error == LSP_OK)
        lsp_send(lsp);
    else
        send_error(lsp, id, error, rq->why);
}

/* ------------------------------- dispatch ------------------------------- */

static const struct method *find_method(Str name)
{
    for (size_t i = 0; i < COUNT(methods); i++)
        if (str_eq(str_of(methods[i].name), name))
            return &methods[i];
    return NULL;
}

static bool is_id(const struct json_node *node)
{
    return node->type == JSON_STRING || (node->type == JSON_NUMBER && (node->flags & JSON_INTEGER));
}

/* Has the client, in what has come already, taken the request back? */
static bool is_cancelled(struct lsp *lsp, Str id)
{
    size_t at = 0;
    Str message;
    bool is_found = false;
    while (!is_found && frame_peek(&lsp->frames, &at, &message)) {
        struct json_doc doc;
        if (!str_contains(message, STR("$/cancelRequest")) ||
            json_parse(message, &message_limits, &lsp->mem, &doc, NULL) != JSON_ERR_NONE)
            continue;
        uint32_t params = json_member(&doc, 0, STR("params"));
        uint32_t other = params ? json_member(&doc, params, STR("id")) : JSON_NONE;
        is_found = other != JSON_NONE && str_eq(json_raw(&doc, other), id) &&
                   str_eq(json_member_string(&doc, 0, STR("method")), STR("$/cancelRequest"));
    }
    return is_found;
}

/* What is wrong with calling the method now; LSP_OK when nothing is. */
static enum lsp_error judge_time(const struct lsp *lsp, const struct method *method, Str name)
{
    bool is_first = str_eq(name, STR("initialize"));
    if (lsp->state == LSP_SHUT_DOWN)
        return LSP_INVALID_REQUEST;
    if (lsp->state == LSP_NEW && !is_first)
        return LSP_NOT_INITIALIZED;
    if (lsp->state != LSP_NEW && is_first)
        return LSP_INVALID_REQUEST;
    return method && method->kind == REQUEST ? LSP_OK : LSP_METHOD_NOT_FOUND;
}

static void handle_request(struct lsp *lsp, struct request *rq, Str name, Str id)
{
    const struct method *method = find_method(name);
    enum lsp_error error = judge_time(lsp, method, name);
    if (error == LSP_OK && rq->params == JSON_NONE && str_starts(name, STR("textDocument/")))
        error = LSP_INVALID_PARAMS;
    if (error == LSP_OK && is_cancelled(lsp, id))
        error = LSP_CANCELLED;
    if (error == LSP_OK)
        answer(lsp, method, rq, id);
    else
        send_error(lsp, id, error, NULL);
}

static void handle_notice(struct lsp *lsp, struct request *rq, Str name)
{
    const struct method *method = find_method(name);
    bool is_exit = str_eq(name, STR("exit"));
    bool needs_params = str_starts(name, STR("textDocument/"));
    if (!method || method->kind != NOTICE || (lsp->state != LSP_READY && !is_exit) ||
        (needs_params && rq->params == JSON_NONE))
        return;
    (void)method->run(lsp, rq);
}

static void handle_message(struct lsp *lsp, const struct json_doc *doc)
{
    struct request rq = { .doc = doc, .params = json_member(doc, 0, STR("params")) };
    Str name = json_member_string(doc, 0, STR("method"));
    uint32_t id = json_member(doc, 0, STR("id"));
    bool has_method = json_member(doc, 0, STR("method")) != JSON_NONE;
    bool has_id = id != JSON_NONE && is_id(json_at(doc, id));
    if (rq.params != JSON_NONE && json_at(doc, rq.params)->type != JSON_OBJECT)
        rq.params = JSON_NONE;
    if (!has_method && id != JSON_NONE)
        return; /* an answer to a request of ours, which asked for nothing to be told */
    if (!name.n || (id != JSON_NONE && !has_id))
        send_error(lsp, STR("null"), LSP_INVALID_REQUEST, NULL);
    else if (has_id)
        handle_request(lsp, &rq, name, json_raw(doc, id));
    else
        handle_notice(lsp, &rq, name);
}

void lsp_handle(struct lsp *lsp, Str message)
{
    struct json_doc doc;
    arena_rewind(&lsp->mem);
    enum json_error error = json_parse(message, &message_limits, &lsp->mem, &doc, NULL);
    if (error == JSON_ERR_NONE) {
        handle_message(lsp, &doc);
        return;
    }
    send_error(lsp, STR("null"), LSP_PARSE_ERROR, json_error_text(error));
    lsp_handle_lost(lsp);
}

/* ------------------------------- lifecycle ------------------------------ */

enum lsp_error on_shutdown(struct lsp *lsp, struct request *rq)
{
    lsp->state = LSP_SHUT_DOWN;
    lsp->was_shut_down = true;
    buf_add(rq->out, STR("null"));
    return LSP_OK;
}

enum lsp_error on_exit_notice(struct lsp *lsp, struct request *rq)
{
    (void)rq;
    lsp->state = LSP_GONE;
    return LSP_OK;
}
