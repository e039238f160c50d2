/* SPDX-License-Identifier: Apache-2.0 */
/* grant_print.h - private to mcpd's command line: lists of grants on standard output. */
#ifndef RUNTIME_DAEMON_GRANT_PRINT_H
#define RUNTIME_DAEMON_GRANT_PRINT_H

#include "runtime/store/store.h"

/* For people: aligned columns, control characters as "?". */
MUST_USE enum status grant_print_table(const struct grant_row *rows, size_t count,
                                       struct arena *mem);

/* For programs: one array of objects; "expires" and "revoked" are null when they are not. */
MUST_USE enum status grant_print_json(const struct grant_row *rows, size_t count);

#endif
