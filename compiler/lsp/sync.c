/* SPDX-License-Identifier: Apache-2.0 */
/* sync.c - follows the client's texts. A change that can't be applied loses the document: its
 * findings are taken back and nothing is answered about it until it is opened or sent anew, since
 * answers about another text than the client's are worse than none. */
#include "compiler/lsp/lsp_internal.h"

static uint32_t text_document(const struct request *rq)
{
    return json_member(rq->doc, rq->params, STR("textDocument"));
}

static struct document *named_document(struct lsp *lsp, const struct request *rq)
{
    uint32_t node = rq->params ? text_document(rq) : JSON_NONE;
    if (node == JSON_NONE)
        return NULL;
    return document_find(&lsp->documents, json_member_string(rq->doc, node, STR("uri")));
}

struct document *request_document(struct lsp *lsp, const struct request *rq)
{
    struct document *document = named_document(lsp, rq);
    if (!document || document->is_lost || !document->is_policy)
        return NULL;
    struct analysis *analysis = document_analysis(document, &lsp->overlay);
    return analysis->policy && analysis_map(analysis, analysis->source) ? document : NULL;
}

struct document *request_place(struct lsp *lsp, const struct request *rq, uint32_t *offset)
{
    struct position position;
    struct document *document = request_document(lsp, rq);
    if (!document ||
        !position_read(rq->doc, json_member(rq->doc, rq->params, STR("position")), &position))
        return NULL;
    struct analysis *analysis = &document->analysis;
    *offset = position_offset(analysis_map(analysis, analysis->source), position, lsp->encoding);
    return document;
}

static int64_t read_version(const struct request *rq, uint32_t node)
{
    uint64_t version = 0;
    uint32_t at = json_member(rq->doc, node, STR("version"));
    if (at != JSON_NONE && json_at(rq->doc, at)->type == JSON_NUMBER &&
        str_to_u64(json_text(json_at(rq->doc, at)), INT32_MAX, &version))
        return (int64_t)version;
    return 0;
}

static void lose(struct lsp *lsp, struct document *document)
{
    document->is_lost = true;
    document->is_dirty = document->is_pending = false;
    publish_nothing(lsp, document);
    lsp_message(lsp, 1,
                "mcpc: a document is too long or a change of it can't be read; close and open it");
}

void lsp_handle_lost(struct lsp *lsp)
{
    for (struct document *d = lsp->documents.first; d; d = d->next)
        if (!d->is_lost)
            lose(lsp, d);
}

enum lsp_error on_did_open(struct lsp *lsp, struct request *rq)
{
    uint32_t node = text_document(rq), text = json_member(rq->doc, node, STR("text"));
    Str uri = json_member_string(rq->doc, node, STR("uri"));
    if (!uri.n || text == JSON_NONE || json_at(rq->doc, text)->type != JSON_STRING)
        return LSP_INVALID_PARAMS;
    struct document *document = document_find(&lsp->documents, uri);
    if (!document)
        document = document_open(&lsp->documents, uri, &lsp->mem);
    if (!document)
        return LSP_REQUEST_FAILED;
    Str language = json_member_string(rq->doc, node, STR("languageId"));
    document->version = read_version(rq, node);
    document->is_policy = str_ends(uri, STR(".pol")) || str_eq(language, STR("mcpc"));
    if (!document_set(document, json_text(json_at(rq->doc, text))))
        lose(lsp, document);
    documents_touch(&lsp->documents);
    return LSP_OK;
}

/* One of contentChanges: a text for a range, or the whole text. */
static bool apply_change(struct lsp *lsp, const struct request *rq, struct document *document,
                         uint32_t change)
{
    struct position from, to;
    struct line_map map;
    struct arena scratch;
    uint32_t range = json_member(rq->doc, change, STR("range"));
    uint32_t text = json_member(rq->doc, change, STR("text"));
    if (text == JSON_NONE || json_at(rq->doc, text)->type != JSON_STRING)
        return false;
    if (range == JSON_NONE)
        return document_set(document, json_text(json_at(rq->doc, text)));
    if (document->is_lost ||
        !position_read(rq->doc, json_member(rq->doc, range, STR("start")), &from) ||
        !position_read(rq->doc, json_member(rq->doc, range, STR("end")), &to))
        return false;
    arena_init(&scratch, (size_t)64 << 20);
    bool is_good = line_map_init(&map, buf_str(&document->text), &scratch);
    uint32_t lo = is_good ? position_offset(&map, from, lsp->encoding) : 0;
    uint32_t hi = is_good ? position_offset(&map, to, lsp->encoding) : 0;
    arena_reset(&scratch);
    return is_good && lo <= hi &&
           document_edit(document, lo, hi, json_text(json_at(rq->doc, text)));
}

enum lsp_error on_did_change(struct lsp *lsp, struct request *rq)
{
    struct document *document = named_document(lsp, rq);
    uint32_t changes = json_member(rq->doc, rq->params, STR("contentChanges"));
    if (!document)
        return LSP_INVALID_PARAMS;
    bool is_good = changes != JSON_NONE && json_at(rq->doc, changes)->type == JSON_ARRAY;
    bool was_lost = document->is_lost;
    for (uint32_t i = is_good ? json_first(rq->doc, changes) : JSON_NONE; i != JSON_NONE && is_good;
         i = json_after(rq->doc, changes, i))
        is_good = apply_change(lsp, rq, document, i);
    document->version = read_version(rq, text_document(rq));
    if (!is_good && !was_lost)
        lose(lsp, document);
    document->is_lost |= !is_good;
    documents_touch(&lsp->documents);
    return is_good ? LSP_OK : LSP_INVALID_PARAMS;
}

enum lsp_error on_did_close(struct lsp *lsp, struct request *rq)
{
    struct document *document = named_document(lsp, rq);
    if (!document)
        return LSP_INVALID_PARAMS;
    publish_nothing(lsp, document);
    document_close(&lsp->documents, document);
    documents_touch(&lsp->documents);
    return LSP_OK;
}

/* Whatever is read from disk may have changed. */
enum lsp_error on_files_changed(struct lsp *lsp, struct request *rq)
{
    (void)rq;
    documents_touch(&lsp->documents);
    return LSP_OK;
}

enum lsp_error on_did_save(struct lsp *lsp, struct request *rq)
{
    return on_files_changed(lsp, rq);
}
