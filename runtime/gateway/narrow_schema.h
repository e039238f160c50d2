/* SPDX-License-Identifier: Apache-2.0 */
/* narrow_schema.h - a tool as the server lists it, with what the policy needs written into the
 * schema of its arguments.
 *
 * Only keywords of members of `inputSchema.properties` are added or made narrower: `enum`, `const`,
 * `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`. Every other byte stays. A schema of
 * another form, or more than NARROW_BYTES_MAX to write, stays as it is.
 */
#ifndef RUNTIME_GATEWAY_NARROW_SCHEMA_H
#define RUNTIME_GATEWAY_NARROW_SCHEMA_H

#include "runtime/vm/narrow.h"

enum { NARROW_BYTES_MAX = 16 * 1024 };

/* Appends the tool at `tool` of a document that was read. */
void narrow_schema_write(const struct json_doc *doc, uint32_t tool, const struct vm_needs *needs,
                         struct buf *out);

#endif
