/* SPDX-License-Identifier: Apache-2.0 */
/* diag.h - what the compiler has to say about a source: collected, sorted, rendered.
 *
 * A span is byte offsets in a source; lines and columns exist only in the renderer. Numbers in
 * diag.def are public and never reused. The compiler goes on after an error and reports all, up
 * to DIAG_MAX; the rest is counted.
 */
#ifndef COMPILER_SOURCE_DIAG_H
#define COMPILER_SOURCE_DIAG_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/status.h"

#include <stdio.h>

typedef struct {
    uint32_t source; /* index in struct sources */
    uint32_t lo, hi; /* byte offsets, lo <= hi */
} Span;

/* A message is cut at DIAG_TEXT_BYTES; a source line is shown in a window of DIAG_LINE_COLUMNS. */
enum { DIAG_MAX = 50, SOURCES_MAX = 64, DIAG_TEXT_BYTES = 1024, DIAG_LINE_COLUMNS = 120 };

struct source {
    Str path;        /* as given, for messages */
    Str text;        /* whole file */
    uint32_t *lines; /* offset of each line's first byte */
    uint32_t line_count;
};

/* Texts that stand in for files: what an editor has not saved, what is about to be written. */
struct overlay {
    /* Lends the text for a path and is true, or false: the file counts. */
    bool (*find)(void *user, Str path, Str *text);
    void *user;
};

struct sources {
    struct source items[SOURCES_MAX];
    uint32_t count;
    const struct overlay *overlay; /* borrowed; NULL: files as they are */
};

/* Reads a file (at most SOURCE_BYTES_MAX) into mem. ST_NOT_FOUND, ST_IO, ST_LIMIT, ST_NO_MEMORY. */
enum { SOURCE_BYTES_MAX = 8 * 1024 * 1024 };
MUST_USE enum status source_read(struct sources *sources, Str path, struct arena *mem,
                                 uint32_t *index);
/* The same from text at hand (tests, standard input). */
MUST_USE enum status source_add(struct sources *sources, Str path, Str text, struct arena *mem,
                                uint32_t *index);
/* A regular file's bytes and nothing more (a snapshot). ST_NOT_FOUND, ST_UNSUPPORTED (no regular
 * file), ST_IO, ST_LIMIT, ST_NO_MEMORY. */
MUST_USE enum status file_read(Str path, size_t max_bytes, struct arena *mem, Str *text);
/* The same, or what stands in for the file. */
MUST_USE enum status sources_file(const struct sources *sources, Str path, size_t max_bytes,
                                  struct arena *mem, Str *text);
/* 1-based line and column (in code points) of an offset. */
void source_position(const struct source *source, uint32_t offset, uint32_t *line,
                     uint32_t *column);
/* The line's text without its line end. */
Str source_line(const struct source *source, uint32_t line);

enum diag_severity { SEVERITY_ERROR, SEVERITY_WARNING };

enum diag_id {
#define DIAG(name, number, severity, text) DIAG_##name,
#include "compiler/source/diag.def"
#undef DIAG
    DIAG_COUNT
};

struct diag {
    enum diag_id id;
    Span span;
    Str message;
    Str help; /* "did you mean ...", may be empty */
    /* What would mend it in place of the last word or string that span covers (or at span, when it
     * is empty); empty: nothing is certain enough. */
    Str fix;
    bool has_related;
    Span related; /* where the other one is: a first declaration */
};

struct diags {
    struct arena *mem;
    struct diag items[DIAG_MAX];
    struct diag *last; /* the one added last; NULL when it was dropped */
    uint32_t count, dropped, errors;
};

/* The public number and severity of a diagnostic. */
uint32_t diag_number(enum diag_id id);
enum diag_severity diag_severity(enum diag_id id);

/* What it means and what to do about it; its name in diag.def. */
const char *diag_explanation(enum diag_id id);
const char *diag_name(enum diag_id id);
/* By its code, "E203" or "w801". */
bool diag_find(Str code, enum diag_id *id);

void diags_init(struct diags *diags, struct arena *mem);
/* Adds one; the arguments fill the text in diag.def, which is a printf format. Control characters
 * and direction controls of the arguments are made visible. The same at the same place is said
 * once. */
void diag_add(struct diags *diags, enum diag_id id, Span span, ...);
/* Attaches help to the one added last. */
void diag_help(struct diags *diags, const char *format, ...) PRINTF_LIKE(2, 3);
/* Says what would mend the one added last. */
void diag_fix(struct diags *diags, Str fix);
/* Names a second place that the one added last is about. */
void diag_relate(struct diags *diags, Span span);

/* Sorts by position. */
void diags_sort(struct diags *diags);

/* Sorts by position, then writes each: "path:line:col: error[E203]: text", the source line, carets,
 * help. */
void diags_render(struct diags *diags, const struct sources *sources, struct buf *out);
/* A JSON array of {path,line,column,end_line,end_column,severity,code,message,help}. */
void diags_json(struct diags *diags, const struct sources *sources, struct buf *out);

#endif
