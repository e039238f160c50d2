/* SPDX-License-Identifier: Apache-2.0 */
/* utc.h - points in time as text: RFC 3339, UTC, milliseconds or seconds. */
#ifndef RUNTIME_BASE_UTC_H
#define RUNTIME_BASE_UTC_H

#include "runtime/base/str.h"

#include <stdint.h>

struct utc_text {
    char text[sizeof "-2147483648-12-31T23:59:59.999Z"]; /* NUL-terminated */
};

/* "2026-11-24T03:00:00.123Z" of milliseconds since 1970; before 1970 counts as 1970. */
struct utc_text utc_millis(int64_t ms);

/* "2026-11-24T03:00:00Z". */
struct utc_text utc_seconds(int64_t ms);

/* Microseconds since 1970 of a time by RFC 3339, years 0 to 9999, up to six digits of a fraction. A
 * leap second is refused, since what follows it has two readings. */
bool utc_parse(Str text, int64_t *micros);

#endif
