/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch.c - what OAuth's requests may reach: addresses by range, URLs by scheme, answers by
 * size; and that a guarded request never rides on an unguarded connection or a proxy. */
#include "runtime/keeper/fetch.h"
#include "tests/unit/net_upstream.h"

#include <netinet/in.h>

enum { WAIT_MS = 2000 };

static bool allows(enum http_reach reach, const char *text)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return reach_allows(reach, (struct sockaddr *)&v4, sizeof v4);
    ENSURE(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1);
    return reach_allows(reach, (struct sockaddr *)&v6, sizeof v6);
}

static void test_reach(void)
{
    static const char *const closed[] = {
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "240.0.0.1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "2002:a00:1::",
        "2001:db8::1",
        "::ffff:169.254.169.254",
    };
    static const char *const loopback_texts[] = { "127.0.0.1", "127.9.9.9", "::1",
                                                  "::ffff:127.0.0.1" };
    static const char *const open[] = { "8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111" };
    for (size_t i = 0; i < COUNT(closed); i++) {
        CHECK_ROW(!allows(REACH_PUBLIC, closed[i]), "%s", closed[i]);
        CHECK_ROW(!allows(REACH_PUBLIC_OR_LOOPBACK, closed[i]), "%s", closed[i]);
        CHECK_ROW(allows(REACH_ANY, closed[i]), "%s", closed[i]);
    }
    for (size_t i = 0; i < COUNT(loopback_texts); i++) {
        CHECK_ROW(!allows(REACH_PUBLIC, loopback_texts[i]), "%s", loopback_texts[i]);
        CHECK_ROW(allows(REACH_PUBLIC_OR_LOOPBACK, loopback_texts[i]), "%s", loopback_texts[i]);
    }
    for (size_t i = 0; i < COUNT(open); i++)
        CHECK_ROW(allows(REACH_PUBLIC, open[i]), "%s", open[i]);
    struct sockaddr other = { .sa_family = AF_UNIX };
    struct sockaddr_in6 cut = { .sin6_family = AF_INET6 };
    CHECK(!reach_allows(REACH_PUBLIC_OR_LOOPBACK, &other, sizeof other));
    CHECK(!reach_allows(REACH_PUBLIC_OR_LOOPBACK, (struct sockaddr *)&cut, sizeof cut - 1));
}

struct rig {
    struct loop *loop;
    struct http_client *http;
    struct upstream up;
    char url[64];
    int ends;
    enum status status;
    int http_status;
    bool is_json;
    size_t body_n;
    char why[128];
};

static void set_up(struct rig *rig, const char *answer)
{
    Str text = str_of(answer);
    *rig = (struct rig){ .loop = new_loop(), .ends = 0 };
    upstream_open(&rig->up, rig->loop, &text, 1);
    (void)snprintf(rig->url, sizeof rig->url, "http://127.0.0.1:%d/x", rig->up.port);
    CHECK(http_client_open(rig->loop, &rig->http) == ST_OK);
}

static void tear_down(struct rig *rig)
{
    http_client_close(rig->http);
    upstream_close(&rig->up);
    loop_close(rig->loop);
}

static void ignore_head(void *user, const struct http_head *head)
{
    ((struct rig *)user)->http_status = head->status;
}

static void ignore_data(void *user, Str bytes)
{
    ((struct rig *)user)->body_n += bytes.n;
}

static void note_end(void *user, enum status status, const char *why)
{
    struct rig *rig = user;
    rig->ends++;
    rig->status = status;
    (void)snprintf(rig->why, sizeof rig->why, "%s", why ? why : "");
}

static enum status request(struct rig *rig, const char *url, enum http_reach reach, bool is_secret)
{
    static const struct http_call_events events = { ignore_head, ignore_data, note_end };
    struct http_request_spec spec = { .url = str_of(url),
                                      .method = STR("POST"),
                                      .body = STR("secret"),
                                      .connect_timeout_ms = WAIT_MS,
                                      .total_timeout_ms = WAIT_MS,
                                      .reach = reach,
                                      .is_secret = is_secret };
    rig->ends = 0;
    ENSURE(http_client_start(rig->http, &spec, &events, rig));
    TURN_UNTIL(rig->loop, rig->ends);
    return rig->status;
}

