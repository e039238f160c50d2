/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c - the only way in which OAuth's part of the gateway speaks HTTP.
 *
 * The rules are here, and not with those who ask, so that no one of them can forget one.
 */
#include "runtime/keeper/fetch.h"

#include "runtime/crypto/secret.h"
#include "runtime/oauth/web_url.h"

#include <stdlib.h>

enum { URL_MEMORY_MAX = 64 * 1024, CHALLENGE_MEMORY_MAX = 128 * 1024, HEADERS_MAX = 4 };

struct fetch {
    struct http_call *call;
    struct buf body;
    struct arena mem; /* of the challenge */
    bool is_probe;
    struct fetch_answer answer;
    fetch_done_fn done;
    void *user;
};

static void fetch_free(struct fetch *fetch)
{
    secret_buf_close(&fetch->body);
    arena_reset(&fetch->mem);
    free(fetch);
}

/* Ends a fetch with what its answer says; takes it. */
static void finish(struct fetch *fetch)
{
    fetch->done(fetch->user, &fetch->answer);
    fetch_free(fetch);
}

static void on_head(void *user, const struct http_head *head)
{
    struct fetch *fetch = user;
    Str type = http_header(head, STR("Content-Type"), NULL);
    fetch->answer.http_status = head->status;
    fetch->answer.is_json = http_content_type_is(type, STR("application/json"));
    if (!fetch->is_probe)
        return;
    fetch->answer.has_challenge = bearer_read(head, &fetch->mem, &fetch->answer.challenge);
    fetch->answer.status = ST_OK;
    http_call_cancel(fetch->call); /* what follows may be a stream without end */
    finish(fetch);
}

static void on_data(void *user, Str bytes)
{
    struct fetch *fetch = user;
    buf_add(&fetch->body, bytes);
    if (!fetch->body.is_full)
        return;
    http_call_cancel(fetch->call);
    fetch->answer.status = ST_LIMIT;
    fetch->answer.why = "the answer is over the size limit";
    finish(fetch);
}

static void on_end(void *user, enum status status, const char *why)
{
    struct fetch *fetch = user;
    fetch->answer.status = status;
    fetch->answer.why = why;
    fetch->answer.body = buf_str(&fetch->body);
    finish(fetch);
}

static enum status check_url(const struct fetch_request *request)
{
    struct arena mem;
    struct web_url url;
    arena_init(&mem, URL_MEMORY_MAX);
    bool is_url = web_url_read(request->url, &mem, &url);
    bool is_fit = is_url && web_url_is_fit(&url, request->is_development);
    arena_reset(&mem);
    if (!is_url)
        return ST_INVALID;
    return is_fit ? ST_OK : ST_DENIED;
}

static enum http_reach reach_of(const struct fetch_request *request)
{
    if (request->may_be_private)
        return REACH_ANY;
    return request->is_development ? REACH_PUBLIC_OR_LOOPBACK : REACH_PUBLIC;
}

static struct http_call *start_call(struct http_client *http, const struct fetch_request *request,
                                    struct fetch *fetch)
{
    static const struct http_call_events events = { on_head, on_data, on_end };
    struct http_header headers[HEADERS_MAX] = {
        { STR("Accept"), request->is_probe ? STR("application/json, text/event-stream")
                                           : STR("application/json") },
        { STR("User-Agent"), STR("mcpd/" MCP_VERSION) },
    };
    size_t count = 2;
    if (request->content_type.n)
        headers[count++] = (struct http_header){ STR("Content-Type"), request->content_type };
    if (request->authorization.n)
        headers[count++] = (struct http_header){ STR("Authorization"), request->authorization };
    struct http_request_spec spec = {
        .url = request->url,
        .method = request->content_type.n ? STR("POST") : STR("GET"),
        .headers = headers,
        .header_count = count,
        .body = request->body,
        .connect_timeout_ms = FETCH_CONNECT_MS,
        .total_timeout_ms = FETCH_TOTAL_MS,
        .reach = reach_of(request),
        .is_secret = true,
    };
    return http_client_start(http, &spec, &events, fetch);
}

enum status fetch_start(struct http_client *http, const struct fetch_request *request,
                        fetch_done_fn done, void *user, struct fetch **out)
{
    enum status status = check_url(request);
    if (status != ST_OK)
        return status;
    if (request->body.n > FETCH_BODY_MAX)
        return ST_LIMIT;
    if (!http_value_is_legal(request->content_type) || !http_value_is_legal(request->authorization))
        return ST_INVALID;
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (!fetch)
        return ST_NO_MEMORY;
    arena_init(&fetch->mem, CHALLENGE_MEMORY_MAX);
    fetch->is_probe = request->is_probe;
    fetch->done = done;
    fetch->user = user;
    fetch->answer.status = ST_IO;
    if (secret_buf_open(&fetch->body, FETCH_BYTES_MAX))
        fetch->call = start_call(http, request, fetch);
    if (!fetch->call) {
        fetch_free(fetch);
        return ST_NO_MEMORY;
    }
    *out = fetch;
    return ST_OK;
}

void fetch_cancel(struct fetch *fetch)
{
    http_call_cancel(fetch->call);
    fetch_free(fetch);
}
