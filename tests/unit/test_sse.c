/* SPDX-License-Identifier: Apache-2.0 */
/* test_sse.c - the event stream's odd corners, its caps, and that cuts change nothing. */
#include "fuzz/trace_sse.h"
#include "tests/unit/check.h"

enum { TRACE_MAX = 1 << 20, MAX_EVENT = 32 };

/* One event as the trace shows it. */
#define EV(type, id, retry, data) "event " type "\nid " id "\nretry " retry "\ndata " data "\n"
#define MSG(data)                 EV("message", "", "-1", data)

static const struct {
    const char *name;
    Str in, want; /* want: the trace of trace_sse.h */
} cases[] = {
    { "one event", STR_INIT("data: a\n\n"), STR_INIT(MSG("a") "end\n") },
    { "no space behind the colon", STR_INIT("data:a\n\n"), STR_INIT(MSG("a") "end\n") },
    { "one space goes, the next stays", STR_INIT("data:  a \n\n"), STR_INIT(MSG(" a ") "end\n") },
    { "CR line ends", STR_INIT("data: a\r\rdata: b\r\r"), STR_INIT(MSG("a") MSG("b") "end\n") },
    { "CRLF line ends", STR_INIT("data: a\r\n\r\ndata: b\r\n\r\n"),
      STR_INIT(MSG("a") MSG("b") "end\n") },
    { "mixed line ends", STR_INIT("data: a\rdata: b\ndata: c\r\n\ndata: d\n\r"),
      STR_INIT(MSG("a\nb\nc") MSG("d") "end\n") },
    { "CR LF is one line end, LF CR are two", STR_INIT("data: a\n\rdata: b\n\n"),
      STR_INIT(MSG("a") MSG("b") "end\n") },
    { "data lines are joined by LF", STR_INIT("data: {\ndata: }\n\n"),
      STR_INIT(MSG("{\n}") "end\n") },
    { "empty data lines count", STR_INIT("data\ndata:\ndata: \n\n"),
      STR_INIT(MSG("\n\n") "end\n") },
    { "type", STR_INIT("event: x\ndata: a\n\ndata: b\n\n"),
      STR_INIT(EV("x", "", "-1", "a") MSG("b") "end\n") },
    { "type is that of the last line", STR_INIT("event: x\nevent\ndata: b\n\n"),
      STR_INIT(MSG("b") "end\n") },
    { "type alone is no event", STR_INIT("event: x\n\ndata: b\n\n"), STR_INIT(MSG("b") "end\n") },
    { "id stays", STR_INIT("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n"),
      STR_INIT(EV("message", "1", "-1", "a") EV("message", "1", "-1", "b") MSG("c") "end\n") },
    { "id with NUL is ignored", STR_INIT("id: 1\nid: 2\0\ndata: a\n\n"),
      STR_INIT(EV("message", "1", "-1", "a") "end\n") },
    { "id with NUL alone is no event", STR_INIT("id: \0\n\n"), STR_INIT("end\n") },
    { "priming event", STR_INIT("id: 7\ndata:\n\n"),
      STR_INIT(EV("message", "7", "-1", "") "end\n") },
    { "id alone primes", STR_INIT("id: 7\n\n"), STR_INIT(EV("message", "7", "-1", "") "end\n") },
    { "retry alone primes", STR_INIT("retry: 500\n\ndata: a\n\n"),
      STR_INIT(EV("message", "", "500", "") MSG("a") "end\n") },
    { "retry with zeros in front", STR_INIT("retry: 0010\n\n"),
      STR_INIT(EV("message", "", "10", "") "end\n") },
    { "retry not a number", STR_INIT("retry: 1s\nretry: -1\nretry:\nretry: +1\n\n"),
      STR_INIT("end\n") },
    { "retry too large", STR_INIT("retry: 9223372036854775808\n\n"), STR_INIT("end\n") },
    { "comments", STR_INIT(": hi\n:\n\n:data: x\ndata: a\n: b\n\n"), STR_INIT(MSG("a") "end\n") },
    { "unknown fields", STR_INIT("Data: x\n data: y\ndata : z\nfoo\ndata: a\n\n"),
      STR_INIT(MSG("a") "end\n") },
    { "blank lines alone", STR_INIT("\n\r\n\r\r\n\n"), STR_INIT("end\n") },
    { "BOM at the start",
      STR_INIT("\xef\xbb\xbf"
               "data: a\n\n"),
      STR_INIT(MSG("a") "end\n") },
    { "BOM twice",
      STR_INIT("\xef\xbb\xbf\xef\xbb\xbf"
               "data: a\n\n"),
      STR_INIT("end\n") },
    { "BOM later",
      STR_INIT("data: a\n\n\xef\xbb\xbf"
               "data: b\n\n"),
      STR_INIT(MSG("a") "end\n") },
    { "BOM before a blank line", STR_INIT("\xef\xbb\xbf\n\ndata: a\n\n"),
      STR_INIT(MSG("a") "end\n") },
    { "BOM cut short",
      STR_INIT("\xef\xbb"
               "data: a\n\n"),
      STR_INIT("end\n") },
    { "no blank line at the end", STR_INIT("data: a\n\ndata: b\n"), STR_INIT(MSG("a") "end\n") },
    { "no line end at the end", STR_INIT("data: a\n\ndata: b"), STR_INIT(MSG("a") "end\n") },
    { "NUL in data is the JSON reader's", STR_INIT("data: a\0b\n\n"),
      STR_INIT(MSG("a\0b") "end\n") },
    { "line of the cap", STR_INIT("data: 45678901234567890123456789\n\n"),
      STR_INIT(MSG("45678901234567890123456789") "end\n") },
    { "line over the cap", STR_INIT("data: a\n\ndata: 4567890123456789012345678901\n\n"),
      STR_INIT(MSG("a") "bad\n") },
    { "line over the cap, unfinished", STR_INIT("data: 456789012345678901234567890123456789"),
      STR_INIT("bad\n") },
    { "comment over the cap", STR_INIT(": 23456789012345678901234567890123\n"), STR_INIT("bad\n") },
    { "joined data of the cap", STR_INIT("data: 234567890123456\ndata: 8901234567890123\n\n"),
      STR_INIT(MSG("234567890123456\n8901234567890123") "end\n") },
    { "joined data over the cap", STR_INIT("data: 2345678901234567\ndata: 9012345678901234\n\n"),
      STR_INIT("bad\n") },
    { "LFs of empty data over the cap",
      STR_INIT("data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n"
               "data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n"
               "data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\n"),
      STR_INIT("bad\n") },
    { "many small events", STR_INIT("data: 1234567890\n\ndata: 1234567890\n\ndata: 1234567890\n\n"),
      STR_INIT(MSG("1234567890") MSG("1234567890") MSG("1234567890") "end\n") },
};

