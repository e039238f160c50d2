/* SPDX-License-Identifier: Apache-2.0 */
/* child_log.c - see child_log.h. What a server prints is the operator's to see and nobody's to
 * trust: lines are bounded in length and rate, and the log escapes control bytes. */
#include "runtime/net/child_log.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    READ_BYTES = 4096,
    READS_A_TURN = 16,
    LAST_READS = 64, /* on closing: a crash report is worth reading, a flood is not */
    WINDOW_MS = 1000,
};

struct child_log {
    int fd; /* -1 after its end */
    struct watch *watch;
    Str name;
    char line[CHILD_LOG_LINE];
    size_t n; /* bytes in line; more than fit are dropped */
    int64_t window_start_ms;
    uint32_t lines;    /* logged in this window */
    uint32_t left_out; /* not logged in this window */
};

static void report_left_out(struct child_log *log)
{
    if (log->left_out)
        log_info("server=%.*s stderr: (%u more lines left out)", STR_ARG(log->name), log->left_out);
    log->left_out = 0;
}

static void end_line(struct child_log *log)
{
    int64_t now = world_mono_ms();
    if (now - log->window_start_ms >= WINDOW_MS) {
        report_left_out(log);
        log->window_start_ms = now;
        log->lines = 0;
    }
    if (log->lines < CHILD_LOG_RATE) {
        log->lines++;
        log_info("server=%.*s stderr: %.*s", STR_ARG(log->name), (int)log->n, log->line);
    } else {
        log->left_out++;
    }
    log->n = 0;
}

static void take(struct child_log *log, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n')
            end_line(log);
        else if (log->n < sizeof log->line)
            log->line[log->n++] = (char)(bytes[i] ? bytes[i] : '?');
    }
}

static void drain(struct child_log *log, int reads)
{
    char bytes[READ_BYTES];
    while (reads-- > 0) {
        ssize_t n = read(log->fd, bytes, sizeof bytes);
        if (n > 0) {
            take(log, bytes, (size_t)n);
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            watch_set(log->watch, 0);
        return;
    }
}

static void on_readable(void *user, int events)
{
    (void)events;
    drain(user, READS_A_TURN);
}

enum status child_log_open(struct loop *loop, int fd, Str name, struct child_log **out)
{
    struct child_log *log = calloc(1, sizeof *log);
    if (!log)
        return ST_NO_MEMORY;
    log->fd = fd;
    log->name = name;
    log->window_start_ms = world_mono_ms();
    log->watch = watch_open(loop, fd, on_readable, log);
    if (!log->watch || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        watch_close(log->watch);
        free(log);
        return ST_NO_MEMORY;
    }
    watch_set(log->watch, WATCH_READ);
    *out = log;
    return ST_OK;
}

void child_log_close(struct child_log *log)
{
    if (!log)
        return;
    drain(log, LAST_READS);
    if (log->n)
        end_line(log);
    report_left_out(log);
    watch_close(log->watch);
    (void)close(log->fd);
    free(log);
}
