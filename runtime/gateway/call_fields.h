/* SPDX-License-Identifier: Apache-2.0 */
/* call_fields.h - a tool's arguments that stand in headers as well (mirror.h): a client's must
 * agree with the body, a server gets ours. */
#ifndef RUNTIME_GATEWAY_CALL_FIELDS_H
#define RUNTIME_GATEWAY_CALL_FIELDS_H

#include "runtime/gateway/call.h"
#include "runtime/gateway/decide.h"

/* Does the server read headers: HTTP of the modern era, as far as is known? */
bool server_reads_fields(const struct server *server);

/* A message with headers that must agree with the body. */
bool request_has_fields(const struct request *request);

/* Copies the Mcp-Param headers of the request into mem. False: no memory. */
MUST_USE bool fields_keep(const struct request *request, struct arena *mem, Str *out);

/* False: the call is not to be made, *refusal says why. Only what is known of the server's tools
 * counts: of others any header will do, for none of a client's travels on. */
MUST_USE bool fields_agree(const struct caller *caller, bool is_http_modern, Str fields,
                           const struct asked *asked, struct refusal *refusal);

/* The headers for a server, as lines. */
void fields_write(const struct caller *caller, Str tool, const struct json_doc *doc,
                  uint32_t arguments, struct buf *out);

#endif
