/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h - the append-only record of decisions: one JSON object a line.
 *
 * A line is written with one write() to a file opened O_APPEND, before the client hears the
 * verdict. When a line can't be written, audit_write says so and the call must be denied.
 * Names of arguments are recorded, their values never. A line is at most AUDIT_LINE_MAX bytes;
 * longer strings are cut and marked with "...", keys beyond AUDIT_KEYS_MAX are counted only, and so
 * are keys of what was set beyond AUDIT_TEXT_MAX bytes.
 */
#ifndef RUNTIME_AUDIT_AUDIT_H
#define RUNTIME_AUDIT_AUDIT_H

#include "runtime/base/status.h"
#include "runtime/base/str.h"

enum {
    AUDIT_LINE_MAX = 20 * 1024, /* bytes of a line */
    AUDIT_TEXT_MAX = 512,       /* bytes of a string as written, quotes and the mark not counted */
    AUDIT_KEYS_MAX = 64,        /* names of arguments: the first ones in byte order */
    AUDIT_KEY_MAX = 128,        /* bytes of such a name as written, likewise */
    AUDIT_FIELDS_MAX = 16,      /* fields of an audit_event */
};

struct audit;

/* What is known of one judged message; empty strings are left out of the line. */
struct audit_decision {
    Str principal, grant; /* grant: its public id */
    Str server, method;
    Str tool;                 /* of the call of a tool */
    Str kind, name;           /* of another message: "resource", its URI */
    const Str *argument_keys; /* top-level names, in any order: audit_write sorts */
    size_t argument_key_count;
    const Str *set_keys; /* arguments that the policy changed, "filter.limit" */
    size_t set_key_count;
    Str verdict;           /* "allow", "deny" */
    Str cause;             /* see docs: rule, default, unknown_tool, ... */
    Str policy, policy_id; /* name; SHA-256 in hex */
    Str source;            /* "file.pol:14" */
    Str reason;
    Str unknown; /* what could not be judged, and why */
};

/* Opens (creating with mode 0600) the file for appending. "-" is standard error. A last line
 * that a crash left unfinished is ended with a newline first. path is NUL-terminated.
 * Only regular files and character devices are taken, since a named pipe may have no reader. A
 * device or a standard error that takes no more bytes costs lines, not time: see outlet.h. */
MUST_USE enum status audit_open(const char *path, struct audit **out);
void audit_close(struct audit *audit);

/* ST_IO when the line is not, or not whole, in the file: deny the call then. ST_LIMIT never happens
 * with the limits above, and means the same. */
MUST_USE enum status audit_write(struct audit *audit, const struct audit_decision *decision);

/* Other events (start, stop, reload, grant refused): {"time","event",...}; pairs are key, value. */
struct audit_field {
    Str key, value;
};
MUST_USE enum status audit_event(struct audit *audit, Str event, const struct audit_field *fields,
                                 size_t count);

/* Reopens the file by its name, for log rotation. On failure the old file stays in use. */
MUST_USE enum status audit_reopen(struct audit *audit);

#endif
