/* SPDX-License-Identifier: Apache-2.0 */
/* lsp.h - a language server for policies: the Language Server Protocol 3.17 over two descriptors.
 *
 * One thread, one message at a time, in order. Documents are synchronised incrementally; an
 * editor's text stands in for the file wherever a policy reads it, imports and snapshots too.
 * Findings are published when no input waits; what only emission can find follows LSP_IDLE_MS
 * later. Nothing is ever written to a file, no command is run, no network is touched.
 */
#ifndef COMPILER_LSP_LSP_H
#define COMPILER_LSP_LSP_H

#include "runtime/base/buf.h"

/* How long input must rest before a document is compiled to the end. */
enum { LSP_IDLE_MS = 300 };

/* Serves until `exit`, the end of input, or framing that can't be followed. True when the client
 * said `shutdown` before it went: the process then exits with 0, else with 1. */
bool lsp_serve(int in, int out);

#endif
