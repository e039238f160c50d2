/* SPDX-License-Identifier: Apache-2.0 */
/* The client against upstreams that answer well, badly, late, twice, or not at all. The upstream is
 * a script: the n-th request it gets is answered by the n-th of the answers, byte for byte. */
#include "runtime/net/http_client.h"
#include "runtime/net/http_server.h"
#include "tests/unit/net_upstream.h"

#include <stdlib.h>

enum { BIG = 8 << 20, CONNECT_MS = 200 };

#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* What came of one call, and what to do in its callbacks. */
struct result {
    struct http_call *call;
    int heads, ends, code;
    enum status status;
    char why[80];
    struct buf body;
    char cancel_at; /* 'h', 'd' or 'e': in on_head, on_data, on_end */
    bool pauses;
};

struct fixture {
    struct loop *loop;
    struct http_client *client;
    struct upstream up;
    char url[64];
};

static void set_up(struct fixture *f, const Str *answers, size_t count)
{
    *f = (struct fixture){ .loop = new_loop() };
    upstream_open(&f->up, f->loop, answers, count);
    (void)snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d/mcp?x=1", f->up.port);
    CHECK(http_client_open(f->loop, &f->client) == ST_OK);
}

static void set_up_one(struct fixture *f, const char *answer)
{
    Str one = str_of(answer);
    set_up(f, &one, 1);
}

static void tear_down(struct fixture *f)
{
    if (f->client)
        http_client_close(f->client);
    upstream_close(&f->up);
    loop_close(f->loop);
}

static void cancel_if(struct result *r, char where)
{
    if (r->cancel_at == where)
        http_call_cancel(r->call);
}

static void on_head(void *user, const struct http_head *head)
{
    struct result *r = user;
    r->heads++;
    r->code = head->status;
    if (r->pauses)
        http_call_pause(r->call, true);
    cancel_if(r, 'h');
    CHECK(head->status == r->code && head->header_count <= HTTP_HEADERS_MAX);
    if (head->header_count)
        CHECK(head->headers[0].name.p[0] != '\0'); /* still there after a cancel */
}

static void on_data(void *user, Str bytes)
{
    struct result *r = user;
    CHECK(bytes.n > 0 && !r->pauses);
    cancel_if(r, 'd');
    buf_add(&r->body, bytes);
}

static void on_end(void *user, enum status status, const char *why)
{
    struct result *r = user;
    r->ends++;
    r->status = status;
    (void)snprintf(r->why, sizeof r->why, "%s", why);
    cancel_if(r, 'e');
}

static const struct http_call_events call_events = { on_head, on_data, on_end };

static struct http_request_spec post_to(const char *url)
{
    return (struct http_request_spec){ .url = str_of(url),
                                       .method = STR("POST"),
                                       .body = STR("{}"),
                                       .connect_timeout_ms = CONNECT_MS,
                                       .total_timeout_ms = 2000 };
}

static void begin_spec(struct fixture *f, struct result *r, const struct http_request_spec *spec)
{
    if (!r->body.limit)
        buf_init(&r->body, 1 << 26);
    r->call = http_client_start(f->client, spec, &call_events, r);
    CHECK(r->call != NULL && r->ends == 0);
}

static void begin(struct fixture *f, struct result *r)
{
    struct http_request_spec spec = post_to(f->url);
    begin_spec(f, r, &spec);
}

/* One call from start to end. */
static void run(struct fixture *f, struct result *r)
{
    *r = (struct result){ .cancel_at = r->cancel_at };
    begin(f, r);
    TURN_UNTIL(f->loop, r->ends);
    CHECK(r->ends == 1);
}

static void check_answer(struct result *r, const char *body)
{
    CHECK_ROW(r->status == ST_OK, "%s: %s", status_text(r->status), r->why);
    CHECK_STR(buf_str(&r->body), str_of(body));
    buf_free(&r->body);
}

static void test_request_bytes(void)
{
    struct fixture f;
    struct result r = { .heads = 0 };
    set_up_one(&f, OK_2);
    const struct http_header headers[] = { { STR_INIT("Content-Type"), STR_INIT("a/b") } };
    struct http_request_spec spec = post_to(f.url);
    spec.headers = headers;
    spec.header_count = 1;
    begin_spec(&f, &r, &spec);
    TURN_UNTIL(f.loop, r.ends);
    check_answer(&r, "ok");
    char want[256];
    (void)snprintf(want, sizeof want,
                   "POST /mcp?x=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept-Encoding: identity\r\n"
                   "Content-Type: a/b\r\nContent-Length: 2\r\n\r\n{}",
                   f.up.port);
    CHECK_STR(buf_str(&f.up.last), str_of(want));
    tear_down(&f);
}

