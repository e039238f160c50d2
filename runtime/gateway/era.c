/* SPDX-License-Identifier: Apache-2.0 */
/* era.c - the one classifier of eras.
 *
 * Two readers that disagree about a message's era apply different rules to it, so every mixture
 * (envelope under a legacy header, modern header without an envelope, initialize under a modern
 * header) is refused rather than interpreted.
 */
#include "runtime/gateway/era.h"

#include "runtime/crypto/encode.h"
#include "runtime/gateway/revision.h"

enum { HEADER_TEXT_MAX = 12 * 1024 }; /* decoded bytes of a field: a head has no room for more */

static bool refuse(struct refusal *out, int status, int64_t code, const char *why)
{
    *out = (struct refusal){ .status = status, .code = code, .why = why };
    return false;
}

bool mcp_header_means(Str value, Str text)
{
    static const Str head = STR_INIT("=?base64?"), tail = STR_INIT("?=");
    if (value.n < head.n + tail.n || !str_starts(value, head) || !str_ends(value, tail))
        return str_eq(value, text);
    unsigned char bytes[HEADER_TEXT_MAX];
    size_t n = 0;
    if (!base64_decode(str_sub(value, head.n, value.n - tail.n), bytes, sizeof bytes, &n))
        return false;
    return str_eq((Str){ .p = (const char *)bytes, .n = n }, text);
}

static bool has_envelope(const struct json_doc *doc, const struct jsonrpc_message *message)
{
    return message->meta != JSON_NONE &&
           (json_member(doc, message->meta, META_VERSION) != JSON_NONE ||
            json_member(doc, message->meta, META_CAPABILITIES) != JSON_NONE);
}

/* The body's member that Mcp-Name repeats, if the method has one. */
static bool named_by(const struct json_doc *doc, const struct jsonrpc_message *message, Str *name)
{
    static const struct {
        Str method, key;
    } table[] = {
        { STR_INIT("tools/call"), STR_INIT("name") },
        { STR_INIT("prompts/get"), STR_INIT("name") },
        { STR_INIT("resources/read"), STR_INIT("uri") },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        if (!str_eq(message->method, table[i].method))
            continue;
        uint32_t node = json_member(doc, message->params, table[i].key);
        if (node == JSON_NONE || json_at(doc, node)->type != JSON_STRING)
            return false; /* the method itself will refuse these params */
        *name = json_text(json_at(doc, node));
        return true;
    }
    return false;
}

static bool check_headers(const struct json_doc *doc, const struct jsonrpc_message *message,
                          const struct mcp_headers *headers, Str version, struct refusal *refusal)
{
    if (!headers->is_http)
        return true;
    if (!headers->version.is_present || !str_eq(headers->version.value, version))
        return refuse(refusal, 400, MCP_HEADER_MISMATCH,
                      "the MCP-Protocol-Version header does not agree with the body");
    if (!headers->method.is_present || !str_eq(headers->method.value, message->method))
        return refuse(refusal, 400, MCP_HEADER_MISMATCH,
                      "the Mcp-Method header does not agree with the body");
    Str name;
    if (named_by(doc, message, &name) &&
        (!headers->name.is_present || !mcp_header_means(headers->name.value, name)))
        return refuse(refusal, 400, MCP_HEADER_MISMATCH,
                      "the Mcp-Name header does not agree with the body");
    return true;
}

static bool check_envelope(const struct json_doc *doc, const struct jsonrpc_message *message,
                           const struct mcp_headers *headers, struct refusal *refusal)
{
    uint32_t version = json_member(doc, message->meta, META_VERSION);
    if (version == JSON_NONE || json_at(doc, version)->type != JSON_STRING)
        return refuse(refusal, 400, JSONRPC_INVALID_PARAMS,
                      "_meta lacks io.modelcontextprotocol/protocolVersion");
    Str asked = json_text(json_at(doc, version));
    if (!check_headers(doc, message, headers, asked, refusal))
        return false;
    if (!str_eq(asked, REVISION_MODERN)) {
        refuse(refusal, 400, MCP_UNSUPPORTED_VERSION, "this protocol version is not supported");
        refusal->requested = asked;
        return false;
    }
    uint32_t capabilities = json_member(doc, message->meta, META_CAPABILITIES);
    if (capabilities == JSON_NONE || json_at(doc, capabilities)->type != JSON_OBJECT)
        return refuse(refusal, 400, JSONRPC_INVALID_PARAMS,
                      "_meta lacks io.modelcontextprotocol/clientCapabilities");
    return true;
}

bool era_classify(const struct json_doc *doc, const struct jsonrpc_message *message,
                  const struct mcp_headers *headers, enum server_era *era, struct refusal *refusal)
{
    if (has_envelope(doc, message)) {
        if (!check_envelope(doc, message, headers, refusal))
            return false;
        *era = ERA_MODERN;
        return true;
    }
    bool says_modern = headers->is_http && headers->version.is_present &&
                       str_eq(headers->version.value, REVISION_MODERN);
    if (says_modern && str_eq(message->method, STR("initialize")))
        return refuse(refusal, 400, MCP_HEADER_MISMATCH,
                      "initialize does not exist in the protocol version of the header");
    if (says_modern && message->kind == JSONRPC_REQUEST)
        return refuse(refusal, 400, JSONRPC_INVALID_PARAMS,
                      "the envelope in _meta is missing that this protocol version needs");
    *era = says_modern ? ERA_MODERN : ERA_LEGACY;
    return true;
}
