/* SPDX-License-Identifier: Apache-2.0 */
/* test_domain_yaml.c - what YAML is read as, and what is refused because some reader takes it for
 * something else. Rows are compared as JSON text.
 *
 * With --print it reads lines, each a JSON string that holds a YAML text, and answers each with the
 * JSON of its documents or "-": for the comparison with another reader
 * (tests/node/yaml_differential.mjs). */
#include "runtime/domain/domain.h"
#include "runtime/json/json_build.h"
#include "tests/unit/check.h"

#include <stdlib.h>

enum { MEMORY = 64 << 20, OUT_BYTES = 16 << 20, LINE_BYTES = 1 << 20 };

static struct arena mem;
static struct buf out;

/* The documents as JSON, "-" when refused. Iterative: a stack of where containers end. */
static Str read_as_json(Str text)
{
    struct json_doc doc;
    uint32_t ends[JSON_BUILD_DEPTH_MAX], depth = 0;
    arena_rewind(&mem);
    buf_clear(&out);
    if (!domain_read(DOMAIN_YAML, text, &mem, &doc))
        return STR("-");
    uint32_t root = json_member(&doc, 0, STR("documents"));
    for (uint32_t i = root; i < doc.count; i++) {
        const struct json_node *node = json_at(&doc, i);
        bool is_list = node->type == JSON_ARRAY, is_object = node->type == JSON_OBJECT;
        if (node->key && i != root) {
            json_write_string(&out, json_key(node));
            buf_add_char(&out, ':');
        }
        if (is_list || is_object) {
            buf_add_char(&out, is_list ? '[' : '{');
            ends[depth++] = i;
        } else if (node->type == JSON_STRING) {
            json_write_string(&out, json_text(node));
        } else {
            buf_add(&out, json_text(node));
        }
        bool is_closed = false;
        while (depth && json_at(&doc, ends[depth - 1])->next == i + 1) {
            buf_add_char(&out, json_at(&doc, ends[--depth])->type == JSON_ARRAY ? ']' : '}');
            is_closed = true;
        }
        bool is_inside = depth && (is_closed || !(is_list || is_object) || !node->count);
        if (is_inside)
            buf_add_char(&out, ',');
    }
    return buf_str(&out);
}

struct row {
    Str text, want;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Str got = read_as_json(rows[i].text);
        CHECK_ROW(str_eq(got, rows[i].want), "%.*s\n  got %.*s\n  want %.*s", STR_ARG(rows[i].text),
                  STR_ARG(got), STR_ARG(rows[i].want));
    }
}

// clang-format off
#define READS(text, json) { STR_INIT(text), STR_INIT(json) }
#define REFUSED(text)     { STR_INIT(text), STR_INIT("-") }
// clang-format on

static void test_documents(void)
{
    static const struct row rows[] = {
        READS("", "[]"),
        READS("# nothing\n\n", "[]"),
        READS("a: 1", "[{\"a\":1}]"),
        READS("a: 1\n---\nb: 2\n", "[{\"a\":1},{\"b\":2}]"),
        READS("---\na: 1\n---\n---\n", "[{\"a\":1},null,null]"),
        READS("a: 1\n...\n---\nb: 2\n", "[{\"a\":1},{\"b\":2}]"),
        READS("a: 1\n... # end\n# more\n", "[{\"a\":1}]"),
        READS("a: 1\r\nb: 2\r\n", "[{\"a\":1,\"b\":2}]"),
        READS("just words", "[\"just words\"]"),
        READS("--- # x\n- 1\n", "[[1]]"),
        REFUSED("a: 1\n...\nb: 2\n"),
        REFUSED("...\n"),
        REFUSED("--- a: 1\n"),
        REFUSED("--- text\n"),
        REFUSED("---x\n"),
        REFUSED("a: 1\n----\n"),
        REFUSED("a\nb\n"),
        REFUSED("a: 1\n- b\n"),
        REFUSED("%YAML 1.2\n---\na: 1\n"),
        REFUSED("%TAG ! x\n"),
        REFUSED("a: 1\n%YAML 1.1\n"),
        REFUSED("\xef\xbb\xbf"
                "a: 1\n"),
        REFUSED("a: 1\rb: 2\n"),
        REFUSED("a: 1\xc2\x85"
                "b: 2\n"),
        REFUSED("a: 1\xe2\x80\xa8"
                "b: 2\n"),
        REFUSED("a: \x01\n"),
        REFUSED("a: b\0\n"),
        REFUSED("a: \xff\n"),
        REFUSED("a: \x7f\n"),
    };
    check_rows(rows, COUNT(rows));
}