static void test_reuse(void)
{
    struct fixture f;
    struct result r = { .heads = 0 }, other = { .heads = 0 };
    set_up_one(&f, OK_2);
    for (int i = 0; i < 5; i++) {
        run(&f, &r);
        check_answer(&r, "ok");
    }
    CHECK(f.up.connections == 1 && f.up.requests == 5);
    begin(&f, &other); /* two at once need two */
    run(&f, &r);
    TURN_UNTIL(f.loop, other.ends);
    check_answer(&r, "ok");
    check_answer(&other, "ok");
    CHECK(f.up.connections == 2 && f.up.requests == 7);
    tear_down(&f);
}

static const struct {
    const char *name;
    const char *answer;
    const char *body;
    int code;
    int connections; /* after a second call */
    bool closes;
} good[] = {
    { "chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n",
      "abc", 200, 1, false },
    { "until close", "HTTP/1.1 200 OK\r\n\r\nall of it", "all of it", 200, 2, true },
    { "told to close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", "x",
      200, 2, false },
    { "closed unsaid", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "x", 200, 2, true },
    { "HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "x", 200, 2, false },
    { "no content", "HTTP/1.1 204 No Content\r\n\r\n", "", 204, 1, false },
    { "accepted", "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", "", 202, 1, false },
    { "interim first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n" OK_2, "ok",
      200, 1, false },
    { "a redirect is an answer",
      "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "", 302,
      1, false },
    { "identity is no coding",
      "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", "x", 200, 1,
      false },
    { "more than the answer", OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "ok", 200, 2,
      false },
};

static void test_good_answers(void)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        struct fixture f;
        struct result r = { .heads = 0 };
        set_up_one(&f, good[i].answer);
        f.up.closes = good[i].closes;
        for (int round = 0; round < 2; round++) {
            run(&f, &r);
            CHECK_ROW(r.status == ST_OK && r.heads == 1 && r.code == good[i].code, "%s: %d, %s",
                      good[i].name, r.code, r.why);
            CHECK_STR(buf_str(&r.body), str_of(good[i].body));
            buf_free(&r.body);
        }
        CHECK_ROW((int)f.up.connections == good[i].connections && f.up.requests == 2,
                  "%s: %zu connections", good[i].name, f.up.connections);
        tear_down(&f);
    }
}

static const struct {
    const char *name;
    const char *answer;
    enum status want;
    int heads;
    bool closes;
} bad[] = {
    { "not HTTP", "SSH-2.0-OpenSSH\r\n\r\n", ST_INVALID, 0, false },
    { "length with chunked",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ST_INVALID, 0, false },
    { "two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
      ST_INVALID, 0, false },
    { "chunk size in C", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nok",
      ST_INVALID, 1, false },
    { "gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
      ST_UNSUPPORTED, 0, false },
    { "switched", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", ST_INVALID, 0, false },
    { "interim for ever",
      "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
      "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
      "HTTP/1.1 100 C\r\n\r\n",
      ST_INVALID, 0, false },
    { "cut in the head", "HTTP/1.1 200 OK\r\nContent", ST_CLOSED, 0, true },
    { "cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", ST_CLOSED, 1, true },
    { "cut in the chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
      ST_CLOSED, 1, true },
    { "cut before the last chunk",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", ST_CLOSED, 1, true },
    { "closed without a word", "", ST_CLOSED, 0, true },
};

static void test_bad_answers(void)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fixture f;
        struct result r = { .heads = 0 };
        set_up_one(&f, bad[i].answer);
        f.up.closes = bad[i].closes;
        run(&f, &r);
        CHECK_ROW(r.status == bad[i].want && r.heads == bad[i].heads, "%s: %s (%s)", bad[i].name,
                  status_text(r.status), r.why);
        CHECK_ROW(r.why[0] != '\0', "%s: no reason", bad[i].name);
        CHECK_ROW(f.up.requests == 1, "%s: asked %zu times", bad[i].name, f.up.requests);
        buf_free(&r.body);
        tear_down(&f);
    }
}

static void test_split_answer(void)
{
    const char *const answers[] = { good[0].answer, good[7].answer };
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct fixture f;
        struct result r = { .heads = 0 };
        set_up_one(&f, "");
        begin(&f, &r);
        TURN_UNTIL(f.loop, f.up.requests);
        for (const char *at = answers[i]; *at; at++) {
            CHECK(say(f.loop, f.up.peers[0].fd, (Str){ at, 1 }));
            turn(f.loop, 0);
        }
        TURN_UNTIL(f.loop, r.ends);
        check_answer(&r, i ? "ok" : "abc");
        tear_down(&f);
    }
}

