/* SPDX-License-Identifier: Apache-2.0 */
/* analysis.c - the same stages as `mcpc check`, in the same order. */
#include "compiler/lsp/analysis.h"

#include "compiler/check/check.h"
#include "compiler/check/suppress.h"
#include "compiler/emit/emit.h"
#include "runtime/bundle/format.h"

#include <limits.h>
#include <stdlib.h>

void analysis_init(struct analysis *analysis)
{
    *analysis = (struct analysis){ .source = 0 };
    arena_init(&analysis->mem, ANALYSIS_BYTES_MAX);
}

void analysis_free(struct analysis *analysis)
{
    arena_reset(&analysis->mem);
}

void analysis_run(struct analysis *analysis, Str path, Str text, const struct overlay *overlay)
{
    struct analysis *a = analysis;
    struct arena mem = a->mem;
    arena_rewind(&mem);
    *a = (struct analysis){ .mem = mem };
    diags_init(&a->diags, &a->mem);
    a->sources.overlay = overlay;
    if (source_add(&a->sources, path, text, &a->mem, &a->source) != ST_OK) {
        diag_add(&a->diags, DIAG_SOURCE_READ, (Span){ 0 }, STR_ARG(path), "it is too long");
        return;
    }
    a->policy = policy_parse(&a->sources, a->source, &a->mem, &a->diags);
    (void)policy_import(a->policy, &a->sources, &a->mem, &a->diags);
    (void)policy_check(a->policy, &a->sources, a->source, &a->mem, &a->diags);
    suppress_warnings(&a->sources, &a->mem, &a->diags);
    a->sources.overlay = NULL;
}

bool analysis_emit(struct analysis *analysis)
{
    struct buf bundle;
    uint32_t told = analysis->diags.count;
    if (analysis->is_emitted || !analysis->policy || analysis->diags.errors)
        return false;
    analysis->is_emitted = true;
    buf_init(&bundle, BUNDLE_BYTES_MAX);
    (void)policy_emit(analysis->policy, &analysis->sources, &analysis->mem, &analysis->diags,
                      &bundle);
    buf_free(&bundle);
    return analysis->diags.count > told;
}

const struct line_map *analysis_map(struct analysis *analysis, uint32_t source)
{
    struct line_map *map = &analysis->maps[source];
    if (!map->count && !line_map_init(map, analysis->sources.items[source].text, &analysis->mem)) {
        *map = (struct line_map){ .count = 0 };
        return NULL;
    }
    return map;
}

Str path_real(Str path, struct arena *mem)
{
    char plain[PATH_MAX];
    Str whole = arena_copy(mem, path);
    if (!whole.p || memchr(path.p, 0, path.n) || !realpath(whole.p, plain))
        return path;
    return arena_copy(mem, str_of(plain));
}

Str path_beside(Str path, Str own, struct arena *mem)
{
    size_t folder = own.n;
    while (folder > 0 && own.p[folder - 1] != '/')
        folder--;
    if (str_starts(path, STR("/")) || folder == 0)
        return path;
    return arena_printf(mem, "%.*s%.*s", (int)folder, own.p, STR_ARG(path));
}

bool analysis_source(const struct analysis *analysis, Str real, uint32_t *source)
{
    struct arena scratch;
    bool is_found = false;
    arena_init(&scratch, (size_t)1 << 20);
    for (uint32_t i = 0; i < analysis->sources.count && !is_found; i++) {
        is_found = str_eq(path_real(analysis->sources.items[i].path, &scratch), real);
        *source = i;
    }
    arena_reset(&scratch);
    return is_found;
}