static void test_block_collections(void)
{
    static const struct row rows[] = {
        READS("a:\n  b:\n    c: x\n  d: w\ne: z\n",
              "[{\"a\":{\"b\":{\"c\":\"x\"},\"d\":\"w\"},\"e\":\"z\"}]"),
        READS("a:\n- 1\n- 2\nb: 3\n", "[{\"a\":[1,2],\"b\":3}]"),
        READS("a:\n  - 1\n  - 2\nb: 3\n", "[{\"a\":[1,2],\"b\":3}]"),
        READS("- a: 1\n  b: 2\n- c: 3\n", "[[{\"a\":1,\"b\":2},{\"c\":3}]]"),
        READS("- a:\n  - x\n  b: 2\n", "[[{\"a\":[\"x\"],\"b\":2}]]"),
        READS("- - 1\n  - 2\n- 3\n", "[[[1,2],3]]"),
        READS("-\n  a: 1\n-\n- b\n", "[[{\"a\":1},null,\"b\"]]"),
        READS("a:\nb:\n  c:\n", "[{\"a\":null,\"b\":{\"c\":null}}]"),
        READS("a: # why\n  # and\n\n  b: 1 # so\n", "[{\"a\":{\"b\":1}}]"),
        READS("a b : c d\n", "[{\"a b\":\"c d\"}]"),
        READS("\"a\": 1\n'b' : 2\n", "[{\"a\":1,\"b\":2}]"),
        READS("a:\n  x\n", "[{\"a\":\"x\"}]"),
        REFUSED("a: b: c\n"),
        REFUSED("a: - b\n"),
        REFUSED("a: b\n  c\n"),
        REFUSED("a: b\n  c: d\n"),
        REFUSED("a:\nb\n"),
        REFUSED("a:\n    b: 1\n  c: 2\n"),
        REFUSED("  a: 1\nb: 2\n"),
        REFUSED("- a\n b\n"),
        REFUSED("- a\nb: 1\n"),
        REFUSED("a: 1\na: 2\n"),
        REFUSED("a: 1\n\"\\x61\": 2\n"),
        REFUSED("a:\n  b: 1\n  c: 2\n  b: 3\n"),
        REFUSED("? a\n: b\n"),
        REFUSED("? a\n"),
        REFUSED(": b\n"),
        REFUSED("[a]: b\n"),
        REFUSED("{a: b}: c\n"),
        REFUSED("\"a\":b\n"),
        REFUSED("a:\n\tb: 1\n"),
        REFUSED("a:\tb\n"),
        REFUSED("a: b\t# c\n"),
        REFUSED("-\ta\n"),
        REFUSED("a: 1\n\t\nb: 2\n"),
    };
    check_rows(rows, COUNT(rows));
}

static void test_references(void)
{
    static const struct row rows[] = {
        REFUSED("a: &x 1\nb: *x\n"),
        REFUSED("&x a: 1\n"),
        REFUSED("*x : 1\n"),
        REFUSED("a: !!str 1\n"),
        REFUSED("a: !!python/object/apply:os.system [id]\n"),
        REFUSED("!t\na: 1\n"),
        REFUSED("a: &x\n  b: 1\n"),
        REFUSED("<<: {a: 1}\n"),
        REFUSED("\"<<\": {a: 1}\n"),
        REFUSED("a: <<\n"),
        REFUSED("{<<: {a: 1}}\n"),
        REFUSED("[*x]"),
        REFUSED("[&x a]"),
        REFUSED("{a: !!int \"1\"}"),
        READS("a: x&y*z!\n", "[{\"a\":\"x&y*z!\"}]"),
        READS("a: '*x'\n", "[{\"a\":\"*x\"}]"),
    };
    check_rows(rows, COUNT(rows));
}

