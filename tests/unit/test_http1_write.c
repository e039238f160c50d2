/* SPDX-License-Identifier: Apache-2.0 */
/* test_http1_write.c - the writers, what they must never write, and the reading of media types. */
#include "fuzz/trace_http1.h"
#include "tests/unit/check.h"

enum { TRACE_MAX = 1 << 20 };

static void test_writers(void)
{
    struct buf out;
    buf_init(&out, TRACE_MAX);
    http_write_status(&out, 200);
    http_write_header(&out, STR("X-A"), STR("b"));
    http_write_header_u64(&out, STR("X-N"), UINT64_MAX);
    http_write_end(&out);
    CHECK_STR(buf_str(&out), STR("HTTP/1.1 200 OK\r\nX-A: b\r\nX-N: 18446744073709551615\r\n\r\n"));
    buf_clear(&out);
    http_write_status(&out, 599); /* no reason known: the space stays */
    CHECK_STR(buf_str(&out), STR("HTTP/1.1 599 \r\n"));
    CHECK(http_value_is_legal(STR("a\tb \xff")) && http_value_is_legal(STR("")));
    CHECK(!http_value_is_legal(STR("a\r\nb")) && !http_value_is_legal(STR("a\nb")));
    CHECK(!http_value_is_legal(STR("a\0b")) && !http_value_is_legal(STR("a\177")));
    CHECK(!http_value_is_legal(STR(" a")) && !http_value_is_legal(STR("a\t")));
    buf_free(&out);
}

/* What the writers write, the readers read. */
static void test_round_trip(void)
{
    struct buf out, trace;
    buf_init(&out, TRACE_MAX);
    buf_init(&trace, TRACE_MAX);
    http_write_request_line(&out, STR("POST"), STR("/mcp"));
    http_write_header(&out, STR("Host"), STR("h"));
    http_write_header(&out, STR("Transfer-Encoding"), STR("chunked"));
    http_write_end(&out);
    http_write_chunk(&out, STR("hello, "));
    http_write_chunk(&out, STR("0123456789abcdef"));
    http_write_last_chunk(&out);
    trace_http1(buf_str(&out), true, &http_limits_default, PIECES_OF_ONE, &trace);
    CHECK(str_contains(buf_str(&trace), STR("body hello, 0123456789abcdef\ndone\n")));
    CHECK(str_contains(buf_str(&trace), STR("ends in head, 0 left")));
    buf_free(&out);
    buf_free(&trace);
}

static const struct {
    Str value;
    bool is_json;
} type_cases[] = {
    { STR_INIT("application/json"), true },
    { STR_INIT("Application/JSON"), true },
    { STR_INIT("application/json;"), true },
    { STR_INIT("application/json; charset=utf-8"), true },
    { STR_INIT("application/json;charset=\"UTF-8\" "), true },
    { STR_INIT("application/json ; a=b ; Charset=Utf-8"), true },
    { STR_INIT("application/json; a=\"x;charset=utf-16\\\"\"; charset=utf-8"), true },
    { STR_INIT("application/json; charset=utf-16"), false },
    { STR_INIT("application/json; charset=\"utf-16\""), false },
    { STR_INIT("application/json; charset=utf8"), false },
    { STR_INIT("application/json; charset='utf-8'"), false },
    { STR_INIT("application/json; charset=\"utf\\-8\""), false },
    { STR_INIT("application/json; charset=utf-8; charset=utf-16"), false },
    { STR_INIT("application/json; charset=utf-8; charset=utf-8"), false },
    { STR_INIT("application/json; charset"), false },
    { STR_INIT("application/json; charset="), false },
    { STR_INIT("application/json; charset =utf-16"), false },
    { STR_INIT("application/json; charset=\"utf-8"), false },
    { STR_INIT("application/json; a=\"\\"), false },
    { STR_INIT("application/json; a=b c"), false },
    { STR_INIT("application/json, text/plain"), false },
    { STR_INIT("application/json charset=utf-16"), false },
    { STR_INIT("application/json\0"), false },
    { STR_INIT("application/jsonx"), false },
    { STR_INIT("application/json-rpc"), false },
    { STR_INIT("text/plain"), false },
    { STR_INIT(";"), false },
    { STR_INIT(""), false },
};

static void test_content_type(void)
{
    for (size_t i = 0; i < COUNT(type_cases); i++) {
        char *block = pieces_copy(type_cases[i].value);
        Str copy = { .p = block, .n = type_cases[i].value.n };
        CHECK_ROW(http_content_type_is(copy, STR("application/json")) == type_cases[i].is_json,
                  "%.*s", STR_ARG(copy));
        free(block);
    }
    CHECK(!http_content_type_is((Str){ NULL, 0 }, STR("application/json")));
}

int main(void)
{
    RUN(test_writers);
    RUN(test_round_trip);
    RUN(test_content_type);
    return check_finish();
}
