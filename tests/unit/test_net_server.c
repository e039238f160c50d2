/* SPDX-License-Identifier: Apache-2.0 */
/* The listener against clients that split, pipeline, dawdle, overrun, leave and do not read. */
#include "runtime/net/http_server.h"
#include "tests/unit/net_help.h"

#include <netinet/tcp.h>
#include <stdlib.h>

enum {
    BODY_MAX = 100000,
    HEARD_MAX = 64 << 20,
    BIG = 8 << 20,
    HEAD_MS = 150,
    IDLE_MS = 250,
    WAITING_MAX = 24 << 20
};

enum mode {
    ECHO,    /* answer on_request with the body */
    HOLD,    /* answer when the test says so */
    REFUSE,  /* answer 401 on_head */
    BIG_ONE, /* answer with BIG bytes */
};

struct fixture {
    struct loop *loop;
    struct http_server *server;
    uint16_t port;
    enum mode mode;
    int heads, requests, gones;
    struct exchange *held;
    struct buf heard;
    struct buf seen; /* targets of the requests, in brackets */
    bool closes_server;
};

static char *big;

static void on_head(void *user, struct exchange *exchange)
{
    struct fixture *f = user;
    f->heads++;
    CHECK(exchange_user(exchange) == NULL);
    CHECK(exchange_body(exchange).n == 0);
    exchange_set_user(exchange, f);
    if (f->closes_server) {
        http_server_close(f->server);
        f->server = NULL;
    } else if (f->mode == REFUSE) {
        const struct http_header header = { STR("WWW-Authenticate"), STR("Bearer") };
        exchange_respond(exchange, 401, &header, 1, STR(""), STR(""));
    }
}

static void on_request(void *user, struct exchange *exchange)
{
    struct fixture *f = user;
    f->requests++;
    CHECK(exchange_user(exchange) == f);
    buf_add_char(&f->seen, '[');
    buf_add(&f->seen, exchange_head(exchange)->target);
    buf_add_char(&f->seen, ']');
    Str copy = arena_copy(exchange_arena(exchange), exchange_body(exchange));
    CHECK(copy.p != NULL);
    if (f->mode == HOLD) {
        f->held = exchange;
        exchange_drop_body(exchange);
        CHECK(exchange_body(exchange).n == 0);
    }
    if (f->mode == BIG_ONE)
        exchange_respond(exchange, 200, NULL, 0, STR("text/plain"), (Str){ big, BIG });
    else if (f->mode != HOLD)
        exchange_respond(exchange, 200, NULL, 0, STR("text/plain"), copy);
}

static void on_gone(void *user, struct exchange *exchange)
{
    struct fixture *f = user;
    CHECK(exchange_user(exchange) == f);
    f->gones++;
    f->held = NULL;
}

static void set_up(struct fixture *f, enum mode mode, uint32_t max_connections)
{
    static const struct http_handler handler = { on_head, on_request, on_gone, NULL };
    struct http_server_config config = { .host = "127.0.0.1",
                                         .max_connections = max_connections,
                                         .max_body_bytes = BODY_MAX,
                                         .head_timeout_ms = HEAD_MS,
                                         .body_timeout_ms = HEAD_MS,
                                         .idle_timeout_ms = IDLE_MS,
                                         .arena_limit = 1 << 20,
                                         .max_waiting_bytes = WAITING_MAX };
    *f = (struct fixture){ .loop = new_loop(), .mode = mode };
    buf_init(&f->heard, HEARD_MAX);
    buf_init(&f->seen, 1 << 16);
    CHECK(http_server_open(f->loop, &config, &handler, f, &f->server) == ST_OK);
    f->port = http_server_port(f->server);
}

static void tear_down(struct fixture *f)
{
    if (f->server)
        http_server_close(f->server);
    buf_free(&f->heard);
    buf_free(&f->seen);
    loop_close(f->loop);
}

static void answer(struct fixture *f, Str body)
{
    struct exchange *exchange = f->held;
    f->held = NULL;
    CHECK(exchange != NULL);
    if (exchange)
        exchange_respond(exchange, 200, NULL, 0, STR(""), body);
}

/* Says request on a new connection and hears until it is closed or `until` came. */
static int ask(struct fixture *f, Str request, Str until)
{
    int fd = dial(f->port);
    CHECK(say(f->loop, fd, request));
    CHECK(hear(f->loop, fd, &f->heard, until));
    return fd;
}

