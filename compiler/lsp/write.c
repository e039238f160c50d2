/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - the pieces that answers are made of. What came from a file may be no UTF-8, and JSON
 * must be. */
#include "compiler/lsp/lsp_internal.h"
#include "compiler/lsp/uri.h"
#include "compiler/source/text.h"

enum { SPELLED_BYTES_MAX = 4096 };

void write_text(struct buf *out, Str text)
{
    char shown[SPELLED_BYTES_MAX];
    if (!utf8_is_valid(text))
        text = (Str){ .p = shown, .n = text_visible(text, shown, sizeof shown) };
    json_write_string(out, text);
}

void lsp_send(struct lsp *lsp)
{
    if (!lsp->body.is_full)
        frame_write(&lsp->out, buf_str(&lsp->body));
    buf_clear(&lsp->body);
}

void lsp_notify(struct lsp *lsp, const char *method)
{
    buf_clear(&lsp->body);
    buf_printf(&lsp->body, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":", method);
}

void lsp_message(struct lsp *lsp, int type, const char *text)
{
    lsp_notify(lsp, "window/showMessage");
    buf_printf(&lsp->body, "{\"type\":%d,\"message\":", type);
    write_text(&lsp->body, str_of(text));
    buf_add(&lsp->body, STR("}}"));
    lsp_send(lsp);
}

void write_uri(struct lsp *lsp, struct buf *out, Str path)
{
    Str real = path_real(path, &lsp->mem);
    const struct document *document = document_at(&lsp->documents, real);
    if (document) {
        write_text(out, buf_str(&document->uri));
        return;
    }
    struct buf uri;
    buf_init(&uri, (size_t)URI_BYTES_MAX * 4);
    uri_write(&uri, real);
    write_text(out, buf_str(&uri));
    buf_free(&uri);
}

void write_location(struct lsp *lsp, struct buf *out, struct analysis *analysis, Span span)
{
    static uint32_t first_line;
    static const struct line_map empty = { .lines = &first_line, .count = 1 };
    const struct line_map *map = analysis_map(analysis, span.source);
    buf_add(out, STR("{\"uri\":"));
    write_uri(lsp, out, analysis->sources.items[span.source].path);
    buf_add(out, STR(",\"range\":"));
    range_write(out, map ? map : &empty, map ? span.lo : 0, map ? span.hi : 0, lsp->encoding);
    buf_add_char(out, '}');
}
