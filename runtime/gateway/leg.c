/* SPDX-License-Identifier: Apache-2.0 */
/* leg.c - requests under way: made whole, linked in order, ended once.
 *
 * Ending unlinks first, then tells the owner, then frees: an owner may send or cancel others from
 * inside its callback. Messages are written afresh, so nothing of a client's envelope travels on.
 */
#include "runtime/gateway/leg.h"

#include "runtime/gateway/revision.h"

/* Bytes of a message around its params: method, id, our envelope. */
enum { LEG_FRAME_MAX = 16 * 1024 };

static void on_time(void *user)
{
    struct leg *leg = user;
    bool tell = !leg->is_handshake;
    leg->upstream->transport->release(leg, tell);
    leg_fail(leg, FAILURE_TIMEOUT, "the server did not answer in time");
}

static void leg_free(struct leg *leg)
{
    timer_close(leg->timer);
    timer_close(leg->pause);
    buf_free(&leg->event_id);
    buf_free(&leg->members);
    buf_free(&leg->body);
    sse_reader_free(&leg->sse);
    auth_free(leg);
    free(leg->text);
    free(leg);
}

static bool leg_copy_text(struct leg *leg, const struct upstream_request *request)
{
    const Str parts[] = { request->method, request->name, request->fields };
    Str *const kept[] = { &leg->method, &leg->name, &leg->fields };
    size_t n = 0;
    leg->text = malloc(request->method.n + request->name.n + request->fields.n + 1);
    if (!leg->text)
        return false;
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i].n)
            memcpy(leg->text + n, parts[i].p, parts[i].n);
        *kept[i] = (Str){ .p = leg->text + n, .n = parts[i].n };
        n += parts[i].n;
    }
    buf_add(&leg->members, request->members);
    return !leg->members.is_full;
}

struct leg *leg_new(struct upstream *upstream, const struct upstream_request *request,
                    answer_fn answer, void *user)
{
    const struct gateway_limits *limits = upstream->owner->limits;
    struct leg *leg = calloc(1, sizeof *leg);
    if (!leg)
        return NULL;
    leg->upstream = upstream;
    leg->id = upstream->next_id++;
    leg->answer = answer;
    leg->said = request->said;
    leg->user = user;
    leg->wants_progress = request->wants_progress;
    leg->log_level = request->log_level;
    leg->turn = request->turn;
    buf_init(&leg->members, (size_t)limits->max_body_bytes + LEG_FRAME_MAX);
    buf_init(&leg->body, limits->max_result_bytes);
    sse_reader_init(&leg->sse, limits->max_result_bytes);
    buf_init(&leg->event_id, LEG_EVENT_ID_MAX);
    leg->timer = timer_open(upstream->owner->loop, on_time, leg);
    if (!leg->timer || !leg_copy_text(leg, request)) {
        leg_free(leg);
        return NULL;
    }
    bool is_hurried = request->timeout_ms && request->timeout_ms < limits->upstream_timeout_ms;
    timer_start(leg->timer, is_hurried ? request->timeout_ms : limits->upstream_timeout_ms);
    struct leg **link = &upstream->legs;
    while (*link)
        link = &(*link)->next;
    *link = leg;
    return leg;
}

static void leg_unlink(struct leg *leg)
{
    struct leg **link = &leg->upstream->legs;
    while (*link != leg)
        link = &(*link)->next;
    *link = leg->next;
}

void leg_pause(struct leg *leg, bool paused)
{
    if (leg->is_paused == paused)
        return;
    leg->is_paused = paused;
    leg->upstream->transport->pause(leg, paused);
}

void leg_drop(struct leg *leg, bool was_cancelled)
{
    leg_unlink(leg);
    leg_pause(leg, false);
    leg->upstream->transport->release(leg, was_cancelled);
    leg_free(leg);
}

void leg_finish(struct leg *leg, const struct answer *answer)
{
    leg_unlink(leg);
    leg_pause(leg, false);
    if (leg->answer)
        leg->answer(leg->user, answer);
    leg->upstream->transport->release(leg, false);
    leg_free(leg);
}

void leg_fail(struct leg *leg, enum answer_failure failure, const char *why)
{
    struct answer answer = {
        .kind = ANSWER_FAILED,
        .era = leg->upstream->era,
        .failure = failure,
        .status = leg->status,
        .why = why,
        .members = buf_str(&leg->members),
    };
    leg_finish(leg, &answer);
}

void leg_cancel(struct leg *leg)
{
    leg_drop(leg, true);
}

static void write_client_info(struct buf *out)
{
    buf_add(out, STR("{\"name\":\"mcpd\",\"version\":\"" MCP_VERSION "\"}"));
}

/* The envelope is ours alone: our revision, no capabilities, our name. */
static void write_envelope(const struct leg *leg, struct buf *out)
{
    jsonrpc_write_key(out, META_VERSION);
    json_write_string(out, REVISION_MODERN);
    jsonrpc_write_key(out, META_CAPABILITIES);
    buf_add(out, STR("{}"));
    jsonrpc_write_key(out, META_CLIENT_INFO);
    write_client_info(out);
    if (leg->log_level.n) {
        jsonrpc_write_key(out, META_LOG_LEVEL);
        json_write_string(out, leg->log_level);
    }
}

/* The token is the leg's id: what comes with another one is about nothing that we asked. */
static void write_meta(const struct leg *leg, struct buf *out)
{
    bool is_modern = leg->upstream->era == ERA_MODERN;
    if (!is_modern && !leg->wants_progress)
        return;
    jsonrpc_write_key(out, STR("_meta"));
    buf_add_char(out, '{');
    if (is_modern)
        write_envelope(leg, out);
    if (leg->wants_progress) {
        jsonrpc_write_key(out, STR("progressToken"));
        buf_printf(out, "%llu", (unsigned long long)leg->id);
    }
    buf_add_char(out, '}');
}

void leg_write(const struct leg *leg, struct buf *out)
{
    struct buf params;
    if (leg->is_raw) {
        buf_add(out, buf_str(&leg->members));
        return;
    }
    buf_init(&params, leg->members.n + LEG_FRAME_MAX);
    buf_add_char(&params, '{');
    buf_add(&params, buf_str(&leg->members));
    write_meta(leg, &params);
    buf_add_char(&params, '}');
    Str text = params.n > 2 ? buf_str(&params) : (Str){ 0 };
    if (leg->is_notification)
        jsonrpc_write_notification(out, leg->method, text);
    else
        jsonrpc_write_request(out, leg->id, leg->method, text);
    if (params.is_full)
        out->is_full = true;
    buf_free(&params);
}
