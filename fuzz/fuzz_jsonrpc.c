/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_jsonrpc.c - a message through the reader, the classifier and the eras.
 *
 * Properties: what is accepted has just the members of its kind and no key that folds to one of
 * the protocol's; written afresh it is the same message; a refusal's answer is itself a message
 * with the same id; no message is served in both eras by headers alone. */
#include "fuzz/target.h"
#include "runtime/gateway/era.h"
#include "runtime/gateway/revision.h"

#include <stdlib.h>

enum { MEMORY_MAX = 64 << 20, TEXT_MAX = 32 << 20 };

static bool read_text(Str text, struct arena *arena, struct json_doc *doc,
                      struct jsonrpc_message *out)
{
    if (json_parse(text, &json_limits_default, arena, doc, NULL) != JSON_ERR_NONE)
        return false;
    jsonrpc_read(doc, out);
    return true;
}

static void check_keys(const struct json_doc *doc, uint32_t object)
{
    if (object == JSON_NONE)
        return;
    ENSURE(json_at(doc, object)->type == JSON_OBJECT);
    for (uint32_t i = json_first(doc, object); i != JSON_NONE; i = json_after(doc, object, i)) {
        Str key = json_key(json_at(doc, i));
        static const Str exact[] = { STR_INIT("name"), STR_INIT("arguments"), STR_INIT("_meta") };
        for (size_t k = 0; k < COUNT(exact); k++)
            ENSURE(str_eq(key, exact[k]) || !str_eq_nocase(key, exact[k]));
    }
}

static void check_call(const struct json_doc *doc, const struct jsonrpc_message *message)
{
    bool is_request = message->kind == JSONRPC_REQUEST;
    ENSURE(message->method.n > 0 && message->id.is_present == is_request);
    ENSURE(str_starts(message->method, STR("notifications/")) != is_request);
    uint32_t members = 2U + is_request + (message->params != JSON_NONE);
    ENSURE(json_at(doc, 0)->count == members);
    check_keys(doc, message->params);
    check_keys(doc, message->meta);
}

static void check_response(const struct json_doc *doc, const struct jsonrpc_message *message)
{
    ENSURE(message->method.n == 0 && message->params == JSON_NONE);
    ENSURE((message->kind == JSONRPC_RESULT) == (message->result != JSON_NONE));
    ENSURE(message->kind == JSONRPC_ERROR || message->id.is_present);
    ENSURE(json_at(doc, 0)->count <= 3);
}

/* An answer to the message, read back: its id must be the same. */
static void check_answer(const struct jsonrpc_message *message)
{
    struct buf out;
    struct arena arena;
    struct json_doc doc;
    struct jsonrpc_message back;
    buf_init(&out, TEXT_MAX);
    arena_init(&arena, MEMORY_MAX);
    jsonrpc_write_error(&out, message->id, -32600, STR("why"), STR("{}"));
    ENSURE(!out.is_full && read_text(buf_str(&out), &arena, &doc, &back));
    ENSURE(back.kind == JSONRPC_ERROR && jsonrpc_id_eq(back.id, message->id));
    arena_reset(&arena);
    buf_free(&out);
}

static void check_rewritten(const struct json_doc *doc, const struct jsonrpc_message *message)
{
    struct buf out;
    struct arena arena;
    struct json_doc again;
    struct jsonrpc_message back;
    Str params = { 0 };
    if (message->params != JSON_NONE)
        params = json_raw(doc, message->params);
    buf_init(&out, TEXT_MAX);
    arena_init(&arena, MEMORY_MAX);
    jsonrpc_write_request(&out, 1, message->method, params);
    ENSURE(!out.is_full && read_text(buf_str(&out), &arena, &again, &back));
    ENSURE(back.kind == JSONRPC_REQUEST && str_eq(back.method, message->method));
    ENSURE((back.params == JSON_NONE) == (message->params == JSON_NONE));
    if (back.params != JSON_NONE)
        ENSURE(str_eq(json_raw(&again, back.params), params));
    arena_reset(&arena);
    buf_free(&out);
}

/* The body decides: a header can only turn a served message into a refused one. */
static void check_eras(const struct json_doc *doc, const struct jsonrpc_message *message)
{
    struct mcp_headers none = { 0 }, modern = { .is_http = true };
    enum server_era bare = ERA_AUTO, dressed = ERA_AUTO;
    struct refusal refusal;
    modern.version = (struct mcp_header){ .is_present = true, .value = REVISION_MODERN };
    modern.method = (struct mcp_header){ .is_present = true, .value = message->method };
    bool is_bare = era_classify(doc, message, &none, &bare, &refusal);
    bool is_dressed = era_classify(doc, message, &modern, &dressed, &refusal);
    if (is_bare && is_dressed && message->kind == JSONRPC_REQUEST)
        ENSURE(bare == ERA_MODERN && dressed == ERA_MODERN);
    if (!is_dressed)
        ENSURE(refusal.status == 400 && refusal.why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1); /* exact, so that ASan sees one byte too far */
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    Str text = { .p = copy, .n = size };
    struct arena arena;
    struct json_doc doc;
    struct jsonrpc_message message;
    arena_init(&arena, MEMORY_MAX);
    if (read_text(text, &arena, &doc, &message)) {
        check_answer(&message);
        if (message.kind == JSONRPC_INVALID) {
            ENSURE(message.why && message.code == JSONRPC_INVALID_REQUEST);
        } else if (message.kind == JSONRPC_RESULT || message.kind == JSONRPC_ERROR) {
            check_response(&doc, &message);
        } else {
            check_call(&doc, &message);
            check_eras(&doc, &message);
            if (message.kind == JSONRPC_REQUEST)
                check_rewritten(&doc, &message);
        }
    }
    arena_reset(&arena);
    free(copy);
    return 0;
}
