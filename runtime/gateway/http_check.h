/* SPDX-License-Identifier: Apache-2.0 */
/* http_check.h - questions about a request head, each answered by looking at nothing else. */
#ifndef RUNTIME_GATEWAY_HTTP_CHECK_H
#define RUNTIME_GATEWAY_HTTP_CHECK_H

#include "runtime/gateway/era.h"
#include "runtime/wire/http1.h"

/* Is the value one of the list, letters in any case? */
bool http_check_listed(Str value, const Str *list, size_t count);

/* "/mcp/<alias>", byte for byte: the alias, or {NULL, 0}. */
Str http_check_path(Str target);

/* Does a header that must be single come twice: any Mcp-*? (See http1.h for HTTP's own.) */
bool http_check_has_repeats(const struct http_head *head);

/* The credentials of "Authorization: Bearer <token>"; {NULL, 0} when there are none. */
Str http_check_bearer(const struct http_head *head);

/* Does Accept allow this type ("application", "json")? Without an Accept header: no. */
bool http_check_accepts(const struct http_head *head, Str type, Str subtype);

/* The headers that a message is compared with. */
struct mcp_headers http_check_mcp(const struct http_head *head);

/* Last-Event-ID; a repeated one is present and empty, which names nothing. */
struct mcp_header http_check_last_event(const struct http_head *head);

#endif
