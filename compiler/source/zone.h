/* SPDX-License-Identifier: Apache-2.0 */
/* zone.h - a named time zone, read from the machine that compiles (RFC 9636, "TZif"), so that the
 * bundle holds its transitions and no other machine's database changes a verdict. */
#ifndef COMPILER_SOURCE_ZONE_H
#define COMPILER_SOURCE_ZONE_H

#include "runtime/base/arena.h"
#include "runtime/base/status.h"
#include "runtime/bundle/format.h"

enum { ZONE_STEPS_MAX = 4096, ZONE_NAME_MAX = 64, ZONE_LAST_YEAR = 2100 };

/* False for a name that no zone has (or could have: no "..", no leading '/'). */
bool zone_exists(Str name);

/* The zone's steps up to the end of ZONE_LAST_YEAR. ST_IO: no such zone; ST_INVALID: a file that
 * can't be read for certain. */
MUST_USE enum status zone_read(Str name, struct arena *mem, struct b_zone_step **steps,
                               uint32_t *count);

/* "10.0.0.0/8", "::1": an address range; bits behind the prefix must be zero. */
bool net_parse(Str text, struct b_net *out);

#endif
