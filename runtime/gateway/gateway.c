/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.c - one message: read, classified, answered or handed on.
 *
 * The order is fixed: JSON, JSON-RPC, era, session, method. What no step recognises is refused;
 * a method that is not in the table does not exist, whatever the server behind may offer.
 */
#include "runtime/gateway/ask.h"
#include "runtime/gateway/call.h"
#include "runtime/gateway/decide.h"
#include "runtime/gateway/relay.h"
#include "runtime/gateway/result.h"
#include "runtime/gateway/revision.h"
#include "runtime/gateway/stream.h"
#include "runtime/gateway/subscription.h"
#include "runtime/keeper/asker.h"

enum {
    REQUEST_NODES_MAX = 262144,
    REQUEST_MEMBERS_MAX = 4096,
    REQUEST_SCRATCH_FACTOR = 3, /* memory beside the nodes: strings, tables for duplicate keys */
    RESULT_BYTES_MAX = 4096,    /* of an answer that the gateway gives by itself */
    SWEEP_MS = 60000,
};

static void refuse(const struct request *request, const struct refusal *refusal)
{
    struct buf body, data;
    buf_init(&body, REPLY_FRAME_MAX);
    buf_init(&data, RESULT_BYTES_MAX);
    if (refusal->code == MCP_UNSUPPORTED_VERSION) {
        buf_add(&data, STR("{\"supported\":["));
        json_write_string(&data, REVISION_MODERN);
        buf_add(&data, STR("],\"requested\":"));
        json_write_string(&data, refusal->requested);
        buf_add_char(&data, '}');
    }
    if (data.is_full)
        buf_clear(&data); /* a version of kilobytes is not worth repeating */
    jsonrpc_write_error(&body, request->message.id, refusal->code, str_of(refusal->why),
                        buf_str(&data));
    request_reply(request, refusal->status, &body, (Str){ 0 });
    buf_free(&data);
    buf_free(&body);
}

/* In the stateless era servers have no such method. */
static bool can_subscribe(const struct server *server)
{
    return server->known_era != ERA_MODERN &&
           (!server->has_capabilities || server->has_subscriptions);
}

/* What the gateway relays, the policy could ever allow this caller, and the server has, as far as
 * it has been asked. Tools are always offered: without any, their list is empty. */
static void write_capabilities(const struct request *request, struct buf *out)
{
    const struct caller *caller = request->in->caller;
    struct vm *vm = policies_get(request->gateway->policies, caller->policy);
    struct vm_question question = { .server = server_alias(caller->server),
                                    .principal = &caller->principal };
    /* In the legacy era changes are told on the session's own stream. */
    Str features = request->era == ERA_LEGACY ? STR("{\"listChanged\":true}") : STR("{}");
    buf_add(out, STR("{\"tools\":"));
    buf_add(out, features);
    for (size_t i = 0; i < capability_count && vm; i++) {
        const struct capability *one = &capability_table[i];
        bool is_there = !caller->server->has_capabilities ||
                        (caller->server->capabilities >> one->kind & 1) != 0;
        question.kind = one->kind;
        if (!is_there || (request->era == ERA_MODERN && one->is_legacy) ||
            !vm_may_allow_some(vm, &question, STR("")))
            continue;
        jsonrpc_write_key(out, one->word);
        if (one->kind == KIND_RESOURCE && request->era == ERA_LEGACY &&
            can_subscribe(caller->server))
            buf_add(out, STR("{\"subscribe\":true,\"listChanged\":true}"));
        else
            buf_add(out, one->has_list ? features : STR("{}"));
    }
    buf_add_char(out, '}');
}

