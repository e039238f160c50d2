/* SPDX-License-Identifier: Apache-2.0 */
/* utc.c - writes times the same way wherever an operator or a program reads them. */
#include "runtime/base/utc.h"

#include <stdio.h>
#include <time.h>

/* The last millisecond of the year 9999: further on RFC 3339 has no words. */
static const int64_t utc_last_ms = INT64_C(253402300799999);

static int64_t clamp(int64_t ms)
{
    return ms < 0 ? 0 : ms > utc_last_ms ? utc_last_ms : ms;
}

/* Up to the seconds, without the zone. Returns the bytes written. */
static size_t write_seconds(struct utc_text *out, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    (void)gmtime_r(&seconds, &utc);
    return strftime(out->text, sizeof out->text, "%Y-%m-%dT%H:%M:%S", &utc);
}

struct utc_text utc_millis(int64_t ms)
{
    struct utc_text out;
    ms = clamp(ms);
    size_t n = write_seconds(&out, ms);
    (void)snprintf(out.text + n, sizeof out.text - n, ".%03dZ", (int)(ms % 1000));
    return out;
}

struct utc_text utc_seconds(int64_t ms)
{
    struct utc_text out;
    size_t n = write_seconds(&out, clamp(ms));
    (void)snprintf(out.text + n, sizeof out.text - n, "Z");
    return out;
}
