/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_greet.c - finding out which era a server speaks, and its handshake if it has one.
 *
 * The probe is server/discover. Only what the protocol calls evidence moves the verdict: a server
 * that asks for authorization, is overloaded or broken has said nothing about its era.
 */
#include "runtime/base/log.h"
#include "runtime/gateway/leg.h"
#include "runtime/gateway/offer.h"
#include "runtime/gateway/revision.h"

enum { MEMBERS_MAX = 1024 }; /* bytes of the params of initialize */

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
    upstream_pump_later(upstream);
}

const struct capability capability_table[] = {
    { STR_INIT("resources"), KIND_RESOURCE, false, true },
    { STR_INIT("prompts"), KIND_PROMPT, false, true },
    { STR_INIT("completions"), KIND_COMPLETION, false, false },
    { STR_INIT("logging"), KIND_LOGGING, true, false },
};
const size_t capability_count = COUNT(capability_table);

/* Remembers what the server says that it has. */
static void note_capabilities(struct server *server, const struct answer *answer)
{
    uint32_t object = json_member(answer->doc, answer->result, STR("capabilities"));
    server->capabilities = 0;
    server->has_subscriptions = false;
    server->has_capabilities =
        object != JSON_NONE && json_at(answer->doc, object)->type == JSON_OBJECT;
    for (size_t i = 0; i < COUNT(capability_table) && server->has_capabilities; i++)
        if (json_member(answer->doc, object, capability_table[i].word) != JSON_NONE)
            server->capabilities |= UINT32_C(1) << capability_table[i].kind;
    if (!server->has_capabilities)
        return;
    uint32_t resources = json_member(answer->doc, object, STR("resources"));
    uint32_t subscribe =
        resources == JSON_NONE ? JSON_NONE : json_member(answer->doc, resources, STR("subscribe"));
    server->has_subscriptions =
        subscribe != JSON_NONE && json_at(answer->doc, subscribe)->type == JSON_TRUE;
}

static void on_greeted(void *user, const struct answer *answer)
{
    struct upstream *upstream = user;
    if (answer->kind == ANSWER_RESULT)
        establish(upstream, ERA_LEGACY);
    else
        upstream_broken(upstream, answer->failure,
                        answer->failure == FAILURE_LOGIN
                            ? answer->why
                            : "the server did not complete the handshake");
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
    note_capabilities(upstream->server, answer);
    send_handshake(upstream, STR("notifications/initialized"), (Str){ 0 }, on_greeted);
}

void upstream_handshake(struct upstream *upstream)
{
    struct buf members;
    buf_init(&members, MEMBERS_MAX);
    upstream->era = ERA_LEGACY;
    upstream->version = (Str){ 0 };
    buf_clear(&upstream->session);
    upstream_step(upstream, UPSTREAM_HANDSHAKE);
    buf_add(&members, STR("\"protocolVersion\":"));
    json_write_string(&members, REVISION_LEGACY);
    buf_add(&members, STR(",\"capabilities\":"));
    offers_write(&members, upstream->key.offers);
    buf_add(&members, STR(",\"clientInfo\":"
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
    case ERA_MODERN:
        if (answer->kind == ANSWER_RESULT)
            note_capabilities(upstream->server, answer);
        establish(upstream, ERA_MODERN);
        break;
    case ERA_LEGACY: upstream_handshake(upstream); break;
    case ERA_AUTO:
        upstream_broken(upstream, answer->failure,
                        answer->why ? answer->why : "the server gave no usable answer");
        break;
    }
}

void upstream_begin(struct upstream *upstream)
{
    const char *fault = upstream_start(upstream);
    if (fault) {
        upstream_broken(upstream, FAILURE_GONE, fault);
        return;
    }
    enum server_era era = upstream->server->spec->era;
    if (era == ERA_AUTO)
        era = upstream->server->known_era;
    if (era == ERA_LEGACY) {
        upstream_handshake(upstream);
    } else if (era == ERA_MODERN) {
        establish(upstream, ERA_MODERN);
    } else {
        upstream->era = ERA_MODERN; /* the probe is a modern request */
        upstream_step(upstream, UPSTREAM_PROBE);
        send_handshake(upstream, STR("server/discover"), (Str){ 0 }, on_discovered);
    }
}