static struct call *answer_initialize(struct request *request)
{
    const struct incoming *in = request->in;
    Str asked = { 0 };
    if (request->message.params != JSON_NONE)
        asked = json_member_string(&request->doc, request->message.params, STR("protocolVersion"));
    if (!asked.n) {
        request_error(request, 200, JSONRPC_INVALID_PARAMS,
                      "params.protocolVersion must be a string");
        return NULL;
    }
    Str version = revision_negotiate(asked);
    struct session *session = in->session;
    if (session && session->version.n) {
        request_error(request, 400, JSONRPC_INVALID_REQUEST, "initialize was sent already");
        return NULL;
    }
    if (session)
        session->version = version;
    else
        session = session_open(request->gateway->sessions, in->caller, version);
    if (session)
        session->declared =
            offers_read(&request->doc,
                        json_member(&request->doc, request->message.params, STR("capabilities")));
    if (!session) {
        request_error(request, 200, JSONRPC_INTERNAL_ERROR, "no memory left");
        return NULL;
    }
    struct buf result;
    buf_init(&result, RESULT_BYTES_MAX);
    buf_add(&result, STR("{\"protocolVersion\":"));
    json_write_string(&result, version);
    buf_add(&result, STR(",\"capabilities\":"));
    write_capabilities(request, &result);
    buf_add(&result, STR(",\"serverInfo\":"));
    result_write_implementation(&result, server_alias(in->caller->server));
    buf_add_char(&result, '}');
    Str id = { 0 };
    if (!in->session)
        id = (Str){ .p = session->id, .n = SESSION_ID_TEXT };
    request_result(request, buf_str(&result), id);
    buf_free(&result);
    return NULL;
}

static struct call *answer_ping(struct request *request)
{
    request_result(request, STR("{}"), (Str){ 0 });
    return NULL;
}

static struct call *answer_discover(struct request *request)
{
    struct buf result;
    buf_init(&result, RESULT_BYTES_MAX);
    buf_add(&result, STR("{\"supportedVersions\":["));
    json_write_string(&result, REVISION_MODERN);
    buf_add(&result, STR("],\"capabilities\":"));
    write_capabilities(request, &result);
    result_write_meta(&result, &request->doc, JSON_NONE, request->era,
                      server_alias(request->in->caller->server));
    result_write_list_era(&result, request->era);
    buf_add_char(&result, '}');
    request_result(request, buf_str(&result), (Str){ 0 });
    buf_free(&result);
    return NULL;
}

/* Every method there is. */
static const struct method {
    Str name;
    bool is_legacy, is_modern;
    bool needs_session; /* legacy */
    struct call *(*handle)(struct request *request);
} methods[] = {
    { STR_INIT("initialize"), true, false, false, answer_initialize },
    { STR_INIT("ping"), true, false, true, answer_ping },
    { STR_INIT("server/discover"), false, true, false, answer_discover },
    { STR_INIT("tools/list"), true, true, true, tools_list },
    { STR_INIT("tools/call"), true, true, true, tools_call },
    { STR_INIT("resources/list"), true, true, true, list_call },
    { STR_INIT("resources/templates/list"), true, true, true, list_call },
    { STR_INIT("resources/read"), true, true, true, judged_call },
    { STR_INIT("resources/subscribe"), true, false, true, judged_call },
    { STR_INIT("resources/unsubscribe"), true, false, true, judged_call },
    { STR_INIT("prompts/list"), true, true, true, list_call },
    { STR_INIT("prompts/get"), true, true, true, judged_call },
    { STR_INIT("completion/complete"), true, true, true, judged_call },
    { STR_INIT("logging/setLevel"), true, false, true, judged_call },
};

static const struct method *method_find(Str name, enum server_era era)
{
    for (size_t i = 0; i < COUNT(methods); i++)
        if (str_eq(methods[i].name, name) &&
            (era == ERA_MODERN ? methods[i].is_modern : methods[i].is_legacy))
            return &methods[i];
    return NULL;
}

