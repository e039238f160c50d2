/* SPDX-License-Identifier: Apache-2.0 */
/* lines.h - LF-delimited messages over a pair of descriptors (MCP's stdio framing): the children's
 * pipes, and our own standard input and output in `mcpd run`. */
#ifndef RUNTIME_NET_LINES_H
#define RUNTIME_NET_LINES_H

#include "runtime/base/str.h"
#include "runtime/net/loop.h"

struct lines;

struct lines_events {
    /* One line without its LF (and without one CR before it); may be empty. */
    void (*on_line)(void *user, Str line);
    /* No more lines will come: end of file (ST_CLOSED), end of file inside a line, which is then
     * dropped (ST_INVALID), a line over the cap (ST_LIMIT), an error of either descriptor (ST_IO).
     */
    void (*on_end)(void *user, enum status status);
    /* All that waited to be written is written; NULL: nobody wants to know. */
    void (*on_drained)(void *user);
};

/* Takes both descriptors if it succeeds, and makes them non-blocking; write_fd may be -1. max_line
 * bounds one line in, max_queue the bytes waiting to be written. */
MUST_USE enum status lines_open(struct loop *loop, int read_fd, int write_fd, size_t max_line,
                                size_t max_queue, const struct lines_events *events, void *user,
                                struct lines **out);

/* Queues text and a LF. ST_LIMIT: the queue is full; ST_INVALID: there is a LF in text;
 * ST_CLOSED: the write end is closed. Then nothing was queued. Never calls back. */
MUST_USE enum status lines_write(struct lines *lines, Str text);

/* Bytes queued so far, line ends included, and how many of them the reader has taken out of the
 * pipe: what lies behind that point nobody has read. The reader may take more at any time, unless
 * it has ended. */
uint64_t lines_queued(const struct lines *lines);
uint64_t lines_taken(const struct lines *lines);

/* Closes the write end once what is queued is written. */
void lines_end_output(struct lines *lines);
size_t lines_waiting(const struct lines *lines); /* bytes that the peer has not taken */
bool lines_output_is_idle(const struct lines *lines);
void lines_pause(struct lines *lines, bool paused);
void lines_close(struct lines *lines); /* takes it; no callback afterwards */

#endif