static void test_plain_scalars(void)
{
    static const struct {
        Str text, json; /* empty: refused */
    } rows[] = {
        // clang-format off
        { STR_INIT("1"), STR_INIT("1") }, { STR_INIT("-1"), STR_INIT("-1") },
        { STR_INIT("0"), STR_INIT("0") }, { STR_INIT("10.50"), STR_INIT("10.50") },
        { STR_INIT("-0.5"), STR_INIT("-0.5") }, { STR_INIT("null"), STR_INIT("null") },
        { STR_INIT("~"), STR_INIT("null") }, { STR_INIT("true"), STR_INIT("true") },
        { STR_INIT("false"), STR_INIT("false") },
        { STR_INIT("nginx:1.25"), STR_INIT("\"nginx:1.25\"") },
        { STR_INIT("http://x/?a=b#c"), STR_INIT("\"http://x/?a=b#c\"") },
        { STR_INIT("100m"), STR_INIT("\"100m\"") }, { STR_INIT("64Mi"), STR_INIT("\"64Mi\"") },
        { STR_INIT("1.2.3"), STR_INIT("\"1.2.3\"") },
        { STR_INIT("10.0.0.0/8"), STR_INIT("\"10.0.0.0/8\"") },
        { STR_INIT("--flag=1"), STR_INIT("\"--flag=1\"") },
        { STR_INIT(".github"), STR_INIT("\".github\"") },
        { STR_INIT("a, b [c] {d}"), STR_INIT("\"a, b [c] {d}\"") },
        { STR_INIT("it's \"so\""), STR_INIT("\"it's \\\"so\\\"\"") },
        { STR_INIT("\xc3\xa9"), STR_INIT("\"\xc3\xa9\"") },
        { STR_INIT("12345678901234567890"), STR_INIT("12345678901234567890") },
        { STR_INIT("yes"), STR_INIT("") }, { STR_INIT("No"), STR_INIT("") },
        { STR_INIT("on"), STR_INIT("") }, { STR_INIT("OFF"), STR_INIT("") },
        { STR_INIT("y"), STR_INIT("") }, { STR_INIT("N"), STR_INIT("") },
        { STR_INIT("True"), STR_INIT("") }, { STR_INIT("NULL"), STR_INIT("") },
        { STR_INIT("tRUE"), STR_INIT("") },
        { STR_INIT("010"), STR_INIT("") }, { STR_INIT("0o10"), STR_INIT("") },
        { STR_INIT("0x1F"), STR_INIT("") }, { STR_INIT("0b11"), STR_INIT("") },
        { STR_INIT("1_000"), STR_INIT("") }, { STR_INIT("1,000"), STR_INIT("") },
        { STR_INIT("+1"), STR_INIT("") }, { STR_INIT("-0"), STR_INIT("") },
        { STR_INIT("-0.0"), STR_INIT("") }, { STR_INIT(".5"), STR_INIT("") },
        { STR_INIT("5."), STR_INIT("") }, { STR_INIT("1e3"), STR_INIT("") },
        { STR_INIT("1.5e+3"), STR_INIT("") }, { STR_INIT("12:30:45"), STR_INIT("") },
        { STR_INIT("e+3"), STR_INIT("") }, { STR_INIT("_e3"), STR_INIT("\"_e3\"") },
        { STR_INIT("8080:80"), STR_INIT("") }, { STR_INIT("2001-01-01"), STR_INIT("") },
        { STR_INIT("2001-01-01T00:00:00Z"), STR_INIT("") },
        { STR_INIT("2001-01-01 00:00:00 +1"), STR_INIT("") },
        { STR_INIT(".inf"), STR_INIT("") }, { STR_INIT("-.INF"), STR_INIT("") },
        { STR_INIT(".NaN"), STR_INIT("") }, { STR_INIT("+inf"), STR_INIT("") },
        { STR_INIT("Infinity"), STR_INIT("") }, { STR_INIT("="), STR_INIT("") },
        { STR_INIT("."), STR_INIT("") }, { STR_INIT("1e999"), STR_INIT("") },
        { STR_INIT("@x"), STR_INIT("") }, { STR_INIT("`x"), STR_INIT("") },
        { STR_INIT("%x"), STR_INIT("") }, { STR_INIT(",x"), STR_INIT("") },
        { STR_INIT("]x"), STR_INIT("") }, { STR_INIT(":x"), STR_INIT("") },
        { STR_INIT("?x"), STR_INIT("") }, { STR_INIT("-"), STR_INIT("") },
        { STR_INIT("x\ty"), STR_INIT("") },
        // clang-format on
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[128], want[128];
        bool is_refused = rows[i].json.n == 0;
        (void)snprintf(text, sizeof text, "k: %.*s\n", STR_ARG(rows[i].text));
        (void)snprintf(want, sizeof want, "[{\"k\":%.*s}]", STR_ARG(rows[i].json));
        Str got = read_as_json(str_of(text));
        CHECK_ROW(str_eq(got, is_refused ? STR("-") : str_of(want)), "%.*s: got %.*s",
                  STR_ARG(rows[i].text), STR_ARG(got));
        /* What is no string is no key either. */
        (void)snprintf(text, sizeof text, "%.*s: k\n", STR_ARG(rows[i].text));
        bool is_key = str_starts(rows[i].json, STR("\""));
        CHECK_ROW(str_eq(read_as_json(str_of(text)), STR("-")) != is_key, "%.*s as a key",
                  STR_ARG(rows[i].text));
        (void)snprintf(text, sizeof text, "'%.*s': 1\n", STR_ARG(rows[i].text));
        bool has_quote = memchr(rows[i].text.p, '\'', rows[i].text.n) != NULL;
        CHECK_ROW(!str_eq(read_as_json(str_of(text)), STR("-")) != has_quote, "%.*s quoted",
                  STR_ARG(rows[i].text));
    }
}