static void test_cases(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (uint64_t seed = PIECES_WHOLE; seed < 20; seed++) {
            struct buf out;
            buf_init(&out, TRACE_MAX);
            trace_sse(cases[i].in, MAX_EVENT, seed, &out);
            bool is_same = CHECK_ROW(str_eq(buf_str(&out), cases[i].want), "%s (cut %d): %.*s",
                                     cases[i].name, (int)seed, STR_ARG(buf_str(&out)));
            buf_free(&out);
            if (!is_same)
                break;
        }
    }
}

static void test_bad_stays_bad(void)
{
    struct sse_reader reader;
    struct sse_event event;
    sse_reader_init(&reader, 8);
    Str in = STR("data: 456789\n\n");
    CHECK(sse_next(&reader, &in, &event) == SSE_BAD);
    in = STR("data: a\n\n");
    CHECK(sse_next(&reader, &in, &event) == SSE_BAD);
    sse_reader_free(&reader);
}

static void test_writers(void)
{
    struct buf out;
    buf_init(&out, TRACE_MAX);
    sse_write_message(&out, STR(""), STR("{}"));
    sse_write_keepalive(&out);
    sse_write_message(&out, STR("a1"), STR(" x"));
    CHECK_STR(buf_str(&out), STR("event: message\ndata: {}\n\n:\n\n"
                                 "event: message\nid: a1\ndata:  x\n\n"));
    struct buf trace;
    buf_init(&trace, TRACE_MAX);
    trace_sse(buf_str(&out), MAX_EVENT, PIECES_OF_ONE, &trace);
    CHECK_STR(buf_str(&trace), STR(MSG("{}") EV("message", "a1", "-1", " x") "end\n"));
    buf_free(&out);
    buf_free(&trace);
}

int main(void)
{
    RUN(test_cases);
    RUN(test_bad_stays_bad);
    RUN(test_writers);
    return check_finish();
}
