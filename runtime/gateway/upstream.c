/* SPDX-License-Identifier: Apache-2.0 */
/* upstream.c - the life of one upstream: found out, greeted, used, lost, begun again.
 *
 * upstream_step is the only writer of the state and knows the whole diagram. Work is started by a
 * pump at the end of the loop's turn, never inside the caller's call, so that no callback runs
 * before the caller has its leg in hand.
 */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/gateway/leg.h"
#include "runtime/gateway/revision.h"

#include <inttypes.h>

enum {
    REST_FIRST_MS = 100, /* a stdio server that failed rests so long; doubled each time */
    REST_MAX_MS = 10000,
    FRAME_MAX = 64 * 1024, /* bytes of a message besides its params */
};

static const struct {
    enum upstream_state from;
    enum upstream_event event;
    enum upstream_state to;
} edges[] = {
#define EDGE(from, event, to) { UPSTREAM_##from, UPSTREAM_##event, UPSTREAM_##to },
#include "runtime/gateway/upstream_state.def"
#undef EDGE
};

static void upstream_step(struct upstream *upstream, enum upstream_event event)
{
    for (size_t i = 0; i < COUNT(edges); i++)
        if (edges[i].from == upstream->state && edges[i].event == event) {
            upstream->state = edges[i].to;
            return;
        }
    UNREACHABLE("an event that does not belong to the state");
}

struct upstreams *upstreams_open(struct loop *loop, struct http_client *http,
                                 const struct gateway_limits *limits)
{
    struct upstreams *upstreams = calloc(1, sizeof *upstreams);
    if (upstreams)
        *upstreams = (struct upstreams){ .loop = loop, .http = http, .limits = limits };
    return upstreams;
}

void upstreams_close(struct upstreams *upstreams)
{
    free(upstreams);
}

static void pump(void *user);

static void pump_later(struct upstream *upstream)
{
    if (upstream->is_pumping)
        return;
    upstream->is_pumping = true;
    loop_defer(upstream->owner->loop, pump, upstream);
}

static void on_rested(void *user)
{
    pump_later(user);
}

enum transmitted upstream_transmit(struct leg *leg)
{
    struct upstream *upstream = leg->upstream;
    struct buf text;
    buf_init(&text, leg->members.n + FRAME_MAX);
    leg_write(leg, &text);
    enum status status =
        text.is_full ? ST_NO_MEMORY : upstream->transport->send(upstream, leg, buf_str(&text));
    buf_free(&text);
    if (status == ST_CLOSED && upstream->state == UPSTREAM_READY && !leg->is_notification)
        return LEG_KEPT;
    if (status != ST_OK) {
        leg_fail(leg, FAILURE_GONE, "the request could not be sent to the server");
        return LEG_GONE;
    }
    leg->is_sent = true;
    if (leg->is_notification && upstream->transport->is_stdio)
        leg_finish(leg, &(struct answer){ .kind = ANSWER_RESULT, .era = upstream->era });
    return LEG_SENT;
}

void upstream_notify(struct upstream *upstream, Str method, Str members)
{
    struct upstream_request request = { .method = method, .members = members };
    struct leg *leg = leg_new(upstream, &request, NULL, NULL);
    if (!leg)
        return;
    leg->is_notification = true;
    if (upstream_transmit(leg) != LEG_SENT)
        log_debug("server not told server=%.*s", STR_ARG(upstream->server->spec->alias));
}

static void send_handshake(struct upstream *upstream, Str method, Str members, answer_fn answer)
{
    struct upstream_request request = { .method = method, .members = members };
    struct leg *leg = leg_new(upstream, &request, answer, upstream);
    if (!leg) {
        upstream_broken(upstream, FAILURE_INTERNAL, "no memory left");
        return;
    }
    leg->is_handshake = true;
    leg->is_notification = str_starts(method, STR("notifications/"));
    if (upstream->state == UPSTREAM_PROBING && upstream->transport->is_stdio)
        timer_start(leg->timer, upstream->owner->limits->probe_timeout_ms);
    (void)upstream_transmit(leg); /* a failure ends the leg, and its answer says so */
}