static void test_quoted_scalars(void)
{
    static const struct row rows[] = {
        READS("a: 'it''s'\n", "[{\"a\":\"it's\"}]"),
        READS("a: ''\n", "[{\"a\":\"\"}]"),
        READS("a: \"\"\n", "[{\"a\":\"\"}]"),
        READS("a: \"no\"\n", "[{\"a\":\"no\"}]"),
        READS("a: \"x\\ty\\\\\\\"\\/\\u00e9\\x41\\U0001F600\"\n", "[{\"a\":\"x\\ty\\\\\\\"/\xc3\xa9"
                                                                  "A\xf0\x9f\x98\x80\"}]"),
        READS("a: \"x: y # z\"\n", "[{\"a\":\"x: y # z\"}]"),
        READS("a: 'x\ty'\n", "[{\"a\":\"x\\ty\"}]"),
        REFUSED("a: 'x\n"),
        REFUSED("a: \"x\n"),
        REFUSED("a: \"x\\\n"),
        REFUSED("a: \"x\n  y\"\n"),
        REFUSED("a: 'x\n  y'\n"),
        REFUSED("a: \"x\\\n  y\"\n"),
        REFUSED("a: 'x' y\n"),
        REFUSED("a: 'x'# y\n"),
        REFUSED("a: \"\\0\"\n"),
        REFUSED("a: \"\\x00\"\n"),
        REFUSED("a: \"\\N\"\n"),
        REFUSED("a: \"\\_\"\n"),
        REFUSED("a: \"\\ \"\n"),
        REFUSED("a: \"\\q\"\n"),
        REFUSED("a: \"\\ud83d\\ude00\"\n"),
        REFUSED("a: \"\\U00110000\"\n"),
        REFUSED("a: \"\\u12\"\n"),
    };
    check_rows(rows, COUNT(rows));
}

