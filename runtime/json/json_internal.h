/* SPDX-License-Identifier: Apache-2.0 */
/* json_internal.h - what the parts of the JSON reader share; nobody outside includes it. */
#ifndef RUNTIME_JSON_JSON_INTERNAL_H
#define RUNTIME_JSON_JSON_INTERNAL_H

#include "runtime/json/json.h"

/* One slot of the table that finds duplicate keys in large objects. */
struct json_slot {
    uint32_t hash;
    uint32_t node; /* the member's index, 0 in a free slot: the root is nobody's member */
};

/* Bytes that are looked at together, a bit for each. */
enum { JSON_BLOCK = 64 };

struct json_scan {
    const unsigned char *text, *cursor, *limit; /* text <= cursor <= limit */
    struct json_node *nodes;                    /* the tape so far, in the arena */
    uint32_t count, room;                       /* nodes written, nodes allocated */
    uint32_t open;   /* innermost open container; its `next` names the one around it until closed */
    uint32_t depth;  /* open containers */
    const char *key; /* of the member whose value comes next, NULL in an array */
    uint32_t key_n;
    const struct json_limits *limits;
    struct arena *arena;
    enum json_error error;   /* NONE until the first error; cursor then stands at it */
    struct json_slot *slots; /* table for large objects, taken at the first of them */
    uint32_t slots_n;        /* a power of two, or 0 */
    uint64_t seed;           /* of the table's hash, drawn with the table */
    size_t block;            /* offset of the block that `specials` tells of */
    uint64_t specials;       /* a bit for each of its bytes that ends a run of plain ASCII */
};

/* Runs the scanner over the whole text; the result is in scan->error. */
void json_scan(struct json_scan *scan);

/* Looks for a key that occurs twice in the closed object. Returns NONE, DUPLICATE_KEY with
 * *member naming the second one, or NO_MEMORY. */
MUST_USE enum json_error json_keys_check(struct json_scan *scan, uint32_t object, uint32_t *member);

/* Sorts a literal that fits RFC 8259's grammar: NONE with *flags (enum json_flag), or
 * NUMBER_RANGE when a double would hold infinity, or zero for what is not zero. */
MUST_USE enum json_error json_number_flags(Str literal, uint8_t *flags);

/* Copies a string's inside, whose escapes the scanner has judged, into the arena and decodes
 * them; {NULL, 0} without memory. */
MUST_USE Str json_unescape(struct arena *arena, Str inside);

#endif