static void establish(struct upstream *upstream, enum server_era era)
{
    upstream->era = era;
    upstream->server->known_era = era;
    upstream_step(upstream, UPSTREAM_ESTABLISH);
    log_info("server ready server=%.*s era=%s", STR_ARG(upstream->server->spec->alias),
             era == ERA_MODERN ? "modern" : "legacy");
    pump_later(upstream);
}

static void on_greeted(void *user, const struct answer *answer)
{
    struct upstream *upstream = user;
    if (answer->kind == ANSWER_RESULT)
        establish(upstream, ERA_LEGACY);
    else
        upstream_broken(upstream, answer->failure, "the server did not complete the handshake");
}

static void on_initialized(void *user, const struct answer *answer)
{
    struct upstream *upstream = user;
    if (answer->kind == ANSWER_FAILED) {
        upstream_broken(upstream, answer->failure, answer->why);
        return;
    }
    Str version = { 0 };
    if (answer->kind == ANSWER_RESULT)
        version = revision_legacy(
            json_member_string(answer->doc, answer->result, STR("protocolVersion")));
    if (!version.n) {
        upstream_broken(upstream, FAILURE_MALFORMED,
                        answer->kind == ANSWER_ERROR
                            ? "the server refused the handshake"
                            : "the server speaks a protocol version that the gateway does not");
        return;
    }
    upstream->version = version;
    send_handshake(upstream, STR("notifications/initialized"), (Str){ 0 }, on_greeted);
}

static void handshake(struct upstream *upstream)
{
    struct buf members;
    buf_init(&members, FRAME_MAX);
    upstream->era = ERA_LEGACY;
    upstream->version = (Str){ 0 };
    buf_clear(&upstream->session);
    upstream_step(upstream, UPSTREAM_HANDSHAKE);
    buf_add(&members, STR("\"protocolVersion\":"));
    json_write_string(&members, REVISION_LEGACY);
    buf_add(&members, STR(",\"capabilities\":{},\"clientInfo\":"
                          "{\"name\":\"mcpd\",\"version\":\"" MCP_VERSION "\"}"));
    send_handshake(upstream, STR("initialize"), buf_str(&members), on_initialized);
    buf_free(&members);
}

static bool lists_modern(const struct json_doc *doc, uint32_t list)
{
    if (list == JSON_NONE || json_at(doc, list)->type != JSON_ARRAY)
        return false;
    for (uint32_t i = json_first(doc, list); i != JSON_NONE; i = json_after(doc, list, i))
        if (json_at(doc, i)->type == JSON_STRING &&
            str_eq(json_text(json_at(doc, i)), REVISION_MODERN))
            return true;
    return false;
}

/* What an answer to server/discover says about the era. Authorization, overload and faults say
 * nothing: ERA_AUTO. */
static enum server_era era_evidence(const struct upstream *upstream, const struct answer *answer)
{
    if (answer->kind == ANSWER_RESULT) {
        uint32_t list = json_member(answer->doc, answer->result, STR("supportedVersions"));
        return lists_modern(answer->doc, list) ? ERA_MODERN : ERA_LEGACY;
    }
    if (answer->kind == ANSWER_ERROR) {
        if (answer->code == MCP_HEADER_MISMATCH || answer->code == MCP_MISSING_CAPABILITY)
            return ERA_MODERN;
        if (answer->code == MCP_UNSUPPORTED_VERSION && answer->data != JSON_NONE) {
            uint32_t list = json_member(answer->doc, answer->data, STR("supported"));
            return lists_modern(answer->doc, list) ? ERA_MODERN : ERA_LEGACY;
        }
        return ERA_LEGACY;
    }
    if (upstream->transport->is_stdio)
        return answer->failure == FAILURE_TIMEOUT || answer->failure == FAILURE_MALFORMED
                   ? ERA_LEGACY
                   : ERA_AUTO;
    bool is_verdict = answer->failure == FAILURE_REFUSED && answer->status >= 400 &&
                      answer->status < 500 && answer->status != 401 && answer->status != 403 &&
                      answer->status != 429;
    return is_verdict ? ERA_LEGACY : ERA_AUTO;
}