static void test_block_scalars(void)
{
    static const struct row rows[] = {
        READS("a: |\n  x\n   y\n\n  z\nb: 1\n", "[{\"a\":\"x\\n y\\n\\nz\\n\",\"b\":1}]"),
        READS("a: |-\n  x\n\n\nb: 1\n", "[{\"a\":\"x\",\"b\":1}]"),
        READS("a: |+\n  x\n\n\nb: 1\n", "[{\"a\":\"x\\n\\n\\n\",\"b\":1}]"),
        READS("a: |\n\n  x\n", "[{\"a\":\"\\nx\\n\"}]"),
        READS("a: >\n  x\n  y\n\n  z\n", "[{\"a\":\"x y\\nz\\n\"}]"),
        READS("a: >-\n  x\n\n\n  y\n", "[{\"a\":\"x\\n\\ny\"}]"),
        READS("- |\n x\n- >\n y\n", "[[\"x\\n\",\"y\\n\"]]"),
        READS("- a: |\n    x\n  b: 1\n", "[[{\"a\":\"x\\n\",\"b\":1}]]"),
        READS("a: | # c\n  # not a comment\n", "[{\"a\":\"# not a comment\\n\"}]"),
        READS("a: |\n  - x: *y\n  ---\n", "[{\"a\":\"- x: *y\\n---\\n\"}]"),
        READS("a: |\nb: 1\n", "[{\"a\":\"\",\"b\":1}]"),
        READS("a: |-\n  x", "[{\"a\":\"x\"}]"),
        READS("a: |\n  x\ty\n", "[{\"a\":\"x\\ty\\n\"}]"),
        READS("a: |\n   \n# c\n   \nb: 1\n", "[{\"a\":\"\",\"b\":1}]"),
        REFUSED("a: |\n  x"),
        REFUSED("a: |2\n   x\n"),
        REFUSED("a: |1-\n  x\n"),
        REFUSED("a: |-+\n  x\n"),
        REFUSED("a: |x\n"),
        REFUSED("a: |#c\n  x\n"),
        REFUSED("a: |\n    \n  x\n"),
        REFUSED("a: |\n  x\n     \n  y\n"),
        REFUSED("a: |\n  x\n y\n"),
        REFUSED("a: |\n\tx\n"),
        REFUSED("a: >\n  x\n    y\n  z\n"),
        REFUSED("a: |\n  x\n \ty\n"),
        REFUSED("|\nx\n"),
        REFUSED("|\n x\n"),
        REFUSED("a:\n  |\n   x\n"),
        REFUSED("a: |+\n\n\n"),
    };
    check_rows(rows, COUNT(rows));
}

static void test_flow(void)
{
    static const struct row rows[] = {
        READS("{\"a\":[1,2,{\"b\":null}],\"c\":\"d\"}\n",
              "[{\"a\":[1,2,{\"b\":null}],\"c\":\"d\"}]"),
        READS("{\n\"a\": 1, # c\n\n \"b\":\n[ ]\n}\n", "[{\"a\":1,\"b\":[]}]"),
        READS("a: [x, y z, 'w']\n", "[{\"a\":[\"x\",\"y z\",\"w\"]}]"),
        READS("a: {b: c, d: {e: f}}\n", "[{\"a\":{\"b\":\"c\",\"d\":{\"e\":\"f\"}}}]"),
        READS("a: [\n  1,\n  2\n  ]\nb: {}\n", "[{\"a\":[1,2],\"b\":{}}]"),
        READS("- {a: 1}\n- [b]\n", "[[{\"a\":1},[\"b\"]]]"),
        REFUSED("[1,2"),
        REFUSED("[1,2}"),
        REFUSED("[1,,2]"),
        REFUSED("[1,2,]"),
        REFUSED("[,]"),
        REFUSED("{a}"),
        REFUSED("{a: }"),
        REFUSED("{a: , b: 1}"),
        REFUSED("{a:1}"),
        REFUSED("[a: b]"),
        REFUSED("[a:b]"),
        REFUSED("[? a]"),
        REFUSED("[http://x]"),
        REFUSED("{\"a\"\n: 1}"),
        REFUSED("[a\nb]"),
        REFUSED("[- a]"),
        REFUSED("[no]"),
        REFUSED("{1: a}"),
        REFUSED("{a: 1, a: 2}"),
        REFUSED("{\"a\": 1, 'a': 2}"),
        REFUSED("[1] 2"),
        REFUSED("[1]# x"),
        REFUSED("[1 # x"),
        REFUSED("[1,#x\n2]"),
        REFUSED("[\t1]"),
        REFUSED("[\n---\n]"),
        REFUSED("a: [\n1\n]\n"),
        REFUSED("a: [1\n]\n"),
    };
    check_rows(rows, COUNT(rows));
}

