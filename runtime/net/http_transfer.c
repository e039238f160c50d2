/* SPDX-License-Identifier: Apache-2.0 */
/* http_transfer.c - one request out and its answer in, over a link.
 *
 * The rule that matters most: once a byte of a request may have reached the upstream it is never
 * sent again, whatever happens. Only when the very first send on a kept link is refused does the
 * call get a second, new link. An answer that came before the request was sent whole is taken,
 * but the link is not kept. Anything unframed, interim beyond reason, switched or encoded is an
 * error; an answer that ends too early is one too.
 */
#include "runtime/crypto/secret.h"
#include "runtime/net/http_link.h"

#include <stdlib.h>

static void call_free(void *user)
{
    struct http_call *call = user;
    if (call->is_secret && call->request.p)
        secret_wipe(call->request.p, call->request.cap);
    buf_free(&call->request);
    free(call);
}

void call_discard(struct http_call *call)
{
    struct http_client *client = call->client;
    call->is_over = true;
    if (call->link)
        link_close(call->link);
    call->link = NULL;
    timer_close(call->deadline);
    origin_drop(call->origin);
    if (call->prev)
        call->prev->next = call->next;
    else
        client->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    loop_defer(client->loop, call_free, call);
}

void call_end(struct http_call *call, enum status status, const char *why)
{
    struct http_call_events events = call->events;
    void *user = call->user;
    call_discard(call);
    events.on_end(user, status, why);
}

static void connect_call(struct http_call *call)
{
    call->has_tried = false;
    if (!link_open(call))
        call_end(call, ST_NO_MEMORY, "no memory for a connection");
}

static void update_watch(struct http_call *call)
{
    bool is_sending = call->sent < call->request.n && !call->has_failed;
    watch_set(call->link->watch,
              (call->is_paused ? 0 : WATCH_READ) | (is_sending ? WATCH_WRITE : 0));
}

/* Sends what the link takes; false when the call has another link now, or none. */
static bool send_request(struct http_call *call)
{
    while (call->sent < call->request.n && !call->has_failed) {
        size_t n = 0;
        CURLcode code = curl_easy_send(call->link->easy, call->request.p + call->sent,
                                       call->request.n - call->sent, &n);
        bool is_first = !call->has_tried;
        call->has_tried = true;
        call->sent += n;
        if (code == CURLE_AGAIN)
            break;
        if (code == CURLE_OK)
            continue;
        if (is_first && call->link->is_reused) {
            link_close(call->link);
            call->link = NULL;
            connect_call(call);
            return false;
        }
        call->has_failed = true; /* the answer may say why: read on */
    }
    update_watch(call);
    return true;
}

/* The final head's consequences; false when it ended the call. */
static bool accept_head(struct http_call *call, const struct http_head *head)
{
    bool is_repeated = false;
    Str coding = http_header(head, STR("Content-Encoding"), &is_repeated);
    if (is_repeated || (coding.n && !str_eq_nocase(coding, STR("identity")))) {
        call_end(call, ST_UNSUPPORTED, "an answer with a content coding");
        return false;
    }
    call->has_head = true;
    call->may_keep = head->keep_alive;
    http_body_begin(&call->body, head);
    call->events.on_head(call->user, head);
    return !call->is_over;
}

/* Takes a head out of the link's buffer; false when more is needed or the call is over. */
static bool take_head(struct http_call *call)
{
    struct http_link *link = call->link;
    struct http_head *head = &call->client->head;
    size_t used = 0;
    Str bytes = str_sub(buf_str(&link->in), link->in_at, link->in.n);
    enum http_result result =
        http_parse_response(bytes, &http_limits_default, &call->scan, head, &used);
    if (result == HTTP_MORE)
        return false;
    if (result == HTTP_BAD) {
        call_end(call, ST_INVALID, head->error);
        return false;
    }
    link->in_at += used;
    call->scan = 0;
    if (head->status >= 200)
        return accept_head(call, head);
    if (head->status == 101 || ++call->interims > CLIENT_INTERIM_MAX) {
        call_end(call, ST_INVALID,
                 head->status == 101 ? "the protocol was switched unasked"
                                     : "too many interim answers");
        return false;
    }
    return true;
}

