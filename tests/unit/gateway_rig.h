/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_rig.h - a gateway with nothing real behind it: fakes stand where runtime/net would be.
 *
 * Included by one test program each, which thereby defines http_client_* and child_* itself. What
 * the gateway sends is recorded; the test plays the server. The loop and its timers are real.
 */
#ifndef TESTS_UNIT_GATEWAY_RIG_H
#define TESTS_UNIT_GATEWAY_RIG_H

#include "compiler/command/driver.h"
#include "runtime/gateway/gateway.h"
#include "runtime/net/child.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <stdio.h>
#include <stdlib.h>

enum { SENT_MAX = 200, TEXT_MAX = 65536, GOT_MAX = 32 };

/* ---- HTTP, faked ---- */

struct http_call {
    bool is_used, is_over, is_cancelled, is_paused;
    struct http_call_events events;
    void *user;
    char method[8], headers[2048], body[TEXT_MAX];
};

static struct http_call sent[SENT_MAX];
static size_t sent_count;

struct http_call *http_client_start(struct http_client *client,
                                    const struct http_request_spec *spec,
                                    const struct http_call_events *events, void *user)
{
    (void)client;
    ENSURE(sent_count < SENT_MAX && spec->body.n < TEXT_MAX);
    struct http_call *call = &sent[sent_count++];
    *call = (struct http_call){ .is_used = true, .events = *events, .user = user };
    (void)snprintf(call->method, sizeof call->method, "%.*s", STR_ARG(spec->method));
    (void)snprintf(call->body, sizeof call->body, "%.*s", STR_ARG(spec->body));
    size_t at = 0;
    for (size_t i = 0; i < spec->header_count; i++)
        at += (size_t)snprintf(call->headers + at, sizeof call->headers - at, "%.*s: %.*s\n",
                               STR_ARG(spec->headers[i].name), STR_ARG(spec->headers[i].value));
    return call;
}

void http_call_cancel(struct http_call *call)
{
    ENSURE(!call->is_over);
    call->is_over = call->is_cancelled = true;
}

void http_call_pause(struct http_call *call, bool paused)
{
    call->is_paused = paused;
}

static inline Str sent_body(size_t i)
{
    return str_of(sent[i].body);
}

static inline bool sent_has(size_t i, const char *text)
{
    return i < sent_count && (str_contains(sent_body(i), str_of(text)) ||
                              str_contains(str_of(sent[i].headers), str_of(text)));
}

/* The id that the gateway gave the request, as text. */
static inline Str sent_id(size_t i)
{
    const char *at = strstr(sent[i].body, "\"id\":");
    ENSURE(at);
    at += strlen("\"id\":");
    return (Str){ .p = at, .n = strspn(at, "0123456789") };
}

static inline void answer_head(size_t i, int status, const char *type, const char *session)
{
    struct http_head head = { .status = status };
    if (type)
        head.headers[head.header_count++] =
            (struct http_header){ STR("Content-Type"), str_of(type) };
    if (session)
        head.headers[head.header_count++] =
            (struct http_header){ STR("Mcp-Session-Id"), str_of(session) };
    sent[i].events.on_head(sent[i].user, &head);
}

static inline void answer_end(size_t i)
{
    if (sent[i].is_over)
        return;
    sent[i].is_over = true;
    sent[i].events.on_end(sent[i].user, ST_OK, NULL);
}

/* A whole answer; "ID" in the text becomes the request's id. */
static inline void answer_typed(size_t i, int status, const char *type, const char *text,
                                const char *session)
{
    struct buf body;
    buf_init(&body, TEXT_MAX);
    for (const char *at = text; *at; at++) {
        if (strncmp(at, "ID", 2) == 0) {
            buf_add(&body, sent_id(i));
            at++;
        } else {
            buf_add_char(&body, *at);
        }
    }
    answer_head(i, status, type, session);
    if (body.n && !sent[i].is_over)
        sent[i].events.on_data(sent[i].user, buf_str(&body));
    answer_end(i);
    buf_free(&body);
}

static inline void answer_json(size_t i, const char *text)
{
    answer_typed(i, 200, "application/json", text, NULL);
}

static inline void answer_status(size_t i, int status)
{
    answer_typed(i, status, NULL, "", NULL);
}

/* ---- children, faked ---- */

struct child {
    struct child_events events;
    void *user;
    bool is_stopped, is_paused;
    char lines[TEXT_MAX]; /* what it was sent, a line each */
    uint64_t queued, taken;
};

static struct child children[GOT_MAX];
static size_t child_total;
static bool child_fails;

enum status child_start(struct loop *loop, const struct child_spec *spec,
                        const struct child_events *events, void *user, struct child **out)
{
    (void)loop;
    (void)spec;
    if (child_fails)
        return ST_NOT_FOUND;
    ENSURE(child_total < GOT_MAX);
    struct child *child = &children[child_total++];
    *child = (struct child){ .events = *events, .user = user };
    *out = child;
    return ST_OK;
}