/* A text of `count` times a piece, then a tail. */
static Str repeated(Str piece, size_t count, Str tail)
{
    static struct buf text;
    buf_free(&text);
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < count; i++)
        buf_add(&text, piece);
    buf_add(&text, tail);
    return buf_str(&text);
}

static bool is_read(Str text)
{
    return !str_eq(read_as_json(text), STR("-"));
}

static void test_limits(void)
{
    CHECK(is_read(repeated(STR("- "), 62, STR("x\n"))));
    CHECK(!is_read(repeated(STR("- "), 63, STR("x\n"))));
    CHECK(!is_read(repeated(STR("- "), 100000, STR("x\n"))));
    CHECK(!is_read(repeated(STR("["), 63, STR(""))));
    CHECK(!is_read(repeated(STR("["), 100000, STR(""))));
    CHECK(!is_read(repeated(STR("{\"a\":"), 40000, STR(""))));
    CHECK(!is_read(repeated(STR("a:\n "), 60000, STR("x"))));
    CHECK(is_read(repeated(STR("- 1\n"), 32000, STR(""))));
    CHECK(!is_read(repeated(STR("- 1\n"), 33000, STR(""))));
    CHECK(!is_read(repeated(STR("-\n"), 33000, STR(""))));
    CHECK(!is_read(repeated(STR("---\n"), 33000, STR(""))));
    CHECK(is_read(repeated(STR("x"), DOMAIN_TEXT_MAX, STR(""))));
    CHECK(!is_read(repeated(STR("x"), DOMAIN_TEXT_MAX + 1, STR(""))));
    CHECK(is_read(repeated(STR("x"), 1000, STR(": 1\n"))));
    CHECK(!is_read(repeated(STR("x"), 1001, STR(": 1\n"))));
    CHECK(is_read(repeated(STR(" "), 200000, STR("a\n"))));
}

/* Without memory the answer is "not certain", wherever it runs out. */
static void test_memory(void)
{
    Str text = STR("a: \"x\\ny\"\nb: |\n  z\nc: ['it''s', {d: 1}]\r\n");
    size_t good = 0;
    for (size_t bytes = 0; bytes < 8192; bytes += 16) {
        struct arena small;
        struct json_doc doc;
        arena_init(&small, bytes);
        good += domain_read(DOMAIN_YAML, text, &small, &doc);
        arena_reset(&small);
    }
    arena_rewind(&mem);
    CHECK(is_read(text) && good < 512);
}

static int print_lines(void)
{
    char *line = malloc(LINE_BYTES);
    struct json_limits limits = json_limits_default;
    limits.allow_nul = true;
    struct arena line_mem;
    arena_init(&line_mem, (size_t)LINE_BYTES * 4);
    while (line && fgets(line, LINE_BYTES, stdin)) {
        struct json_doc doc;
        Str text = str_of(line);
        arena_rewind(&line_mem);
        bool is_text = json_parse(text, &limits, &line_mem, &doc, NULL) == JSON_ERR_NONE &&
                       doc.nodes[0].type == JSON_STRING;
        Str got = is_text ? read_as_json(json_text(&doc.nodes[0])) : STR("?");
        (void)printf("%.*s\n", STR_ARG(got));
    }
    free(line);
    arena_reset(&line_mem);
    return 0;
}

int main(int argc, char **argv)
{
    arena_init(&mem, MEMORY);
    buf_init(&out, OUT_BYTES);
    int code = 0;
    if (argc > 1 && str_eq(str_of(argv[1]), STR("--print"))) {
        code = print_lines();
    } else {
        RUN(test_documents);
        RUN(test_block_collections);
        RUN(test_references);
        RUN(test_plain_scalars);
        RUN(test_quoted_scalars);
        RUN(test_block_scalars);
        RUN(test_flow);
        RUN(test_limits);
        RUN(test_memory);
        code = check_finish();
    }
    (void)repeated(STR(""), 0, STR(""));
    buf_free(&out);
    arena_reset(&mem);
    return code;
}
