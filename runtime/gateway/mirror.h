/* SPDX-License-Identifier: Apache-2.0 */
/* mirror.h - arguments of tools that travel as header fields, too.
 *
 * A tool's inputSchema marks a property with "x-mcp-header": "Name"; over HTTP its value then
 * stands in Mcp-Param-Name as well, and both must agree. A mark may stand only on a property of the
 * type string, integer or boolean that is reached by `properties` alone; its name is a token and
 * unique in any case. A tool with any other mark can't be called over HTTP at all. Fields are kept
 * as lines, "Mcp-Param-Name:value\n": neither names hold a colon nor values a line end. Bounded by
 * MIRRORS_MEMORY_MAX, MIRROR_PARAMS_MAX and the depth of the document. Source: MCP 2026-07-28,
 * tools, x-mcp-header; Streamable HTTP, custom headers and their encoding.
 */
#ifndef RUNTIME_GATEWAY_MIRROR_H
#define RUNTIME_GATEWAY_MIRROR_H

#include "runtime/json/json.h"
#include "runtime/wire/http1.h"

enum {
    MIRRORS_MEMORY_MAX = 16 << 20, /* of one list's marks */
    MIRROR_PARAMS_MAX = 32,        /* marks of one tool; with more it counts as wrongly marked */
    MIRROR_PATH_MAX = 16,          /* properties around a marked one, likewise */
    MIRROR_FIELDS_MAX = 64 * 1024, /* bytes of one call's fields */
};

struct mirror;
struct mirrors;

struct mirrors *mirrors_new(void); /* NULL: no memory */
void mirrors_free(struct mirrors *mirrors);

/* Reads the marks of the tool at `tool`, an object with that name. One that is there already stays
 * as it is. False: no memory. *is_valid: all marks are as they must be (or there is none). */
MUST_USE bool mirrors_add(struct mirrors *mirrors, const struct json_doc *doc, uint32_t tool,
                          Str name, bool *is_valid);

/* The marks of the tool; NULL: it has none, or is not in the list. */
const struct mirror *mirrors_find(const struct mirrors *mirrors, Str name);
bool mirror_is_valid(const struct mirror *mirror);

/* Appends the fields for these arguments, an object. Properties that are absent, null
 * or no primitive have none. */
void mirror_write(const struct mirror *mirror, const struct json_doc *doc, uint32_t arguments,
                  struct buf *out);

/* Has it any Mcp-Param field? */
bool mirror_has_fields(const struct http_head *head);

/* Appends the Mcp-Param fields of a head as lines. */
void mirror_copy_fields(const struct http_head *head, struct buf *out);

/* Do the fields say what the arguments say, no more and no less? Fields that no mark asks for don't
 * matter. doc NULL: there are no arguments. NULL: yes, else why not. */
const char *mirror_fault(const struct mirror *mirror, const struct json_doc *doc,
                         uint32_t arguments, Str fields);

/* A value as a field's: as it is if it can't be misread, else in the base64 form. */
void mirror_write_value(struct buf *out, Str value);

#endif
