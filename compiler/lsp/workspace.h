/* SPDX-License-Identifier: Apache-2.0 */
/* workspace.h - the policies that share files with a document: what it imports, what imports it,
 * open or on disk below the client's folders. */
#ifndef COMPILER_LSP_WORKSPACE_H
#define COMPILER_LSP_WORKSPACE_H

#include "compiler/lsp/lsp_internal.h"

/* Files below the folders that are looked at, and how deep. Folders whose name begins with a dot,
 * and node_modules, are passed over; links to folders are not followed. */
enum { WORKSPACE_FILES_MAX = 512, WORKSPACE_ENTRIES_MAX = 20000, WORKSPACE_DEPTH_MAX = 8 };

/* Calls take with the document's analysis, then with that of every policy that shares a source with
 * what was taken so far. Each is gone when take returns, but for open documents'. */
void workspace_relatives(struct lsp *lsp, struct document *document,
                         void (*take)(void *user, struct analysis *analysis), void *user);

#endif
