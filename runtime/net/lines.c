/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c - splits what is read at LF, queues what is written.
 *
 * A peer that never ends its line, or never reads, costs at most max_line and max_queue bytes.
 * Whatever callback runs, the lines may be closed in it: memory is freed at the end of the turn.
 * After a failed write what the peer said last is still read, then the end is reported.
 */
#include "runtime/net/lines.h"

#include "runtime/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    KEEP_BYTES = 256 * 1024, /* an empty buffer larger than this is given back */
    LINE_END_BYTES = 2,      /* CR LF */
};

struct lines {
    struct loop *loop;
    int read_fd, write_fd;       /* -1: closed */
    int read_flags, write_flags; /* as found, restored on closing: others may share the file */
    struct watch *read_watch, *write_watch;
    struct buf in, out;
    size_t scan;     /* bytes of in that are known to hold no LF; <= in.n */
    size_t out_at;   /* bytes of out already written; <= out.n */
    uint64_t queued; /* bytes that were ever to be written */
    uint64_t taken;  /* of these, once the write end is closed: see lines_taken */
    size_t max_line;
    struct lines_events events;
    void *user;
    bool is_paused;
    bool is_ended;         /* on_end was called */
    bool is_ending_output; /* close the write end when out is empty */
    bool is_failing;       /* a write failed: read what is there, then end */
    bool is_woken;         /* on_wake is deferred */
    bool is_closed;
};

static void end(struct lines *lines, enum status status)
{
    lines->is_ended = true;
    watch_set(lines->read_watch, 0);
    lines->events.on_end(lines->user, status);
}

static void release_if_large(struct buf *buf)
{
    if (buf->n == 0 && buf->cap > KEEP_BYTES)
        buf_free(buf);
}

/* Hands out the complete lines in the buffer until paused, closed or ended. */
static void deliver(struct lines *lines)
{
    size_t at = 0;
    while (!lines->is_closed && !lines->is_paused && lines->scan < lines->in.n) {
        const char *from = lines->in.p + lines->scan;
        const char *lf = memchr(from, '\n', lines->in.n - lines->scan);
        lines->scan = lf ? (size_t)(lf - lines->in.p) + 1 : lines->in.n;
        if (!lf)
            break;
        Str line = str_sub(buf_str(&lines->in), at, lines->scan - 1);
        at = lines->scan;
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n > lines->max_line) {
            end(lines, ST_LIMIT);
            return;
        }
        lines->events.on_line(lines->user, line);
    }
    if (lines->is_closed)
        return;
    buf_drop(&lines->in, at);
    lines->scan -= at;
    release_if_large(&lines->in);
    /* Without a LF there may be a whole line and its CR, not more. */
    if (!lines->is_paused && lines->in.n > lines->max_line + 1)
        end(lines, ST_LIMIT);
}

/* One read and what comes of it; true when another may follow at once. */
static bool read_once(struct lines *lines)
{
    size_t room = lines->in.limit - lines->in.n;
    if (room > READ_BYTES)
        room = READ_BYTES;
    if (!buf_reserve(&lines->in, room)) {
        end(lines, ST_NO_MEMORY);
        return false;
    }
    ssize_t n = read(lines->read_fd, lines->in.p + lines->in.n, room);
    if (n > 0) {
        lines->in.n += (size_t)n;
        deliver(lines);
        return !lines->is_closed && !lines->is_paused && !lines->is_ended;
    }
    if (n == 0)
        end(lines, lines->in.n ? ST_INVALID : ST_CLOSED);
    else if (errno == EAGAIN && !lines->is_failing)
        return false;
    else if (errno != EINTR)
        end(lines, ST_IO);
    return false;
}

static void on_readable(void *user, int events)
{
    struct lines *lines = user;
    (void)events;
    (void)read_once(lines);
}

/* Goes on after a pause or a failed write, outside anybody's call. */
static void on_wake(void *user)
{
    struct lines *lines = user;
    lines->is_woken = false;
    if (lines->is_closed || lines->is_ended || lines->is_paused)
        return;
    deliver(lines);
    if (lines->is_closed || lines->is_ended || lines->is_paused)
        return;
    watch_set(lines->read_watch, WATCH_READ);
    while (lines->is_failing && read_once(lines)) {
    }
}

static void wake(struct lines *lines)
{
    if (lines->is_woken || lines->is_closed)
        return;
    lines->is_woken = true;
    loop_defer(lines->loop, on_wake, lines);
}

static void close_descriptor(int *fd, int flags)
{
    if (*fd < 0)
        return;
    (void)fcntl(*fd, F_SETFL, flags);
    (void)close(*fd);
    *fd = -1;
}

uint64_t lines_queued(const struct lines *lines)
{
    return lines->queued;
}

uint64_t lines_taken(const struct lines *lines)
{
    if (lines->write_fd < 0)
        return lines->taken;
    int unread = 0;
    if (ioctl(lines->write_fd, FIONREAD, &unread) != 0 || unread < 0)
        unread = 0;
    return lines->queued - (lines->out.n - lines->out_at) - (uint64_t)unread;
}

static void close_output(struct lines *lines)
{
    lines->taken = lines_taken(lines);
    watch_close(lines->write_watch);
    lines->write_watch = NULL;
    close_descriptor(&lines->write_fd, lines->write_flags);
    buf_free(&lines->out);
    lines->out_at = 0;
}

