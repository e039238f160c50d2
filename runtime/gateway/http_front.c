/* SPDX-License-Identifier: Apache-2.0 */
/* http_front.c - from an HTTP exchange to a message with a proven caller, and back.
 *
 * What comes before the bearer is checked tells a stranger nothing about servers or grants; what
 * comes after is for the grant's holder. The caller is copied into the exchange, because the
 * grant's row is lent only until somebody else asks.
 */
#include "runtime/gateway/http_front.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/gateway/http_check.h"
#include "runtime/gateway/login_pages.h"
#include "runtime/gateway/revision.h"
#include "runtime/gateway/stream.h"

enum {
    OWN_HOSTS = 4,
    HOST_TEXT_MAX = 64,
    FAILURES_PER_SECOND = 20, /* wrong bearers that get a 401; further ones get a 429 */
    FAILURES_BURST = 40,
};

#define RETRY_SECONDS "5" /* until a client asks again, when the store has failed */

struct http_front {
    struct http_front_config config;
    char host_text[OWN_HOSTS][HOST_TEXT_MAX];
    Str own_hosts[OWN_HOSTS];
    double failures_left;
    struct login_page *pages; /* that wait for the keeper */
    int64_t failures_ms;      /* when failures_left was true */
};

struct answer_head {
    int status; /* 0: go on */
    Str name, value;
};

struct http_front *http_front_open(const struct http_front_config *config)
{
    struct http_front *front = calloc(1, sizeof *front);
    if (!front)
        return NULL;
    front->config = *config;
    front->failures_left = FAILURES_BURST;
    front->failures_ms = world_mono_ms();
    return front;
}

void http_front_close(struct http_front *front)
{
    free(front);
}

void http_front_set_access(struct http_front *front, const struct http_front_access *access)
{
    front->config.access = *access;
}

void http_front_set_port(struct http_front *front, uint16_t port)
{
    Str listen = front->config.listen_host;
    bool is_v6 = listen.n && memchr(listen.p, ':', listen.n) != NULL;
    const Str names[OWN_HOSTS] = { listen, STR("localhost"), STR("127.0.0.1"), STR("[::1]") };
    for (size_t i = 0; i < OWN_HOSTS; i++) {
        bool is_bare = i == 0 && is_v6;
        int n = snprintf(front->host_text[i], HOST_TEXT_MAX, "%s%.*s%s:%u", is_bare ? "[" : "",
                         STR_ARG(names[i]), is_bare ? "]" : "", port);
        ENSURE(n > 0 && n < HOST_TEXT_MAX);
        front->own_hosts[i] = (Str){ .p = front->host_text[i], .n = (size_t)n };
    }
}

static const struct principal *find_principal(const struct http_front *front, Str id)
{
    const struct http_front_access *access = &front->config.access;
    for (size_t i = 0; i < access->principal_count; i++)
        if (str_eq(access->principals[i].id, id))
            return &access->principals[i];
    return NULL;
}

/* Takes one failure from the allowance of this moment; false when there is none. */
static bool may_answer_failure(struct http_front *front)
{
    int64_t now = world_mono_ms();
    front->failures_left += (double)(now - front->failures_ms) * FAILURES_PER_SECOND / 1000.0;
    if (front->failures_left > FAILURES_BURST)
        front->failures_left = FAILURES_BURST;
    front->failures_ms = now;
    if (front->failures_left < 1)
        return false;
    front->failures_left -= 1;
    return true;
}

static struct answer_head refuse_bearer(struct http_front *front, Str token, const char *why)
{
    if (!may_answer_failure(front))
        return (struct answer_head){ .status = 429, STR("Retry-After"), STR("1") };
    if (token.n)
        log_info("bearer refused why=%s", why);
    return (struct answer_head){ 401, STR("WWW-Authenticate"),
                                 token.n ? STR("Bearer error=\"invalid_token\"") : STR("Bearer") };
}

/* Ours to repair, not the client's: it may come again with the same bearer. */
static struct answer_head unavailable(void)
{
    return (struct answer_head){ .status = 503, STR("Retry-After"), STR(RETRY_SECONDS) };
}