/* The answer is complete. */
static void complete(struct http_call *call)
{
    struct http_link *link = call->link;
    bool is_whole = call->sent == call->request.n && link->in_at == link->in.n;
    if (call->may_keep && is_whole && !call->is_secret) {
        call->link = NULL;
        pool_put(link);
    }
    call_end(call, ST_OK, "");
}

/* Takes body bytes out of the link's buffer; false when all is used or the call is over. */
static bool take_body(struct http_call *call)
{
    struct http_link *link = call->link;
    Str in = str_sub(buf_str(&link->in), link->in_at, link->in.n), out;
    enum http_result result = http_body_next(&call->body, &in, &out);
    if (result == HTTP_BAD) {
        call_end(call, ST_INVALID, call->body.error);
        return false;
    }
    link->in_at = link->in.n - in.n;
    if (out.n) {
        call->events.on_data(call->user, out);
        if (call->is_over || call->is_paused)
            return false; /* when resumed, a complete body says so again */
    }
    if (result == HTTP_DONE) {
        complete(call);
        return false;
    }
    return in.n > 0;
}

/* Goes through what is buffered; true when the call wants more bytes. */
static bool consume(struct http_call *call)
{
    bool is_moving = true;
    while (is_moving && !call->is_paused)
        is_moving = call->has_head ? take_body(call) : take_head(call);
    if (call->is_over || call->is_paused)
        return false;
    struct http_link *link = call->link;
    buf_drop(&link->in, link->in_at); /* an unfinished head at most */
    link->in_at = 0;
    return true;
}

/* The upstream has closed the connection, or it broke. */
static void take_end(struct http_call *call, CURLcode code)
{
    bool is_clean = code == CURLE_OK; /* with TLS: by a close_notify */
    if (is_clean && call->has_head && call->body.framing == HTTP_BODY_UNTIL_CLOSE)
        call_end(call, ST_OK, "");
    else if (is_clean)
        call_end(call, ST_CLOSED, "the connection ended before the answer did");
    else
        call_end(call, ST_IO, curl_easy_strerror(code));
}

/* One read; true when another may follow at once. */
static bool receive_once(struct http_call *call)
{
    struct http_link *link = call->link;
    size_t n = 0;
    if (!buf_reserve(&link->in, CLIENT_READ_BYTES)) {
        call_end(call, ST_NO_MEMORY, "no memory for an answer");
        return false;
    }
    CURLcode code = curl_easy_recv(link->easy, link->in.p + link->in.n, CLIENT_READ_BYTES, &n);
    if (code == CURLE_AGAIN)
        return false;
    if (code != CURLE_OK || n == 0) {
        take_end(call, code);
        return false;
    }
    link->in.n += n;
    return consume(call);
}

static void wake(struct http_call *call)
{
    if (call->is_resumed)
        return;
    call->is_resumed = true;
    loop_defer(call->client->loop, call_resume, call);
}

/* Reads until nothing is left, since records that TLS has already decrypted wake nobody; but
 * after CLIENT_READS_A_TURN others have a turn. */
static void receive(struct http_call *call)
{
    for (int i = 0; i < CLIENT_READS_A_TURN; i++) {
        if (!receive_once(call))
            return;
    }
    wake(call);
}

void call_resume(void *user)
{
    struct http_call *call = user;
    call->is_resumed = false;
    if (call->is_over || call->is_paused || !call->link || !call->link->watch)
        return;
    update_watch(call);
    if (consume(call))
        receive(call);
}

void http_call_pause(struct http_call *call, bool paused)
{
    if (call->is_over || call->is_paused == paused)
        return;
    call->is_paused = paused;
    if (!call->link || !call->link->watch)
        return;
    if (paused)
        update_watch(call);
    else
        wake(call);
}

void call_on_link_event(struct http_call *call, int events)
{
    if (events & WATCH_WRITE && !send_request(call))
        return;
    if (events & WATCH_READ && !call->is_paused)
        receive(call);
}

void call_on_connected(struct http_call *call)
{
    (void)send_request(call);
}

void call_begin(void *user)
{
    struct http_call *call = user;
    if (call->is_over)
        return;
    struct http_link *link = pool_take(call->origin);
    if (!link) {
        connect_call(call);
        return;
    }
    link->call = call;
    call->link = link;
    (void)send_request(call);
}
