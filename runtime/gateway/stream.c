/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - replies and events to clients over HTTP, kept for those that come back.
 *
 * Memory: what a client does not take waits in its connection, where it is counted, and its call
 * is told to pause; what is kept for a resumption is bounded for each session. Without anybody
 * listening, the session's own stream keeps what fits and forgets the oldest.
 */
#include "runtime/gateway/stream.h"

#include "runtime/base/world.h"
#include "runtime/gateway/call.h"
#include "runtime/gateway/revision.h"
#include "runtime/wire/sse.h"

#include <stdlib.h>

enum {
    EVENT_FRAME_MAX = 256, /* bytes of an event around its data */
    EVENT_ID_MAX = 48,
    STREAMS_KEPT_MAX = 256, /* of one session, over but kept */
};

struct kept {
    struct kept *next;
    uint64_t number;
    size_t n;
    char text[];
};

struct stream {
    struct stream *next;       /* in streams->first */
    struct streams *streams;   /* NULL: nothing is kept */
    struct exchange *exchange; /* NULL: nobody listens */
    const struct gateway_limits *limits;
    struct call *call;   /* that will reply; NULL: none yet, or it has */
    uint64_t number;     /* in the session; 0: its own */
    uint64_t last, sent; /* events that came; that went out to somebody */
    struct kept *first, **end;
    int64_t over_ms;
    bool is_begun, is_over, is_behind;
};

struct streams {
    struct session *session;
    struct stream own;
    struct stream *first; /* begun by POSTs, oldest first */
    uint64_t count;       /* that ever were */
    size_t kept_bytes, over_count;
};

static void stream_init(struct stream *stream, const struct gateway_limits *limits)
{
    stream->limits = limits;
    stream->end = &stream->first;
}

struct stream *stream_new(struct exchange *exchange, const struct gateway_limits *limits)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    stream_init(stream, limits);
    stream->exchange = exchange;
    exchange_set_user(exchange, stream);
    return stream;
}

struct stream *stream_of(struct exchange *exchange)
{
    return exchange_user(exchange);
}

void stream_wait(struct stream *stream, struct call *call)
{
    stream->call = call;
    if (stream->exchange && !stream->is_begun)
        exchange_drop_body(stream->exchange); /* the call has its own copy of what it needs */
}

/* --------------------------- what is kept of it -------------------------- */

static void drop_first(struct stream *stream)
{
    struct kept *kept = stream->first;
    stream->first = kept->next;
    if (!stream->first)
        stream->end = &stream->first;
    stream->streams->kept_bytes -= kept->n;
    free(kept);
}

static void end_exchange(struct stream *stream)
{
    struct exchange *exchange = stream->exchange;
    stream->exchange = NULL;
    stream->is_behind = false;
    if (!exchange)
        return;
    exchange_set_user(exchange, NULL);
    exchange_end(exchange);
}

static void stream_free(struct stream *stream)
{
    struct streams *streams = stream->streams;
    end_exchange(stream);
    while (stream->first)
        drop_first(stream);
    if (!streams) {
        free(stream);
        return;
    }
    struct stream **link = &streams->first;
    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    streams->over_count -= stream->is_over;
    free(stream);
}

static struct stream *oldest_over(const struct streams *streams)
{
    struct stream *stream = streams->first;
    while (stream && !stream->is_over)
        stream = stream->next;
    return stream;
}

/* Streams that are over go first, then the stream's own oldest events. */
static bool make_room(struct stream *stream, size_t bytes)
{
    struct streams *streams = stream->streams;
    size_t limit = stream->limits->max_replay_bytes;
    while (bytes > limit || streams->kept_bytes > limit - bytes) {
        struct stream *over = oldest_over(streams);
        if (bytes > limit || (!over && !stream->first))
            return false;
        if (over)
            stream_free(over);
        else
            drop_first(stream);
    }
    return true;
}

/* Remembers an event's text; one that does not fit is forgotten at once. */
static void keep(struct stream *stream, Str text)
{
    if (!stream->streams || !make_room(stream, text.n))
        return;
    struct kept *kept = malloc(sizeof *kept + text.n);
    if (!kept)
        return;
    *kept = (struct kept){ .number = stream->last, .n = text.n };
    memcpy(kept->text, text.p, text.n);
    *stream->end = kept;
    stream->end = &kept->next;
    stream->streams->kept_bytes += text.n;
}

