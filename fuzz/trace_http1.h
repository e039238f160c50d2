/* SPDX-License-Identifier: Apache-2.0 */
/* trace_http1.h - reads a connection's bytes, cut in some way, and writes down all that the codec
 * said about them. Two ways of cutting the same bytes must give the same trace. */
#ifndef FUZZ_TRACE_HTTP1_H
#define FUZZ_TRACE_HTTP1_H

#include "fuzz/pieces.h"
#include "runtime/wire/http1.h"

#include <inttypes.h>

struct trace_http1 {
    bool is_request;
    struct http_limits limits;
    bool is_in_body, is_over;
    size_t scan;
    struct http_head head;
    struct http_body body;
    struct buf *out;
};

static inline void trace_head(struct trace_http1 *t)
{
    const struct http_head *seen = &t->head;
    buf_printf(t->out, "head %d '%.*s' '%.*s' %d 1.%d keep=%d framing=%d length=%" PRIu64 "\n",
               (int)seen->method, STR_ARG(seen->method_text), STR_ARG(seen->target), seen->status,
               seen->minor, seen->keep_alive, (int)seen->framing, seen->length);
    for (uint32_t i = 0; i < seen->header_count; i++) {
        buf_add(t->out, seen->headers[i].name);
        buf_add(t->out, STR("="));
        buf_add(t->out, seen->headers[i].value);
        buf_add(t->out, STR("\n"));
    }
}

static inline void trace_bad(struct trace_http1 *t, int status, const char *error)
{
    ENSURE(error);
    buf_printf(t->out, "\nbad %d %s\n", status, error);
    t->is_over = true;
}

/* Reads one head from *in if it is complete; false when more bytes are needed or all is over. */
static inline bool trace_read_head(struct trace_http1 *t, Str *in)
{
    size_t used = 0;
    enum http_result result = t->is_request
                                  ? http_parse_request(*in, &t->limits, &t->scan, &t->head, &used)
                                  : http_parse_response(*in, &t->limits, &t->scan, &t->head, &used);
    if (result == HTTP_BAD)
        trace_bad(t, t->head.error_status, t->head.error);
    if (result != HTTP_DONE)
        return false;
    ENSURE(used > 0 && used <= in->n && used <= t->limits.max_head);
    trace_head(t);
    http_body_begin(&t->body, &t->head);
    *in = str_sub(*in, used, in->n);
    t->scan = 0;
    t->is_in_body = true;
    buf_add(t->out, STR("body "));
    return true;
}

static inline bool trace_read_body(struct trace_http1 *t, Str *in)
{
    Str data;
    enum http_result result = http_body_next(&t->body, in, &data);
    buf_add(t->out, data);
    if (result == HTTP_BAD)
        trace_bad(t, 0, t->body.error);
    if (result == HTTP_DONE) {
        buf_add(t->out, STR("\ndone\n"));
        t->is_in_body = false;
        return true;
    }
    ENSURE(result == HTTP_BAD || data.n || !in->n);
    return result == HTTP_MORE && in->n;
}

/* Reads what it can of pending and returns how many bytes that was. */
static inline size_t trace_feed(struct trace_http1 *t, Str pending)
{
    char *block = pieces_copy(pending);
    Str in = { .p = block, .n = pending.n };
    bool goes_on = true;
    while (goes_on && !t->is_over)
        goes_on = t->is_in_body ? trace_read_body(t, &in) : trace_read_head(t, &in);
    size_t used = pending.n - in.n;
    free(block);
    return used;
}

static inline void trace_http1(Str bytes, bool is_request, const struct http_limits *limits,
                               uint64_t seed, struct buf *out)
{
    struct trace_http1 t = { .is_request = is_request, .limits = *limits, .out = out };
    struct pieces pieces = { .seed = seed };
    size_t used = 0, received = 0;
    while (received < bytes.n && !t.is_over) {
        received += pieces_next(&pieces, bytes.n - received);
        used += trace_feed(&t, str_sub(bytes, used, received));
    }
    if (!t.is_over)
        buf_printf(out, "\nends in %s, %zu left\n", t.is_in_body ? "body" : "head", bytes.n - used);
}

#endif
