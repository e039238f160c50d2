/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lsp/document.h"

#include "compiler/lsp/uri.h"

#include <stdlib.h>

static void free_document(struct document *document)
{
    buf_free(&document->uri);
    buf_free(&document->path);
    buf_free(&document->text);
    analysis_free(&document->analysis);
    free(document);
}

struct document *document_open(struct documents *all, Str uri, struct arena *mem)
{
    Str path;
    if (all->count == DOCUMENTS_MAX)
        return NULL;
    struct document *document = calloc(1, sizeof *document);
    if (!document)
        return NULL;
    buf_init(&document->uri, URI_BYTES_MAX);
    buf_init(&document->path, URI_BYTES_MAX);
    buf_init(&document->text, DOCUMENT_BYTES_MAX);
    analysis_init(&document->analysis);
    buf_add(&document->uri, uri);
    buf_add(&document->path, uri_path(uri, mem, &path) ? path_real(path, mem) : uri);
    if (document->uri.is_full || document->path.is_full) {
        free_document(document);
        return NULL;
    }
    document->next = all->first;
    all->first = document;
    all->count++;
    return document;
}

struct document *document_find(const struct documents *all, Str uri)
{
    struct document *d = all->first;
    while (d && !str_eq(buf_str(&d->uri), uri))
        d = d->next;
    return d;
}

struct document *document_at(const struct documents *all, Str real)
{
    struct document *d = all->first;
    while (d && !str_eq(buf_str(&d->path), real))
        d = d->next;
    return d;
}

void document_close(struct documents *all, struct document *document)
{
    struct document **at = &all->first;
    while (*at != document)
        at = &(*at)->next;
    *at = document->next;
    all->count--;
    free_document(document);
}

void documents_free(struct documents *all)
{
    while (all->first)
        document_close(all, all->first);
}

bool document_set(struct document *document, Str text)
{
    buf_clear(&document->text);
    buf_add(&document->text, text);
    document->is_lost = document->text.is_full;
    return !document->is_lost;
}

bool document_edit(struct document *document, uint32_t lo, uint32_t hi, Str text)
{
    struct buf *all = &document->text;
    ENSURE(lo <= hi && hi <= all->n);
    size_t removed = hi - lo, behind = all->n - hi;
    if (text.n > removed && !buf_reserve(all, text.n - removed)) {
        document->is_lost = true;
        return false;
    }
    if (behind)
        memmove(all->p + lo + text.n, all->p + hi, behind);
    if (text.n)
        memcpy(all->p + lo, text.p, text.n);
    all->n = all->n - removed + text.n;
    return true;
}

void documents_touch(struct documents *all)
{
    for (struct document *d = all->first; d; d = d->next)
        d->is_dirty = d->is_pending = d->is_policy;
}

struct analysis *document_analysis(struct document *document, const struct overlay *overlay)
{
    if (document->is_dirty)
        analysis_run(&document->analysis, buf_str(&document->path), buf_str(&document->text),
                     overlay);
    document->is_dirty = false;
    return &document->analysis;
}

bool documents_overlay(void *user, Str path, Str *text)
{
    const struct documents *all = user;
    struct arena scratch;
    arena_init(&scratch, (size_t)1 << 16);
    const struct document *document = document_at(all, path_real(path, &scratch));
    arena_reset(&scratch);
    if (!document || document->is_lost)
        return false;
    *text = buf_str(&document->text);
    return true;
}
