/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_resume.c - streams that end before the answer, taken up again.
 *
 * A server with sessions may end a stream whenever it has sent an event's id, and keep working: the
 * client comes back with a GET for what is behind that id. So the request is not sent again, and
 * what is asked for is bounded by the request's own deadline and RESUMES_MAX.
 * Source: MCP 2025-11-25, Streamable HTTP, resumability; WHATWG HTML, the retry field.
 */
#include "runtime/base/log.h"
#include "runtime/gateway/leg.h"
#include "runtime/wire/http1.h"

enum {
    RESUMES_MAX = 64,        /* of one request */
    RETRY_DEFAULT_MS = 1000, /* when the server does not say */
    RETRY_MIN_MS = 100,      /* however little it wants */
};

void leg_note_event(struct leg *leg, const struct sse_event *event)
{
    if (event->retry_ms >= 0)
        leg->retry_ms = event->retry_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)event->retry_ms;
    if (!event->id.n)
        return;
    buf_clear(&leg->event_id);
    if (event->id.n <= LEG_EVENT_ID_MAX && http_value_is_legal(event->id))
        buf_add(&leg->event_id, event->id);
}

static void on_pause_over(void *user)
{
    struct leg *leg = user;
    const struct upstream *upstream = leg->upstream;
    if (upstream->state != UPSTREAM_READY || leg->generation != upstream->generation)
        leg_fail(leg, FAILURE_GONE, "the server's session ended while it worked");
    else if (http_send_resume(leg) != ST_OK)
        leg_fail(leg, FAILURE_INTERNAL, "no memory left");
}

bool leg_resume(struct leg *leg)
{
    struct upstream *upstream = leg->upstream;
    bool is_possible = upstream->era == ERA_LEGACY && upstream->state == UPSTREAM_READY &&
                       !leg->is_handshake && leg->event_id.n && leg->resumes < RESUMES_MAX &&
                       leg->generation == upstream->generation;
    if (!is_possible)
        return false;
    if (!leg->pause)
        leg->pause = timer_open(upstream->owner->loop, on_pause_over, leg);
    if (!leg->pause)
        return false;
    uint32_t wait = leg->retry_ms ? leg->retry_ms : RETRY_DEFAULT_MS;
    leg->resumes++;
    leg->turn = 0; /* it is under way: never to be judged and sent again */
    sse_reader_free(&leg->sse);
    sse_reader_init(&leg->sse, upstream->owner->limits->max_result_bytes);
    timer_start(leg->pause, wait < RETRY_MIN_MS ? RETRY_MIN_MS : wait);
    return true;
}
