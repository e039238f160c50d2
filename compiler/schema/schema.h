/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - a server's pinned tools and the shape of their arguments.
 *
 * Read from a snapshot: a tools/list result, {"tools": [...]}, a JSON-RPC response holding one, or
 * a bare array. Of JSON Schema (2020-12) this reads type, properties, required, items, enum,
 * const and additionalProperties; where a schema says something else (anyOf, $ref, ...), the
 * value below is of any type and open, so that nothing is refused that the server might take.
 */
#ifndef COMPILER_SCHEMA_SCHEMA_H
#define COMPILER_SCHEMA_SCHEMA_H

#include "compiler/source/diag.h"
#include "runtime/json/json.h"

enum schema_type { /* bits: a value may be of several types */
                   SCHEMA_NULL = 1,
                   SCHEMA_BOOL = 2,
                   SCHEMA_INTEGER = 4, /* number without a fraction; SCHEMA_NUMBER implies it */
                   SCHEMA_NUMBER = 8,
                   SCHEMA_STRING = 16,
                   SCHEMA_ARRAY = 32,
                   SCHEMA_OBJECT = 64,
                   SCHEMA_ANY = 127,
};

enum { SCHEMA_DEPTH_MAX = 32, SCHEMA_TOOLS_MAX = 65536 };

struct schema {
    uint32_t types;                /* enum schema_type, or'ed */
    bool is_open;                  /* members besides `members` may occur */
    struct schema_member *members; /* sorted by key */
    uint32_t member_count;
    const struct schema *items; /* of an array; NULL: anything */
    const Str *enum_strings;    /* when every value of `enum` (or `const`) is a string */
    uint32_t enum_count;
};

struct schema_member {
    Str key;
    const struct schema *schema; /* never NULL */
    bool is_required;
};

struct pinned_tool {
    Str name;
    const struct schema *arguments; /* an object schema; never NULL */
};

struct snapshot {
    struct pinned_tool *tools; /* sorted by name, no two alike */
    uint32_t tool_count;
};

/* Reads a snapshot's text. Errors are added at span (the `tools "file"` clause), with the place
 * in the JSON in the message. False when there were any. Everything lies in mem. */
bool snapshot_parse(Str text, Str path, Span span, struct arena *mem, struct diags *diags,
                    struct snapshot *out);
const struct pinned_tool *snapshot_tool(const struct snapshot *snapshot, Str name);
const struct schema_member *schema_member(const struct schema *schema, Str key);

#endif