/* Moves the unwritten rest to the front when that is cheap for what it frees. */
static void compact_output(struct lines *lines)
{
    if (lines->out_at < lines->out.n / 2)
        return;
    buf_drop(&lines->out, lines->out_at);
    lines->out_at = 0;
}

static void flush(struct lines *lines)
{
    while (lines->out_at < lines->out.n) {
        ssize_t n =
            write(lines->write_fd, lines->out.p + lines->out_at, lines->out.n - lines->out_at);
        if (n > 0) {
            lines->out_at += (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            compact_output(lines);
            watch_set(lines->write_watch, WATCH_WRITE);
            return;
        } else if (n == 0 || errno != EINTR) {
            close_output(lines);
            lines->is_failing = true;
            wake(lines);
            return;
        }
    }
    lines->out_at = 0;
    buf_clear(&lines->out);
    release_if_large(&lines->out);
    watch_set(lines->write_watch, 0);
    if (lines->is_ending_output)
        close_output(lines);
}

static void on_writable(void *user, int events)
{
    struct lines *lines = user;
    (void)events;
    flush(lines);
    if (lines->out.n == 0 && lines->write_fd >= 0 && lines->events.on_drained)
        lines->events.on_drained(lines->user);
}

static bool make_nonblocking(int fd, int *before)
{
    *before = fcntl(fd, F_GETFL);
    return *before >= 0 && fcntl(fd, F_SETFL, *before | O_NONBLOCK) == 0;
}

/* NOLINTNEXTLINE(readability-function-size): as many parameters as lines have properties */
enum status lines_open(struct loop *loop, int read_fd, int write_fd, size_t max_line,
                       size_t max_queue, const struct lines_events *events, void *user,
                       struct lines **out)
{
    ENSURE(read_fd != write_fd && max_line < SIZE_MAX - LINE_END_BYTES);
    struct lines *lines = calloc(1, sizeof *lines);
    if (!lines)
        return ST_NO_MEMORY;
    *lines = (struct lines){ .loop = loop,
                             .read_fd = read_fd,
                             .write_fd = write_fd,
                             .max_line = max_line,
                             .events = *events,
                             .user = user };
    buf_init(&lines->in, max_line + LINE_END_BYTES);
    buf_init(&lines->out, max_queue);
    lines->read_watch = watch_open(loop, read_fd, on_readable, lines);
    if (write_fd >= 0)
        lines->write_watch = watch_open(loop, write_fd, on_writable, lines);
    bool is_ready = lines->read_watch && (write_fd < 0 || lines->write_watch);
    enum status status = is_ready ? ST_OK : ST_NO_MEMORY;
    if (is_ready && (!make_nonblocking(read_fd, &lines->read_flags) ||
                     (write_fd >= 0 && !make_nonblocking(write_fd, &lines->write_flags))))
        status = ST_IO;
    if (status != ST_OK) {
        watch_close(lines->read_watch);
        watch_close(lines->write_watch);
        free(lines);
        return status; /* the descriptors are still the caller's */
    }
    watch_set(lines->read_watch, WATCH_READ);
    *out = lines;
    return ST_OK;
}

enum status lines_write(struct lines *lines, Str text)
{
    if (lines->write_fd < 0 || lines->is_ending_output)
        return ST_CLOSED;
    if (text.n && memchr(text.p, '\n', text.n))
        return ST_INVALID;
    bool was_idle = lines->out.n == 0;
    if (text.n >= lines->out.limit - (lines->out.n - lines->out_at))
        return ST_LIMIT;
    if (text.n >= lines->out.limit - lines->out.n) {
        buf_drop(&lines->out, lines->out_at);
        lines->out_at = 0;
    }
    if (!buf_reserve(&lines->out, text.n + 1)) {
        lines->out.is_full = false; /* no memory now; what is queued is whole */
        return ST_NO_MEMORY;
    }
    buf_add(&lines->out, text);
    buf_add_char(&lines->out, '\n');
    lines->queued += text.n + 1;
    if (was_idle)
        flush(lines);
    return ST_OK;
}

void lines_end_output(struct lines *lines)
{
    lines->is_ending_output = true;
    if (lines->write_fd >= 0 && lines->out.n == 0)
        close_output(lines);
}

size_t lines_waiting(const struct lines *lines)
{
    return lines->out.n - lines->out_at;
}

bool lines_output_is_idle(const struct lines *lines)
{
    return lines->out.n == 0;
}

void lines_pause(struct lines *lines, bool paused)
{
    if (lines->is_paused == paused || lines->is_ended)
        return;
    lines->is_paused = paused;
    if (paused)
        watch_set(lines->read_watch, 0);
    else
        wake(lines);
}

static void lines_free(void *user)
{
    struct lines *lines = user;
    buf_free(&lines->in);
    free(lines);
}

void lines_close(struct lines *lines)
{
    lines->is_closed = true;
    watch_close(lines->read_watch);
    close_descriptor(&lines->read_fd, lines->read_flags);
    close_output(lines);
    loop_defer(lines->loop, lines_free, lines); /* a line being delivered lies in its buffer */
}
