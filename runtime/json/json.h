/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - the one strict reading of JSON text (RFC 8259), as a flat tape.
 *
 * What is refused, so that nobody further on can read the same bytes differently: a
 * duplicate key at any depth (compared after unescaping), invalid or overlong UTF-8, a byte
 * order mark, U+0000 in a key (and, unless allowed, in a string), a lone surrogate escape,
 * raw control characters, numbers outside RFC 8259's grammar or past the range of an IEEE
 * double, anything before or behind the one document, and whatever is over a limit.
 *
 * The tape is an array of nodes in document order: a container's first child is the node
 * behind it, and `next` is the node behind the whole subtree. Key and string bytes point into
 * the text, or into the arena where escapes had to be decoded, so the text and the arena must
 * outlive the document. Length-delimited throughout: no NUL is looked for or needed.
 */
#ifndef RUNTIME_JSON_JSON_H
#define RUNTIME_JSON_JSON_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/str.h"

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

enum json_flag {
    /* A number that may not survive a round trip through an IEEE double: beyond +-(2^53-1),
     * written with a fraction or exponent and more than 15 significant digits (0 at either
     * end not counted), or below 1e-307. Text is kept; policies that compare it refuse
     * the call. */
    JSON_UNSAFE_NUMBER = 1,
    /* A number written without fraction and exponent. */
    JSON_INTEGER = 2,
};

struct json_node {
    const char *text; /* STRING: decoded bytes; NUMBER: the literal; else the raw value */
    const char *key;  /* decoded key when the parent is an object, else NULL */
    uint32_t text_n;  /* bytes at text */
    uint32_t key_n;   /* bytes at key */
    uint32_t raw;     /* offset of the value's first byte in the document's text */
    uint32_t raw_n;   /* bytes of the value as it stands in the text */
    uint32_t next;    /* index of the node behind this value and all inside it */
    uint32_t count;   /* members or elements of a container, else 0 */
    uint8_t type;     /* enum json_type */
    uint8_t flags;    /* enum json_flag, or'ed */
};

struct json_doc {
    Str text;                      /* the bytes that were read; borrowed */
    const struct json_node *nodes; /* nodes[0] is the root */
    uint32_t count;                /* at least 1 */
};

/* Index 0 is the root and nobody's member, so it serves as "no such node". */
enum { JSON_NONE = 0 };

struct json_limits {
    uint32_t max_bytes;   /* of the whole text */
    uint32_t max_depth;   /* containers around a value; the root container is depth 1 */
    uint32_t max_nodes;   /* values in the document */
    uint32_t max_members; /* in one object */
    bool allow_nul;       /* accept \u0000 in string values (upstream results), never in keys */
};

/* What requests are read with: 4 MiB, depth 64, 262,144 nodes, 4,096 members. */
extern const struct json_limits json_limits_default;

enum json_error {
#define JSON_ERROR(name, text) JSON_ERR_##name,
#include "runtime/json/json_error.def"
#undef JSON_ERROR
    JSON_ERROR_COUNT
};

/* The sentence for an error, without a full stop. */
const char *json_error_text(enum json_error error);

/* Reads text whole. On JSON_ERR_NONE fills *doc, whose nodes lie in the arena. Otherwise *doc is
 * untouched and *at (if not NULL) is the byte offset where the text stopped being acceptable
 * (for a duplicate key, of the value that the second one names). */
MUST_USE enum json_error json_parse(Str text, const struct json_limits *limits, struct arena *arena,
                                    struct json_doc *doc, uint32_t *at);

/* The member of the object at index whose key is exactly key, or JSON_NONE (also when the
 * node is no object). */
uint32_t json_member(const struct json_doc *doc, uint32_t index, Str key);

static inline const struct json_node *json_at(const struct json_doc *doc, uint32_t index)
{
    ENSURE(index < doc->count);
    return &doc->nodes[index];
}

/* Iteration: for (uint32_t i = json_first(doc, c); i != JSON_NONE; i = json_after(doc, c, i)). */
static inline uint32_t json_first(const struct json_doc *doc, uint32_t container)
{
    return json_at(doc, container)->count ? container + 1 : JSON_NONE;
}

static inline uint32_t json_after(const struct json_doc *doc, uint32_t container, uint32_t child)
{
    uint32_t next = json_at(doc, child)->next;
    return next < json_at(doc, container)->next ? next : JSON_NONE;
}

static inline Str json_text(const struct json_node *node)
{
    return (Str){ .p = node->text, .n = node->text_n };
}

static inline Str json_key(const struct json_node *node)
{
    return (Str){ .p = node->key, .n = node->key_n };
}

/* The value's bytes as they stand in the text: what may be forwarded, since it was judged. */
static inline Str json_raw(const struct json_doc *doc, uint32_t index)
{
    const struct json_node *node = json_at(doc, index);
    return str_sub(doc->text, node->raw, (size_t)node->raw + node->raw_n);
}

/* The member as a string; {NULL, 0} when absent or of another type. */
Str json_member_string(const struct json_doc *doc, uint32_t index, Str key);

/* Appends s as a JSON string with its quotes; s must be valid UTF-8. Escapes control characters,
 * the quote, the backslash and DEL, U+2028 and U+2029; everything else stands as it is. */
void json_write_string(struct buf *out, Str s);

/* Appends the value at index without any white space: strings as above, numbers by the literal
 * they were read as, members in their order. Of built documents too. Nested deeper than the depth
 * of json_limits_default it marks out as full. */
void json_write_value(struct buf *out, const struct json_doc *doc, uint32_t index);

#endif
