/* SPDX-License-Identifier: Apache-2.0 */
/* test_schema.c - snapshots: what is read of a schema, and that nothing hostile in one does harm.
 * Whether an object is closed decides at run time which arguments pass, so each way to say it has a
 * row. */
#include "compiler/schema/schema.h"
#include "tests/unit/check.h"

enum { MEMORY = 256 * 1024 * 1024 };

static struct arena mem;
static struct diags diags;
static struct snapshot snapshot;

static bool read_snapshot(Str text)
{
    arena_reset(&mem);
    arena_init(&mem, MEMORY);
    diags_init(&diags, &mem);
    Span span = { .source = 0, .lo = 0, .hi = 0 };
    return snapshot_parse(text, STR("t.json"), span, &mem, &diags, &snapshot);
}

/* The arguments of a tool with this inputSchema. */
static const struct schema *arguments(const char *schema)
{
    struct arena text_mem;
    arena_init(&text_mem, MEMORY);
    Str text = arena_printf(&text_mem, "[{\"name\":\"t\",\"inputSchema\":%s}]", schema);
    Str kept = { .p = NULL, .n = 0 };
    static char buffer[65536];
    if (text.n <= sizeof buffer) {
        memcpy(buffer, text.p, text.n);
        kept = (Str){ .p = buffer, .n = text.n };
    }
    arena_reset(&text_mem);
    return read_snapshot(kept) ? snapshot.tools[0].arguments : NULL;
}

static void test_holders(void)
{
    static const struct {
        const char *name;
        Str text;
        bool is_good;
    } rows[] = {
        // clang-format off
        { "array", STR_INIT("[{\"name\":\"a\"}]"), true },
        { "tools", STR_INIT("{\"tools\":[{\"name\":\"a\"}]}"), true },
        { "response", STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"a\"}]}}"), true },
        { "null cursor", STR_INIT("{\"tools\":[{\"name\":\"a\"}],\"nextCursor\":null}"), true },
        { "one page", STR_INIT("{\"tools\":[{\"name\":\"a\"}],\"nextCursor\":\"x\"}"), false },
        { "one page in a response", STR_INIT("{\"result\":{\"tools\":[],\"nextCursor\":\"x\"}}"), false },
        { "no list", STR_INIT("{\"tools\":{}}"), false },
        { "a string", STR_INIT("\"tools\""), false },
        { "no name", STR_INIT("[{\"title\":\"a\"}]"), false },
        { "a number for a name", STR_INIT("[{\"name\":1}]"), false },
        { "NUL in a name", STR_INIT("[{\"name\":\"a\\u0000b\"}]"), false },
        { "NUL in a description", STR_INIT("[{\"name\":\"a\",\"description\":\"\\u0000\"}]"), true },
        { "two alike", STR_INIT("[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"a\"}]"), false },
        { "duplicate key", STR_INIT("[{\"name\":\"a\",\"name\":\"b\"}]"), false },
        { "schema no object", STR_INIT("[{\"name\":\"a\",\"inputSchema\":true}]"), false },
        { "empty", STR_INIT(""), false },
        { "no JSON", STR_INIT("tools"), false },
        // clang-format on
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is_good = read_snapshot(rows[i].text);
        CHECK_ROW(is_good == rows[i].is_good, "%s", rows[i].name);
        CHECK_ROW(is_good == (diags.errors == 0), "%s: diagnostics", rows[i].name);
        if (is_good)
            CHECK_ROW(snapshot_tool(&snapshot, STR("a")) && !snapshot_tool(&snapshot, STR("b")),
                      "%s: look-up", rows[i].name);
    }
}

static void test_open_or_closed(void)
{
    static const struct {
        const char *schema;
        bool is_open;
    } rows[] = {
        { "{\"type\":\"object\"}", false },
        { "{}", false },
        { "{\"type\":\"object\",\"properties\":{\"a\":{}}}", false },
        { "{\"properties\":{\"a\":{}},\"additionalProperties\":false}", false },
        { "{\"properties\":{\"a\":{}},\"additionalProperties\":true}", true },
        { "{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"string\"}}", true },
        { "{\"properties\":{\"a\":{}},\"patternProperties\":{\"^x\":{}}}", true },
        { "{\"properties\":{\"a\":{}},\"anyOf\":[{\"required\":[\"a\"]}]}", false },
        { "{\"properties\":{\"a\":{}},\"anyOf\":[{\"properties\":{\"b\":{}}}]}", true },
        { "{\"properties\":{\"a\":{}},\"allOf\":[{\"$ref\":\"#/x\"}]}", true },
        { "{\"properties\":{\"a\":{}},\"then\":{}}", true },
        { "{\"properties\":{\"a\":{}},\"allOf\":[{\"$ref\":\"#/"
          "x\"}],\"additionalProperties\":false}",
          false },
        { "{\"$ref\":\"#/x\"}", true },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct schema *schema = arguments(rows[i].schema);
        CHECK_ROW(schema && schema->is_open == rows[i].is_open, "%s", rows[i].schema);
        CHECK_ROW(schema && schema->types == SCHEMA_OBJECT, "%s: an object", rows[i].schema);
    }
}