/* Legacy: finds the session that the message belongs to. False after a refusal. */
static bool bind_session(struct request *request)
{
    const struct incoming *in = request->in;
    const struct mcp_header *version = &in->headers.version;
    if (!in->headers.is_http) {
        if (in->session->version.n || request->message.kind == JSONRPC_NOTIFICATION)
            return true;
        request_error(request, 400, JSONRPC_INVALID_REQUEST, "initialize comes first");
        return false;
    }
    if (!in->headers.session.is_present) {
        request_error(request, 400, JSONRPC_INVALID_REQUEST,
                      "the Mcp-Session-Id header is missing");
        return false;
    }
    request->session =
        session_find(request->gateway->sessions, in->caller, in->headers.session.value);
    if (!request->session) {
        request_error(request, 404, JSONRPC_INVALID_REQUEST, "there is no such session");
        return false;
    }
    if (version->is_present && !revision_legacy(version->value).n) {
        request_error(request, 400, JSONRPC_INVALID_REQUEST,
                      "the MCP-Protocol-Version header names an unsupported version");
        return false;
    }
    return true;
}

/* The policy that counts is today's: what it does not allow any more is not offered either. */
static void note_offers(struct request *request)
{
    struct session *session = request->session ? request->session : request->in->session;
    struct caller *caller = request->caller;
    if (!session)
        return;
    caller->offers = offers_allowed(request->gateway, caller, session->declared);
    if (caller->offers)
        caller->session = (Str){ .p = session->id, .n = SESSION_ID_TEXT };
    session->caller.offers = caller->offers;
    session->caller.session = caller->session;
}

static struct call *not_governed(struct request *request)
{
    const struct incoming *in = request->in;
    struct vm *vm = policies_get(request->gateway->policies, in->caller->policy);
    if (decide_record(request->gateway->audit, vm, in->caller, request->message.method, STR("deny"),
                      STR("not_governed")))
        request_error(request, request->era == ERA_MODERN ? 404 : 200, JSONRPC_METHOD_NOT_FOUND,
                      "the gateway offers no such method");
    else
        request_error(request, 200, JSONRPC_INTERNAL_ERROR, "the refusal could not be recorded");
    return NULL;
}

static void take_cancelled(struct request *request)
{
    struct session *session = request->session ? request->session : request->in->session;
    if (!session || request->message.params == JSON_NONE)
        return;
    uint32_t index = json_member(&request->doc, request->message.params, STR("requestId"));
    const struct json_node *node = index == JSON_NONE ? NULL : json_at(&request->doc, index);
    if (!node || (node->type != JSON_STRING && node->type != JSON_NUMBER))
        return;
    struct jsonrpc_id id = { .is_present = true,
                             .is_string = node->type == JSON_STRING,
                             .text = json_text(node) };
    struct call *call = flight_find(&session->flight, id);
    if (call)
        call_cancel(call);
}

static struct call *take_notification(struct request *request)
{
    bool is_stdio = !request->in->headers.is_http;
    if (request->era == ERA_LEGACY && !bind_session(request))
        return NULL;
    bool is_cancel = str_eq(request->message.method, STR("notifications/cancelled"));
    if (is_cancel && (is_stdio || request->era == ERA_LEGACY))
        take_cancelled(request);
    struct reply reply = { .status = 202 };
    request->in->reply(request->in->user, &reply);
    return NULL;
}

/* Of a session, to what it has been asked. */
static struct call *take_answer(struct request *request)
{
    const struct incoming *in = request->in;
    bool can_be_asked = !in->headers.is_http || in->headers.session.is_present;
    if (can_be_asked && !bind_session(request))
        return NULL;
    struct session *session = request->session ? request->session : in->session;
    if (can_be_asked && session &&
        ask_answer(request->gateway, session, &request->doc, &request->message)) {
        struct reply reply = { .status = 202 };
        in->reply(in->user, &reply);
        return NULL;
    }
    request_error(request, 400, JSONRPC_INVALID_REQUEST, "the gateway has asked for no such thing");
    return NULL;
}

