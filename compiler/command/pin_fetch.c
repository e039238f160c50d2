/* SPDX-License-Identifier: Apache-2.0 */
/* pin_fetch.c - one short-lived loop: ask for each page, then end the server, then wait for it.
 *
 * It is the gateway's own upstream client, so that what is pinned is what the gateway will see. */
#include "compiler/command/pin_fetch.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/gateway/upstream.h"
#include "runtime/net/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CURSOR_BYTES_MAX = 64 * 1024,
    END_LOOK_MS = 10,    /* between two looks whether the server has ended */
    END_WAIT_MS = 10000, /* longer than a child is given to stop */
};

struct fetch {
    struct loop *loop;
    struct http_client *http;
    struct upstreams *upstreams;
    struct server server;
    struct server_spec spec;
    struct gateway_limits limits;
    struct timer *end_timer;
    int64_t end_ms;
    struct buf *out;
    uint32_t pages, tools;
    bool is_good;
    char *why;
};

static const struct gateway_limits default_limits = {
#define LIMIT(name, def, min, max, doc) .name = (def),
#include "runtime/gateway/limit.def"
#undef LIMIT
};

static void end_fetch(struct fetch *fetch)
{
    server_end(&fetch->server);
    fetch->end_ms = world_mono_ms() + END_WAIT_MS;
    timer_start(fetch->end_timer, 0);
}

static void fail(struct fetch *fetch, const char *why)
{
    (void)snprintf(fetch->why, FETCH_WHY_BYTES, "%s", why);
    end_fetch(fetch);
}

/* The loop goes on until the server's process is gone. */
static void look_for_end(void *user)
{
    struct fetch *fetch = user;
    if (child_count() && world_mono_ms() >= fetch->end_ms)
        child_kill_all();
    if (child_count())
        timer_start(fetch->end_timer, END_LOOK_MS);
    else
        loop_stop(fetch->loop);
}

static bool ask_for_page(struct fetch *fetch, Str cursor);

/* NULL, or what is wrong with the page. */
static const char *take_page(struct fetch *fetch, const struct json_doc *doc, uint32_t result)
{
    uint32_t list = json_member(doc, result, STR("tools"));
    if (list == JSON_NONE || json_at(doc, list)->type != JSON_ARRAY)
        return "the server sent a list without tools";
    if (fetch->tools + (uint64_t)json_at(doc, list)->count > fetch->limits.max_tools)
        return "the server has more tools than the limit";
    for (uint32_t i = json_first(doc, list); i != JSON_NONE; i = json_after(doc, list, i)) {
        if (fetch->tools++)
            buf_add_char(fetch->out, ',');
        buf_add(fetch->out, json_raw(doc, i));
    }
    fetch->pages++;
    return fetch->out->is_full ? "the server's tools are larger than a snapshot may be" : NULL;
}

static void fail_answer(struct fetch *fetch, const struct answer *answer)
{
    if (answer->kind == ANSWER_ERROR)
        (void)snprintf(fetch->why, FETCH_WHY_BYTES, "the server answered with error %lld: %.*s",
                       (long long)answer->code, STR_ARG(answer->message));
    else
        (void)snprintf(fetch->why, FETCH_WHY_BYTES, "%s",
                       answer->why ? answer->why : "the server gave no usable answer");
    end_fetch(fetch);
}

static void on_page(void *user, const struct answer *answer)
{
    struct fetch *fetch = user;
    if (fetch->end_ms)
        return; /* ended already */
    if (answer->kind != ANSWER_RESULT) {
        fail_answer(fetch, answer);
        return;
    }
    const char *fault = take_page(fetch, answer->doc, answer->result);
    if (fault) {
        fail(fetch, fault);
        return;
    }
    uint32_t next = json_member(answer->doc, answer->result, STR("nextCursor"));
    if (next == JSON_NONE || json_at(answer->doc, next)->type == JSON_NULL) {
        fetch->is_good = true;
        end_fetch(fetch);
    } else if (json_at(answer->doc, next)->type != JSON_STRING) {
        fail(fetch, "the server sent a cursor that is no string");
    } else if (fetch->pages >= TOOL_PAGES_MAX) {
        fail(fetch, "the server's list of tools has too many pages");
    } else if (!ask_for_page(fetch, json_text(json_at(answer->doc, next)))) {
        fail(fetch, "the next page of the server's list can't be asked for");
    }
}

static bool ask_for_page(struct fetch *fetch, Str cursor)
{
    struct upstream *upstream =
        upstream_get(fetch->upstreams, &fetch->server, &(struct upstream_key){ 0 });
    struct upstream_request request = { .method = STR("tools/list") };
    struct buf members;
    buf_init(&members, CURSOR_BYTES_MAX);
    if (cursor.p) { /* an empty cursor is a cursor */
        jsonrpc_write_key(&members, STR("cursor"));
        json_write_string(&members, cursor);
    }
    request.members = buf_str(&members);
    bool is_sent =
        upstream && !members.is_full && upstream_send(upstream, &request, on_page, fetch) != NULL;
    buf_free(&members);
    return is_sent;
}

/* Our own environment, as the child's. */
static bool copy_environment(struct server_spec *spec)
{
    size_t count = 0;
    while (environ[count])
        count++;
    spec->env = calloc(count + 1, sizeof *spec->env);
    for (size_t i = 0; spec->env && i < count; i++)
        spec->env[i] = str_of(environ[i]);
    spec->env_count = spec->env ? count : 0;
    return spec->env != NULL;
}

static bool open_all(struct fetch *fetch, const struct tool_source *source)
{
    fetch->spec = (struct server_spec){
        .alias = STR("pin"),
        .transport = source->url.n ? SERVER_HTTP : SERVER_STDIO,
        .argv = source->argv,
        .argc = source->argc,
        .url = source->url,
        .bearer = source->bearer,
    };
    fetch->server.spec = &fetch->spec;
    if (!source->url.n && !copy_environment(&fetch->spec))
        return false;
    if (loop_open(&fetch->loop) != ST_OK)
        return false;
    fetch->end_timer = timer_open(fetch->loop, look_for_end, fetch);
    if (source->url.n && http_client_open(fetch->loop, &fetch->http) != ST_OK)
        return false;
    fetch->upstreams = upstreams_open(fetch->loop, fetch->http, &fetch->limits);
    return fetch->end_timer && fetch->upstreams;
}

static void close_all(struct fetch *fetch)
{
    if (fetch->upstreams)
        upstreams_close(fetch->upstreams);
    if (fetch->http)
        http_client_close(fetch->http);
    timer_close(fetch->end_timer);
    if (fetch->loop)
        loop_close(fetch->loop);
    free(fetch->spec.env);
}

bool fetch_tools(const struct tool_source *source, struct buf *out, char why[FETCH_WHY_BYTES])
{
    struct fetch fetch = { .limits = default_limits, .out = out, .why = why };
    (void)snprintf(why, FETCH_WHY_BYTES, "no memory left");
    log_set_level(LOG_OFF); /* what goes wrong is in `why` */
    (void)signal(SIGPIPE, SIG_IGN);
    buf_add(out, STR("{\"tools\":["));
    if (open_all(&fetch, source) && ask_for_page(&fetch, (Str){ 0 }))
        loop_run(fetch.loop);
    buf_add(out, STR("]}"));
    close_all(&fetch);
    return fetch.is_good && !out->is_full;
}
