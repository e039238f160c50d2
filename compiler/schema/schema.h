/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - a server's pinned tools and the shape of their arguments.
 *
 * Read from a snapshot: a tools/list result, {"tools": [...]}, a JSON-RPC response holding one, or
 * a bare array. {"unpinned": true, "tools": [...]}, whose tools have a name and an inputSchema and
 * nothing else, says what there is without holding a server to its definitions. Of JSON Schema
 * (2020-12, and what older drafts share with it) this reads what says which values may occur: type,
 * enum, const, properties, required, additionalProperties, patternProperties, propertyNames,
 * unevaluatedProperties, items, prefixItems, bounds, and $ref to the same document, allOf, anyOf
 * and oneOf, which are merged into one schema. A merged schema says of each type by itself what
 * holds for values of that type. What is read is never narrower than what the server says, so that
 * nothing is refused that the server might take: where a schema can't be read (a $ref to elsewhere,
 * dynamic references), the value is of any type and open.
 *
 * Bounds: SCHEMA_DEPTH_MAX of nesting, SCHEMA_REF_NEST_MAX turns of a recursive definition,
 * SCHEMA_NODES_MAX schemas a tool once references are followed; beyond them anything may occur.
 */
#ifndef COMPILER_SCHEMA_SCHEMA_H
#define COMPILER_SCHEMA_SCHEMA_H

#include "compiler/source/diag.h"
#include "runtime/json/json.h"
#include "runtime/pin/pin.h"

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

enum {
    SCHEMA_DEPTH_MAX = 32,
    SCHEMA_TOOLS_MAX = 65536,
    SCHEMA_REF_NEST_MAX = 2,
    SCHEMA_NODES_MAX = 32768,
    SCHEMA_ANCHORS_MAX = 256, /* references by anchor in a tool; each is a search */
};

#define SCHEMA_NO_LIMIT UINT64_MAX

/* Whether an object may hold members that it does not list. */
enum schema_more {
    SCHEMA_MORE_UNSAID,
    SCHEMA_MORE_ALLOWED,
    SCHEMA_MORE_REFUSED,
};

/* A value of `enum` or `const`. */
struct schema_value {
    enum json_type type; /* null, a truth, a number or a string */
    Str text;            /* a string's characters; else the literal */
};

/* An end of a range of numbers; text is empty when there is none. */
struct schema_bound {
    Str text; /* the JSON literal */
    bool is_exclusive;
};

struct schema_pattern {
    Str pattern; /* ECMA-262, found anywhere in the key */
    const struct schema *schema;
};

struct schema {
    uint32_t types; /* enum schema_type, or'ed; never 0 */
    Str title, description;
    /* Of an object. */
    bool is_open;                  /* members besides `members` may occur */
    bool lists_members;            /* it has `properties`, so what it leaves out is unknown */
    struct schema_member *members; /* sorted by key */
    uint32_t member_count, pattern_count;
    enum schema_more more;     /* what `is_open` follows from */
    const struct schema *rest; /* of further members; NULL: anything */
    const struct schema *keys; /* of member names; NULL: any */
    struct schema_pattern *patterns;
    /* Of an array. */
    const struct schema *items;         /* of every element; NULL: anything */
    const struct schema *const *prefix; /* more closely, of the first elements */
    uint32_t prefix_count;
    uint64_t min_items, max_items;
    /* Of a string. */
    const Str *enum_strings; /* when not empty, the strings that may occur */
    uint32_t enum_count;
    uint64_t min_length, max_length; /* in code points */
    Str format, pattern;
    /* Of a number. */
    struct schema_bound minimum, maximum;
    /* Of any type: when not empty, the only values. */
    const struct schema_value *values;
    uint32_t value_count;
};

struct schema_member {
    Str key;
    const struct schema *schema; /* never NULL */
    bool is_required;
};

enum schema_hint { SCHEMA_HINT_ABSENT, SCHEMA_HINT_FALSE, SCHEMA_HINT_TRUE };

/* What the server says of a tool: claims of someone who is not trusted. */
struct pinned_hints {
    enum schema_hint read_only, destructive, idempotent, open_world;
};

struct pinned_tool {
    Str name;
    const struct schema *arguments; /* an object schema; never NULL */
    Str title, description;         /* may be empty */
    struct pinned_hints hints;
    bool has_output_schema;
    uint32_t node; /* in the snapshot's document */
    /* Of the definition (pin.h). Absent where the snapshot is unpinned. */
    bool has_digest;
    struct pin pin;
};

struct snapshot {
    struct pinned_tool *tools; /* sorted by name, no two alike */
    uint32_t tool_count;
    struct json_doc doc; /* the text as it was read */
};

/* Reads a snapshot's text. Errors are added at span (the `tools "file"` clause), with the place
 * in the JSON in the message. False when there were any. Everything lies in mem or in text. */
bool snapshot_parse(Str text, Str path, Span span, struct arena *mem, struct diags *diags,
                    struct snapshot *out);
const struct pinned_tool *snapshot_tool(const struct snapshot *snapshot, Str name);
const struct schema_member *schema_member(const struct schema *schema, Str key);

#endif