static struct call *handle(struct request *request)
{
    struct refusal refusal = { 0 };
    jsonrpc_read(&request->doc, &request->message);
    const struct jsonrpc_message *message = &request->message;
    if (message->kind == JSONRPC_INVALID) {
        request_error(request, 400, message->code, message->why);
        return NULL;
    }
    if (message->kind != JSONRPC_REQUEST && message->kind != JSONRPC_NOTIFICATION)
        return take_answer(request);
    if (!era_classify(&request->doc, message, &request->in->headers, &request->era, &refusal)) {
        refuse(request, &refusal);
        return NULL;
    }
    if (message->kind == JSONRPC_NOTIFICATION)
        return take_notification(request);
    const struct method *method = method_find(message->method, request->era);
    bool needs_session = request->era == ERA_LEGACY && (!method || method->needs_session);
    if (needs_session && !bind_session(request))
        return NULL;
    if (needs_session)
        note_offers(request);
    return method ? method->handle(request) : not_governed(request);
}

/* A body that can't be read: whose fault that is. */
static int status_of(enum json_error error)
{
    if (error == JSON_ERR_NO_MEMORY)
        return 503;
    return error == JSON_ERR_TOO_LARGE ? 413 : 400;
}

struct json_limits request_limits(const struct gateway_limits *limits)
{
    return (struct json_limits){
        .max_bytes = limits->max_body_bytes,
        .max_depth = limits->max_depth,
        .max_nodes = REQUEST_NODES_MAX,
        .max_members = REQUEST_MEMBERS_MAX,
    };
}

size_t request_memory(const struct gateway_limits *limits)
{
    return (size_t)limits->max_body_bytes +
           (size_t)REQUEST_SCRATCH_FACTOR * REQUEST_NODES_MAX * sizeof(struct json_node);
}

struct call *gateway_message(struct gateway *gateway, const struct incoming *incoming)
{
    /* What servers may ask of the client is added to what the transport says of the caller. */
    struct caller caller = *incoming->caller;
    struct incoming in = *incoming;
    in.caller = &caller;
    struct request request = { .gateway = gateway, .in = &in, .caller = &caller };
    const struct gateway_limits *limits = &gateway->limits;
    struct json_limits strict = request_limits(limits);
    struct arena arena;
    struct call *call = NULL;
    arena_init(&arena, request_memory(limits));
    enum json_error error = json_parse(in.body, &strict, &arena, &request.doc, NULL);
    if (gateway->is_stopped)
        request_error(&request, 200, JSONRPC_INTERNAL_ERROR, "the gateway is stopping");
    else if (error != JSON_ERR_NONE)
        request_error(&request, status_of(error), jsonrpc_code_of(error), json_error_text(error));
    else
        call = handle(&request);
    arena_reset(&arena);
    return call;
}

bool gateway_end_session(struct gateway *gateway, const struct caller *caller, Str id)
{
    struct session *session = session_find(gateway->sessions, caller, id);
    if (session)
        session_end(gateway->sessions, session);
    return session != NULL;
}

struct server *gateway_server(struct gateway *gateway, Str alias)
{
    for (size_t i = 0; i < gateway->server_count; i++)
        if (str_eq(gateway->servers[i].spec->alias, alias))
            return &gateway->servers[i];
    return NULL;
}

void gateway_reload(struct gateway *gateway)
{
    policies_reload(gateway->policies);
}

static void on_server(void *user, Str alias, bool has_connections)
{
    struct server *server = gateway_server(user, alias);
    if (server)
        server->has_tokens = has_connections;
}

static void on_cut(void *user, Str alias, Str principal)
{
    struct server *server = gateway_server(user, alias);
    if (server)
        server_cut(server, principal);
}

static const struct asker_events keeper_events = { on_server, on_cut };

static void on_session_end(struct session *session)
{
    flight_end(&session->flight);
    asks_free(session);
    subscriptions_free(session);
    streams_end(session);
    server_end_session(session->caller.server, session->caller.session);
}

static void sweep_asks(void *user, struct session *session)
{
    asks_sweep(user, session);
}