static void test_types(void)
{
    static const struct {
        const char *schema;
        uint32_t types, enum_count;
    } rows[] = {
        { "{\"type\":\"string\"}", SCHEMA_STRING, 0 },
        { "{\"type\":\"integer\"}", SCHEMA_INTEGER, 0 },
        { "{\"type\":\"number\"}", SCHEMA_NUMBER | SCHEMA_INTEGER, 0 },
        { "{\"type\":[\"string\",\"null\"]}", SCHEMA_STRING | SCHEMA_NULL, 0 },
        { "{\"type\":\"odd\"}", SCHEMA_ANY, 0 },
        { "{\"type\":7}", SCHEMA_ANY, 0 },
        { "{}", SCHEMA_ANY, 0 },
        { "true", SCHEMA_ANY, 0 },
        { "{\"enum\":[\"a\",\"b\"]}", SCHEMA_STRING, 2 },
        { "{\"const\":\"a\"}", SCHEMA_STRING, 1 },
        { "{\"enum\":[\"a\",1]}", SCHEMA_STRING | SCHEMA_NUMBER | SCHEMA_INTEGER, 0 },
        { "{\"enum\":[\"a\",null]}", SCHEMA_STRING | SCHEMA_NULL, 0 },
        { "{\"enum\":[]}", SCHEMA_ANY, 0 },
        { "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", SCHEMA_STRING | SCHEMA_NULL,
          0 },
        { "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"boolean\"}]}", SCHEMA_STRING | SCHEMA_BOOL,
          0 },
        { "{\"anyOf\":[{\"enum\":[\"a\"]},{\"type\":\"null\"}]}", SCHEMA_STRING | SCHEMA_NULL, 1 },
        { "{\"anyOf\":[{\"type\":\"string\"},{}]}", SCHEMA_ANY, 0 },
        { "{\"anyOf\":1}", SCHEMA_ANY, 0 },
        { "{\"$ref\":\"#/$defs/x\",\"type\":\"string\"}", SCHEMA_ANY, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "{\"properties\":{\"x\":%s}}", rows[i].schema);
        const struct schema *schema = arguments(text);
        const struct schema_member *x = schema ? schema_member(schema, STR("x")) : NULL;
        CHECK_ROW(x && x->schema->types == rows[i].types, "%s", rows[i].schema);
        CHECK_ROW(x && x->schema->enum_count == rows[i].enum_count, "%s: enum", rows[i].schema);
    }
}

static void test_members(void)
{
    const struct schema *schema = arguments(
        "{\"properties\":{\"z\":{\"type\":\"object\"},\"a\":{\"type\":\"array\",\"items\":"
        "{\"type\":\"string\"}},\"m\":{\"type\":\"object\",\"properties\":{\"k\":{}},"
        "\"required\":[\"k\"]}},\"required\":[\"a\",\"extra\",\"extra\",1]}");
    CHECK(schema && schema->member_count == 4);
    if (!schema)
        return;
    const struct schema_member *a = schema_member(schema, STR("a"));
    const struct schema_member *z = schema_member(schema, STR("z"));
    const struct schema_member *m = schema_member(schema, STR("m"));
    const struct schema_member *extra = schema_member(schema, STR("extra"));
    CHECK(a && a->is_required && a->schema->items && a->schema->items->types == SCHEMA_STRING);
    CHECK(z && !z->is_required && z->schema->is_open);
    CHECK(m && !m->schema->is_open && schema_member(m->schema, STR("k"))->is_required);
    CHECK(extra && extra->is_required && extra->schema->types == SCHEMA_ANY);
    CHECK(!schema_member(schema, STR("")) && !schema_member(schema, STR("zz")));
}

/* Deeper than is read: of any type there, and no deeper recursion. */
static void test_depth(void)
{
    struct buf text;
    buf_init(&text, 65536);
    for (uint32_t i = 0; i < 2 * SCHEMA_DEPTH_MAX / 2; i++)
        buf_add(&text, STR("{\"properties\":{\"x\":"));
    buf_add(&text, STR("{\"type\":\"string\"}"));
    for (uint32_t i = 0; i < 2 * SCHEMA_DEPTH_MAX / 2; i++)
        buf_add(&text, STR("}}"));
    buf_add_char(&text, '\0');
    const struct schema *schema = arguments(text.p);
    uint32_t depth = 0;
    while (schema && schema->member_count) {
        schema = schema->members[0].schema;
        depth++;
    }
    CHECK(schema != NULL && depth <= SCHEMA_DEPTH_MAX + 1);
    buf_clear(&text);
    for (uint32_t i = 0; i < 1000; i++)
        buf_add(&text, STR("{\"items\":"));
    buf_add(&text, STR("{}"));
    for (uint32_t i = 0; i < 1000; i++)
        buf_add(&text, STR("}"));
    buf_add_char(&text, '\0');
    CHECK(arguments(text.p) == NULL && diags.errors == 1); /* the JSON reader's own depth */
    buf_free(&text);
}

int main(void)
{
    RUN(test_holders);
    RUN(test_open_or_closed);
    RUN(test_types);
    RUN(test_members);
    RUN(test_depth);
    arena_reset(&mem);
    return check_finish();
}
