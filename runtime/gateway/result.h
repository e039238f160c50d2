/* SPDX-License-Identifier: Apache-2.0 */
/* result.h - results written afresh for the client's era.
 *
 * Members travel as the bytes that were read; those that belong to one era only, or to the
 * gateway, are taken out and made anew. */
#ifndef RUNTIME_GATEWAY_RESULT_H
#define RUNTIME_GATEWAY_RESULT_H

#include "runtime/gateway/server.h"
#include "runtime/wire/jsonrpc.h"

/* Appends the members of an object, without braces, behind what out holds, except `_meta`,
 * era-bound ones (resultType, ttlMs, cacheScope) and those in skip. */
void result_copy_members(struct buf *out, const struct json_doc *doc, uint32_t object,
                         const Str *skip, size_t skip_count);

/* Appends the member `_meta` with what the server's own (meta, or JSON_NONE) holds, less the keys
 * where only the gateway speaks ("mcpd/...", serverInfo), and our serverInfo for a modern client.
 * Source: MCP 2026-07-28, every result's `_meta` names the server. */
void result_write_meta(struct buf *out, const struct json_doc *doc, uint32_t meta,
                       enum server_era era, Str alias);
/* The pieces of it: the member serverInfo, in a `_meta` that is being written, for a modern client;
 * its value. */
void result_write_server_info(struct buf *out, enum server_era era, Str alias);
void result_write_implementation(struct buf *out, Str alias);

/* Appends an error's data as it is, less the members where only the gateway speaks. */
void result_write_error_data(struct buf *out, const struct json_doc *doc, uint32_t data);

/* Appends what a modern client expects of a complete result; nothing for a legacy one. */
void result_write_era(struct buf *out, enum server_era era);
/* Likewise of a list: it is this grant's alone and not to be kept. */
void result_write_list_era(struct buf *out, enum server_era era);

#endif