/* A kept connection the upstream closed meanwhile is noticed even before the loop could tell. */
static void test_dead_kept_connection(void)
{
    struct fixture f;
    struct result r = { .heads = 0 };
    for (int turns = 0; turns < 2; turns++) {
        set_up_one(&f, OK_2);
        run(&f, &r);
        check_answer(&r, "ok");
        hang_up(&f.up.peers[0]);
        if (turns)
            turn(f.loop, 5);
        run(&f, &r);
        check_answer(&r, "ok");
        CHECK(f.up.connections == 2 && f.up.requests == 2);
        tear_down(&f);
    }
    set_up_one(&f, OK_2); /* a word that nobody asked for */
    run(&f, &r);
    check_answer(&r, "ok");
    CHECK(say(f.loop, f.up.peers[0].fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")));
    run(&f, &r);
    check_answer(&r, "ok");
    CHECK(f.up.connections == 2 && f.up.requests == 2);
    tear_down(&f);
}

/* The upstream got the request and dropped it: it may have run, so it is not sent again. */
static void test_never_sent_twice(void)
{
    static const Str answers[] = { STR_INIT(OK_2), STR_INIT("") };
    struct fixture f;
    struct result r = { .heads = 0 };
    set_up(&f, answers, 2);
    run(&f, &r);
    check_answer(&r, "ok");
    f.up.closes = true;
    run(&f, &r);
    CHECK(r.status == ST_CLOSED && f.up.requests == 2 && f.up.connections == 1);
    turn(f.loop, 20);
    CHECK(f.up.requests == 2 && r.ends == 1);
    buf_free(&r.body);
    tear_down(&f);
}

static void test_cancel(void)
{
    static const char places[] = "hde";
    for (const char *at = places; *at; at++) {
        struct fixture f;
        struct result r = { .cancel_at = *at };
        set_up_one(&f, OK_2);
        begin(&f, &r);
        TURN_UNTIL(f.loop, f.up.requests);
        turn(f.loop, 10);
        CHECK(r.heads == 1 && r.ends == (*at == 'e') && r.body.n == (*at == 'h' ? 0 : 2));
        buf_free(&r.body);
        r = (struct result){ .heads = 0 }; /* the client is as good as new */
        run(&f, &r);
        check_answer(&r, "ok");
        CHECK(f.up.connections == (*at == 'e' ? 1 : 2));
        tear_down(&f);
    }
    for (int turns = 0; turns < 6; turns++) { /* before it began, while connecting, while waiting */
        struct fixture f;
        struct result r = { .heads = 0 };
        set_up_one(&f, "");
        begin(&f, &r);
        for (int i = 0; i < turns; i++)
            turn(f.loop, 0);
        http_call_cancel(r.call);
        turn(f.loop, 5);
        CHECK(r.heads == 0 && r.ends == 0);
        CHECK(!f.up.connections || f.up.peers[0].fd == -1); /* the upstream sees it leave */
        buf_free(&r.body);
        tear_down(&f);
    }
}

static void test_timeouts(void)
{
    struct fixture f;
    struct result r = { .heads = 0 }, stuck = { .heads = 0 };
    set_up_one(&f, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow");
    struct http_request_spec spec = post_to(f.url);
    spec.total_timeout_ms = 100;
    int64_t start = world_mono_ms();
    begin_spec(&f, &r, &spec);
    TURN_UNTIL(f.loop, r.ends);
    CHECK(r.status == ST_TIMEOUT && r.heads == 1 && world_mono_ms() - start >= 90);
    buf_free(&r.body);
    /* A listener whose queue is full answers no SYN. */
    uint16_t port;
    char url[64];
    int full = listen_anywhere(0, &port), fill[2];
    fill[0] = dial(port);
    struct sockaddr_in address = loopback(port);
    fill[1] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)connect(fill[1], (struct sockaddr *)&address, sizeof address);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    spec = post_to(url);
    start = world_mono_ms();
    begin_spec(&f, &stuck, &spec);
    TURN_UNTIL(f.loop, stuck.ends);
    CHECK_ROW(stuck.status == ST_TIMEOUT && world_mono_ms() - start < 1500, "%s after %d ms",
              stuck.why, (int)(world_mono_ms() - start));
    buf_free(&stuck.body);
    (void)close(fill[0]);
    (void)close(fill[1]);
    (void)close(full);
    tear_down(&f);
}

static void test_unreachable(void)
{
    struct fixture f;
    struct result r = { .heads = 0 };
    uint16_t port;
    set_up_one(&f, OK_2);
    (void)close(listen_anywhere(1, &port));
    (void)snprintf(f.url, sizeof f.url, "http://127.0.0.1:%d/", port);
    run(&f, &r);
    CHECK(r.status == ST_IO && r.heads == 0 && r.why[0]);
    buf_free(&r.body);
    tear_down(&f);
}

static void test_early_answer(void)
{
    static char body[4 << 20];
    struct fixture f;
    struct result r = { .heads = 0 };
    set_up_one(&f, "");
    watch_set(f.up.watch, 0); /* nobody reads the request */
    struct http_request_spec spec = post_to(f.url);
    memset(body, 'b', sizeof body);
    spec.body = (Str){ body, sizeof body };
    begin_spec(&f, &r, &spec);
    turn(f.loop, 30);
    int fd = accept(f.up.fd, NULL, NULL);
    CHECK(say(f.loop, fd, STR("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")));
    TURN_UNTIL(f.loop, r.ends);
    CHECK(r.code == 413);
    check_answer(&r, "no");
    (void)close(fd);
    tear_down(&f);
}

/* --- against our own server --- */

static char *big;

static void serve_head(void *user, struct exchange *exchange)
{
    (void)user;
    (void)exchange;
}

static void serve(void *user, struct exchange *exchange)
{
    (void)user;
    Str body = exchange_body(exchange);
    exchange_respond(exchange, 200, NULL, 0, STR("a/b"), body.n > 2 ? body : (Str){ big, BIG });
}

static struct http_server *open_server(struct fixture *f)
{
    static const struct http_handler handler = { serve_head, serve, serve_head, NULL };
    struct http_server_config config = { .host = "127.0.0.1",
                                         .max_connections = 64,
                                         .max_body_bytes = BIG,
                                         .head_timeout_ms = 5000,
                                         .body_timeout_ms = 5000,
                                         .idle_timeout_ms = 5000,
                                         .arena_limit = 65536,
                                         .max_waiting_bytes = 64 << 20 };
    struct http_server *server = NULL;
    CHECK(http_server_open(f->loop, &config, &handler, NULL, &server) == ST_OK);
    (void)snprintf(f->url, sizeof f->url, "http://localhost:%d/", http_server_port(server));
    return server;
}

static void test_pause(void)
{
    struct fixture f;
    struct result r = { .pauses = true };
    set_up_one(&f, OK_2);
    struct http_server *server = open_server(&f);
    begin(&f, &r);
    TURN_UNTIL(f.loop, r.heads);
    turn(f.loop, 30);
    CHECK(r.body.n == 0 && r.ends == 0 && http_server_exchanges(server) == 1);
    r.pauses = false;
    http_call_pause(r.call, false);
    CHECK(r.body.n == 0);
    TURN_UNTIL(f.loop, r.ends);
    CHECK(r.status == ST_OK && r.body.n == BIG && memcmp(r.body.p, big, BIG) == 0);
    buf_free(&r.body);
    http_server_close(server);
    tear_down(&f);
}

static void test_many_at_once(void)
{
    enum { CALLS = 50 };
    static struct result r[CALLS];
    static char body[100000];
    struct fixture f;
    set_up_one(&f, OK_2);
    struct http_server *server = open_server(&f);
    memset(body, 'c', sizeof body);
    struct http_request_spec spec = post_to(f.url);
    spec.total_timeout_ms = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < CALLS; i++) {
            spec.body = (Str){ body, 3 + i * 2000 };
            r[i] = (struct result){ .heads = 0 };
            begin_spec(&f, &r[i], &spec);
        }
        for (size_t i = 0; i < CALLS; i++) {
            TURN_UNTIL(f.loop, r[i].ends);
            CHECK(r[i].status == ST_OK && r[i].body.n == 3 + i * 2000);
            buf_free(&r[i].body);
        }
    }
    http_server_close(server);
    tear_down(&f);
}

static void test_close_with_open_calls(void)
{
    struct fixture f;
    struct result r[3] = { { .heads = 0 } };
    set_up_one(&f, "");
    begin(&f, &r[0]);
    TURN_UNTIL(f.loop, f.up.requests);
    begin(&f, &r[1]);
    turn(f.loop, 0);
    begin(&f, &r[2]);
    http_client_close(f.client);
    f.client = NULL;
    turn(f.loop, 10);
    for (size_t i = 0; i < COUNT(r); i++) {
        CHECK(r[i].ends == 0);
        buf_free(&r[i].body);
    }
    tear_down(&f);
}

int main(void)
{
    big = malloc(BIG);
    ENSURE(big);
    memset(big, 'b', BIG);
    RUN(test_request_bytes);
    RUN(test_reuse);
    RUN(test_good_answers);
    RUN(test_bad_answers);
    RUN(test_split_answer);
    RUN(test_dead_kept_connection);
    RUN(test_never_sent_twice);
    RUN(test_cancel);
    RUN(test_timeouts);
    RUN(test_unreachable);
    RUN(test_early_answer);
    RUN(test_pause);
    RUN(test_many_at_once);
    RUN(test_close_with_open_calls);
    free(big);
    return check_finish();
}
