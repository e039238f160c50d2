/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.c - what callers see of the client: open, start, cancel, close.
 *
 * A request is written whole when the call starts; the rest happens from the loop. Nothing that a
 * caller passes in can add a line to the head: names and values are checked, and the fields that
 * frame a message or name its connection are ours alone.
 */
#include "runtime/net/http_client.h"

#include "runtime/base/arena.h"
#include "runtime/crypto/secret.h"
#include "runtime/net/http_link.h"

#include <stdlib.h>

enum { URL_ARENA_BYTES = 8 * (CLIENT_URL_MAX + 1024), HEAD_BYTES_EXPECTED = 1024 };

enum status http_client_open(struct loop *loop, struct http_client **out)
{
    struct http_client *client = calloc(1, sizeof *client);
    if (!client)
        return ST_NO_MEMORY;
    client->loop = loop;
    client->idle_timer = timer_open(loop, pool_on_idle_timer, client);
    if (!client->idle_timer || !connect_open(client)) {
        timer_close(client->idle_timer);
        free(client);
        return ST_NO_MEMORY;
    }
    *out = client;
    return ST_OK;
}

void http_client_close(struct http_client *client)
{
    client->is_closed = true;
    while (client->calls)
        call_discard(client->calls);
    pool_close(client);
    connect_close(client);
    timer_close(client->idle_timer);
    loop_defer(client->loop, free, client); /* behind its calls */
}

static bool is_token(Str s)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_alnum && !memchr(marks, c, sizeof marks - 1))
            return false;
    }
    return s.n > 0;
}

static bool is_ours(Str name)
{
    static const Str names[] = { STR_INIT("Host"),
                                 STR_INIT("Content-Length"),
                                 STR_INIT("Connection"),
                                 STR_INIT("Transfer-Encoding"),
                                 STR_INIT("Upgrade"),
                                 STR_INIT("Expect"),
                                 STR_INIT("TE"),
                                 STR_INIT("Trailer"),
                                 STR_INIT("Accept-Encoding") };
    for (size_t i = 0; i < COUNT(names); i++) {
        if (str_eq_nocase(name, names[i]))
            return true;
    }
    return false;
}

static bool is_acceptable(const struct http_request_spec *spec)
{
    static const Str methods[] = { STR_INIT("POST"), STR_INIT("GET"), STR_INIT("DELETE") };
    bool is_known = false;
    for (size_t i = 0; i < COUNT(methods); i++)
        is_known |= str_eq(spec->method, methods[i]);
    for (size_t i = 0; i < spec->header_count; i++) {
        const struct http_header *header = &spec->headers[i];
        if (!is_token(header->name) || is_ours(header->name) || !http_value_is_legal(header->value))
            return false;
    }
    return is_known;
}

/* The whole request, head and body; false when it is too long or without memory. */
static bool write_request(struct buf *out, const struct http_request_spec *spec,
                          const struct http_url *url)
{
    /* A buffer that grows leaves copies behind. */
    if (!buf_reserve(out, spec->is_secret ? out->limit : spec->body.n + HEAD_BYTES_EXPECTED))
        return false;
    http_write_request_line(out, spec->method, url->target);
    http_write_header(out, STR("Host"), url->authority);
    http_write_header(out, STR("Accept-Encoding"), STR("identity"));
    for (size_t i = 0; i < spec->header_count; i++)
        http_write_header(out, spec->headers[i].name, spec->headers[i].value);
    if (spec->body.n || str_eq(spec->method, STR("POST")))
        http_write_header_u64(out, STR("Content-Length"), spec->body.n);
    http_write_end(out);
    buf_add(out, spec->body);
    return !out->is_full;
}

static void on_deadline(void *user)
{
    call_end(user, ST_TIMEOUT, "no complete answer in time");
}

static struct http_call *call_new(struct http_client *client, const struct http_request_spec *spec,
                                  const struct http_url *url)
{
    if (spec->body.n > SIZE_MAX / 2)
        return NULL;
    struct http_call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    buf_init(&call->request, CLIENT_HEADERS_MAX + spec->body.n);
    call->client = client;
    call->connect_timeout_ms = spec->connect_timeout_ms;
    call->is_secret = spec->is_secret;
    if (spec->total_timeout_ms)
        call->deadline = timer_open(client->loop, on_deadline, call);
    bool is_ready =
        write_request(&call->request, spec, url) && (!spec->total_timeout_ms || call->deadline);
    if (is_ready)
        call->origin = origin_use(client, url, spec);
    if (call->origin)
        return call;
    timer_close(call->deadline);
    secret_buf_close(&call->request);
    free(call);
    return NULL;
}

struct http_call *http_client_start(struct http_client *client,
                                    const struct http_request_spec *spec,
                                    const struct http_call_events *events, void *user)
{
    struct arena mem;
    struct http_url url = { .is_loopback = false };
    struct http_call *call = NULL;
    arena_init(&mem, URL_ARENA_BYTES);
    if (!client->is_closed && is_acceptable(spec) && http_url_parse(spec->url, &mem, &url) == ST_OK)
        call = call_new(client, spec, &url);
    arena_reset(&mem);
    if (!call)
        return NULL;
    call->events = *events;
    call->user = user;
    call->next = client->calls;
    if (call->next)
        call->next->prev = call;
    client->calls = call;
    if (call->deadline)
        timer_start(call->deadline, spec->total_timeout_ms);
    loop_defer(client->loop, call_begin, call);
    return call;
}

void http_call_cancel(struct http_call *call)
{
    if (!call->is_over)
        call_discard(call);
}
