/* SPDX-License-Identifier: Apache-2.0 */
/* test_domain_json.c - a document in a string: every kind of root, the limits, and what is refused
 * because two readers could differ about it. */
#include "runtime/domain/domain.h"
#include "tests/unit/check.h"

enum { MEMORY = 64 << 20, DEPTH_MAX = 32, NODES_MAX = 32768, MEMBERS_MAX = 4096 };

static struct arena mem;

static const struct json_node *read_root(Str text, struct json_doc *doc)
{
    arena_rewind(&mem);
    if (!domain_read(DOMAIN_JSON, text, &mem, doc))
        return NULL;
    uint32_t value = json_member(doc, 0, STR("value"));
    CHECK(value == 1 && json_at(doc, 0)->count == 1 && json_at(doc, 0)->next == doc->count);
    return value == JSON_NONE ? NULL : json_at(doc, value);
}

static void test_roots(void)
{
    static const struct {
        Str text;
        enum json_type type;
        Str want; /* of a scalar */
    } rows[] = {
        { STR_INIT("null"), JSON_NULL, STR_INIT("null") },
        { STR_INIT(" true\n"), JSON_TRUE, STR_INIT("true") },
        { STR_INIT("-1.50e3"), JSON_NUMBER, STR_INIT("-1.50e3") },
        { STR_INIT("\"a\\u0062\\n\""), JSON_STRING, STR_INIT("ab\n") },
        { STR_INIT("\"\""), JSON_STRING, STR_INIT("") },
        { STR_INIT("[]"), JSON_ARRAY, STR_INIT("") },
        { STR_INIT("{\"value\":{\"value\":1}}"), JSON_OBJECT, STR_INIT("") },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_doc doc;
        const struct json_node *root = read_root(rows[i].text, &doc);
        CHECK_ROW(root && root->type == rows[i].type, "%.*s", STR_ARG(rows[i].text));
        if (root && rows[i].type <= JSON_STRING)
            CHECK_STR(json_text(root), rows[i].want);
    }
}

static void test_nested(void)
{
    struct json_doc doc;
    const struct json_node *root =
        read_root(STR("{\"a\":[1,{\"b\":\"c\"}],\"d\":9007199254740993}"), &doc);
    CHECK(root && root->count == 2);
    uint32_t a = json_member(&doc, 1, STR("a")), d = json_member(&doc, 1, STR("d"));
    CHECK(a != JSON_NONE && json_at(&doc, a)->count == 2);
    CHECK(d != JSON_NONE && (json_at(&doc, d)->flags & JSON_UNSAFE_NUMBER));
    uint32_t inner = json_after(&doc, a, json_first(&doc, a));
    CHECK_STR(json_member_string(&doc, inner, STR("b")), STR("c"));
}

static void test_refused(void)
{
    static const Str rows[] = {
        STR_INIT(""),
        STR_INIT(" "),
        STR_INIT("{\"a\":1,\"a\":2}"),
        STR_INIT("{\"a\":1,\"\\u0061\":2}"),
        STR_INIT("{\"x\":{\"a\":1,\"a\":1}}"),
        STR_INIT("[1,]"),
        STR_INIT("[1] [2]"),
        STR_INIT("{a:1}"),
        STR_INIT("{'a':1}"),
        STR_INIT("// c\n1"),
        STR_INIT("[1 /* c */]"),
        STR_INIT("NaN"),
        STR_INIT("Infinity"),
        STR_INIT("1e999"),
        STR_INIT("01"),
        STR_INIT("+1"),
        STR_INIT(".5"),
        STR_INIT("0x10"),
        STR_INIT("\"\\u0000\""),
        STR_INIT("\"a\0b\""),
        STR_INIT("\"\\ud800\""),
        STR_INIT("\"\\x41\""),
        STR_INIT("\"a\nb\""),
        STR_INIT("\"\xff\""),
        STR_INIT("\"\xc0\xaf\""),
        STR_INIT("\xef\xbb\xbf{}"),
        STR_INIT("{}\0"),
        STR_INIT("TRUE"),
        STR_INIT("undefined"),
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_doc doc;
        CHECK_ROW(!read_root(rows[i], &doc), "row %zu: %.*s", i, STR_ARG(rows[i]));
    }
}

/* open, then so often a number between two texts, then close. */
static bool is_read(Str open, size_t count, const char *before, const char *behind, Str close)
{
    struct json_doc doc;
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_add(&text, open);
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%s%zu%s", before, i, behind);
    buf_add(&text, close);
    bool is_good = read_root(buf_str(&text), &doc) != NULL;
    buf_free(&text);
    return is_good;
}

static void test_limits(void)
{
    struct buf text;
    struct json_doc doc;
    buf_init(&text, 1 << 20);
    for (size_t depth = DEPTH_MAX; depth <= DEPTH_MAX + 1; depth++) {
        buf_clear(&text);
        for (size_t i = 0; i < depth; i++)
            buf_add_char(&text, '[');
        for (size_t i = 0; i < depth; i++)
            buf_add_char(&text, ']');
        CHECK((read_root(buf_str(&text), &doc) != NULL) == (depth == DEPTH_MAX));
    }
    buf_clear(&text);
    buf_add_char(&text, '"');
    for (size_t i = 0; i < DOMAIN_TEXT_MAX - 2; i++)
        buf_add_char(&text, 'x');
    buf_add_char(&text, '"');
    CHECK(read_root(buf_str(&text), &doc) != NULL);
    buf_add_char(&text, ' ');
    CHECK(read_root(buf_str(&text), &doc) == NULL);
    buf_free(&text);
    CHECK(is_read(STR("[0"), NODES_MAX - 2, ",", "", STR("]")));
    CHECK(!is_read(STR("[0"), NODES_MAX - 1, ",", "", STR("]")));
    CHECK(is_read(STR("{\"x\":0"), MEMBERS_MAX - 1, ",\"", "\":0", STR("}")));
    CHECK(!is_read(STR("{\"x\":0"), MEMBERS_MAX, ",\"", "\":0", STR("}")));
}

static void test_memory(void)
{
    Str text = STR("{\"a\":[1,\"x\\ny\",{}]}");
    bool was_good = false;
    for (size_t bytes = 0; bytes < 65536; bytes += 64) {
        struct arena small;
        struct json_doc doc;
        arena_init(&small, bytes);
        bool is_good = domain_read(DOMAIN_JSON, text, &small, &doc);
        CHECK(!was_good || is_good);
        was_good = is_good;
        arena_reset(&small);
    }
    CHECK(was_good);
}

int main(void)
{
    arena_init(&mem, MEMORY);
    RUN(test_roots);
    RUN(test_nested);
    RUN(test_refused);
    RUN(test_limits);
    RUN(test_memory);
    arena_reset(&mem);
    return check_finish();
}
