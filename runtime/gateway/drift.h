/* SPDX-License-Identifier: Apache-2.0 */
/* drift.h - a server's changed definitions, put on record once each.
 *
 * A change is a tool's pinned and its present digest: the same one, seen by another principal or
 * again, is old news. What a server can make us write is bounded: DRIFT_LINES_MAX in a minute, then
 * one line that there is more.
 */
#ifndef RUNTIME_GATEWAY_DRIFT_H
#define RUNTIME_GATEWAY_DRIFT_H

#include "runtime/audit/audit.h"
#include "runtime/gateway/definitions.h"
#include "runtime/gateway/upstream.h"

enum {
    DRIFT_LINES_MAX = 64,       /* of one server */
    DRIFT_WINDOW_MS = 60000,    /* in this time */
    DRIFT_KNOWN_MAX = 3 * 1024, /* changes of one server that are remembered; then all anew */
};

/* policy: its name. audit NULL: the operator's log alone has it. */
void drift_report(struct server *server, struct audit *audit, Str policy, Str tool,
                  const struct b_pin *pin, const struct standing *standing);

/* "description, inputSchema", appended; "what can't be told" when no part is named. */
void drift_write_parts(uint32_t changed, struct buf *out);

#endif
