/* SPDX-License-Identifier: Apache-2.0 */
/* pin_fetch.h - a live server's tools, all pages, by the client that the gateway itself uses.
 *
 * Both eras: the server is asked by server/discover and greeted as it needs. Limits are the
 * gateway's defaults, and TOOL_PAGES_MAX pages.
 */
#ifndef COMPILER_COMMAND_PIN_FETCH_H
#define COMPILER_COMMAND_PIN_FETCH_H

#include "runtime/base/buf.h"

enum { TOOL_PAGES_MAX = 64, SNAPSHOT_BYTES_MAX = 8 << 20, FETCH_WHY_BYTES = 256 };

struct tool_source {
    Str url;   /* http: or https:; empty: a command */
    Str *argv; /* strings are NUL-terminated behind n */
    size_t argc;
    Str bearer; /* for a URL: sent as a bearer token; empty: none */
};

/* Appends {"tools":[...]} to out, which has a limit of SNAPSHOT_BYTES_MAX or more. False: why says
 * what went wrong. A command runs with this process's environment and has ended when this returns.
 */
bool fetch_tools(const struct tool_source *source, struct buf *out, char why[FETCH_WHY_BYTES]);

#endif