static void test_split_bytes(void)
{
    static const Str requests[] = {
        STR_INIT("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
        STR_INIT("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
    };
    struct fixture f;
    set_up(&f, ECHO, 4);
    for (size_t i = 0; i < COUNT(requests); i++) {
        int fd = dial(f.port);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        for (size_t at = 0; at < requests[i].n; at++) {
            CHECK(say(f.loop, fd, str_sub(requests[i], at, at + 1)));
            turn(f.loop, 0);
        }
        CHECK(hear(f.loop, fd, &f.heard, STR("hello")));
        CHECK(str_starts(buf_str(&f.heard), STR("HTTP/1.1 200 OK\r\n")));
        CHECK(str_contains(buf_str(&f.heard), STR("\r\nCache-Control: no-store\r\n")));
        CHECK(str_contains(buf_str(&f.heard), STR("\r\nContent-Length: 5\r\n")));
        CHECK(!str_contains(buf_str(&f.heard), STR("Connection")));
        (void)close(fd);
    }
    CHECK(f.requests == 2 && f.heads == 2);
    turn(f.loop, 5);
    CHECK(f.gones == 0);
    tear_down(&f);
}

static void test_pipelining(void)
{
    struct fixture f;
    set_up(&f, ECHO, 4);
    Str three =
        STR("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"
            "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
            "POST /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\n3");
    (void)close(ask(&f, three, STR("")));
    CHECK_STR(buf_str(&f.seen), STR("[/1][/2][/3]"));
    buf_clear(&f.seen);
    f.mode = HOLD;
    int fd = dial(f.port);
    CHECK(say(f.loop, fd, three));
    for (int i = 1; i <= 3; i++) {
        TURN_UNTIL(f.loop, f.held);
        turn(f.loop, 2);
        CHECK(f.requests == 3 + i); /* never the next before the answer */
        CHECK(http_server_exchanges(f.server) == 1);
        answer(&f, STR("ok"));
    }
    CHECK(hear(f.loop, fd, &f.heard, STR("")));
    CHECK_STR(buf_str(&f.seen), STR("[/1][/2][/3]"));
    CHECK(http_server_exchanges(f.server) == 0 && f.gones == 0);
    (void)close(fd);
    tear_down(&f);
}

static const struct {
    const char *name;
    Str request, answer;
    int heads, gones;
} refusals[] = {
    { "no request", STR_INIT("hello\r\n\r\n"), STR_INIT("HTTP/1.1 400 "), 0, 0 },
    { "no Host", STR_INIT("GET / HTTP/1.1\r\n\r\n"), STR_INIT("HTTP/1.1 400 "), 0, 0 },
    { "length with chunked",
      STR_INIT("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked"
               "\r\n\r\n"),
      STR_INIT("HTTP/1.1 400 "), 0, 0 },
    { "body too long by its length",
      STR_INIT("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n"),
      STR_INIT("HTTP/1.1 413 "), 1, 1 },
    { "body too long by its chunks",
      STR_INIT("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n"),
      STR_INIT("HTTP/1.1 413 "), 1, 1 },
    { "malformed chunk",
      STR_INIT("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n"),
      STR_INIT("HTTP/1.1 400 "), 1, 1 },
    { "unknown expectation",
      STR_INIT("POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n"),
      STR_INIT("HTTP/1.1 417 "), 1, 1 },
    { "head not complete in time", STR_INIT("GET / HTTP/1.1\r\nHost"), STR_INIT("HTTP/1.1 408 "), 0,
      0 },
    { "body not complete in time",
      STR_INIT("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell"),
      STR_INIT("HTTP/1.1 408 "), 1, 1 },
};

static void test_refusals(void)
{
    static char junk[BODY_MAX + 1];
    struct fixture f;
    set_up(&f, ECHO, 4);
    memset(junk, 'j', sizeof junk);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        f.heads = f.gones = 0;
        int fd = dial(f.port);
        CHECK(say(f.loop, fd, refusals[i].request));
        if (i == 4)
            CHECK(say(f.loop, fd, (Str){ junk, sizeof junk }));
        CHECK_ROW(hear(f.loop, fd, &f.heard, STR("")), "%s: not closed", refusals[i].name);
        CHECK_ROW(str_starts(buf_str(&f.heard), refusals[i].answer), "%s", refusals[i].name);
        CHECK(str_contains(buf_str(&f.heard), STR("\r\nConnection: close\r\n")));
        CHECK(str_ends(buf_str(&f.heard), STR("\r\nContent-Length: 0\r\n\r\n")));
        CHECK_ROW(f.heads == refusals[i].heads && f.gones == refusals[i].gones, "%s: %d, %d",
                  refusals[i].name, f.heads, f.gones);
        (void)close(fd);
    }
    CHECK(f.requests == 0 && http_server_exchanges(f.server) == 0);
    tear_down(&f);
}

static void test_long_head(void)
{
    static char head[20000];
    struct fixture f;
    set_up(&f, ECHO, 4);
    memset(head, 'a', sizeof head);
    Str start = STR("GET / HTTP/1.1\r\nX: ");
    memcpy(head, start.p, start.n);
    (void)close(ask(&f, (Str){ head, sizeof head }, STR("")));
    CHECK(str_starts(buf_str(&f.heard), STR("HTTP/1.1 431 ")));
    CHECK(f.heads == 0);
    tear_down(&f);
}

/* A stranger gets the answer although it goes on sending a body that nobody wants. */
static void test_early_refusal(void)
{
    static char part[1 << 20];
    struct fixture f;
    set_up(&f, REFUSE, 4);
    int fd = dial(f.port);
    CHECK(say(f.loop, fd, STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n")));
    for (int i = 0; i < 3; i++)
        CHECK(say(f.loop, fd, (Str){ part, sizeof part }));
    CHECK(hear(f.loop, fd, &f.heard, STR("")));
    CHECK(str_starts(buf_str(&f.heard), STR("HTTP/1.1 401 Unauthorized\r\n")));
    CHECK(str_contains(buf_str(&f.heard), STR("\r\nWWW-Authenticate: Bearer\r\n")));
    CHECK(str_contains(buf_str(&f.heard), STR("\r\nConnection: close\r\n")));
    (void)close(fd);
    /* With the body already here nothing is lost by going on. */
    fd = ask(&f, STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"), STR("\r\n\r\n"));
    CHECK(!str_contains(buf_str(&f.heard), STR("Connection")));
    f.mode = ECHO;
    CHECK(say(f.loop, fd, STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\ncd")));
    CHECK(hear(f.loop, fd, &f.heard, STR("cd")));
    (void)close(fd);
    CHECK(f.requests == 1 && f.gones == 0);
    tear_down(&f);
}

static void test_continue(void)
{
    struct fixture f;
    set_up(&f, ECHO, 4);
    Str head =
        STR("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
    int fd = ask(&f, head, STR("\r\n\r\n"));
    CHECK_STR(buf_str(&f.heard), STR("HTTP/1.1 100 Continue\r\n\r\n"));
    CHECK(say(f.loop, fd, STR("ab")));
    CHECK(hear(f.loop, fd, &f.heard, STR("ab")));
    CHECK(str_starts(buf_str(&f.heard), STR("HTTP/1.1 200 OK\r\n")));
    (void)close(fd);
    f.mode = REFUSE;
    (void)close(ask(&f, head, STR("")));
    CHECK(str_starts(buf_str(&f.heard), STR("HTTP/1.1 401 ")));
    tear_down(&f);
}

static void test_keep_alive(void)
{
    struct fixture f;
    set_up(&f, ECHO, 4);
    Str request = STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab");
    int fd = ask(&f, request, STR("ab"));
    CHECK(say(f.loop, fd, request) && hear(f.loop, fd, &f.heard, STR("ab")));
    int64_t start = world_mono_ms();
    CHECK(hear(f.loop, fd, &f.heard, STR(""))); /* idle: closed without a word */
    CHECK(f.heard.n == 0 && world_mono_ms() - start >= IDLE_MS - 20);
    (void)close(fd);
    (void)close(ask(&f, STR("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), STR("")));
    CHECK(str_contains(buf_str(&f.heard), STR("\r\nConnection: close\r\n")));
    (void)close(ask(&f, STR("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), STR("")));
    CHECK(str_contains(buf_str(&f.heard), STR("\r\nConnection: close\r\n")));
    (void)close(ask(&f,
                    STR("HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                        "Connection: close\r\n\r\nab"),
                    STR("")));
    CHECK(str_ends(buf_str(&f.heard), STR("\r\nContent-Length: 2\r\n\r\n")));
    CHECK(f.gones == 0);
    tear_down(&f);
}

static void test_client_leaves(void)
{
    struct fixture f;
    set_up(&f, HOLD, 4);
    int fd = dial(f.port);
    CHECK(say(f.loop, fd, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\n")));
    TURN_UNTIL(f.loop, f.held);
    (void)close(fd);
    TURN_UNTIL(f.loop, f.gones);
    CHECK(f.gones == 1 && f.requests == 1 && http_server_exchanges(f.server) == 0);
    fd = dial(f.port);
    CHECK(say(f.loop, fd, STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")));
    TURN_UNTIL(f.loop, f.heads == 2);
    (void)close(fd);
    TURN_UNTIL(f.loop, f.gones == 2);
    CHECK(f.gones == 2 && f.requests == 1);
    tear_down(&f);
}

/* A client that sends on while its request is worked on is read only so far. */
static void test_flood_while_waiting(void)
{
    static char flood[4 << 20];
    struct fixture f;
    set_up(&f, HOLD, 4);
    memset(flood, 'f', sizeof flood);
    int fd = dial(f.port);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 65536 }, sizeof(int));
    CHECK(say(f.loop, fd, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    TURN_UNTIL(f.loop, f.held);
    size_t taken = 0;
    for (int i = 0; i < 100; i++) {
        ssize_t n = send(fd, flood, sizeof flood - taken, MSG_NOSIGNAL);
        taken += n > 0 ? (size_t)n : 0;
        turn(f.loop, 0);
    }
    CHECK(taken < sizeof flood); /* the kernel's buffers and ours, not all of it */
    CHECK(f.held != NULL && f.gones == 0);
    answer(&f, STR("done"));
    CHECK(hear(f.loop, fd, &f.heard, STR("done")));
    (void)close(fd);
    tear_down(&f);
}

static void test_slow_reader(void)
{
    struct fixture f;
    set_up(&f, BIG_ONE, 4);
    int fd = dial(f.port);
    CHECK(say(f.loop, fd,
              STR("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")));
    /* Or the kernel would buffer the answer whole. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ 65536 }, sizeof(int));
    TURN_UNTIL(f.loop, f.requests);
    turn(f.loop, IDLE_MS / 2);
    CHECK(f.requests == 1 && http_server_exchanges(f.server) == 1);
    size_t total = 0, want = 2 * (size_t)BIG;
    int64_t until = world_mono_ms() + HELP_WAIT_MS;
    CHECK(buf_reserve(&f.heard, 1 << 20));
    while (total < want && world_mono_ms() < until) {
        ssize_t n = recv(fd, f.heard.p, 1 << 20, MSG_DONTWAIT);
        total += n > 0 ? (size_t)n : 0;
        turn(f.loop, 0);
    }
    CHECK(total >= want && f.requests == 2);
    CHECK(say(f.loop, fd, STR("GET /3 HTTP/1.1\r\nHost: x\r\n\r\n")));
    TURN_UNTIL(f.loop, f.requests == 3); /* and now it reads nothing at all */
    int64_t start = world_mono_ms();
    TURN_UNTIL(f.loop, http_server_exchanges(f.server) == 0);
    int64_t took = world_mono_ms() - start;
    CHECK_ROW(took >= IDLE_MS - 50 && took < 2000, "cut after %d ms", (int)took);
    CHECK(f.gones == 0);
    (void)close(fd);
    tear_down(&f);
}

/* Clients that don't read hold no more than the limit together; who comes later is served, and the
 * one that has taken nothing for longest makes room. */
static void test_slow_readers_together(void)
{
    enum { CLIENTS = 16 }; /* the kernel takes about half of each answer */
    struct fixture f;
    int fds[CLIENTS];
    set_up(&f, BIG_ONE, CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = dial(f.port);
        (void)setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &(int){ 65536 }, sizeof(int));
        CHECK(say(f.loop, fds[i], STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
        TURN_UNTIL(f.loop, f.requests == i + 1);
        turn(f.loop, 2); /* so that one is older than the next */
    }
    CHECK(http_server_exchanges(f.server) < CLIENTS && f.gones == 0);
    size_t total = 0;
    CHECK(buf_reserve(&f.heard, 1 << 20));
    for (int64_t until = world_mono_ms() + HELP_WAIT_MS; world_mono_ms() < until;) {
        ssize_t n = recv(fds[CLIENTS - 1], f.heard.p, 1 << 20, MSG_DONTWAIT);
        total += n > 0 ? (size_t)n : 0;
        if (total >= (size_t)BIG)
            break;
        turn(f.loop, 0);
    }
    CHECK_ROW(total >= (size_t)BIG, "the last one got %zu", total);
    for (int i = 0; i < CLIENTS; i++)
        (void)close(fds[i]);
    tear_down(&f);
}

/* An answer that alone is over the limit and is not taken at once is not kept. */
static void test_one_answer_over_the_limit(void)
{
    struct fixture f;
    set_up(&f, HOLD, 2);
    size_t n = (size_t)WAITING_MAX + ((size_t)BIG);
    char *huge = calloc(1, n);
    int fd = dial(f.port);
    CHECK(huge && say(f.loop, fd, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    TURN_UNTIL(f.loop, f.held);
    answer(&f, (Str){ huge, n });
    CHECK(http_server_exchanges(f.server) == 0);
    free(huge);
    (void)close(fd);
    tear_down(&f);
}

static void test_connection_cap(void)
{
    struct fixture f;
    set_up(&f, ECHO, 2);
    Str request = STR("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    int first = ask(&f, request, STR("\r\n\r\n")), second = ask(&f, request, STR("\r\n\r\n"));
    int third = dial(f.port); /* in the kernel's queue */
    CHECK(say(f.loop, third, request));
    turn(f.loop, 20);
    CHECK(f.requests == 2);
    (void)close(first);
    CHECK(hear(f.loop, third, &f.heard, STR("\r\n\r\n")));
    CHECK(f.requests == 3);
    (void)close(second);
    (void)close(third);
    tear_down(&f);
}

static void test_drain(void)
{
    struct fixture f;
    set_up(&f, HOLD, 4);
    int idle = dial(f.port), open = dial(f.port);
    CHECK(say(f.loop, open, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    TURN_UNTIL(f.loop, f.held);
    http_server_drain(f.server);
    CHECK(hear(f.loop, idle, &f.heard, STR("")));
    CHECK(http_server_exchanges(f.server) == 1);
    answer(&f, STR("bye"));
    CHECK(hear(f.loop, open, &f.heard, STR("")));
    CHECK(str_contains(buf_str(&f.heard), STR("\r\nConnection: close\r\n")));
    CHECK(str_ends(buf_str(&f.heard), STR("bye")));
    CHECK(http_server_exchanges(f.server) == 0);
    struct sockaddr_in address = loopback(f.port);
    int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(late, (struct sockaddr *)&address, sizeof address) != 0);
    (void)close(late);
    (void)close(idle);
    (void)close(open);
    tear_down(&f);
}

static void test_close(void)
{
    struct fixture f;
    set_up(&f, HOLD, 4);
    int fd = dial(f.port);
    CHECK(say(f.loop, fd, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    TURN_UNTIL(f.loop, f.held);
    http_server_close(f.server);
    f.server = NULL;
    CHECK(f.gones == 1);
    (void)close(fd);
    tear_down(&f);
    set_up(&f, HOLD, 4); /* from inside a callback */
    f.closes_server = true;
    fd = dial(f.port);
    CHECK(say(f.loop, fd, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    TURN_UNTIL(f.loop, !f.server);
    CHECK(f.gones == 1 && f.requests == 0);
    (void)close(fd);
    tear_down(&f);
}

static void test_open_failures(void)
{
    struct fixture f;
    set_up(&f, ECHO, 4);
    struct http_server *other = NULL;
    struct http_server_config config = { .host = "127.0.0.1", .port = f.port };
    CHECK(http_server_open(f.loop, &config, &(struct http_handler){ 0 }, NULL, &other) ==
          ST_CONFLICT);
    config.host = "localhost";
    CHECK(http_server_open(f.loop, &config, &(struct http_handler){ 0 }, NULL, &other) ==
          ST_INVALID);
    config.host = "192.0.2.1";
    CHECK(http_server_open(f.loop, &config, &(struct http_handler){ 0 }, NULL, &other) ==
          ST_NOT_FOUND);
    tear_down(&f);
}

int main(void)
{
    big = malloc(BIG);
    ENSURE(big);
    memset(big, 'b', BIG);
    RUN(test_split_bytes);
    RUN(test_pipelining);
    RUN(test_refusals);
    RUN(test_long_head);
    RUN(test_early_refusal);
    RUN(test_continue);
    RUN(test_keep_alive);
    RUN(test_client_leaves);
    RUN(test_flood_while_waiting);
    RUN(test_slow_reader);
    RUN(test_slow_readers_together);
    RUN(test_one_answer_over_the_limit);
    RUN(test_connection_cap);
    RUN(test_drain);
    RUN(test_close);
    RUN(test_open_failures);
    free(big);
    return check_finish();
}
