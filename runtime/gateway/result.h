/* SPDX-License-Identifier: Apache-2.0 */
/* result.h - results written afresh for the client's era.
 *
 * Members travel as the bytes that were read; those that belong to one era only, or to the
 * gateway, are taken out and made anew. */
#ifndef RUNTIME_GATEWAY_RESULT_H
#define RUNTIME_GATEWAY_RESULT_H

#include "runtime/gateway/server.h"
#include "runtime/wire/jsonrpc.h"

/* Appends the members of an object, without braces, behind what out holds, except era-bound ones
 * (resultType, ttlMs, cacheScope) and those in skip. Of a member `_meta`, keys that begin with
 * "mcpd/" are left out: only the gateway speaks there. */
void result_copy_members(struct buf *out, const struct json_doc *doc, uint32_t object,
                         const Str *skip, size_t skip_count);

/* Appends what a modern client expects of a complete result; nothing for a legacy one. */
void result_write_era(struct buf *out, enum server_era era);
/* Likewise of a list: it is this grant's alone and not to be kept. */
void result_write_list_era(struct buf *out, enum server_era era);

#endif
