/* SPDX-License-Identifier: Apache-2.0 */
/* position.h - byte offsets to the protocol's positions and back: a line and a character in it,
 * counted from 0, characters in UTF-16 code units, or in bytes where the client can.
 *
 * A line ends at LF, CR LF or CR. What lies behind a line's end counts as its end, what lies inside
 * a character as its beginning.
 */
#ifndef COMPILER_LSP_POSITION_H
#define COMPILER_LSP_POSITION_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/json/json.h"

enum encoding { ENCODING_UTF16, ENCODING_UTF8 };

struct line_map {
    Str text;        /* borrowed; valid UTF-8, or bytes counted one by one where it is not */
    uint32_t *lines; /* offset of each line's first byte */
    uint32_t count;  /* at least 1 */
};

/* Lines lie in mem. False: no memory. */
MUST_USE bool line_map_init(struct line_map *map, Str text, struct arena *mem);

struct position {
    uint32_t line, character;
};

struct position position_of(const struct line_map *map, uint32_t offset, enum encoding encoding);
uint32_t position_offset(const struct line_map *map, struct position position,
                         enum encoding encoding);

/* {"line": N, "character": N} at a node; false when it is none. */
bool position_read(const struct json_doc *doc, uint32_t node, struct position *out);

/* Appends {"start":...,"end":...} of the bytes [lo, hi). */
void range_write(struct buf *out, const struct line_map *map, uint32_t lo, uint32_t hi,
                 enum encoding encoding);

#endif
