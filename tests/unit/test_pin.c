/* SPDX-License-Identifier: Apache-2.0 */
/* test_pin.c - two definitions have one digest exactly when they say the same. */
#include "runtime/pin/pin.h"
#include "tests/unit/check.h"

enum { MEMORY = 16 << 20 };

static struct arena mem;

static bool parse(Str text, struct json_doc *doc)
{
    return json_parse(text, &json_limits_default, &mem, doc, NULL) == JSON_ERR_NONE;
}

static void test_canonical(void)
{
    static const struct {
        Str text, want;
    } rows[] = {
        // clang-format off
        { STR_INIT("{\"b\":1,\"a\":[true,null,\"x\"]}"), STR_INIT("{\"a\":[true,null,\"x\"],\"b\":1e0}") },
        { STR_INIT("\"\\u0041\\/\\n\\u001f\\u007f\\u2028\\\"\""), STR_INIT("\"A/\\n\\u001f\x7f\xe2\x80\xa8\\\"\"") },
        { STR_INIT("\"\\b\\t\\f\\r\\u000b\""), STR_INIT("\"\\b\\t\\f\\r\\u000b\"") },
        { STR_INIT("[1,1.0,10e-1,0.1e1,100E-2]"), STR_INIT("[1e0,1e0,1e0,1e0,1e0]") },
        { STR_INIT("[0,-0,0.00,0e5]"), STR_INIT("[0e0,0e0,0e0,0e0]") },
        { STR_INIT("[120,-0.0120,1020.30]"), STR_INIT("[12e1,-12e-3,10203e-1]") },
        { STR_INIT("[12345678901234567890]"), STR_INIT("[1234567890123456789e1]") },
        { STR_INIT("{\"required\":[\"b\",\"a\"],\"enum\":[\"b\",\"a\"]}"), STR_INIT("{\"enum\":[\"b\",\"a\"],\"required\":[\"a\",\"b\"]}") },
        { STR_INIT("{\"type\":[\"string\",\"null\"]}"), STR_INIT("{\"type\":[\"null\",\"string\"]}") },
        { STR_INIT("{\"type\":[2,\"a\"]}"), STR_INIT("{\"type\":[2e0,\"a\"]}") },
        { STR_INIT("{\"a\":1,\"\":2,\"ab\":3,\"B\":4}"), STR_INIT("{\"\":2e0,\"B\":4e0,\"a\":1e0,\"ab\":3e0}") },
        // clang-format on
    };
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_doc doc;
        buf_clear(&out);
        CHECK_ROW(parse(rows[i].text, &doc) && pin_write_canonical(&doc, 0, &mem, &out), "row %zu",
                  i);
        CHECK_STR(buf_str(&out), rows[i].want);
    }
    buf_free(&out);
}

static bool is_same(const char *left, const char *right)
{
    struct json_doc a, b;
    struct pin x, y;
    bool is_good = parse(str_of(left), &a) && parse(str_of(right), &b) &&
                   pin_digest(&a, 0, &mem, &x) && pin_digest(&b, 0, &mem, &y);
    CHECK_ROW(is_good, "%s", left);
    if (!is_good)
        return false;
    bool parts_agree = memcmp(x.parts, y.parts, sizeof x.parts) == 0;
    bool digests_agree = memcmp(x.digest, y.digest, sizeof x.digest) == 0;
    CHECK_ROW(parts_agree == digests_agree, "%s | %s", left, right);
    return digests_agree;
}

static void test_digest(void)
{
    static const struct {
        const char *left, *right;
        bool is_same;
    } rows[] = {
        // clang-format off
        { "{\"name\":\"a\"}", "{ \"name\" : \"\\u0061\" }", true },
        { "{\"name\":\"a\"}", "{\"name\":\"b\"}", false },
        { "{\"name\":\"a\",\"icons\":[]}", "{\"name\":\"a\",\"_meta\":{\"x\":1}}", true },
        { "{\"name\":\"a\",\"description\":\"x\"}", "{\"name\":\"a\",\"description\":\"x \"}", false },
        { "{\"name\":\"a\",\"description\":\"\"}", "{\"name\":\"a\"}", false },
        { "{\"name\":\"a\",\"title\":\"x\"}", "{\"name\":\"a\",\"description\":\"x\"}", false },
        { "{\"name\":\"a\",\"inputSchema\":{\"type\":\"object\",\"required\":[\"a\",\"b\"]}}",
          "{\"inputSchema\":{\"required\":[\"b\",\"a\"],\"type\":\"object\"},\"name\":\"a\"}", true },
        { "{\"name\":\"a\",\"inputSchema\":{\"required\":[\"a\"]}}", "{\"name\":\"a\",\"inputSchema\":{\"required\":[]}}", false },
        { "{\"name\":\"a\",\"inputSchema\":{\"maximum\":10}}", "{\"name\":\"a\",\"inputSchema\":{\"maximum\":10.0}}", true },
        { "{\"name\":\"a\",\"inputSchema\":{\"maximum\":10}}", "{\"name\":\"a\",\"inputSchema\":{\"maximum\":\"10\"}}", false },
        { "{\"name\":\"a\",\"inputSchema\":{\"enum\":[1,2]}}", "{\"name\":\"a\",\"inputSchema\":{\"enum\":[2,1]}}", false },
        { "{\"name\":\"a\",\"annotations\":{\"readOnlyHint\":true}}", "{\"name\":\"a\",\"annotations\":{\"readOnlyHint\":false}}", false },
        { "{\"name\":\"a\",\"outputSchema\":{}}", "{\"name\":\"a\"}", false },
        // clang-format on
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(is_same(rows[i].left, rows[i].right) == rows[i].is_same, "%s | %s", rows[i].left,
                  rows[i].right);
}

/* The bytes that are hashed are fixed for good: bundles carry digests. */
static void test_known_answer(void)
{
    static const unsigned char want[] = { 0xc6, 0x00, 0x5e, 0xe7, 0x85, 0x4d, 0xb5, 0x32,
                                          0xc5, 0xaf, 0xa7, 0xec, 0x72, 0xec, 0xc5, 0x02,
                                          0xc6, 0x30, 0x14, 0xac, 0x9f, 0xe5, 0x1e, 0x0b,
                                          0x42, 0x2d, 0xaf, 0x57, 0x8e, 0xbd, 0x3e, 0x0a };
    struct json_doc doc;
    struct pin got;
    CHECK(parse(STR("{\"inputSchema\":{\"type\":\"object\"},\"name\":\"t\"}"), &doc));
    CHECK(pin_digest(&doc, 0, &mem, &got));
    CHECK(memcmp(got.digest, want, sizeof want) == 0);
}

static void test_depth(void)
{
    struct json_limits limits = json_limits_default;
    struct json_doc doc;
    struct buf text, out;
    buf_init(&text, 65536);
    buf_init(&out, 65536);
    limits.max_depth = 1000;
    for (int i = 0; i < 400; i++)
        buf_add_char(&text, '[');
    for (int i = 0; i < 400; i++)
        buf_add_char(&text, ']');
    CHECK(json_parse(buf_str(&text), &limits, &mem, &doc, NULL) == JSON_ERR_NONE);
    CHECK(!pin_write_canonical(&doc, 0, &mem, &out));
    buf_free(&text);
    buf_free(&out);
}

int main(void)
{
    arena_init(&mem, MEMORY);
    RUN(test_canonical);
    RUN(test_digest);
    RUN(test_known_answer);
    RUN(test_depth);
    arena_reset(&mem);
    return check_finish();
}
