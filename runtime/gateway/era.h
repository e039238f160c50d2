/* SPDX-License-Identifier: Apache-2.0 */
/* era.h - which era a client's message belongs to: decided by the body, checked by the headers.
 *
 * The envelope (params._meta) makes a message modern, its absence legacy; headers never decide,
 * they can only disagree, and then the message is refused. The same for every transport; on
 * stdio there are no headers to disagree. Source: MCP 2026-07-28, versioning and Streamable HTTP.
 */
#ifndef RUNTIME_GATEWAY_ERA_H
#define RUNTIME_GATEWAY_ERA_H

#include "runtime/gateway/server.h"
#include "runtime/wire/http1.h"
#include "runtime/wire/jsonrpc.h"

/* One header's value; a header that was sent empty is present. */
struct mcp_header {
    bool is_present;
    Str value;
};

/* What the head of an HTTP request says about the message. */
struct mcp_headers {
    bool is_http; /* false: no head at all */
    struct mcp_header version, method, name, session;
    const struct http_head *head; /* where fields of a tool's own stand; NULL: nowhere */
};

/* A message that is not served: HTTP status, JSON-RPC code, sentence, and the error's data. */
struct refusal {
    int status;
    int64_t code;
    const char *why;
    Str requested; /* MCP_UNSUPPORTED_VERSION: the version asked for */
};

/* True: *era is ERA_LEGACY or ERA_MODERN. False: *refusal says why not. */
MUST_USE bool era_classify(const struct json_doc *doc, const struct jsonrpc_message *message,
                           const struct mcp_headers *headers, enum server_era *era,
                           struct refusal *refusal);

/* True when the header means exactly text: plain, or as =?base64?...?= of it (canonical only). */
bool mcp_header_means(Str value, Str text);

#endif