static void stream_over(struct stream *stream)
{
    struct streams *streams = stream->streams;
    bool is_pending = stream->exchange && stream->sent != stream->last;
    stream->call = NULL;
    if (!is_pending)
        end_exchange(stream);
    if (!streams || !stream->first) {
        stream_free(stream);
        return;
    }
    stream->is_over = true;
    stream->over_ms = world_mono_ms();
    if (++streams->over_count > STREAMS_KEPT_MAX)
        stream_free(oldest_over(streams));
}

/* -------------------------------- writing -------------------------------- */

static Str event_id(const struct stream *stream, uint64_t event, char *text)
{
    int n = snprintf(text, EVENT_ID_MAX, "%llu-%llu", (unsigned long long)stream->number,
                     (unsigned long long)event);
    ENSURE(n > 0 && n < EVENT_ID_MAX);
    return (Str){ .p = text, .n = (size_t)n };
}

/* One event. Line ends in JSON are white space between tokens: inside a string it forbids them. */
static void write_event(const struct stream *stream, uint64_t event, Str text, struct buf *out)
{
    char id[EVENT_ID_MAX];
    struct buf line;
    buf_init(&line, text.n);
    buf_add(&line, text);
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] == '\n' || line.p[i] == '\r')
            line.p[i] = ' ';
    buf_init(out, text.n + EVENT_FRAME_MAX);
    sse_write_message(out, stream->streams ? event_id(stream, event, id) : STR(""), buf_str(&line));
    out->is_full = out->is_full || line.is_full;
    buf_free(&line);
}

/* False: the client is behind. */
static bool send_event(struct stream *stream, uint64_t event, Str text)
{
    struct buf out;
    bool has_room = true;
    write_event(stream, event, text, &out);
    if (!out.is_full)
        has_room = exchange_write(stream->exchange, buf_str(&out));
    stream->sent = event;
    stream->is_behind = !has_room;
    buf_free(&out);
    return has_room;
}

static bool is_polled(const struct streams *streams)
{
    return streams && str_eq(streams->session->version, REVISION_LEGACY);
}

/* The head of a stream, and where to resume it. Source: MCP 2025-11-25, polling; older clients
 * take an empty event for a message. */
static void begin(struct stream *stream)
{
    static const struct http_header header = { STR_INIT("X-Accel-Buffering"), STR_INIT("no") };
    const struct stream_head head = { .status = 200,
                                      .headers = &header,
                                      .header_count = 1,
                                      .content_type = STR("text/event-stream"),
                                      .keepalive = STR(":\n\n"),
                                      .keepalive_ms = stream->limits->keepalive_ms };
    char id[EVENT_ID_MAX];
    struct buf out;
    stream->is_begun = true;
    exchange_begin(stream->exchange, &head);
    if (!is_polled(stream->streams))
        return;
    buf_init(&out, EVENT_FRAME_MAX);
    sse_write_priming(&out, event_id(stream, stream->sent, id), stream->limits->retry_ms);
    (void)exchange_write(stream->exchange, buf_str(&out));
    buf_free(&out);
}

/* Sends what came while nobody listened or the client was behind. */
static void catch_up(struct stream *stream)
{
    for (struct kept *kept = stream->first; kept && !stream->is_behind; kept = kept->next)
        if (kept->number > stream->sent)
            (void)send_event(stream, kept->number, (Str){ .p = kept->text, .n = kept->n });
    if (stream->is_over && !stream->is_behind)
        end_exchange(stream);
}

/* The next event: kept, and sent to whoever listens, in its turn. False: the client is behind. */
static bool deliver(struct stream *stream, Str text)
{
    bool is_in_turn = stream->sent == stream->last;
    stream->last++;
    keep(stream, text);
    if (!stream->exchange)
        return true;
    return is_in_turn && send_event(stream, stream->last, text);
}

/* ------------------------------- a session's ------------------------------ */

static void say(struct session *session, Str text)
{
    struct stream *own = &session->streams->own;
    if (own->is_behind) { /* it waits among what is kept */
        own->last++;
        keep(own, text);
    } else {
        (void)deliver(own, text);
    }
}

