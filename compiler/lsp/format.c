/* SPDX-License-Identifier: Apache-2.0 */
/* format.c - what `mcpc fmt` prints, as one edit of the lines that differ. A source with errors in
 * its syntax is left as it is. */
#include "compiler/lsp/lsp_internal.h"

enum { LAYOUT_BYTES_MAX = 4 * SOURCE_BYTES_MAX };

/* Both with the same text before and behind cut away, at line ends. */
static void trim_same(Str old, Str new_text, size_t *lo, size_t *old_hi, size_t *new_hi)
{
    size_t least = old.n < new_text.n ? old.n : new_text.n, same = 0, tail = 0;
    while (same < least && old.p[same] == new_text.p[same])
        same++;
    while (same > 0 && old.p[same - 1] != '\n')
        same--;
    while (tail < least - same && old.p[old.n - 1 - tail] == new_text.p[new_text.n - 1 - tail])
        tail++;
    while (tail > 0 && old.p[old.n - tail] != '\n')
        tail--;
    *lo = same;
    *old_hi = old.n - tail;
    *new_hi = new_text.n - tail;
}

static void write_edit(struct lsp *lsp, struct buf *out, struct analysis *a, Str layout)
{
    size_t lo, old_hi, new_hi;
    Str old = a->sources.items[a->source].text;
    buf_add_char(out, '[');
    if (!str_eq(old, layout)) {
        trim_same(old, layout, &lo, &old_hi, &new_hi);
        buf_add(out, STR("{\"range\":"));
        range_write(out, analysis_map(a, a->source), (uint32_t)lo, (uint32_t)old_hi, lsp->encoding);
        buf_add(out, STR(",\"newText\":"));
        write_text(out, str_sub(layout, lo, new_hi));
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

/* Parsed by itself: the analysis has the imports' statements in it. */
enum lsp_error on_formatting(struct lsp *lsp, struct request *rq)
{
    struct document *document = request_document(lsp, rq);
    if (!document)
        return LSP_INVALID_PARAMS;
    struct analysis *a = &document->analysis;
    struct sources *sources = ARENA_NEW(&lsp->mem, struct sources, 1);
    struct diags *diags = ARENA_NEW(&lsp->mem, struct diags, 1);
    uint32_t source;
    if (!sources || !diags ||
        source_add(sources, buf_str(&document->path), buf_str(&document->text), &lsp->mem,
                   &source) != ST_OK)
        return LSP_REQUEST_FAILED;
    diags_init(diags, &lsp->mem);
    struct policy *policy = policy_parse(sources, source, &lsp->mem, diags);
    if (diags->errors) {
        rq->why = "a source with syntax errors is not laid out";
        return LSP_REQUEST_FAILED;
    }
    struct buf layout;
    buf_init(&layout, LAYOUT_BYTES_MAX);
    policy_print(policy, &sources->items[source], &layout);
    bool is_whole = !layout.is_full;
    if (is_whole)
        write_edit(lsp, rq->out, a, buf_str(&layout));
    buf_free(&layout);
    return is_whole ? LSP_OK : LSP_REQUEST_FAILED;
}
