/* SPDX-License-Identifier: Apache-2.0 */
/* document.h - the texts that the client has open, as it has them. */
#ifndef COMPILER_LSP_DOCUMENT_H
#define COMPILER_LSP_DOCUMENT_H

#include "compiler/lsp/analysis.h"

enum {
    DOCUMENTS_MAX = 1024,
    DOCUMENT_BYTES_MAX = SOURCE_BYTES_MAX + 1, /* longer ones are not followed */
    URI_BYTES_MAX = 8192,
};

struct document {
    struct buf uri;  /* as the client spells it */
    struct buf path; /* of the file, behind links; of another scheme the URI itself */
    struct buf text;
    int64_t version;
    bool is_policy;  /* by its language or its name; else only a text that policies may read */
    bool is_lost;    /* a change could not be followed: the text is not the client's */
    bool is_dirty;   /* changed since the analysis */
    bool is_pending; /* findings are not published yet */
    struct analysis analysis;
    struct document *next;
};

struct documents {
    struct document *first;
    uint32_t count;
};

/* NULL: out of memory, too many, or a URI that is too long. */
struct document *document_open(struct documents *all, Str uri, struct arena *mem);
struct document *document_find(const struct documents *all, Str uri);
/* By the path of the file behind links. */
struct document *document_at(const struct documents *all, Str real);
void document_close(struct documents *all, struct document *document);
void documents_free(struct documents *all);

/* Replaces the text, or the bytes [lo, hi) of it; false when it is too long then, or no memory. */
MUST_USE bool document_set(struct document *document, Str text);
MUST_USE bool document_edit(struct document *document, uint32_t lo, uint32_t hi, Str text);

/* Everything that could read the document is to be looked at again. */
void documents_touch(struct documents *all);

/* The document compiled as it is now. The overlay lends what other documents hold. */
struct analysis *document_analysis(struct document *document, const struct overlay *overlay);

/* For struct overlay: user is the struct documents. */
bool documents_overlay(void *user, Str path, Str *text);

#endif
