/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/log.h"

#include "runtime/base/world.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static enum log_level threshold = LOG_INFO;

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

void log_message(enum log_level level, const char *format, ...)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES * 2];
    if (level < threshold)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int64_t ms = world_wall_ms();
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    (void)gmtime_r(&seconds, &utc);
    size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
    n +=
        (size_t)snprintf(line + n, sizeof line - n, ".%03dZ %-5s ", (int)(ms % 1000), names[level]);
    n += escape(line + n, sizeof line - n - 1, text);
    line[n++] = '\n';
    /* One write a line: lines of several processes do not mix. A full disk must not stop calls. */
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}