static void on_discovered(void *user, const struct answer *answer)
{
    struct upstream *upstream = user;
    switch (era_evidence(upstream, answer)) {
    case ERA_MODERN: establish(upstream, ERA_MODERN); break;
    case ERA_LEGACY: handshake(upstream); break;
    case ERA_AUTO:
        upstream_broken(upstream, answer->failure,
                        answer->why ? answer->why : "the server gave no usable answer");
        break;
    }
}

static void begin(struct upstream *upstream)
{
    const struct transport *transport = upstream->transport;
    if (transport->start && transport->start(upstream) != ST_OK) {
        upstream_broken(upstream, FAILURE_GONE, "the server can't be started");
        return;
    }
    enum server_era era = upstream->server->spec->era;
    if (era == ERA_AUTO)
        era = upstream->server->known_era;
    if (era == ERA_LEGACY) {
        handshake(upstream);
    } else if (era == ERA_MODERN) {
        establish(upstream, ERA_MODERN);
    } else {
        upstream->era = ERA_MODERN; /* the probe is a modern request */
        upstream_step(upstream, UPSTREAM_PROBE);
        send_handshake(upstream, STR("server/discover"), (Str){ 0 }, on_discovered);
    }
}

static struct leg *first_waiting(const struct upstream *upstream)
{
    struct leg *leg = upstream->legs;
    while (leg && leg->is_sent)
        leg = leg->next;
    return leg;
}

static void pump(void *user)
{
    struct upstream *upstream = user;
    upstream->is_pumping = false;
    if (upstream->is_closed)
        return;
    bool is_down = upstream->state == UPSTREAM_IDLE || upstream->state == UPSTREAM_FAILED;
    if (is_down && upstream->legs) {
        int64_t rest = upstream->retry_ms - world_mono_ms();
        if (upstream->transport->is_stdio && rest > 0)
            timer_start(upstream->rest, rest);
        else
            begin(upstream);
        return;
    }
    struct leg *leg;
    while (upstream->state == UPSTREAM_READY && (leg = first_waiting(upstream)))
        if (upstream_transmit(leg) == LEG_KEPT)
            return; /* the transport will say that the server is gone */
}

/* Ends the handshake's own legs without an answer, then fails the others that match. */
static void fail_legs(struct upstream *upstream, bool only_sent, enum answer_failure failure,
                      const char *why)
{
    struct leg *leg = upstream->legs;
    while (leg) {
        struct leg *next = leg->next;
        if (leg->is_handshake || (leg->is_notification && leg->is_sent))
            leg_drop(leg, false);
        leg = next;
    }
    uint64_t last = upstream->next_id; /* what callbacks add now is spared */
    leg = upstream->legs;
    while (leg) {
        bool matches = leg->id < last && (leg->is_sent || !only_sent);
        if (matches)
            leg_fail(leg, failure, why);
        leg = matches ? upstream->legs : leg->next;
    }
}

void upstream_broken(struct upstream *upstream, enum answer_failure failure, const char *why)
{
    bool was_ready = upstream->state == UPSTREAM_READY;
    log_warn("server lost server=%.*s why=%s", STR_ARG(upstream->server->spec->alias), why);
    upstream_step(upstream, UPSTREAM_BREAK);
    upstream->rest_ms = upstream->rest_ms ? upstream->rest_ms * 2 : REST_FIRST_MS;
    if (upstream->rest_ms > REST_MAX_MS)
        upstream->rest_ms = REST_MAX_MS;
    upstream->retry_ms = world_mono_ms() + upstream->rest_ms;
    if (!was_ready)
        upstream->server->known_era = ERA_AUTO;
    if (upstream->transport->stop)
        upstream->transport->stop(upstream);
    fail_legs(upstream, was_ready, failure, why);
    if (upstream->legs)
        pump_later(upstream);
}

void upstream_probe_died(struct upstream *upstream)
{
    for (struct leg *leg = upstream->legs, *next; leg; leg = next) {
        next = leg->next;
        if (leg->is_handshake)
            leg_drop(leg, false);
    }
    upstream->transport->stop(upstream);
    if (upstream->transport->start(upstream) != ST_OK)
        upstream_broken(upstream, FAILURE_GONE, "the server can't be started");
    else
        handshake(upstream);
}

