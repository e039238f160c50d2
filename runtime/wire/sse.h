/* SPDX-License-Identifier: Apache-2.0 */
/* sse.h - server-sent events (WHATWG HTML, section 9.2.6), read as a stream and written one line
 * a message.
 *
 * Reads CR, LF and CRLF line ends, several data lines (joined by LF), comments, a BOM at the very
 * start; an id with U+0000 is ignored. An event without a blank line behind it at the end of the
 * stream is dropped, as the standard says. The result does not depend on how bytes are split.
 */
#ifndef RUNTIME_WIRE_SSE_H
#define RUNTIME_WIRE_SSE_H

#include "runtime/base/buf.h"
#include "runtime/base/str.h"

struct sse_event {
    Str type;         /* "message" when the stream named none */
    Str data;         /* joined lines; may be empty (a priming event) */
    Str id;           /* the last event id of the stream as of this event; may be empty */
    int64_t retry_ms; /* -1 when this event did not set it */
};

struct sse_reader {
    struct buf line, data, type, id;
    int64_t retry_ms;
    bool has_data, has_id; /* of the event being read */
    bool after_cr;         /* the last byte was CR: an LF now belongs to it */
    bool is_started;       /* the first line is over: no BOM any more */
    bool is_reported;      /* the last call gave an event: forget it in the next */
    bool is_bad;           /* stays so */
};

/* max_event bounds one line and the joined data of one event, each. */
void sse_reader_init(struct sse_reader *reader, size_t max_event);
void sse_reader_free(struct sse_reader *reader);

enum sse_result {
    SSE_EVENT, /* *event is filled; its slices hold until the next call */
    SSE_MORE,  /* *in is used up */
    SSE_BAD,   /* an event is over the cap: the stream can't be trusted further */
};

/* Takes bytes from *in, advancing it, until an event is complete. An event is reported also when
 * its data is empty if it carried an id or retry (priming events of MCP 2025-11-25). */
MUST_USE enum sse_result sse_next(struct sse_reader *reader, Str *in, struct sse_event *event);

/* Appends "event: message", the id line if id is not empty, one data line and the blank line.
 * data must hold no CR or LF. */
void sse_write_message(struct buf *out, Str id, Str data);

/* Appends an event of an id and no data, which tells a client where it may resume and, if retry_ms
 * is not negative, how long to wait before. Source: MCP 2025-11-25, Streamable HTTP, polling. */
void sse_write_priming(struct buf *out, Str id, int64_t retry_ms);

/* Appends a comment line, which clients ignore: keeps the stream alive. */
void sse_write_keepalive(struct buf *out);

#endif