#define OK_JSON "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

static void test_address_guard(void)
{
    struct rig rig;
    char named[64];
    set_up(&rig, OK_JSON);
    (void)snprintf(named, sizeof named, "http://localhost:%d/", rig.up.port);
    CHECK(request(&rig, rig.url, REACH_PUBLIC, false) == ST_DENIED);
    CHECK(request(&rig, named, REACH_PUBLIC, false) == ST_DENIED);
    CHECK(strstr(rig.why, "reach") != NULL && rig.up.connections == 0);
    CHECK(request(&rig, rig.url, REACH_PUBLIC_OR_LOOPBACK, false) == ST_OK);
    CHECK(request(&rig, "http://169.254.169.254/", REACH_PUBLIC_OR_LOOPBACK, false) == ST_DENIED);
    tear_down(&rig);
}

/* A kept connection of a request with more reach is another origin's. */
static void test_no_shared_links(void)
{
    struct rig rig;
    set_up(&rig, OK_JSON);
    CHECK(request(&rig, rig.url, REACH_ANY, false) == ST_OK && rig.up.connections == 1);
    CHECK(request(&rig, rig.url, REACH_ANY, false) == ST_OK && rig.up.connections == 1);
    CHECK(request(&rig, rig.url, REACH_PUBLIC, false) == ST_DENIED);
    CHECK(request(&rig, rig.url, REACH_PUBLIC_OR_LOOPBACK, true) == ST_OK);
    CHECK(rig.up.connections == 2);
    CHECK(request(&rig, rig.url, REACH_PUBLIC_OR_LOOPBACK, true) == ST_OK);
    CHECK(rig.up.connections == 3); /* one with secrets isn't kept */
    tear_down(&rig);
}

/* A proxy in the environment would resolve names out of our sight. */
static void test_no_proxy(void)
{
    struct rig rig;
    char proxy[64];
    set_up(&rig, OK_JSON);
    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", rig.up.port);
    ENSURE(setenv("http_proxy", proxy, 1) == 0 && setenv("https_proxy", proxy, 1) == 0);
    CHECK(request(&rig, "http://10.255.255.1/", REACH_PUBLIC, false) == ST_DENIED);
    CHECK(rig.up.connections == 0);
    ENSURE(unsetenv("http_proxy") == 0 && unsetenv("https_proxy") == 0);
    tear_down(&rig);
}

static void on_done(void *user, const struct fetch_answer *answer)
{
    struct rig *rig = user;
    rig->ends++;
    rig->status = answer->status;
    rig->http_status = answer->http_status;
    rig->is_json = answer->is_json;
    rig->body_n = answer->body.n;
    CHECK(answer->status == ST_OK || answer->why);
}

static enum status fetch(struct rig *rig, const struct fetch_request *ask)
{
    struct fetch *started = NULL;
    rig->ends = 0;
    enum status status = fetch_start(rig->http, ask, on_done, rig, &started);
    if (status != ST_OK)
        return status;
    CHECK(rig->ends == 0);
    TURN_UNTIL(rig->loop, rig->ends);
    CHECK(rig->ends == 1);
    return ST_OK;
}

static void test_fetch(void)
{
    struct rig rig;
    set_up(&rig, OK_JSON);
    struct fetch_request ask = { .url = str_of(rig.url), .is_development = true };
    CHECK(fetch(&rig, &ask) == ST_OK && rig.status == ST_OK);
    CHECK(rig.http_status == 200 && rig.is_json && rig.body_n == 2);
    CHECK(str_starts(buf_str(&rig.up.last), STR("GET /x HTTP/1.1\r\n")));
    ask.content_type = STR("application/x-www-form-urlencoded");
    ask.authorization = STR("Basic abc");
    ask.body = STR("a=b");
    CHECK(fetch(&rig, &ask) == ST_OK && rig.status == ST_OK);
    CHECK(str_starts(buf_str(&rig.up.last), STR("POST /x ")));
    CHECK(str_contains(buf_str(&rig.up.last), STR("\r\nAuthorization: Basic abc\r\n")));
    CHECK(str_ends(buf_str(&rig.up.last), STR("\r\n\r\na=b")));
    tear_down(&rig);
}

