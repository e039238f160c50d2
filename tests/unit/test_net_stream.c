/* SPDX-License-Identifier: Apache-2.0 */
/* Streamed answers against clients that split, pipeline, leave and do not read. */
#include "runtime/net/http_server.h"
#include "tests/unit/net_help.h"

#include <stdlib.h>
#include <sys/resource.h>

enum {
    HEARD_MAX = 64 << 20,
    IDLE_MS = 300,
    KEEPALIVE_MS = 40,
    WAITING_MAX = 1 << 20,
    PIECE = 16 * 1024,
    STREAMS_MAX = 8,
};

struct fixture {
    struct loop *loop;
    struct http_server *server;
    uint16_t port;
    struct exchange *open[STREAMS_MAX]; /* in the order of their requests */
    int requests, gones, rooms;
    uint32_t keepalive_ms;
    bool ends_at_once;
    struct buf heard;
};

static char piece[PIECE];

static void on_head(void *user, struct exchange *exchange)
{
    (void)user;
    (void)exchange;
}

static void on_request(void *user, struct exchange *exchange)
{
    struct fixture *f = user;
    const struct http_header header = { STR("X-Accel-Buffering"), STR("no") };
    struct stream_head head = { .status = 200,
                                .headers = &header,
                                .header_count = 1,
                                .content_type = STR("text/event-stream"),
                                .keepalive = STR(":\n\n"),
                                .keepalive_ms = f->keepalive_ms };
    ENSURE(f->requests < STREAMS_MAX);
    exchange_set_user(exchange, &f->open[f->requests]);
    f->open[f->requests++] = exchange;
    exchange_begin(exchange, &head);
    if (f->ends_at_once) {
        (void)exchange_write(exchange, STR("data: 1\n\n"));
        f->open[f->requests - 1] = NULL;
        exchange_end(exchange);
    }
}

static void on_gone(void *user, struct exchange *exchange)
{
    struct fixture *f = user;
    struct exchange **slot = exchange_user(exchange);
    CHECK(*slot == exchange);
    *slot = NULL;
    f->gones++;
}

static void on_room(void *user, struct exchange *exchange)
{
    struct fixture *f = user;
    CHECK(exchange_user(exchange) != NULL);
    f->rooms++;
}

static void set_up(struct fixture *f, uint32_t keepalive_ms)
{
    static const struct http_handler handler = { on_head, on_request, on_gone, on_room };
    struct http_server_config config = { .host = "127.0.0.1",
                                         .max_connections = 16,
                                         .max_body_bytes = 1024,
                                         .head_timeout_ms = IDLE_MS,
                                         .body_timeout_ms = IDLE_MS,
                                         .idle_timeout_ms = IDLE_MS,
                                         .arena_limit = 1 << 16,
                                         .max_waiting_bytes = WAITING_MAX };
    *f = (struct fixture){ .loop = new_loop(), .keepalive_ms = keepalive_ms };
    memset(piece, 'x', sizeof piece);
    buf_init(&f->heard, HEARD_MAX);
    CHECK(http_server_open(f->loop, &config, &handler, f, &f->server) == ST_OK);
    f->port = http_server_port(f->server);
}

static void tear_down(struct fixture *f)
{
    if (f->server)
        http_server_close(f->server);
    buf_free(&f->heard);
    loop_close(f->loop);
}