/* The grant of the request and its principal, or the refusal. *row is lent. */
static struct answer_head check_bearer(struct http_front *front, const struct http_head *head,
                                       const struct grant_row **row,
                                       const struct principal **principal)
{
    Str token = http_check_bearer(head);
    if (!token.n)
        return refuse_bearer(front, token, "");
    enum grant_state state = grant_find(front->config.grants, token, row);
    if (state == GRANT_STORE_FAILED)
        return unavailable();
    if (state != GRANT_ACTIVE)
        return refuse_bearer(front, token, grant_state_text(state));
    *principal = find_principal(front, (*row)->principal);
    if (!*principal)
        return refuse_bearer(front, token, "its principal is not configured");
    return (struct answer_head){ 0 };
}

/* Before the body is read only the header tells the era. It decides nothing but what may be asked
 * of the head: the stateless era has no sessions to delete and may refuse streams. */
static bool says_modern(const struct http_head *head)
{
    return str_eq(http_header(head, STR("MCP-Protocol-Version"), NULL), REVISION_MODERN);
}

static bool is_our_host(const struct http_front *front, const struct http_head *head)
{
    bool is_repeated = false;
    Str host = http_header(head, STR("Host"), &is_repeated);
    return !is_repeated && (http_check_listed(host, front->own_hosts, OWN_HOSTS) ||
                            http_check_listed(host, front->config.access.allowed_hosts,
                                              front->config.access.allowed_host_count));
}

/* A browser on its way back from a login has no grant; what it brings is judged by the keeper. */
static struct answer_head check_page(const struct http_front *front, const struct http_head *head)
{
    if (!is_our_host(front, head))
        return (struct answer_head){ .status = 403 };
    if (!front->config.keeper)
        return (struct answer_head){ .status = 404 };
    if (head->method != HTTP_GET)
        return (struct answer_head){ 405, STR("Allow"), STR("GET") };
    return (struct answer_head){ 0 };
}

/* What needs no grant to be wrong. */
static struct answer_head check_stranger(const struct http_front *front,
                                         const struct http_head *head)
{
    const struct http_front_access *access = &front->config.access;
    if (!is_our_host(front, head))
        return (struct answer_head){ .status = 403 };
    for (uint32_t i = 0; i < head->header_count; i++)
        if (str_eq_nocase(head->headers[i].name, STR("Origin")) &&
            !http_check_listed(head->headers[i].value, access->allowed_origins,
                               access->allowed_origin_count))
            return (struct answer_head){ .status = 403 };
    if (!http_check_path(head->target).n)
        return (struct answer_head){ .status = 404 };
    if (http_check_has_repeats(head))
        return (struct answer_head){ .status = 400 };
    bool is_of_session = head->method == HTTP_GET || head->method == HTTP_DELETE;
    if (head->method != HTTP_POST && (!is_of_session || says_modern(head)))
        return (struct answer_head){ 405, STR("Allow"), STR("POST, GET, DELETE") };
    return (struct answer_head){ 0 };
}

static bool has_header(const struct http_head *head, Str name)
{
    for (uint32_t i = 0; i < head->header_count; i++)
        if (str_eq_nocase(head->headers[i].name, name))
            return true;
    return false;
}

static struct answer_head check_media(const struct http_head *head)
{
    bool takes_stream = http_check_accepts(head, STR("text"), STR("event-stream"));
    if (head->method == HTTP_DELETE)
        return (struct answer_head){ 0 };
    if (head->method == HTTP_GET)
        return (struct answer_head){ .status = takes_stream ? 0 : 406 };
    Str type = http_header(head, STR("Content-Type"), NULL);
    if (!http_content_type_is(type, STR("application/json")) ||
        has_header(head, STR("Content-Encoding")))
        return (struct answer_head){ .status = 415 };
    if (!http_check_accepts(head, STR("application"), STR("json")) ||
        (!says_modern(head) && !takes_stream))
        return (struct answer_head){ .status = 406 };
    return (struct answer_head){ 0 };
}

static void answer(struct exchange *exchange, struct answer_head head)
{
    struct http_header header = { head.name, head.value };
    exchange_respond(exchange, head.status, &header, head.name.n ? 1 : 0, (Str){ 0 }, (Str){ 0 });
}