static void test_fetch_refuses(void)
{
    struct rig rig;
    set_up(&rig, OK_JSON);
    struct fetch_request ask = { .url = str_of(rig.url) };
    CHECK(fetch(&rig, &ask) == ST_DENIED); /* http outside development */
    ask.may_be_private = true;
    CHECK(fetch(&rig, &ask) == ST_DENIED);
    ask = (struct fetch_request){ .url = STR("http://example.test/"), .is_development = true };
    CHECK(fetch(&rig, &ask) == ST_DENIED);
    static const Str urls[] = { STR_INIT("ftp://a.test/"), STR_INIT("https://u@a.test/"),
                                STR_INIT("file:///etc/passwd"), STR_INIT("https://a.test/#x"),
                                STR_INIT("") };
    for (size_t i = 0; i < COUNT(urls); i++) {
        ask.url = urls[i];
        CHECK_ROW(fetch(&rig, &ask) == ST_INVALID, "url %zu", i);
    }
    ask.url = str_of(rig.url);
    ask.authorization = STR("Bearer x\r\nX-Y: z");
    CHECK(fetch(&rig, &ask) == ST_INVALID);
    static char large[FETCH_BODY_MAX + 1];
    ask.authorization = STR("");
    ask.body = (Str){ large, sizeof large };
    CHECK(fetch(&rig, &ask) == ST_LIMIT && rig.up.connections == 0);
    tear_down(&rig);
}

static void test_fetch_answers(void)
{
    static const struct {
        const char *answer;
        enum status status;
        int http_status;
        bool is_json;
    } rows[] = {
        { "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", ST_OK,
          302, false },
        { "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", ST_OK, 404, false },
        { "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}", ST_OK, 200,
          false },
        { "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-16\r\n"
          "Content-Length: 2\r\n\r\n{}",
          ST_OK, 200, false },
        { "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
          ST_UNSUPPORTED, 0, false },
        { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", ST_INVALID, 0,
          false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        set_up(&rig, rows[i].answer);
        struct fetch_request ask = { .url = str_of(rig.url), .is_development = true };
        CHECK_ROW(fetch(&rig, &ask) == ST_OK && rig.status == rows[i].status, "row %zu", i);
        CHECK_ROW(rig.http_status == rows[i].http_status && rig.is_json == rows[i].is_json,
                  "row %zu", i);
        CHECK_ROW(rig.up.requests == 1, "row %zu", i);
        tear_down(&rig);
    }
}

static void test_fetch_limits(void)
{
    static char answer[FETCH_BYTES_MAX + 1024];
    struct rig rig;
    int n = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
                     FETCH_BYTES_MAX + 1);
    memset(answer + n, 'x', FETCH_BYTES_MAX + 1);
    set_up(&rig, answer);
    struct fetch_request ask = { .url = str_of(rig.url), .is_development = true };
    CHECK(fetch(&rig, &ask) == ST_OK && rig.status == ST_LIMIT && rig.body_n == 0);
    struct fetch *started = NULL;
    rig.ends = 0;
    CHECK(fetch_start(rig.http, &ask, on_done, &rig, &started) == ST_OK);
    fetch_cancel(started);
    turn(rig.loop, 50);
    CHECK(rig.ends == 0);
    tear_down(&rig);
}

int main(void)
{
    RUN(test_reach);
    RUN(test_address_guard);
    RUN(test_no_shared_links);
    RUN(test_no_proxy);
    RUN(test_fetch);
    RUN(test_fetch_refuses);
    RUN(test_fetch_answers);
    RUN(test_fetch_limits);
    return check_finish();
}
