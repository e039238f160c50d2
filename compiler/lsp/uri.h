/* SPDX-License-Identifier: Apache-2.0 */
/* uri.h - the URIs of documents and the paths of files (RFC 3986, RFC 8089). */
#ifndef COMPILER_LSP_URI_H
#define COMPILER_LSP_URI_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"

/* The path of a file: URI of this machine, percent-decoded; false for any other URI, and for one
 * whose path holds U+0000. */
bool uri_path(Str uri, struct arena *mem, Str *path);

/* Appends a file: URI of an absolute path. */
void uri_write(struct buf *out, Str path);

#endif
