/* SPDX-License-Identifier: Apache-2.0 */
/* test_http1.c - what the codec refuses, row by row, and that cuts change nothing.
 *
 * Each hostile message has a second one behind it: if the codec took a wrong end for the first,
 * the second would show up as another request. */
#include "fuzz/trace_http1.h"
#include "tests/unit/check.h"

#define HOST    "Host: a.example\r\n"
#define POST    "POST /mcp HTTP/1.1\r\n" HOST
#define NEXT    "GET /next HTTP/1.1\r\n" HOST "\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

enum {
    TRACE_MAX = 1 << 20,
    LONG_HEADER = 100000,
    LONG_EXTENSION = 20000,
    BIG = 65536,
    HUGE_REQUEST = 262144
};

/* status: what http_parse_request says, 0 when it takes the head. */
static const struct {
    const char *name;
    Str in;
    int status;
} head_cases[] = {
    /* framing */
    { "length, then coding",
      STR_INIT(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT), 400 },
    { "coding, then length",
      STR_INIT(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" NEXT), 400 },
    { "two lengths, same",
      STR_INIT(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" NEXT), 400 },
    { "two lengths, different",
      STR_INIT(POST "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello" NEXT), 400 },
    { "two lengths, names in two cases",
      STR_INIT(POST "Content-Length: 5\r\ncontent-LENGTH: 5\r\n\r\nhello" NEXT), 400 },
    { "length 5, 5", STR_INIT(POST "Content-Length: 5, 5\r\n\r\nhello" NEXT), 400 },
    { "length +5", STR_INIT(POST "Content-Length: +5\r\n\r\nhello" NEXT), 400 },
    { "length -1", STR_INIT(POST "Content-Length: -1\r\n\r\nhello" NEXT), 400 },
    { "length 5x", STR_INIT(POST "Content-Length: 5x\r\n\r\nhello" NEXT), 400 },
    { "length 0x5", STR_INIT(POST "Content-Length: 0x5\r\n\r\nhello" NEXT), 400 },
    { "length `5 6`", STR_INIT(POST "Content-Length: 5 6\r\n\r\nhello" NEXT), 400 },
    { "length empty", STR_INIT(POST "Content-Length:\r\n\r\nhello" NEXT), 400 },
    { "length with zeros in front", STR_INIT(POST "Content-Length: 05\r\n\r\nhello" NEXT), 400 },
    { "length 5.0", STR_INIT(POST "Content-Length: 5.0\r\n\r\nhello" NEXT), 400 },
    { "length quoted", STR_INIT(POST "Content-Length: \"5\"\r\n\r\nhello" NEXT), 400 },
    { "length 2^64+5", STR_INIT(POST "Content-Length: 18446744073709551621\r\n\r\nhello"), 400 },
    { "length 2^64-1", STR_INIT(POST "Content-Length: 18446744073709551615\r\n\r\nhello"), 400 },
    { "length 2^63", STR_INIT(POST "Content-Length: 9223372036854775808\r\n\r\nhello"), 400 },
    { "coding identity", STR_INIT(POST "Transfer-Encoding: identity\r\n\r\nhello" NEXT), 501 },
    { "coding xchunked", STR_INIT(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" NEXT), 501 },
    { "coding empty", STR_INIT(POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n" NEXT), 501 },
    { "coding gzip, chunked",
      STR_INIT(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" NEXT), 501 },
    { "coding chunked, chunked",
      STR_INIT(POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" NEXT), 501 },
    { "coding chunked with parameter",
      STR_INIT(POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n" NEXT), 501 },
    { "coding \"chunked\" quoted",
      STR_INIT(POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" NEXT), 501 },
    { "coding, trailing comma", STR_INIT(POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n" NEXT),
      501 },
    { "coding twice",
      STR_INIT(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      400 },
    { "coding twice, one identity",
      STR_INIT(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
      400 },
    { "coding in HTTP/1.0",
      STR_INIT("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT),
      400 },
    { "coding behind vertical tab",
      STR_INIT(POST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n" NEXT), 400 },
    /* lines */
    { "folded line", STR_INIT(POST "X-A: 1\r\n 2\r\n\r\n" NEXT), 400 },
    { "folded by TAB", STR_INIT(POST "X-A: 1\r\n\t2\r\n\r\n" NEXT), 400 },
    { "folding hides the coding",
      STR_INIT(POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" NEXT), 400 },
    { "space before the first field", STR_INIT("GET / HTTP/1.1\r\n " HOST "\r\n" NEXT), 400 },
    { "LF alone everywhere", STR_INIT("GET / HTTP/1.1\nHost: a\n\n" NEXT), 400 },
    { "LF alone behind one field", STR_INIT(POST "X-A: 1\nX-B: 2\r\n\r\n" NEXT), 400 },
    { "LF alone as the last line end", STR_INIT(POST "X-A: 1\r\n\n" NEXT), 400 },
    { "CR inside a value", STR_INIT(POST "X-A: 1\r2\r\n\r\n" NEXT), 400 },
    { "CR hides a field", STR_INIT(POST "X-A: 1\rContent-Length: 5\r\n\r\nhello" NEXT), 400 },
    { "CR CR LF", STR_INIT(POST "X-A: 1\r\r\n\r\n" NEXT), 400 },
    { "empty line before the head", STR_INIT("\r\n" NEXT), 400 },
    { "LF before the head", STR_INIT("\n" NEXT), 400 },
    { "space before the head", STR_INIT(" " NEXT), 400 },
    /* names and values */
    { "space before the colon of the length", STR_INIT(POST "Content-Length : 5\r\n\r\nhello" NEXT),
      400 },
    { "TAB before the colon of the length", STR_INIT(POST "Content-Length\t: 5\r\n\r\nhello" NEXT),
      400 },
    { "space before the colon of the coding, with a length",
      STR_INIT(POST "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" NEXT),
      400 },
    { "space in a name", STR_INIT(POST "X A: 1\r\n\r\n" NEXT), 400 },
    { "empty name", STR_INIT(POST ": 1\r\n\r\n" NEXT), 400 },
    { "line without colon", STR_INIT(POST "X-A\r\n\r\n" NEXT), 400 },
    { "non-token name", STR_INIT(POST "X(A): 1\r\n\r\n" NEXT), 400 },
    { "non-ASCII name", STR_INIT(POST "X\xc3\xa4: 1\r\n\r\n" NEXT), 400 },
    { "NUL in a name", STR_INIT(POST "X\0A: 1\r\n\r\n" NEXT), 400 },
    { "NUL in a value", STR_INIT(POST "X-A: 1\0002\r\n\r\n" NEXT), 400 },
    { "0x01 in a value", STR_INIT(POST "X-A: 1\0012\r\n\r\n" NEXT), 400 },
    { "DEL in a value", STR_INIT(POST "X-A: 1\1772\r\n\r\n" NEXT), 400 },
    /* Host and other single fields */
    { "no Host", STR_INIT("GET / HTTP/1.1\r\n\r\n" NEXT), 400 },
    { "two Hosts", STR_INIT("GET / HTTP/1.1\r\n" HOST HOST "\r\n" NEXT), 400 },
    { "two Hosts in HTTP/1.0", STR_INIT("GET / HTTP/1.0\r\n" HOST HOST "\r\n" NEXT), 400 },
    { "Host empty", STR_INIT("GET / HTTP/1.1\r\nHost:\r\n\r\n" NEXT), 400 },
    { "Host with user", STR_INIT("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n" NEXT), 400 },
    { "Host with path", STR_INIT("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" NEXT), 400 },
    { "Host is a list", STR_INIT("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n" NEXT), 400 },
    { "two Content-Types", STR_INIT(POST "Content-Type: a/b\r\nContent-Type: a/b\r\n\r\n" NEXT),
      400 },
    { "two Authorizations",
      STR_INIT(POST "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n" NEXT), 400 },
    { "two Origins", STR_INIT(POST "Origin: null\r\nOrigin: null\r\n\r\n" NEXT), 400 },
    /* request line */
    { "space in the target", STR_INIT("GET /a b HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "TAB for space", STR_INIT("GET\t/ HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "two spaces", STR_INIT("GET  / HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "control byte in the target", STR_INIT("GET /\001 HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "NUL in the target", STR_INIT("GET /a\0b HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "non-ASCII target", STR_INIT("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "fragment", STR_INIT("GET /a#b HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "absolute-form", STR_INIT("GET http://a.example/ HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "asterisk-form", STR_INIT("OPTIONS * HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "authority-form", STR_INIT("CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "no target", STR_INIT("GET HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "method is no token", STR_INIT("G@T / HTTP/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "HTTP/2.0", STR_INIT("GET / HTTP/2.0\r\n" HOST "\r\n" NEXT), 505 },
    { "HTTP/2 preface", STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400 },
    { "HTTP/1.2", STR_INIT("GET / HTTP/1.2\r\n" HOST "\r\n" NEXT), 505 },
    { "HTTP/0.9 with a version", STR_INIT("GET / HTTP/0.9\r\n\r\n" NEXT), 505 },
    { "HTTP/1.01", STR_INIT("GET / HTTP/1.01\r\n" HOST "\r\n" NEXT), 400 },
    { "HTTP/1", STR_INIT("GET / HTTP/1\r\n" HOST "\r\n" NEXT), 400 },
    { "http/1.1", STR_INIT("GET / http/1.1\r\n" HOST "\r\n" NEXT), 400 },
    { "space behind the version", STR_INIT("GET / HTTP/1.1 \r\n" HOST "\r\n" NEXT), 400 },
    { "0.9 request", STR_INIT("GET /\r\n\r\n" NEXT), 400 },
    { "TLS hello", STR_INIT("\026\003\001\002\000\001\000\001\374\003\003"), 400 },
    /* taken */
    { "plain GET", STR_INIT("GET /mcp?x=1 HTTP/1.1\r\n" HOST "\r\n"), 0 },
    { "HTTP/1.0 without Host", STR_INIT("GET / HTTP/1.0\r\n\r\n"), 0 },
    { "port in Host", STR_INIT("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"), 0 },
    { "non-ASCII value", STR_INIT(POST "User-Agent: \xc3\xa4\xff\r\n\r\n"), 0 },
    { "empty value", STR_INIT(POST "X-A:\r\n\r\n"), 0 },
    { "largest length", STR_INIT(POST "Content-Length: 9223372036854775807\r\n\r\n"), 0 },
    { "coding in capitals", STR_INIT(POST "TRANSFER-ENCODING: \t Chunked \r\n\r\n"), 0 },
    { "Expect is the server's", STR_INIT(POST "Expect: 100-continue\r\n\r\n"), 0 },
    { "unknown method", STR_INIT("BREW /pot HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"), 0 },
    { "two Mcp-Names are the protocol's", STR_INIT(POST "Mcp-Name: a\r\nMcp-Name: b\r\n\r\n"), 0 },
};

static struct http_head head; /* 2 KiB: not on each test's stack */

static enum http_result parse(Str in, size_t *used)
{
    size_t scan = 0;
    char *copy = pieces_copy(in);
    Str block = { .p = copy, .n = in.n };
    enum http_result result = http_parse_request(block, &http_limits_default, &scan, &head, used);
    /* Slices go with the copy; those who look at them parse the text itself. */
    free(copy);
    return result;
}

static void test_heads(void)
{
    for (size_t i = 0; i < COUNT(head_cases); i++) {
        size_t used = 0;
        enum http_result result = parse(head_cases[i].in, &used);
        int status = result == HTTP_DONE ? 0 : result == HTTP_BAD ? head.error_status : -1;
        CHECK_ROW(status == head_cases[i].status, "%s: got %d, want %d", head_cases[i].name, status,
                  head_cases[i].status);
        CHECK_ROW(result != HTTP_BAD || head.error, "%s: no text", head_cases[i].name);
    }
}

/* want: body bytes; status 200: complete; 100: more is needed; 400: refused. */
static const struct {
    const char *name;
    Str in;
    int status;
    Str want;
} body_cases[] = {
    { "two chunks", STR_INIT(CHUNKED "5\r\nhello\r\n006\r\n world\r\n0\r\n\r\n"), 200,
      STR_INIT("hello world") },
    { "no chunk", STR_INIT(CHUNKED "0\r\n\r\n"), 200, STR_INIT("") },
    { "hex in both cases", STR_INIT(CHUNKED "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), 200,
      STR_INIT("01234567890123456789") },
    { "sixteen digits", STR_INIT(CHUNKED "0000000000000001\r\nx\r\n0000\r\n\r\n"), 200,
      STR_INIT("x") },
    { "chunk data holds CRLF and NUL", STR_INIT(CHUNKED "5\r\n\r\n0\0\r\r\n0\r\n\r\n"), 200,
      STR_INIT("\r\n0\0\r") },
    { "short extension", STR_INIT(CHUNKED "1;a=\"b\"\r\nx\r\n0\r\n\r\n"), 200, STR_INIT("x") },
    { "largest chunk", STR_INIT(CHUNKED "7fffffffffffffff\r\nx"), 100, STR_INIT("x") },
    { "ends in data", STR_INIT(CHUNKED "5\r\nhe"), 100, STR_INIT("he") },
    { "ends before the last CRLF", STR_INIT(CHUNKED "0\r\n"), 100, STR_INIT("") },
    { "chunk size 2^64+5", STR_INIT(CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n"), 400,
      STR_INIT("") },
    { "chunk size 2^64-1", STR_INIT(CHUNKED "ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), 400,
      STR_INIT("") },
    { "chunk size 2^63", STR_INIT(CHUNKED "8000000000000000\r\nhello\r\n0\r\n\r\n"), 400,
      STR_INIT("") },
    { "seventeen digits", STR_INIT(CHUNKED "00000000000000005\r\nhello\r\n0\r\n\r\n"), 400,
      STR_INIT("") },
    { "chunk size 0x5", STR_INIT(CHUNKED "0x5\r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "chunk size +5", STR_INIT(CHUNKED "+5\r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "chunk size -5", STR_INIT(CHUNKED "-5\r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "chunk size ` 5`", STR_INIT(CHUNKED " 5\r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "chunk size `5 `", STR_INIT(CHUNKED "5 \r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "chunk size `5 ;a`", STR_INIT(CHUNKED "5 ;a\r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "chunk size 5_0", STR_INIT(CHUNKED "5_0\r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "chunk size missing", STR_INIT(CHUNKED "\r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "chunk size NUL", STR_INIT(CHUNKED "5\0\r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "extension without size", STR_INIT(CHUNKED ";a\r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "size line ended by LF", STR_INIT(CHUNKED "5\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "size line ended by CR", STR_INIT(CHUNKED "5\rhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "extension ended by LF", STR_INIT(CHUNKED "5;a\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "extension holds CR", STR_INIT(CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "extension holds NUL", STR_INIT(CHUNKED "5;\0\r\nhello\r\n0\r\n\r\n"), 400, STR_INIT("") },
    { "data ended by LF", STR_INIT(CHUNKED "5\r\nhello\n0\r\n\r\n"), 400, STR_INIT("hello") },
    { "data not ended", STR_INIT(CHUNKED "5\r\nhello0\r\n\r\n"), 400, STR_INIT("hello") },
    { "data longer than its size", STR_INIT(CHUNKED "4\r\nhello\r\n0\r\n\r\n"), 400,
      STR_INIT("hell") },
    { "trailer", STR_INIT(CHUNKED "1\r\nx\r\n0\r\nX-A: 1\r\n\r\n"), 400, STR_INIT("x") },
    { "last line ended by LF", STR_INIT(CHUNKED "0\r\n\n"), 400, STR_INIT("") },
    { "by length", STR_INIT(POST "Content-Length: 5\r\n\r\nhello" NEXT), 200, STR_INIT("hello") },
    { "by length, short", STR_INIT(POST "Content-Length: 6\r\n\r\nhello"), 100, STR_INIT("hello") },
    { "length 0", STR_INIT(POST "Content-Length: 0\r\n\r\n" NEXT), 200, STR_INIT("") },
    { "neither", STR_INIT(POST "\r\n" NEXT), 200, STR_INIT("") },
};

/* Reads a request's body into out: as http_body_next, DONE, MORE or BAD. */
static enum http_result read_body(Str in, struct buf *out, Str *rest)
{
    size_t used = 0;
    CHECK(parse(in, &used) == HTTP_DONE);
    struct http_body body;
    http_body_begin(&body, &head);
    *rest = str_sub(in, used, in.n);
    enum http_result result = HTTP_MORE;
    do {
        Str data;
        result = http_body_next(&body, rest, &data);
        buf_add(out, data);
    } while (result == HTTP_MORE && rest->n);
    Str data, more = *rest;
    if (result != HTTP_MORE) /* what was said stays said */
        CHECK(http_body_next(&body, &more, &data) == result && data.n == 0 && more.n == rest->n);
    CHECK(result != HTTP_BAD || body.error);
    return result;
}

static void test_bodies(void)
{
    for (size_t i = 0; i < COUNT(body_cases); i++) {
        struct buf out;
        Str rest;
        buf_init(&out, TRACE_MAX);
        enum http_result result = read_body(body_cases[i].in, &out, &rest);
        int status = result == HTTP_DONE ? 200 : result == HTTP_MORE ? 100 : 400;
        CHECK_ROW(status == body_cases[i].status, "%s: got %d, want %d", body_cases[i].name, status,
                  body_cases[i].status);
        CHECK_STR(buf_str(&out), body_cases[i].want);
        if (status == 200)
            CHECK_ROW(rest.n == 0 || str_eq(rest, STR(NEXT)), "%s: end", body_cases[i].name);
        buf_free(&out);
    }
}

static enum http_result read_extensions(size_t chunks, size_t bytes)
{
    struct buf in, out;
    Str rest;
    buf_init(&in, BIG);
    buf_init(&out, TRACE_MAX);
    buf_add(&in, STR(CHUNKED));
    for (size_t i = 0; i < chunks; i++) {
        buf_add(&in, STR("1;"));
        for (size_t k = 0; k < bytes; k++)
            buf_add_char(&in, 'e');
        buf_add(&in, STR("\r\nx\r\n"));
    }
    buf_add(&in, STR("0\r\n\r\n"));
    enum http_result result = read_body(buf_str(&in), &out, &rest);
    buf_free(&in);
    buf_free(&out);
    return result;
}

static void test_extension_cap(void)
{
    CHECK(read_extensions(1, HTTP_CHUNK_EXTENSION_MAX) == HTTP_DONE);
    CHECK(read_extensions(1, HTTP_CHUNK_EXTENSION_MAX + 1) == HTTP_BAD);
    CHECK(read_extensions(1, LONG_EXTENSION) == HTTP_BAD);
    CHECK(read_extensions(HTTP_CHUNK_EXTENSION_MAX, 1) == HTTP_DONE);
    CHECK(read_extensions(HTTP_CHUNK_EXTENSION_MAX + 1, 1) == HTTP_BAD);
}

/* A request of pieces: count times a text between two others. */
static int status_of(Str before, Str text, size_t count, Str after)
{
    struct buf in;
    size_t used = 0;
    buf_init(&in, HUGE_REQUEST);
    buf_add(&in, before);
    for (size_t i = 0; i < count; i++)
        buf_add(&in, text);
    buf_add(&in, after);
    enum http_result result = parse(buf_str(&in), &used);
    CHECK(!in.is_full && (result != HTTP_DONE || used == in.n));
    buf_free(&in);
    return result == HTTP_DONE ? 0 : result == HTTP_BAD ? head.error_status : -1;
}

static void test_limits(void)
{
    size_t max_head = http_limits_default.max_head, max_target = http_limits_default.max_target;
    Str x = STR("x"), field = STR("A: b\r\n");
    Str line = STR("GET /"), rest = STR(" HTTP/1.1\r\n" HOST "\r\n");
    CHECK(status_of(line, x, max_target - 1, rest) == 0);
    CHECK(status_of(line, x, max_target, rest) == 414);
    CHECK(status_of(line, x, LONG_HEADER, rest) == 414);
    CHECK(status_of(line, x, LONG_HEADER, STR("")) == 414);
    CHECK(status_of(STR(POST), field, HTTP_HEADERS_MAX - 1, STR("\r\n")) == 0);
    CHECK(status_of(STR(POST), field, HTTP_HEADERS_MAX, STR("\r\n")) == 431);
    CHECK(status_of(STR(POST), field, 2000, STR("\r\n")) == 431);
    size_t room = max_head - STR(POST "X-A: \r\n\r\n").n;
    CHECK(status_of(STR(POST "X-A: "), x, room, STR("\r\n\r\n")) == 0);
    CHECK(status_of(STR(POST "X-A: "), x, room + 1, STR("\r\n\r\n")) == 431);
    CHECK(status_of(STR(POST "X-A: "), x, LONG_HEADER, STR("\r\n\r\n")) == 431);
    CHECK(status_of(STR(POST "X-A: "), x, LONG_HEADER, STR("")) == 431);
    CHECK(status_of(STR(POST "X-A: "), x, room, STR("")) == -1);
}

static void test_request_fields(void)
{
    Str in = STR("POST /mcp?a=b HTTP/1.1\r\nHost: h:1\r\nContent-Length: 12\r\nX-A: \t a b \t\r\n"
                 "X-Empty: \r\nAccept: application/json\r\naccept: text/event-stream, */*\r\n"
                 "Connection: TE, Close\r\n\r\nhello");
    size_t scan = 0, used = 0;
    bool is_repeated = true;
    CHECK(http_parse_request(in, &http_limits_default, &scan, &head, &used) == HTTP_DONE);
    CHECK(used == in.n - 5 && head.method == HTTP_POST && head.minor == 1 && !head.keep_alive);
    CHECK(head.framing == HTTP_BODY_LENGTH && head.length == 12 && head.header_count == 7);
    CHECK_STR(head.method_text, STR("POST"));
    CHECK_STR(head.target, STR("/mcp?a=b"));
    CHECK_STR(http_header(&head, STR("x-a"), &is_repeated), STR("a b"));
    CHECK(!is_repeated);
    CHECK(http_header(&head, STR("X-Empty"), NULL).p && !http_header(&head, STR("X-No"), NULL).p);
    CHECK(!http_header(&head, STR("Accept"), &is_repeated).p && is_repeated);
    CHECK(http_header_has_token(&head, STR("ACCEPT"), STR("text/event-stream")));
    CHECK(http_header_has_token(&head, STR("accept"), STR("*/*")));
    CHECK(!http_header_has_token(&head, STR("accept"), STR("text/event")));
    CHECK(!http_header_has_token(&head, STR("accept"), STR("json")));
}

static const struct {
    Str in;
    bool keep_alive;
} keep_cases[] = {
    { STR_INIT("GET / HTTP/1.1\r\n" HOST "\r\n"), true },
    { STR_INIT("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), false },
    { STR_INIT("GET / HTTP/1.1\r\n" HOST "Connection: keep-alive, CLOSE\r\n\r\n"), false },
    { STR_INIT("GET / HTTP/1.1\r\n" HOST "Connection: x\r\nConnection: close\r\n\r\n"), false },
    { STR_INIT("GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n"), true },
    { STR_INIT("GET / HTTP/1.0\r\n" HOST "\r\n"), false },
    { STR_INIT("GET / HTTP/1.0\r\n" HOST "Connection: Keep-Alive\r\n\r\n"), true },
};

static void test_keep_alive(void)
{
    for (size_t i = 0; i < COUNT(keep_cases); i++) {
        size_t used = 0;
        CHECK(parse(keep_cases[i].in, &used) == HTTP_DONE);
        CHECK_ROW(head.keep_alive == keep_cases[i].keep_alive, "row %zu", i);
    }
}

#define OK200 "HTTP/1.1 200 OK\r\n"
/* framing -1: refused. */
static const struct {
    const char *name;
    Str in;
    int framing;
    bool keep_alive;
} response_cases[] = {
    { "length", STR_INIT(OK200 "Content-Length: 2\r\n\r\n"), HTTP_BODY_LENGTH, true },
    { "chunked", STR_INIT(OK200 "Transfer-Encoding: chunked\r\n\r\n"), HTTP_BODY_CHUNKED, true },
    { "neither", STR_INIT(OK200 "\r\n"), HTTP_BODY_UNTIL_CLOSE, false },
    { "HTTP/1.0", STR_INIT("HTTP/1.0 200 OK\r\n\r\n"), HTTP_BODY_UNTIL_CLOSE, false },
    { "no reason", STR_INIT("HTTP/1.1 202 \r\nContent-Length: 0\r\n\r\n"), HTTP_BODY_LENGTH, true },
    { "close", STR_INIT(OK200 "Content-Length: 2\r\nConnection: close\r\n\r\n"), HTTP_BODY_LENGTH,
      false },
    { "100", STR_INIT("HTTP/1.1 100 Continue\r\n\r\n"), HTTP_BODY_NONE, true },
    { "204", STR_INIT("HTTP/1.1 204 No Content\r\n\r\n"), HTTP_BODY_NONE, true },
    { "204 with length", STR_INIT("HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n"), HTTP_BODY_NONE,
      false },
    { "204 chunked", STR_INIT("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n"),
      HTTP_BODY_NONE, false },
    { "304 with length", STR_INIT("HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n"), HTTP_BODY_NONE,
      true },
    { "both", STR_INIT(OK200 "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"), -1,
      false },
    { "both in 204",
      STR_INIT("HTTP/1.1 204 x\r\nContent-Length: 2\r\nTransfer-Encoding: "
               "chunked\r\n\r\n"),
      -1, false },
    { "two lengths", STR_INIT(OK200 "Content-Length: 2\r\nContent-Length: 2\r\n\r\n"), -1, false },
    { "gzip", STR_INIT(OK200 "Transfer-Encoding: gzip, chunked\r\n\r\n"), -1, false },
    { "coding in 1.0", STR_INIT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), -1,
      false },
    { "two types", STR_INIT(OK200 "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n"), -1, false },
    { "099", STR_INIT("HTTP/1.1 099 x\r\n\r\n"), -1, false },
    { "600", STR_INIT("HTTP/1.1 600 x\r\n\r\n"), -1, false },
    { "20", STR_INIT("HTTP/1.1 20 x\r\n\r\n"), -1, false },
    { "2000", STR_INIT("HTTP/1.1 2000 x\r\n\r\n"), -1, false },
    { "no space behind the status", STR_INIT("HTTP/1.1 200\r\n\r\n"), -1, false },
    { "HTTP/2", STR_INIT("HTTP/2 200 \r\n\r\n"), -1, false },
    { "HTTP/1.2", STR_INIT("HTTP/1.2 200 OK\r\n\r\n"), -1, false },
    { "ICY", STR_INIT("ICY 200 OK\r\n\r\n"), -1, false },
    { "LF alone", STR_INIT("HTTP/1.1 200 OK\n\n"), -1, false },
    { "folded", STR_INIT(OK200 "X-A: 1\r\n 2\r\n\r\n"), -1, false },
    { "NUL in the reason", STR_INIT("HTTP/1.1 200 O\0K\r\n\r\n"), -1, false },
};

static void test_responses(void)
{
    for (size_t i = 0; i < COUNT(response_cases); i++) {
        size_t scan = 0, used = 0;
        enum http_result result =
            http_parse_response(response_cases[i].in, &http_limits_default, &scan, &head, &used);
        int framing = result == HTTP_DONE ? (int)head.framing : result == HTTP_BAD ? -1 : -2;
        CHECK_ROW(framing == response_cases[i].framing, "%s: got %d, want %d",
                  response_cases[i].name, framing, response_cases[i].framing);
        if (framing >= 0)
            CHECK_ROW(head.keep_alive == response_cases[i].keep_alive, "%s: keep_alive",
                      response_cases[i].name);
    }
}

static void test_until_close(void)
{
    size_t scan = 0, used = 0;
    CHECK(http_parse_response(STR(OK200 "\r\n"), &http_limits_default, &scan, &head, &used) ==
          HTTP_DONE);
    struct http_body body;
    http_body_begin(&body, &head);
    Str in = STR("0\r\n\r\n"), out;
    CHECK(http_body_next(&body, &in, &out) == HTTP_MORE && in.n == 0);
    CHECK_STR(out, STR("0\r\n\r\n"));
    CHECK(http_body_next(&body, &in, &out) == HTTP_MORE && out.n == 0);
}

/* The trace of in must be the same whole, byte by byte and cut at random. */
static void check_cuts(Str in, bool is_request, const struct http_limits *limits, const char *name)
{
    struct buf whole, cut;
    buf_init(&whole, TRACE_MAX);
    buf_init(&cut, TRACE_MAX);
    trace_http1(in, is_request, limits, PIECES_WHOLE, &whole);
    for (uint64_t seed = PIECES_OF_ONE; seed < 20; seed++) {
        buf_clear(&cut);
        trace_http1(in, is_request, limits, seed, &cut);
        if (!CHECK_ROW(str_eq(buf_str(&whole), buf_str(&cut)), "%s: cut %d differs", name,
                       (int)seed))
            break;
    }
    CHECK(!whole.is_full && whole.n);
    buf_free(&whole);
    buf_free(&cut);
}

static void test_cuts(void)
{
    static const struct http_limits small = { .max_head = 80, .max_target = 8 };
    for (size_t i = 0; i < COUNT(head_cases); i++) {
        check_cuts(head_cases[i].in, true, &http_limits_default, head_cases[i].name);
        check_cuts(head_cases[i].in, true, &small, head_cases[i].name);
    }
    for (size_t i = 0; i < COUNT(body_cases); i++)
        check_cuts(body_cases[i].in, true, &http_limits_default, body_cases[i].name);
    for (size_t i = 0; i < COUNT(response_cases); i++)
        check_cuts(response_cases[i].in, false, &http_limits_default, response_cases[i].name);
}

/* A head that drips in is looked at once: scan stands at its end but for a CR in doubt. */
static void test_scan(void)
{
    Str in = STR(POST "X-A: 1\r\n\r\n");
    size_t scan = 0, used = 0;
    for (size_t n = 0; n < in.n; n++) {
        CHECK(http_parse_request(str_sub(in, 0, n), &http_limits_default, &scan, &head, &used) ==
              HTTP_MORE);
        CHECK_ROW(scan == n || (scan + 1 == n && str_ends(str_sub(in, 0, n), STR("\r"))),
                  "%zu of %zu", scan, n);
    }
    CHECK(http_parse_request(in, &http_limits_default, &scan, &head, &used) == HTTP_DONE);
    CHECK(used == in.n);
}

static void test_pipeline(void)
{
    struct buf out;
    buf_init(&out, TRACE_MAX);
    trace_http1(STR(CHUNKED "1\r\nx\r\n0\r\n\r\n" NEXT "BREW / HTTP/1.1\r\n" HOST
                            "Content-Length: 1\r\n\r\ny" NEXT),
                true, &http_limits_default, PIECES_WHOLE, &out);
    size_t heads = 0;
    Str rest = buf_str(&out);
    while (rest.n)
        heads += str_starts(str_cut(&rest, '\n'), STR("head "));
    CHECK(heads == 4);
    CHECK(str_contains(buf_str(&out), STR("ends in head, 0 left")));
    buf_free(&out);
}

int main(void)
{
    RUN(test_heads);
    RUN(test_bodies);
    RUN(test_extension_cap);
    RUN(test_limits);
    RUN(test_request_fields);
    RUN(test_keep_alive);
    RUN(test_responses);
    RUN(test_until_close);
    RUN(test_cuts);
    RUN(test_scan);
    RUN(test_pipeline);
    return check_finish();
}