enum status child_write(struct child *child, Str line)
{
    size_t n = strlen(child->lines);
    ENSURE(!child->is_stopped && n + line.n + 2 < TEXT_MAX);
    ENSURE(!line.n || !memchr(line.p, '\n', line.n));
    (void)snprintf(child->lines + n, TEXT_MAX - n, "%.*s\n", STR_ARG(line));
    child->queued += line.n + 1;
    return ST_OK;
}

uint64_t child_queued(const struct child *child)
{
    return child->queued;
}

uint64_t child_taken(const struct child *child)
{
    return child->taken;
}

void child_pause(struct child *child, bool paused)
{
    child->is_paused = paused;
}

void child_stop(struct child *child)
{
    ENSURE(!child->is_stopped);
    child->is_stopped = true;
}

/* The last request that the child was sent, answered. */
static inline void child_answer(struct child *child, const char *text)
{
    const char *at = child->lines, *id = NULL;
    while ((at = strstr(at, "\"id\":")) != NULL)
        id = at += strlen("\"id\":");
    ENSURE(id);
    char line[TEXT_MAX];
    const char *mark = strstr(text, "ID");
    int n = mark ? snprintf(line, sizeof line, "%.*s%.*s%s", (int)(mark - text), text,
                            (int)strspn(id, "0123456789"), id, mark + 2)
                 : snprintf(line, sizeof line, "%s", text);
    child->taken = child->queued;
    child->events.on_line(child->user, (Str){ .p = line, .n = (size_t)n });
}

static inline bool child_has(const struct child *child, const char *text)
{
    return strstr(child->lines, text) != NULL;
}

/* ---- the gateway ---- */

struct got {
    int count, status;
    char body[TEXT_MAX], session[64];
    int event_count;
    bool is_behind;        /* what it says to the next event */
    char events[TEXT_MAX]; /* a line each */
};

struct rig {
    struct loop *loop;
    struct audit *audit;
    struct gateway *gateway;
    struct server_spec specs[2]; /* "web" by HTTP, "cmd" by stdio */
    Str argv[1];
    struct caller dev, ops; /* two principals with a grant each, for "web" */
    struct scratch_path policy, audit_path;
};

static inline void stop_loop(void *user)
{
    loop_stop(user);
}

static inline void turn(struct rig *rig)
{
    for (int i = 0; i < 4; i++) {
        loop_defer(rig->loop, stop_loop, rig->loop);
        loop_run(rig->loop);
    }
}

static const char policy_text[] = "policy \"rig\" version 1;\n"
                                  "server \"web\";\n"
                                  "server \"cmd\";\n"
                                  "default deny;\n"
                                  "allow tool \"get_*\";\n"
                                  "allow tool \"put\" when args.n > 5 reason \"large\";\n"
                                  "deny tool \"get_secret\" reason \"never \\\"this\\\"\";\n";

static inline void write_policy(struct rig *rig, const char *text)
{
    struct scratch_path source = scratch_path("rig.pol");
    struct compilation c;
    scratch_write(source.text, str_of(text));
    compilation_init(&c);
    ENSURE(compilation_check(&c, str_of(source.text)) && compilation_emit(&c));
    scratch_write(rig->policy.text, buf_str(&c.bundle));
    compilation_free(&c);
}

static const struct gateway_limits rig_limits = {
#define LIMIT(name, def, min, max, doc) .name = (def),
#include "runtime/gateway/limit.def"
#undef LIMIT
};

static inline void rig_open_with(struct rig *rig, const struct gateway_limits *limits,
                                 const char *audit_path)
{
    *rig = (struct rig){ .policy = scratch_path("rig.polb"),
                         .audit_path = scratch_path("audit.jsonl") };
    sent_count = child_total = 0;
    child_fails = false;
    if (audit_path)
        (void)snprintf(rig->audit_path.text, sizeof rig->audit_path.text, "%s", audit_path);
    else
        (void)remove(rig->audit_path.text);
    write_policy(rig, policy_text);
    rig->argv[0] = STR("cmd");
    rig->specs[0] = (struct server_spec){ .alias = STR("web"),
                                          .transport = SERVER_HTTP,
                                          .url = STR("http://127.0.0.1:1/mcp") };
    rig->specs[1] = (struct server_spec){ .alias = STR("cmd"), .argv = rig->argv, .argc = 1 };
    ENSURE(loop_open(&rig->loop) == ST_OK);
    ENSURE(audit_open(rig->audit_path.text, &rig->audit) == ST_OK);
    struct gateway_config config = { .loop = rig->loop,
                                     .audit = rig->audit,
                                     .servers = rig->specs,
                                     .server_count = 2,
                                     .limits = *limits };
    ENSURE(gateway_open(&config, &rig->gateway) == ST_OK);
    rig->dev = (struct caller){ .principal = { .id = STR("dev") },
                                .grant = STR("g_dev"),
                                .policy = str_of(rig->policy.text),
                                .server = gateway_server(rig->gateway, STR("web")) };
    rig->ops = rig->dev;
    rig->ops.principal.id = STR("ops");
    rig->ops.grant = STR("g_ops");
}

