/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that the client refuses to start: URLs, methods and header fields. */
#include "runtime/net/http_client.h"
#include "tests/unit/net_help.h"

static const Str bad_urls[] = {
    STR_INIT(""),
    STR_INIT("/mcp"),
    STR_INIT("127.0.0.1/mcp"),
    STR_INIT("ftp://127.0.0.1/"),
    STR_INIT("file:///etc/passwd"),
    STR_INIT("http:/127.0.0.1/"),
    STR_INIT("http:///127.0.0.1/"),
    STR_INIT("http://"),
    STR_INIT("http://user@127.0.0.1/"),
    STR_INIT("http://user:pw@127.0.0.1/"),
    STR_INIT("http://127.0.0.1/#part"),
    STR_INIT("http://127.0.0.1/a b"),
    STR_INIT("http://127.0.0.1/a\r\nX: y"),
    STR_INIT("http://127.0.0.1/\0x"),
    STR_INIT("http://127.0.0.1\\@evil/"),
    STR_INIT("http://127.0.0.1:99999/"),
    STR_INIT("http://127.0.0.1:x/"),
    STR_INIT("http://[fe80::1%25eth0]/"),
    STR_INIT("http://ex%41mple\xc3\xa9/"),
    STR_INIT("http://a%0d%0ab/"),
};

static const struct {
    Str method, name, value;
} bad_heads[] = {
    { STR_INIT("HEAD"), STR_INIT("X"), STR_INIT("y") },
    { STR_INIT("CONNECT"), STR_INIT("X"), STR_INIT("y") },
    { STR_INIT("POST"), STR_INIT("Host"), STR_INIT("evil") },
    { STR_INIT("POST"), STR_INIT("content-length"), STR_INIT("5") },
    { STR_INIT("POST"), STR_INIT("Transfer-Encoding"), STR_INIT("chunked") },
    { STR_INIT("POST"), STR_INIT("X"), STR_INIT("a\r\nY: b") },
    { STR_INIT("POST"), STR_INIT("X: y"), STR_INIT("z") },
    { STR_INIT("POST"), STR_INIT(""), STR_INIT("z") },
};

static const Str good_urls[] = {
    STR_INIT("http://127.0.0.1:1"),
    STR_INIT("HTTPS://LOCALHOST:1/a?b=c&d"),
    STR_INIT("http://[::1]:1/mcp?x=1?y=/"),
    STR_INIT("http://127.0.0.1:1/a%20b/../c"),
};

static void no_head(void *user, const struct http_head *head)
{
    (void)user;
    (void)head;
}

static void no_data(void *user, Str bytes)
{
    (void)user;
    (void)bytes;
}

static void count_end(void *user, enum status status, const char *why)
{
    int *ends = user;
    (void)why;
    CHECK(status != ST_OK); /* nobody listens at port 1 */
    ++*ends;
}

static bool is_started(struct http_client *client, const struct http_request_spec *spec, int *ends)
{
    static const struct http_call_events events = { no_head, no_data, count_end };
    return http_client_start(client, spec, &events, ends) != NULL;
}

static void test_acceptable(void)
{
    struct loop *loop = new_loop();
    struct http_client *client = NULL;
    int ends = 0, started = 0;
    CHECK(http_client_open(loop, &client) == ST_OK);
    for (size_t i = 0; i < COUNT(bad_urls); i++) {
        struct http_request_spec spec = { .url = bad_urls[i], .method = STR("POST") };
        CHECK_ROW(!is_started(client, &spec, &ends), "%.*s", STR_ARG(spec.url));
    }
    for (size_t i = 0; i < COUNT(bad_heads); i++) {
        struct http_header header = { bad_heads[i].name, bad_heads[i].value };
        struct http_request_spec spec = { .url = good_urls[0],
                                          .method = bad_heads[i].method,
                                          .headers = &header,
                                          .header_count = 1 };
        CHECK_ROW(!is_started(client, &spec, &ends), "row %zu", i);
    }
    for (size_t i = 0; i < COUNT(good_urls); i++) {
        struct http_request_spec spec = { .url = good_urls[i], .method = STR("GET") };
        bool is_good = is_started(client, &spec, &ends);
        CHECK_ROW(is_good, "%.*s", STR_ARG(spec.url));
        started += is_good;
    }
    TURN_UNTIL(loop, ends == started);
    CHECK(ends == started);
    http_client_close(client);
    loop_close(loop);
}

int main(void)
{
    RUN(test_acceptable);
    return check_finish();
}
