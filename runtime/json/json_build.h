/* SPDX-License-Identifier: Apache-2.0 */
/* json_build.h - a document made by us instead of read: the same flat tape, in an arena.
 *
 * Calls follow document order: begin, key, value, ..., end. Strings are borrowed. Limits: the
 * arena's, and JSON_BUILD_DEPTH_MAX open containers. A failure sticks and shows in finish. Built
 * documents have no text: raw, raw_n and json_raw mean nothing in them.
 */
#ifndef RUNTIME_JSON_JSON_BUILD_H
#define RUNTIME_JSON_JSON_BUILD_H

#include "runtime/json/json.h"

enum { JSON_BUILD_DEPTH_MAX = 64 };

struct json_build {
    struct arena *mem;
    struct json_node *nodes;
    uint32_t count, room;
    uint32_t open[JSON_BUILD_DEPTH_MAX], depth;
    Str key;
    bool is_failed;
};

void json_build_init(struct json_build *b, struct arena *mem);
void json_build_begin(struct json_build *b, enum json_type container); /* ARRAY or OBJECT */
void json_build_end(struct json_build *b);
/* Of the next value; its parent is an object. Keys of one object differ: the caller's duty. */
void json_build_key(struct json_build *b, Str key);
void json_build_string(struct json_build *b, Str text);
void json_build_number(struct json_build *b, uint64_t number); /* at most 2^53 - 1 */
/* As RFC 8259 writes it, which the caller has proved. Past the range of a double it fails. */
void json_build_number_text(struct json_build *b, Str literal);
void json_build_literal(struct json_build *b, enum json_type type, Str text, uint8_t flags);
void json_build_bool(struct json_build *b, bool truth);
void json_build_null(struct json_build *b);
/* A value of another document with all below it; its texts are borrowed from there. */
void json_build_copy(struct json_build *b, const struct json_doc *doc, uint32_t index);
/* The caller's duty done here: no object that is closed has a key twice. False also without memory.
 * Takes time in proportion to what was built. */
MUST_USE bool json_build_keys_differ(struct json_build *b);
MUST_USE bool json_build_finish(struct json_build *b, struct json_doc *out);

#endif
