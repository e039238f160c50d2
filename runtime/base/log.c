/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - a line is composed whole and handed over by one write, so that lines of several
 * processes do not mix. The log is a convenience and the calls are not: a full disk or a reader
 * that stopped costs lines, which are counted, and never makes a call wait.
 */
#include "runtime/base/log.h"

#include "runtime/base/outlet.h"
#include "runtime/base/world.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static enum log_level threshold = LOG_INFO;
static struct outlet standard_error = { .fd = STDERR_FILENO };
static unsigned long lost; /* lines since the last one that got through */

void log_set_level(enum log_level level)
{
    threshold = level;
}

/* Copies text, writing control bytes as \xNN; returns the bytes used, at most room. */
static size_t escape(char *out, size_t room, const char *text)
{
    size_t n = 0;
    for (const char *at = text; *at && room - n > 4; at++) {
        unsigned char c = (unsigned char)*at;
        if (c >= 0x20 && c != 0x7f)
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, room - n, "\\x%02x", c);
    }
    return n;
}

/* "time level ", and the length of it. */
static size_t begin(char *line, size_t room, enum log_level level)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    int64_t ms = world_wall_ms();
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    (void)gmtime_r(&seconds, &utc);
    size_t n = strftime(line, room, "%Y-%m-%dT%H:%M:%S", &utc);
    return n + (size_t)snprintf(line + n, room - n, ".%03dZ %-5s ", (int)(ms % 1000), names[level]);
}

static bool put(const char *line, size_t n)
{
    return outlet_write(&standard_error, (Str){ .p = line, .n = n }) == n;
}

static void tell_lost(void)
{
    char line[LINE_MAX_BYTES];
    size_t n = begin(line, sizeof line, LOG_WARN);
    n += (size_t)snprintf(line + n, sizeof line - n, "log lines lost count=%lu\n", lost);
    if (put(line, n))
        lost = 0;
}

void log_message(enum log_level level, const char *format, ...)
{
    char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES * 2];
    if (level < threshold)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t n = begin(line, sizeof line, level);
    n += escape(line + n, sizeof line - n - 1, text);
    line[n++] = '\n';
    if (lost)
        tell_lost();
    if (lost || !put(line, n))
        lost++;
}