static inline void rig_open(struct rig *rig)
{
    rig_open_with(rig, &rig_limits, NULL);
}

static inline void rig_close(struct rig *rig)
{
    gateway_stop(rig->gateway);
    turn(rig);
    gateway_close(rig->gateway);
    loop_close(rig->loop);
    audit_close(rig->audit);
}

static inline size_t audit_lines(const struct rig *rig, const char *text)
{
    static char bytes[TEXT_MAX * 4];
    size_t n = scratch_read(rig->audit_path.text, bytes, sizeof bytes - 1), count = 0;
    bytes[n] = '\0';
    for (const char *at = bytes; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static inline void on_got(void *user, const struct reply *reply)
{
    struct got *got = user;
    got->count++;
    got->status = reply->status;
    ENSURE(reply->body.n < sizeof got->body && reply->session.n < sizeof got->session);
    (void)snprintf(got->body, sizeof got->body, "%.*s", STR_ARG(reply->body));
    (void)snprintf(got->session, sizeof got->session, "%.*s", STR_ARG(reply->session));
}

static inline bool on_got_event(void *user, const struct event *event)
{
    struct got *got = user;
    size_t n = strlen(got->events);
    ENSURE(n + event->text.n + 2 < sizeof got->events);
    (void)snprintf(got->events + n, sizeof got->events - n, "%.*s\n", STR_ARG(event->text));
    got->event_count++;
    return !got->is_behind;
}

static inline bool got_event(const struct got *got, const char *text)
{
    return strstr(got->events, text) != NULL;
}

static inline bool got_has(const struct got *got, const char *text)
{
    return strstr(got->body, text) != NULL;
}

/* One message by HTTP; session NULL: no such header. Turns the loop. */
static inline struct call *say(struct rig *rig, const struct caller *caller, const char *session,
                               const char *body, struct got *got)
{
    *got = (struct got){ 0 };
    struct incoming in = {
        .caller = caller,
        .body = str_of(body),
        .headers = { .is_http = true },
        .reply = on_got,
        .event = on_got_event,
        .user = got,
    };
    if (session)
        in.headers.session = (struct mcp_header){ true, str_of(session) };
    struct call *call = gateway_message(rig->gateway, &in);
    turn(rig);
    return call;
}

/* Further members of what say_modern sends as `_meta`, each with a comma before it. */
static const char *more_meta = "";

/* One message of the stateless era, with headers that agree. */
static inline struct call *say_modern(struct rig *rig, const struct caller *caller,
                                      const char *method, const char *name, const char *members,
                                      struct got *got)
{
    static char body[TEXT_MAX];
    *got = (struct got){ 0 };
    (void)snprintf(body, sizeof body,
                   "{\"jsonrpc\":\"2.0\",\"id\":\"m\",\"method\":\"%s\",\"params\":{%s%s\"_meta\":{"
                   "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                   "\"io.modelcontextprotocol/clientCapabilities\":{\"sampling\":{}}%s}}}",
                   method, members, *members ? "," : "", more_meta);
    struct incoming in = {
        .caller = caller,
        .body = str_of(body),
        .headers = { .is_http = true,
                     .version = { true, STR("2026-07-28") },
                     .method = { true, str_of(method) },
                     .name = { name != NULL, str_of(name) } },
        .reply = on_got,
        .event = on_got_event,
        .user = got,
    };
    struct call *call = gateway_message(rig->gateway, &in);
    turn(rig);
    return call;
}

#define INITIALIZE                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"     \
    "\"2025-06-18\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"
#define CALL(id, params)                                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":" params "}"
#define GET_X(id) CALL(id, "{\"name\":\"get_x\",\"arguments\":{}}")

/* Opens a client session. */
static inline void greet(struct rig *rig, const struct caller *caller, struct got *session)
{
    (void)say(rig, caller, NULL, INITIALIZE, session);
    CHECK(session->status == 200 && strlen(session->session) == SESSION_ID_TEXT);
}

/* Plays a server of the legacy era from the i-th request (server/discover) on: refuses it, takes
 * the handshake. The next request is number i + 3. */
static inline void be_legacy(struct rig *rig, size_t i, const char *session)
{
    CHECK(sent_has(i, "server/discover"));
    answer_status(i, 400);
    turn(rig);
    CHECK(sent_has(i + 1, "\"initialize\""));
    answer_typed(i + 1, 200, "application/json",
                 "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"protocolVersion\":\"2025-11-25\","
                 "\"capabilities\":{},\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"}}}",
                 session);
    turn(rig);
    CHECK(sent_has(i + 2, "notifications/initialized"));
    answer_status(i + 2, 202);
    turn(rig);
}

static inline void be_modern(struct rig *rig, size_t i)
{
    CHECK(sent_has(i, "server/discover"));
    answer_json(i, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"supportedVersions\":"
                   "[\"2026-07-28\"],\"capabilities\":{},\"resultType\":\"complete\"}}");
    turn(rig);
}

#endif