void upstream_doubt(struct upstream *upstream)
{
    if (upstream->state != UPSTREAM_READY)
        return;
    for (struct leg *leg = upstream->legs; leg; leg = leg->next)
        if (leg->is_sent)
            return;
    if (upstream->era == ERA_MODERN)
        upstream->server->known_era = ERA_AUTO;
    buf_clear(&upstream->session);
    upstream_step(upstream, UPSTREAM_REST);
    if (upstream->legs)
        pump_later(upstream);
}

void leg_session_lost(struct leg *leg)
{
    struct upstream *upstream = leg->upstream;
    if (leg->has_moved || leg->is_handshake || leg->is_notification) {
        leg_fail(leg, FAILURE_REFUSED, "the server does not keep its sessions");
        return;
    }
    bool is_current = leg->generation == upstream->generation;
    upstream->transport->release(leg, false);
    leg->is_sent = false;
    leg->has_moved = true;
    if (is_current && upstream->state == UPSTREAM_READY)
        handshake(upstream);
    else
        pump_later(upstream);
}

static struct upstream *upstream_new(struct upstreams *upstreams, struct server *server,
                                     Str principal)
{
    struct upstream *upstream = calloc(1, sizeof *upstream);
    if (!upstream)
        return NULL;
    upstream->owner = upstreams;
    upstream->server = server;
    upstream->transport =
        server->spec->transport == SERVER_STDIO ? &transport_stdio : &transport_http;
    upstream->rest = timer_open(upstreams->loop, on_rested, upstream);
    upstream->principal = malloc(principal.n + 1);
    if (!upstream->rest || !upstream->principal) {
        timer_close(upstream->rest);
        free(upstream->principal);
        free(upstream);
        return NULL;
    }
    if (principal.n)
        memcpy(upstream->principal, principal.p, principal.n);
    upstream->principal_n = principal.n;
    buf_init(&upstream->session, UPSTREAM_SESSION_MAX);
    /* Ids begin anywhere, so that no other server can guess them, and stay below 2^53. */
    uint32_t random[2];
    world_entropy(random, sizeof random);
    upstream->next_id = ((uint64_t)(random[0] & 0xFFFF) << 32 | random[1]) + 1;
    upstream->next = server->upstreams;
    server->upstreams = upstream;
    return upstream;
}

struct upstream *upstream_get(struct upstreams *upstreams, struct server *server, Str principal)
{
    struct upstream *upstream = server->upstreams;
    while (upstream &&
           !str_eq(principal, (Str){ .p = upstream->principal, .n = upstream->principal_n }))
        upstream = upstream->next;
    return upstream ? upstream : upstream_new(upstreams, server, principal);
}

struct leg *upstream_send(struct upstream *upstream, const struct upstream_request *request,
                          answer_fn answer, void *user)
{
    struct leg *leg = leg_new(upstream, request, answer, user);
    if (leg) {
        upstream->used_ms = world_mono_ms();
        pump_later(upstream);
    }
    return leg;
}

static void upstream_free(void *user)
{
    struct upstream *upstream = user;
    timer_close(upstream->rest);
    buf_free(&upstream->session);
    free(upstream->principal);
    free(upstream);
}

/* Unlinked already. */
static void upstream_end(struct upstream *upstream)
{
    upstream_step(upstream, UPSTREAM_REST);
    timer_stop(upstream->rest);
    fail_legs(upstream, false, FAILURE_GONE, "the gateway ends its connection to the server");
    if (upstream->transport->stop)
        upstream->transport->stop(upstream);
    upstream->is_closed = true;
    loop_defer(upstream->owner->loop, upstream_free, upstream);
}

void server_end(struct server *server)
{
    while (server->upstreams) {
        struct upstream *upstream = server->upstreams;
        server->upstreams = upstream->next;
        upstream_end(upstream);
    }
}

void server_sweep(struct server *server, uint32_t idle_ms)
{
    int64_t oldest = world_mono_ms() - idle_ms;
    for (struct upstream **link = &server->upstreams; *link;) {
        struct upstream *upstream = *link;
        if (upstream->legs || upstream->used_ms >= oldest) {
            link = &upstream->next;
            continue;
        }
        *link = upstream->next;
        upstream_end(upstream);
    }
}