/* Who calls, from the grant as it is now; the caller's strings are copied into the exchange. */
static struct answer_head check_caller(struct http_front *front, struct exchange *exchange,
                                       struct caller *caller)
{
    const struct http_head *head = exchange_head(exchange);
    const struct grant_row *row = NULL;
    const struct principal *principal = NULL;
    struct answer_head refusal = check_bearer(front, head, &row, &principal);
    if (refusal.status)
        return refusal;
    Str alias = http_check_path(head->target);
    struct server *server = gateway_server(front->config.gateway, alias);
    if (!server || !grant_covers(row, alias))
        return (struct answer_head){ .status = 404 };
    struct arena *mem = exchange_arena(exchange);
    *caller = (struct caller){
        .principal = *principal,
        .grant = arena_copy(mem, row->id),
        .label = row->label.n ? arena_copy(mem, row->label) : (Str){ .p = NULL, .n = 0 },
        .policy = arena_copy(mem, row->policy),
        .server = server,
    };
    if (!caller->grant.n || !caller->policy.n || caller->grant.n > SESSION_GRANT_MAX)
        return unavailable();
    return (struct answer_head){ 0 };
}

static void on_head(void *user, struct exchange *exchange)
{
    struct http_front *front = user;
    const struct http_head *head = exchange_head(exchange);
    struct caller caller;
    bool is_page = login_pages_has(head->target);
    struct answer_head refusal = is_page ? check_page(front, head) : check_stranger(front, head);
    if (!is_page && !refusal.status)
        refusal = check_caller(front, exchange, &caller);
    if (!is_page && !refusal.status)
        refusal = check_media(head);
    if (refusal.status)
        answer(exchange, refusal);
}

static void end_session(struct http_front *front, struct exchange *exchange,
                        const struct caller *caller)
{
    struct mcp_headers headers = http_check_mcp(exchange_head(exchange));
    int status = 400;
    if (headers.session.is_present)
        status =
            gateway_end_session(front->config.gateway, caller, headers.session.value) ? 204 : 404;
    answer(exchange, (struct answer_head){ .status = status });
}

/* A session's stream, or what is left of one that broke. */
static void listen_on(struct http_front *front, struct exchange *exchange,
                      const struct caller *caller)
{
    const struct http_head *head = exchange_head(exchange);
    struct mcp_headers headers = http_check_mcp(head);
    struct mcp_header last_event = http_check_last_event(head);
    struct session *session = NULL;
    int status = 400;
    if (headers.session.is_present) {
        session = gateway_session(front->config.gateway, caller, headers.session.value);
        status = session ? 0 : 404;
    }
    if (session)
        status =
            streams_listen(session, gateway_limits(front->config.gateway), exchange, last_event);
    if (status)
        answer(exchange, (struct answer_head){ .status = status });
}

static void take_message(struct http_front *front, struct exchange *exchange,
                         const struct caller *caller)
{
    const struct http_head *head = exchange_head(exchange);
    struct stream *stream = stream_new(exchange, gateway_limits(front->config.gateway));
    if (!stream) {
        answer(exchange, unavailable());
        return;
    }
    struct incoming in = {
        .caller = caller,
        .body = exchange_body(exchange),
        .headers = http_check_mcp(head),
        .reply = stream_reply,
        .event = http_check_accepts(head, STR("text"), STR("event-stream")) ? stream_event : NULL,
        .user = stream,
    };
    struct call *call = gateway_message(front->config.gateway, &in);
    if (call)
        stream_wait(stream, call); /* else it has replied, and is gone */
}

static void on_request(void *user, struct exchange *exchange)
{
    struct http_front *front = user;
    struct caller caller;
    if (login_pages_has(exchange_head(exchange)->target)) {
        login_pages_take(&front->pages, front->config.keeper, exchange);
        return;
    }
    struct answer_head refusal = check_caller(front, exchange, &caller);
    if (refusal.status) {
        answer(exchange, refusal);
        return;
    }
    enum http_method method = exchange_head(exchange)->method;
    if (method == HTTP_DELETE)
        end_session(front, exchange, &caller);
    else if (method == HTTP_GET)
        listen_on(front, exchange, &caller);
    else
        take_message(front, exchange, &caller);
}

static void on_gone(void *user, struct exchange *exchange)
{
    struct http_front *front = user;
    if (login_pages_gone(&front->pages, exchange))
        return;
    struct stream *stream = stream_of(exchange);
    if (stream)
        stream_gone(stream);
}

static void on_room(void *user, struct exchange *exchange)
{
    (void)user;
    struct stream *stream = stream_of(exchange);
    if (stream)
        stream_room(stream);
}

const struct http_handler http_front_handler = {
    .on_head = on_head,
    .on_request = on_request,
    .on_gone = on_gone,
    .on_room = on_room,
};