static void on_sweep(void *user)
{
    struct gateway *gateway = user;
    sessions_each(gateway->sessions, sweep_asks, gateway);
    if (gateway->local)
        asks_sweep(gateway, gateway->local);
    sessions_sweep(gateway->sessions);
    for (size_t i = 0; i < gateway->server_count; i++)
        server_sweep(&gateway->servers[i], gateway->limits.session_idle_ms);
    timer_start(gateway->sweep, SWEEP_MS);
}

enum status gateway_open(const struct gateway_config *config, struct gateway **out)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);
    if (!gateway)
        return ST_NO_MEMORY;
    const struct gateway_limits *limits = &config->limits;
    gateway->loop = config->loop;
    gateway->audit = config->audit;
    gateway->limits = *limits;
    gateway->local = config->local;
    gateway->servers = calloc(config->server_count + 1, sizeof *gateway->servers);
    gateway->upstreams = upstreams_open(config->loop, config->http, &gateway->limits);
    gateway->policies = policies_open(config->trust);
    gateway->sessions =
        sessions_open(limits->max_sessions_per_grant, limits->session_idle_ms, on_session_end);
    gateway->sweep = timer_open(config->loop, on_sweep, gateway);
    if (!gateway->servers || !gateway->upstreams || !gateway->policies || !gateway->sessions ||
        !gateway->sweep) {
        gateway_close(gateway);
        return ST_NO_MEMORY;
    }
    upstreams_on_heard(gateway->upstreams, relay_heard, ask_take, gateway);
    gateway->server_count = config->server_count;
    for (size_t i = 0; i < config->server_count; i++)
        gateway->servers[i].spec = &config->servers[i];
    upstreams_set_keeper(gateway->upstreams, config->keeper);
    if (config->keeper)
        asker_listen(config->keeper, &keeper_events, gateway);
    timer_start(gateway->sweep, SWEEP_MS);
    *out = gateway;
    return ST_OK;
}

const struct gateway_limits *gateway_limits(const struct gateway *gateway)
{
    return &gateway->limits;
}

struct session *gateway_session(struct gateway *gateway, const struct caller *caller, Str id)
{
    return session_find(gateway->sessions, caller, id);
}

static void end_standalone(void *user, struct session *session)
{
    (void)user;
    streams_drain(session);
}

void gateway_drain(struct gateway *gateway)
{
    gateway->is_draining = true;
    sessions_each(gateway->sessions, end_standalone, NULL);
}

bool gateway_is_idle(const struct gateway *gateway)
{
    return !gateway->calls;
}

static struct call *find_ended(const struct gateway *gateway,
                               bool (*has_ended)(void *user, Str grant), void *user)
{
    struct call *call = gateway->calls;
    while (call && !(call->caller.grant.n && has_ended(user, call->caller.grant)))
        call = call->next;
    return call;
}

void gateway_cut(struct gateway *gateway, bool (*has_ended)(void *user, Str grant), void *user)
{
    struct call *call;
    while ((call = find_ended(gateway, has_ended, user)))
        call_fail(call, "the grant has ended");
    sessions_cut(gateway->sessions, has_ended, user);
}

bool gateway_has_guests(const struct gateway *gateway)
{
    return gateway->calls || !sessions_are_none(gateway->sessions);
}

void gateway_stop(struct gateway *gateway)
{
    gateway->is_stopped = true;
    while (gateway->calls)
        call_fail(gateway->calls, "the gateway is stopping");
    for (size_t i = 0; i < gateway->server_count; i++)
        server_end(&gateway->servers[i]);
}

void gateway_close(struct gateway *gateway)
{
    if (!gateway)
        return;
    timer_close(gateway->sweep);
    if (gateway->local) {
        asks_free(gateway->local);
        subscriptions_free(gateway->local);
    }
    sessions_close(gateway->sessions);
    policies_close(gateway->policies);
    upstreams_close(gateway->upstreams);
    for (size_t i = 0; gateway->servers && i < gateway->server_count; i++)
        free(gateway->servers[i].drift);
    free(gateway->servers);
    free(gateway);
}
