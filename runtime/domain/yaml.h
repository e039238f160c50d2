/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.h - what the parts of the YAML reader share; nobody outside includes it.
 *
 * The reader goes through the text once, a line at a time. `levels` are the block collections that
 * are open, outermost first; their indents grow, but that a list may stand at the indent of the
 * mapping whose value it is. Every function that returns bool returns false for "not certain".
 */
#ifndef RUNTIME_DOMAIN_YAML_H
#define RUNTIME_DOMAIN_YAML_H

#include "runtime/json/json_build.h"

enum {
    YAML_DEPTH_MAX = JSON_BUILD_DEPTH_MAX - 2, /* the result's own object and list are around it */
    YAML_NODES_MAX = 32768,
    YAML_KEY_MAX = 1000, /* bytes of a key with its quotes; readers stop at 1,024 characters */
};

struct yaml_level {
    size_t indent;
    bool is_list;
    bool is_pending; /* a dash or a key was read whose value is still to come */
};

struct yaml {
    Str text;              /* line ends are LF alone */
    size_t at;             /* where it reads */
    size_t line, line_end; /* the line that `at` is in, without its LF */
    struct arena *mem;
    struct json_build build;
    struct yaml_level levels[YAML_DEPTH_MAX];
    uint32_t depth;
};

struct yaml_scalar {
    Str text;
    size_t raw_n; /* bytes as written, quotes included */
    bool is_quoted;
};

/* The byte at the cursor, or LF at the end of the line. */
static inline char yaml_peek(const struct yaml *y)
{
    char c = '\n';
    if (y->at < y->line_end)
        c = y->text.p[y->at];
    return c;
}

/* The byte n places on, or LF at or past the end of the line. */
static inline char yaml_ahead(const struct yaml *y, size_t n)
{
    char c = '\n';
    if (y->line_end - y->at > n)
        c = y->text.p[y->at + n];
    return c;
}

static inline void yaml_skip_spaces(struct yaml *y)
{
    while (yaml_peek(y) == ' ')
        y->at++;
}

static inline bool yaml_has_room(const struct yaml *y)
{
    return y->build.count < YAML_NODES_MAX && !y->build.is_failed;
}

/* yaml.c: puts the cursor at the start of the line that begins at `start`. */
void yaml_enter_line(struct yaml *y, size_t start);
/* True when nothing but a comment is left on the line; the cursor is then at its end. */
bool yaml_ends_line(struct yaml *y);
/* The line begins like a document marker. */
bool yaml_is_marker_like(const struct yaml *y);

/* yaml_scalar.c: a plain or quoted scalar of one line at the cursor, which is then behind it. */
bool yaml_scan_scalar(struct yaml *y, bool is_flow, struct yaml_scalar *out);
/* Whether the colon that makes the scalar a key comes next; the cursor is then behind it. */
bool yaml_takes_colon(struct yaml *y, bool is_flow, const struct yaml_scalar *scalar);
bool yaml_add_scalar(struct yaml *y, const struct yaml_scalar *scalar);
bool yaml_add_key(struct yaml *y, const struct yaml_scalar *scalar);

/* yaml_block.c: a literal or folded scalar whose header is at the cursor. */
bool yaml_add_block_scalar(struct yaml *y);

/* yaml_flow.c: a collection in brackets or braces; the cursor is then behind it. */
bool yaml_add_flow(struct yaml *y);

#endif