static const Str get = STR_INIT("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

/* A connection whose stream has begun. */
static int begin(struct fixture *f, Str request)
{
    int before = f->requests;
    int fd = dial(f->port);
    CHECK(say(f->loop, fd, request));
    TURN_UNTIL(f->loop, f->requests > before);
    CHECK(f->requests == before + 1);
    return fd;
}

static void test_chunks(void)
{
    struct fixture f;
    set_up(&f, 0);
    int fd = begin(&f, get);
    CHECK(hear(f.loop, fd, &f.heard, STR("\r\n\r\n")));
    CHECK(str_starts(buf_str(&f.heard), STR("HTTP/1.1 200 OK\r\n")));
    CHECK(str_contains(buf_str(&f.heard), STR("\r\nTransfer-Encoding: chunked\r\n")));
    CHECK(str_contains(buf_str(&f.heard), STR("\r\nCache-Control: no-store\r\n")));
    CHECK(str_contains(buf_str(&f.heard), STR("\r\nX-Accel-Buffering: no\r\n")));
    CHECK(!str_contains(buf_str(&f.heard), STR("Content-Length")));
    CHECK(exchange_write(f.open[0], STR("data: 1\n\n")));
    CHECK(hear(f.loop, fd, &f.heard, STR("\n\n\r\n")));
    CHECK_STR(buf_str(&f.heard), STR("9\r\ndata: 1\n\n\r\n"));
    CHECK(http_server_exchanges(f.server) == 1);
    exchange_end(f.open[0]);
    CHECK(hear(f.loop, fd, &f.heard, STR("0\r\n\r\n")));
    CHECK(http_server_exchanges(f.server) == 0);
    CHECK(say(f.loop, fd, get)); /* the connection serves on */
    TURN_UNTIL(f.loop, f.requests == 2);
    CHECK(f.requests == 2 && f.gones == 0);
    (void)close(fd);
    TURN_UNTIL(f.loop, f.gones == 1);
    CHECK(f.gones == 1 && !f.open[1]);
    tear_down(&f);
}

static void test_pipelined_requests_wait_for_the_end(void)
{
    struct fixture f;
    set_up(&f, 0);
    int fd = begin(&f, STR("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"));
    turn(f.loop, 10);
    CHECK(f.requests == 1);
    CHECK(exchange_write(f.open[0], STR("a")));
    exchange_end(f.open[0]);
    TURN_UNTIL(f.loop, f.requests == 2);
    CHECK(f.requests == 2);
    f.open[0] = NULL;
    f.ends_at_once = true; /* within the callback */
    exchange_end(f.open[1]);
    CHECK(say(f.loop, fd, get));
    CHECK(hear(f.loop, fd, &f.heard, STR("9\r\ndata: 1\n\n\r\n0\r\n\r\n")));
    CHECK(f.requests == 3 && f.gones == 0);
    (void)close(fd);
    tear_down(&f);
}

static void test_an_old_client_reads_until_the_end(void)
{
    struct fixture f;
    set_up(&f, 0);
    int fd = begin(&f, STR("GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"));
    CHECK(exchange_write(f.open[0], STR("data: 1\n\n")));
    exchange_end(f.open[0]);
    CHECK(hear(f.loop, fd, &f.heard, STR("")));
    CHECK(!str_contains(buf_str(&f.heard), STR("chunked")));
    CHECK(str_ends(buf_str(&f.heard), STR("\r\n\r\ndata: 1\n\n")));
    (void)close(fd);
    tear_down(&f);
}

static void test_signs_of_life(void)
{
    struct fixture f;
    set_up(&f, KEEPALIVE_MS);
    int fd = begin(&f, get);
    CHECK(hear(f.loop, fd, &f.heard, STR("3\r\n:\n\n\r\n3\r\n:\n\n\r\n")));
    /* Idle for longer than idle_timeout_ms: it lives. */
    turn(f.loop, IDLE_MS + 50);
    CHECK(f.gones == 0 && f.open[0]);
    (void)close(fd);
    TURN_UNTIL(f.loop, f.gones == 1);
    CHECK(f.gones == 1);
    tear_down(&f);
}

/* Writes until the server says that the client is behind; returns the bytes. */
static size_t fill(struct fixture *f, struct exchange *exchange)
{
    size_t n = 0;
    while (exchange_write(exchange, (Str){ .p = piece, .n = PIECE })) {
        n += PIECE;
        turn(f->loop, 0);
        ENSURE(n < HEARD_MAX);
    }
    return n + PIECE;
}

static void test_a_slow_client_pauses_its_writer(void)
{
    struct fixture f;
    set_up(&f, 0);
    int fd = begin(&f, get);
    size_t n = 0, before = 0;
    /* Round after round: what waits stays under the mark and one piece, whatever was sent. */
    for (int round = 0; round < 5; round++) {
        n += fill(&f, f.open[0]);
        CHECK(f.rooms == round);
        buf_clear(&f.heard);
        while (f.rooms == round) {
            ENSURE(buf_reserve(&f.heard, 65536));
            ssize_t got = recv(fd, f.heard.p + f.heard.n, 65536, MSG_DONTWAIT);
            if (got > 0)
                before += (size_t)got;
            turn(f.loop, 0);
        }
    }
    exchange_end(f.open[0]);
    CHECK(hear(f.loop, fd, &f.heard, STR("0\r\n\r\n")));
    before += f.heard.n;
    CHECK(before > n); /* and nothing is lost: the rest is framing */
    CHECK(before - n < n / 100);
    CHECK(f.gones == 0);
    (void)close(fd);
    tear_down(&f);
}

static void test_a_client_that_reads_nothing_is_left(void)
{
    struct fixture f;
    set_up(&f, KEEPALIVE_MS);
    int fd = begin(&f, get);
    (void)fill(&f, f.open[0]);
    TURN_UNTIL(f.loop, f.gones == 1);
    CHECK(f.gones == 1 && !f.open[0] && f.rooms == 0);
    (void)close(fd);
    tear_down(&f);
}

/* Writers that go on although their clients are behind: the total holds, and the slowest goes. */
static void test_the_total_of_all_holds(void)
{
    struct fixture f;
    set_up(&f, 0);
    int first = begin(&f, get);
    (void)fill(&f, f.open[0]);
    turn(f.loop, 5); /* so that the first has waited longest */
    int second = begin(&f, get);
    (void)fill(&f, f.open[1]);
    for (size_t n = 0; f.open[0] && n < (size_t)2 * WAITING_MAX; n += PIECE) {
        (void)exchange_write(f.open[1], (Str){ .p = piece, .n = PIECE });
        CHECK(f.gones == 0); /* never inside the writer's call */
        turn(f.loop, 0);
        if (f.gones)
            break;
    }
    CHECK(f.gones == 1 && !f.open[0] && f.open[1]);
    /* Alone, it is itself over the limit in the end. */
    for (size_t n = 0; f.open[1] && n < (size_t)2 * WAITING_MAX; n += PIECE) {
        (void)exchange_write(f.open[1], (Str){ .p = piece, .n = PIECE });
        turn(f.loop, 0);
    }
    CHECK(f.gones == 2);
    (void)close(first);
    (void)close(second);
    tear_down(&f);
}

/* A stream breaks while the handler writes: it is told after its call, and may end it before. */
static void test_breaks_inside_a_write(void)
{
    for (int ends = 0; ends < 2; ends++) {
        struct fixture f;
        set_up(&f, 0);
        int fd = begin(&f, get);
        struct linger hard = { .l_onoff = 1 };
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        (void)close(fd); /* a reset, which only sending tells of until the loop turns */
        (void)exchange_write(f.open[0], STR("data: 1\n\n"));
        (void)exchange_write(f.open[0], STR("data: 2\n\n"));
        CHECK(f.gones == 0);
        if (ends)
            exchange_end(f.open[0]);
        turn(f.loop, 5);
        CHECK(f.gones == !ends);
        CHECK(http_server_exchanges(f.server) == 0);
        tear_down(&f);
    }
}

static void test_closing_takes_streams_along(void)
{
    struct fixture f;
    set_up(&f, KEEPALIVE_MS);
    int fd = begin(&f, get);
    http_server_drain(f.server);
    CHECK(f.open[0] && http_server_exchanges(f.server) == 1);
    http_server_close(f.server);
    f.server = NULL;
    CHECK(f.gones == 1 && !f.open[0]);
    turn(f.loop, 0);
    (void)close(fd);
    tear_down(&f);
}

int main(void)
{
    RUN(test_chunks);
    RUN(test_pipelined_requests_wait_for_the_end);
    RUN(test_an_old_client_reads_until_the_end);
    RUN(test_signs_of_life);
    RUN(test_a_slow_client_pauses_its_writer);
    RUN(test_a_client_that_reads_nothing_is_left);
    RUN(test_the_total_of_all_holds);
    RUN(test_breaks_inside_a_write);
    RUN(test_closing_takes_streams_along);
    return check_finish();
}
