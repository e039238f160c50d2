/* SPDX-License-Identifier: Apache-2.0 */
/* analysis.h - one document compiled as a policy: what every answer is taken from. Also of broken
 * text: what could be read of it is there. */
#ifndef COMPILER_LSP_ANALYSIS_H
#define COMPILER_LSP_ANALYSIS_H

#include "compiler/lsp/position.h"
#include "compiler/syntax/syntax.h"

/* Memory that the analysis of one document may take. */
#define ANALYSIS_BYTES_MAX ((size_t)1 << 30)

struct analysis {
    struct arena mem;
    struct sources sources;
    struct diags diags;
    struct policy *policy;             /* NULL: the text is too long for a policy */
    uint32_t source;                   /* the document's own */
    struct line_map maps[SOURCES_MAX]; /* made when first asked for */
    bool is_emitted;
};

void analysis_init(struct analysis *analysis);
void analysis_free(struct analysis *analysis);

/* Reads, imports and checks. text and overlay are lent for the call. */
void analysis_run(struct analysis *analysis, Str path, Str text, const struct overlay *overlay);

/* Goes on to what only emission finds (patterns and policies that are too large). True when that
 * added a finding. */
bool analysis_emit(struct analysis *analysis);

/* The lines of a source; NULL: no memory. */
const struct line_map *analysis_map(struct analysis *analysis, uint32_t source);

/* The source with that path; false when it is none of them. Paths of imports are as written. */
bool analysis_source(const struct analysis *analysis, Str real, uint32_t *source);

/* The file behind links and dots; the path itself when it can't be found. In mem. */
Str path_real(Str path, struct arena *mem);

/* A path that is named in a source, from the folder of that source. */
Str path_beside(Str path, Str own, struct arena *mem);

#endif
