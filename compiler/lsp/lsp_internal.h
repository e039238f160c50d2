/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_internal.h - what the parts of the language server share; nobody outside includes it but its
 * tests.
 *
 * server.c reads and dispatches by method.def, sync.c follows the client's texts, publish.c tells
 * what is wrong; the rest is a file for each question: hover, completion, definition, rename,
 * format, symbols, action.
 */
#ifndef COMPILER_LSP_LSP_INTERNAL_H
#define COMPILER_LSP_LSP_INTERNAL_H

#include "compiler/lsp/document.h"
#include "compiler/lsp/frame.h"
#include "compiler/lsp/lsp.h"

/* Errors of JSON-RPC 2.0 and of LSP 3.17. */
enum lsp_error {
    LSP_OK = 0,
    LSP_PARSE_ERROR = -32700,
    LSP_INVALID_REQUEST = -32600,
    LSP_METHOD_NOT_FOUND = -32601,
    LSP_INVALID_PARAMS = -32602,
    LSP_INTERNAL = -32603,
    LSP_NOT_INITIALIZED = -32002,
    LSP_REQUEST_FAILED = -32803,
    LSP_CANCELLED = -32800,
};

enum lsp_state { LSP_NEW, LSP_READY, LSP_SHUT_DOWN, LSP_GONE };

enum {
    LSP_OUT_MAX = 256 << 20, /* bytes of answers that wait to be written */
    LSP_ITEMS_MAX = 1000,    /* of a completion */
    LSP_FOLDERS_MAX = 16,    /* of a workspace */
    LSP_MESSAGE_MEMORY = 1 << 30,
};

struct lsp {
    enum lsp_state state;
    bool was_shut_down;
    enum encoding encoding;
    bool can_watch; /* the client lets us ask for changes of files */
    struct documents documents;
    struct overlay overlay;
    struct frame_reader frames;
    struct arena mem; /* of the message at hand */
    struct buf body;  /* the message being written */
    struct buf out;   /* framed, to be written to the client */
    struct buf folders[LSP_FOLDERS_MAX];
    uint32_t folder_count;
    struct buf help; /* URI of the page on diagnostics; empty: there is none */
};

/* server.c */
struct lsp *lsp_open(void); /* NULL: no memory */
void lsp_close(struct lsp *lsp);
void lsp_handle(struct lsp *lsp, Str message);
/* A message came that can't be read: whatever it changed is unknown. */
void lsp_handle_lost(struct lsp *lsp);

/* Requests. Each reads params and appends its result; the dispatcher wrote nothing yet. */
struct request {
    const struct json_doc *doc;
    uint32_t params; /* node, JSON_NONE when there are none */
    struct buf *out;
    const char *why; /* of an error; NULL: the code's own words */
};

#define METHOD(name, kind, function) enum lsp_error function(struct lsp *lsp, struct request *rq);
#include "compiler/lsp/method.def"
#undef METHOD

/* sync.c */
/* params.textDocument.uri: the document, compiled; NULL when it is not open or is no policy. */
struct document *request_document(struct lsp *lsp, const struct request *rq);
/* The same with params.position as an offset in it. */
struct document *request_place(struct lsp *lsp, const struct request *rq, uint32_t *offset);

/* publish.c */
void publish(struct lsp *lsp, struct document *document, struct analysis *analysis);
void publish_nothing(struct lsp *lsp, const struct document *document);
/* Publishes for every document that waits; false when none did. Stops when `more` says that input
 * came. */
void publish_pending(struct lsp *lsp, bool (*more)(void *user), void *user);
/* The last stage for documents whose findings are published. */
void publish_emitted(struct lsp *lsp);
/* "E203". */
void diag_code(struct buf *out, const struct diag *diag);

/* write.c: messages and their pieces. */
void write_text(struct buf *out, Str text); /* a JSON string; what is no UTF-8 is spelled out */
void lsp_send(struct lsp *lsp);             /* frames what body holds */
void lsp_notify(struct lsp *lsp,
                const char *method); /* begins a notification in body, up to params */
void lsp_message(struct lsp *lsp, int type, const char *text); /* window/showMessage */
/* A document's URI as the client spells it, else one of the path. */
void write_uri(struct lsp *lsp, struct buf *out, Str path);
/* {"uri":...,"range":...} */
void write_location(struct lsp *lsp, struct buf *out, struct analysis *analysis, Span span);

#endif
