/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - private to mcpd's command line: texts in aligned columns on standard output.
 *
 * Control characters become question marks, since texts may come from a server. */
#ifndef RUNTIME_DAEMON_TABLE_H
#define RUNTIME_DAEMON_TABLE_H

#include "runtime/base/arena.h"
#include "runtime/base/status.h"

enum { TABLE_COLUMNS_MAX = 12 };

struct table {
    struct arena *mem;
    size_t columns;
    Str (*rows)[TABLE_COLUMNS_MAX]; /* the first has the titles */
    size_t count, room;
};

/* room: rows at most, titles not counted. False without memory. */
MUST_USE bool table_open(struct table *table, struct arena *mem, const Str *titles, size_t columns,
                         size_t room);
MUST_USE bool table_add(struct table *table, const Str *cells);
MUST_USE enum status table_print(const struct table *table);

#endif
