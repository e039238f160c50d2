/* SPDX-License-Identifier: Apache-2.0 */
/* upstream.c - the life of one upstream: begun, used, lost, begun again.
 *
 * upstream_step is the only writer of the state and knows the whole diagram. Work is started by a
 * pump at the end of the loop's turn, never inside the caller's call, so that no callback runs
 * before the caller has its leg in hand.
 */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/gateway/leg.h"

#include <inttypes.h>

enum {
    REST_FIRST_MS = 100, /* a stdio server that failed rests so long; doubled each time */
    REST_MAX_MS = 10000,
    FRAME_MAX = 64 * 1024,  /* bytes of a message besides its params */
    NOTIFICATIONS_MAX = 64, /* on their way to one server; further ones are not sent */
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

void upstream_step(struct upstream *upstream, enum upstream_event event)
{
    for (size_t i = 0; i < COUNT(edges); i++)
        if (edges[i].from == upstream->state && edges[i].event == event) {
            if (upstream->state == UPSTREAM_READY)
                lookout_forget(upstream); /* the next start may be of another server */
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

void upstreams_on_heard(struct upstreams *upstreams, heard_fn heard, asked_fn asked, void *user)
{
    upstreams->heard = heard;
    upstreams->asked = asked;
    upstreams->heard_user = user;
}

struct upstream_key upstream_key_of(const struct upstream *upstream)
{
    return upstream->key;
}

struct server *upstream_server(const struct upstream *upstream)
{
    return upstream->server;
}

void upstreams_set_keeper(struct upstreams *upstreams, struct asker *keeper)
{
    upstreams->keeper = keeper;
}

void upstreams_close(struct upstreams *upstreams)
{
    free(upstreams);
}

static void pump(void *user);

void upstream_pump_later(struct upstream *upstream)
{
    if (upstream->is_pumping)
        return;
    upstream->is_pumping = true;
    loop_defer(upstream->owner->loop, pump, upstream);
}

static void on_rested(void *user)
{
    upstream_pump_later(user);
}

enum transmitted upstream_transmit(struct leg *leg)
{
    struct upstream *upstream = leg->upstream;
    struct buf text;
    if (leg->turn && leg->turn != lookout_turn(upstream)) {
        leg_fail(leg, FAILURE_STALE, "the server's tools may have changed");
        return LEG_GONE;
    }
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

static size_t count_notifications(const struct upstream *upstream)
{
    size_t count = 0;
    for (const struct leg *leg = upstream->legs; leg; leg = leg->next)
        count += leg->is_notification;
    return count;
}

/* A client that calls and cancels in turn must not pile up requests to a server that is slow. */
void upstream_notify(struct upstream *upstream, Str method, Str members)
{
    struct upstream_request request = { .method = method, .members = members };
    if (count_notifications(upstream) >= NOTIFICATIONS_MAX)
        return;
    struct leg *leg = leg_new(upstream, &request, NULL, NULL);
    if (!leg)
        return;
    leg->is_notification = true;
    if (upstream_transmit(leg) != LEG_SENT)
        log_debug("server not told server=%.*s", STR_ARG(upstream->server->spec->alias));
}

static struct leg *first_waiting(const struct upstream *upstream)
{
    struct leg *leg = upstream->legs;
    while (leg && leg->is_sent)
        leg = leg->next;
    return leg;
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

/* Requests wait out the rest of a server that worked until now. Behind one that does not start, or
 * ends without an answer each time, nobody queues up: they hear why at once. */
static void begin_or_rest(struct upstream *upstream)
{
    int64_t rest = upstream->retry_ms - world_mono_ms();
    if (!upstream->transport->is_stdio || rest <= 0)
        upstream_begin(upstream);
    else if (upstream->start_fault)
        fail_legs(upstream, false, FAILURE_GONE, upstream->start_fault);
    else
        timer_start(upstream->rest, rest);
}

static void pump(void *user)
{
    struct upstream *upstream = user;
    upstream->is_pumping = false;
    if (upstream->is_closed)
        return;
    bool is_down = upstream->state == UPSTREAM_IDLE || upstream->state == UPSTREAM_FAILED;
    if (is_down && upstream->legs) {
        begin_or_rest(upstream);
        return;
    }
    struct leg *leg;
    while (upstream->state == UPSTREAM_READY && (leg = first_waiting(upstream)))
        if (upstream_transmit(leg) == LEG_KEPT)
            return; /* the transport will say that the server is gone */
}

const char *upstream_start(struct upstream *upstream)
{
    const struct transport *transport = upstream->transport;
    switch (transport->start ? transport->start(upstream) : ST_OK) {
    case ST_OK: return NULL;
    case ST_NOT_FOUND:
        return "the server's command can't be started: there is no such program, or it can't be "
               "executed";
    case ST_LIMIT:
    case ST_NO_MEMORY:
        return "the server's command can't be started: no process or memory is to be had";
    default: return "the server's command can't be started";
    }
}

void upstream_broken(struct upstream *upstream, enum answer_failure failure, const char *why)
{
    bool was_ready = upstream->state == UPSTREAM_READY;
    log_warn("server lost server=%.*s why=%s", STR_ARG(upstream->server->spec->alias), why);
    upstream_step(upstream, UPSTREAM_BREAK);
    bool is_first = was_ready && !upstream->rest_ms; /* it has answered before this */
    upstream->start_fault = is_first || !upstream->transport->is_stdio ? NULL : why;
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
        upstream_pump_later(upstream);
}

void upstream_probe_died(struct upstream *upstream)
{
    for (struct leg *leg = upstream->legs, *next; leg; leg = next) {
        next = leg->next;
        if (leg->is_handshake)
            leg_drop(leg, false);
    }
    upstream->transport->stop(upstream);
    const char *fault = upstream_start(upstream);
    if (fault)
        upstream_broken(upstream, FAILURE_GONE, fault);
    else
        upstream_handshake(upstream);
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
        upstream_pump_later(upstream);
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
        upstream_handshake(upstream);
    else
        upstream_pump_later(upstream);
}

void leg_era_lost(struct leg *leg)
{
    struct upstream *upstream = leg->upstream;
    bool has_moved = leg->has_moved;
    if (has_moved) {
        leg_fail(leg, FAILURE_REFUSED, "the server speaks no protocol version that we do");
    } else {
        upstream->transport->release(leg, false);
        leg->is_sent = false;
        leg->has_moved = true;
    }
    upstream_doubt(upstream);
    if (!has_moved)
        upstream_pump_later(upstream);
}

static bool copy_key(struct upstream *upstream, const struct upstream_key *key)
{
    char *text = malloc(key->principal.n + key->session.n + 1);
    if (!text)
        return false;
    if (key->principal.n)
        memcpy(text, key->principal.p, key->principal.n);
    if (key->session.n)
        memcpy(text + key->principal.n, key->session.p, key->session.n);
    upstream->key_text = text;
    upstream->key = (struct upstream_key){
        .principal = { .p = text, .n = key->principal.n },
        .session = { .p = text + key->principal.n, .n = key->session.n },
        .offers = key->offers,
    };
    return true;
}

static struct upstream *upstream_new(struct upstreams *upstreams, struct server *server,
                                     const struct upstream_key *key)
{
    struct upstream *upstream = calloc(1, sizeof *upstream);
    if (!upstream)
        return NULL;
    upstream->owner = upstreams;
    upstream->server = server;
    upstream->transport =
        server->spec->transport == SERVER_STDIO ? &transport_stdio : &transport_http;
    upstream->rest = timer_open(upstreams->loop, on_rested, upstream);
    if (!upstream->rest || !copy_key(upstream, key)) {
        timer_close(upstream->rest);
        free(upstream);
        return NULL;
    }
    buf_init(&upstream->session, UPSTREAM_SESSION_MAX);
    lookout_open(upstream);
    /* Ids begin anywhere, so that no other server can guess them, and stay below 2^53. */
    uint32_t random[2];
    world_entropy(random, sizeof random);
    upstream->next_id = ((uint64_t)(random[0] & 0xFFFF) << 32 | random[1]) + 1;
    upstream->next = server->upstreams;
    server->upstreams = upstream;
    return upstream;
}

static bool is_of(const struct upstream *upstream, const struct upstream_key *key)
{
    return upstream->key.offers == key->offers && str_eq(upstream->key.principal, key->principal) &&
           str_eq(upstream->key.session, key->session);
}

struct upstream *upstream_find(const struct server *server, const struct upstream_key *key)
{
    struct upstream *upstream = server->upstreams;
    while (upstream && !is_of(upstream, key))
        upstream = upstream->next;
    return upstream;
}

struct upstream *upstream_get(struct upstreams *upstreams, struct server *server,
                              const struct upstream_key *key)
{
    struct upstream *upstream = upstream_find(server, key);
    return upstream ? upstream : upstream_new(upstreams, server, key);
}

void upstream_respond(struct upstream *upstream, Str text)
{
    struct upstream_request request = { .members = text };
    if (upstream->is_closed || count_notifications(upstream) >= NOTIFICATIONS_MAX)
        return;
    struct leg *leg = leg_new(upstream, &request, NULL, NULL);
    if (!leg)
        return;
    leg->is_notification = leg->is_raw = true;
    if (upstream_transmit(leg) != LEG_SENT)
        log_debug("server not answered server=%.*s", STR_ARG(upstream->server->spec->alias));
}

void upstream_give_time(struct upstream *upstream, uint32_t ms)
{
    for (struct leg *leg = upstream->legs; leg; leg = leg->next)
        if (leg->is_sent && !leg->is_notification && !leg->is_handshake)
            timer_start(leg->timer, ms);
}

struct leg *upstream_send(struct upstream *upstream, const struct upstream_request *request,
                          answer_fn answer, void *user)
{
    struct leg *leg = leg_new(upstream, request, answer, user);
    if (leg) {
        upstream->used_ms = world_mono_ms();
        upstream_pump_later(upstream);
    }
    return leg;
}

static void upstream_free(void *user)
{
    struct upstream *upstream = user;
    timer_close(upstream->rest);
    lookout_close(upstream);
    buf_free(&upstream->session);
    free(upstream->key_text);
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

void server_cut(struct server *server, Str principal)
{
    for (struct upstream *upstream = server->upstreams; upstream; upstream = upstream->next) {
        if (server->spec->is_per_principal && !str_eq(upstream->key.principal, principal))
            continue;
        if (upstream->state != UPSTREAM_IDLE && upstream->state != UPSTREAM_FAILED)
            upstream_broken(upstream, FAILURE_LOGIN, "the connection to the server was revoked");
    }
}

void server_end_session(struct server *server, Str session)
{
    for (struct upstream **link = &server->upstreams; *link;) {
        struct upstream *upstream = *link;
        if (!session.n || !str_eq(upstream->key.session, session)) {
            link = &upstream->next;
            continue;
        }
        *link = upstream->next;
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