static struct streams *streams_get(struct session *session, const struct gateway_limits *limits)
{
    if (session->streams)
        return session->streams;
    struct streams *streams = calloc(1, sizeof *streams);
    if (!streams)
        return NULL;
    streams->session = session;
    stream_init(&streams->own, limits);
    streams->own.streams = streams;
    streams->own.is_begun = true;
    session->streams = streams;
    session->say = say;
    return streams;
}

/* From here on the stream can be resumed, if there is memory for that. */
static void adopt(struct stream *stream, struct session *session)
{
    struct streams *streams = session ? streams_get(session, stream->limits) : NULL;
    if (!streams)
        return;
    struct stream **link = &streams->first;
    while (*link)
        link = &(*link)->next;
    *link = stream;
    stream->streams = streams;
    stream->number = ++streams->count;
}

bool stream_event(void *user, const struct event *event)
{
    struct stream *stream = user;
    if (!stream->is_begun) {
        adopt(stream, event->session);
        begin(stream);
    }
    return deliver(stream, event->text);
}

void stream_reply(void *user, const struct reply *reply)
{
    struct stream *stream = user;
    if (!stream->is_begun) {
        struct http_header session = { STR("Mcp-Session-Id"), reply->session };
        struct exchange *exchange = stream->exchange;
        stream->exchange = NULL;
        exchange_set_user(exchange, NULL);
        exchange_respond(exchange, reply->status, &session, reply->session.n ? 1 : 0,
                         reply->body.n ? STR("application/json") : (Str){ 0 }, reply->body);
        stream_free(stream);
        return;
    }
    if (reply->body.n)
        (void)deliver(stream, reply->body);
    stream_over(stream);
}

void stream_room(struct stream *stream)
{
    stream->is_behind = false;
    catch_up(stream);
    if (stream->call && !stream->is_behind)
        call_caught_up(stream->call);
}

void stream_gone(struct stream *stream)
{
    struct call *call = stream->call;
    stream->exchange = NULL;
    stream->is_behind = false;
    if (stream->is_begun && stream->streams) {
        if (call)
            call_caught_up(call); /* what comes now is kept, or forgotten */
        return;
    }
    if (call)
        call_abandon(call);
    stream_free(stream);
}

/* "<stream>-<event>" as we wrote it. */
static struct stream *find_named(struct streams *streams, Str id, uint64_t *event)
{
    uint64_t number;
    Str rest = id, first = str_cut(&rest, '-');
    if (!str_to_u64(first, UINT64_MAX, &number) || !str_to_u64(rest, UINT64_MAX, event))
        return NULL;
    struct stream *stream = number ? streams->first : &streams->own;
    while (stream && stream->number != number)
        stream = stream->next;
    return stream && *event <= stream->last ? stream : NULL;
}

int streams_listen(struct session *session, const struct gateway_limits *limits,
                   struct exchange *exchange, struct mcp_header last_event_id)
{
    struct streams *streams = streams_get(session, limits);
    if (!streams)
        return 503;
    struct stream *stream = &streams->own;
    uint64_t event = stream->sent;
    if (last_event_id.is_present)
        stream = find_named(streams, last_event_id.value, &event);
    if (!stream)
        return 400;
    if (stream->exchange && !last_event_id.is_present)
        return 409;
    end_exchange(stream); /* the client says that it has lost that one */
    stream->exchange = exchange;
    exchange_set_user(exchange, stream);
    stream->sent = event;
    begin(stream);
    catch_up(stream);
    return 0;
}

bool streams_are_heard(const struct streams *streams)
{
    return streams && streams->own.exchange;
}

void streams_sweep(struct streams *streams)
{
    if (!streams)
        return;
    int64_t oldest = world_mono_ms() - streams->own.limits->replay_ms;
    for (struct stream *stream = streams->first, *next; stream; stream = next) {
        next = stream->next;
        if (stream->is_over && stream->over_ms < oldest)
            stream_free(stream);
    }
}

void streams_drain(struct session *session)
{
    if (session->streams)
        end_exchange(&session->streams->own);
}

void streams_end(struct session *session)
{
    struct streams *streams = session->streams;
    if (!streams)
        return;
    for (struct stream *stream = streams->first, *next; stream; stream = next) {
        next = stream->next;
        stream_free(stream);
    }
    end_exchange(&streams->own);
    while (streams->own.first)
        drop_first(&streams->own);
    session->streams = NULL;
    session->say = NULL;
    free(streams);
}
