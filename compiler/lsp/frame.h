/* SPDX-License-Identifier: Apache-2.0 */
/* frame.h - messages out of a byte stream: "Content-Length: N", an empty line, N bytes (LSP 3.17,
 * base protocol).
 *
 * Lines end in CR LF. Content-Length must be there once and be digits; other header fields are let
 * pass. A header longer than FRAME_HEADER_MAX, or written otherwise, breaks the stream: where the
 * next message begins is unknown from then on. A body longer than FRAME_BODY_MAX is dropped, and
 * what follows it is read.
 */
#ifndef COMPILER_LSP_FRAME_H
#define COMPILER_LSP_FRAME_H

#include "runtime/base/buf.h"

enum { FRAME_HEADER_MAX = 4096, FRAME_BODY_MAX = 64 << 20 };
#define FRAME_DROP_MAX ((uint64_t)1 << 32) /* of one body that is too long */

enum frame {
    FRAME_NONE,    /* more bytes are needed */
    FRAME_MESSAGE, /* *message lies in the reader until the next call */
    FRAME_DROPPED, /* a message was too long; said once for each */
    FRAME_BROKEN,  /* and stays so */
};

struct frame_reader {
    struct buf bytes;
    size_t used;   /* of bytes, by the last message */
    uint64_t drop; /* bytes of a long body still to come */
    bool is_broken;
};

void frame_init(struct frame_reader *reader);
void frame_free(struct frame_reader *reader);

/* Takes bytes; false when they don't fit, which ends a well-fed reader never: call frame_next
 * until FRAME_NONE before. */
MUST_USE bool frame_feed(struct frame_reader *reader, Str bytes);
enum frame frame_next(struct frame_reader *reader, Str *message);

/* Looks at complete messages behind the last one without taking them: *at is 0 for the first, and
 * moves on. False at the end. */
bool frame_peek(const struct frame_reader *reader, size_t *at, Str *message);

/* Appends body with its header. */
void frame_write(struct buf *out, Str body);

#endif
