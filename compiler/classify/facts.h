/* SPDX-License-Identifier: Apache-2.0 */
/* facts.h - tools known from a catalogue instead of a server: one JSON object a line,
 *
 *   {"server": "S", "tool": "T", "args": {"NAME": "TYPE"}, "required": [...],
 *    "annotations": {...}, "description_head": "..."}
 *
 * with the lines of a server behind each other. TYPE is string, string:FORMAT, integer, number,
 * boolean, object, object{k:TYPE,...}, array<TYPE>, enum(a|b), any, or alternatives joined by "|".
 * What is cut or not understood is any value.
 */
#ifndef COMPILER_CLASSIFY_FACTS_H
#define COMPILER_CLASSIFY_FACTS_H

#include "runtime/json/json.h"

enum { FACTS_DEPTH_MAX = 12, FACTS_WHY_BYTES = 160 };

struct facts {
    Str rest;             /* of the text */
    uint32_t line;        /* number of the line before rest */
    struct json_doc next; /* the line that was read last */
    bool has_next;
    char why[FACTS_WHY_BYTES]; /* what is wrong with it */
};

/* Whether a text looks like one of facts. */
bool facts_are(Str text, struct arena *mem);
void facts_begin(struct facts *facts, Str text);

/* The next server: its name, and its tools as a tools/list result appended to out. False at the
 * end, and where a line is wrong: why is not empty then. */
bool facts_next(struct facts *facts, struct arena *mem, Str *server, struct buf *out);

/* Appends the JSON Schema of a short type. */
void facts_write_type(Str type, struct buf *out);

#endif
