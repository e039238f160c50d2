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
        { "unpinned", STR_INIT("{\"unpinned\":true,\"tools\":[{\"name\":\"a\",\"inputSchema\":{}}]}"), true },
        { "unpinned with a description", STR_INIT("{\"unpinned\":true,\"tools\":[{\"name\":\"a\",\"description\":\"d\"}]}"), false },
        { "unpinned with annotations", STR_INIT("{\"unpinned\":true,\"tools\":[{\"name\":\"a\",\"annotations\":{},\"inputSchema\":{}}]}"), false },
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

static void test_unpinned(void)
{
    CHECK(read_snapshot(STR("{\"unpinned\":true,\"tools\":[{\"name\":\"a\"}]}")));
    CHECK(!snapshot.tools[0].has_digest);
    CHECK(read_snapshot(STR("{\"unpinned\":false,\"tools\":[{\"name\":\"a\"}]}")));
    CHECK(snapshot.tools[0].has_digest);
    /* What a server wrote stands under "result"; it has no say. */
    CHECK(read_snapshot(STR("{\"result\":{\"unpinned\":true,\"tools\":[{\"name\":\"a\"}]}}")));
    CHECK(snapshot.tools[0].has_digest);
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
        { "{\"properties\":{\"a\":{}},\"anyOf\":[{\"properties\":{\"b\":{}}}]}", false },
        { "{\"properties\":{\"a\":{}},\"anyOf\":[{\"properties\":{\"b\":{}}},{}]}", true },
        { "{\"properties\":{\"a\":{}},\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
          false },
        { "{\"properties\":{\"a\":{}},\"oneOf\":[{\"additionalProperties\":true}]}", true },
        { "{\"properties\":{\"a\":{}},\"unevaluatedProperties\":false}", false },
        { "{\"allOf\":[{\"$ref\":\"#/x\"}],\"unevaluatedProperties\":false}", true },
        { "{\"patternProperties\":{\"^x\":{}},\"additionalProperties\":false}", true },
        { "{\"$ref\":\"#/$defs/x\",\"$defs\":{\"x\":{\"properties\":{\"a\":{}}}}}", false },
        { "{\"$ref\":\"#/$defs/x\",\"$defs\":{\"x\":{\"additionalProperties\":{}}}}", true },
        { "{\"properties\":{\"a\":{}},\"$dynamicRef\":\"#x\"}", true },
        { "{\"$ref\":\"https://example.org/x\"}", true },
        { "{\"$ref\":7}", true },
        { "{\"allOf\":[{\"$id\":\"y\",\"properties\":{\"a\":{}}}]}", true },
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
        { "{\"enum\":[\"a\",1]}", SCHEMA_STRING | SCHEMA_NUMBER | SCHEMA_INTEGER, 1 },
        { "{\"enum\":[\"a\",null]}", SCHEMA_STRING | SCHEMA_NULL, 1 },
        { "{\"enum\":[1,2.5]}", SCHEMA_NUMBER | SCHEMA_INTEGER, 0 },
        { "{\"enum\":[1,2],\"type\":\"integer\"}", SCHEMA_INTEGER, 0 },
        { "{\"type\":\"string\",\"nullable\":true}", SCHEMA_STRING | SCHEMA_NULL, 0 },
        { "{\"oneOf\":[{\"const\":\"a\"},{\"const\":\"b\"},{\"const\":\"a\"}]}", SCHEMA_STRING, 2 },
        { "{\"anyOf\":[{\"enum\":[\"a\"]},{\"type\":\"string\"}]}", SCHEMA_STRING, 0 },
        { "{\"allOf\":[{\"enum\":[\"a\",\"b\"]},{\"enum\":[\"b\",\"c\"]}]}", SCHEMA_STRING, 1 },
        { "{\"allOf\":[{\"type\":\"number\"},{\"type\":\"integer\"}]}", SCHEMA_INTEGER, 0 },
        { "{\"allOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}", SCHEMA_STRING, 0 },
        { "{\"type\":[\"string\",\"number\"],\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]"
          "}",
          SCHEMA_STRING, 0 },
        { "{\"enum\":[]}", SCHEMA_ANY, 0 },
        { "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", SCHEMA_STRING | SCHEMA_NULL,
          0 },
        { "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"boolean\"}]}", SCHEMA_STRING | SCHEMA_BOOL,
          0 },
        { "{\"anyOf\":[{\"enum\":[\"a\"]},{\"type\":\"null\"}]}", SCHEMA_STRING | SCHEMA_NULL, 1 },
        { "{\"anyOf\":[{\"type\":\"string\"},{}]}", SCHEMA_ANY, 0 },
        { "{\"anyOf\":1}", SCHEMA_ANY, 0 },
        { "{\"$ref\":\"#/$defs/x\",\"type\":\"string\"}", SCHEMA_STRING, 0 },
        { "{\"$ref\":\"#/$defs/x\"}", SCHEMA_ANY, 0 },
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

/* The schema of args.x, with definitions beside it. */
static const struct schema *member_x(const char *x, const char *defs)
{
    char text[2048];
    (void)snprintf(text, sizeof text,
                   "{\"$id\":\"http://h/s\",\"properties\":{\"x\":%s},\"$defs\":{%s}}", x, defs);
    const struct schema *schema = arguments(text);
    const struct schema_member *member = schema ? schema_member(schema, STR("x")) : NULL;
    return member ? member->schema : NULL;
}

static void test_references(void)
{
    static const struct {
        const char *reference;
        uint32_t types;
    } rows[] = {
        { "#/$defs/s", SCHEMA_STRING },
        { "http://h/s#/$defs/s", SCHEMA_STRING },
        { "#/%24defs/s", SCHEMA_STRING },
        { "#/$defs/a~1b~0c", SCHEMA_BOOL },
        { "#/$defs/list/allOf/1", SCHEMA_NULL },
        { "#/$defs/list/allOf/2", SCHEMA_ANY },
        { "#/$defs/list/allOf/01", SCHEMA_ANY },
        { "#named", SCHEMA_ARRAY },
        { "#unnamed", SCHEMA_ANY },
        { "#/$defs/s/", SCHEMA_ANY },
        { "#/$defs/~2", SCHEMA_ANY },
        { "#/%2", SCHEMA_ANY },
        { "#/%zz", SCHEMA_ANY },
        { "other#/$defs/s", SCHEMA_ANY },
        { "#", SCHEMA_ANY },
        { "", SCHEMA_ANY },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char x[128];
        (void)snprintf(x, sizeof x, "{\"$ref\":\"%s\"}", rows[i].reference);
        const struct schema *schema =
            member_x(x, "\"s\":{\"type\":\"string\"},\"a/b~c\":{\"type\":\"boolean\"},"
                        "\"list\":{\"allOf\":[{},{\"type\":\"null\"}]},"
                        "\"n\":{\"$anchor\":\"named\",\"type\":\"array\"}");
        CHECK_ROW(schema && schema->types == rows[i].types, "%s", rows[i].reference);
    }
}

/* A definition that holds itself ends after a few turns, whatever the way round. */
static void test_cycles(void)
{
    static const struct {
        const char *x, *defs;
    } rows[] = {
        { "{\"$ref\":\"#/$defs/n\"}",
          "\"n\":{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#/$defs/n\"}}}" },
        { "{\"$ref\":\"#/$defs/n\"}", "\"n\":{\"$ref\":\"#/$defs/n\"}" },
        { "{\"$ref\":\"#/$defs/n\"}",
          "\"n\":{\"$ref\":\"#/$defs/m\"},\"m\":{\"$ref\":\"#/$defs/n\"}" },
        { "{\"$ref\":\"#\"}", "" },
        { "{\"$ref\":\"#/$defs/n\"}", "\"n\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"array\","
                                      "\"items\":{\"$ref\":\"#/$defs/n\"}}]}" },
        { "{\"$ref\":\"#/$defs/a\"}",
          "\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/$defs/"
          "c\"}]},"
          "\"b\":{\"anyOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/c\"}]},"
          "\"c\":{\"properties\":{\"p\":{\"$ref\":\"#/$defs/a\"},\"q\":{\"$ref\":\"#/$defs/"
          "b\"}}}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct schema *schema = member_x(rows[i].x, rows[i].defs);
        uint32_t depth = 0;
        CHECK_ROW(schema != NULL, "%s", rows[i].defs);
        for (; schema && depth < 1000; depth++)
            schema = schema->member_count ? schema->members[0].schema : schema->items;
        CHECK_ROW(depth <= SCHEMA_DEPTH_MAX + 2, "%s: depth", rows[i].defs);
    }
}

static void test_merged_members(void)
{
    const struct schema *x = member_x(
        "{\"oneOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/b\"},{\"type\":\"null\"}]}",
        "\"a\":{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"a\"},\"n\":{\"type\":"
        "\"integer\"}},"
        "\"required\":[\"kind\",\"n\"]},"
        "\"b\":{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"b\"},\"s\":{\"type\":"
        "\"string\"}},"
        "\"required\":[\"kind\"]}");
    CHECK(x && x->types == (SCHEMA_OBJECT | SCHEMA_NULL) && !x->is_open && x->member_count == 3);
    const struct schema_member *kind = x ? schema_member(x, STR("kind")) : NULL;
    const struct schema_member *n = NULL;
    if (x)
        n = schema_member(x, STR("n"));
    CHECK(kind && kind->is_required && kind->schema->enum_count == 2);
    CHECK(n && !n->is_required && n->schema->types == SCHEMA_INTEGER);
    x = member_x("{\"$ref\":\"#/$defs/"
                 "a\",\"properties\":{\"m\":{\"type\":\"string\"},\"n\":{\"type\":\"number\"}},"
                 "\"required\":[\"m\"],\"description\":\"d\"}",
                 "\"a\":{\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1}},"
                 "\"description\":\"e\"}");
    CHECK(x && x->member_count == 2 && !x->is_open && str_eq(x->description, STR("d")));
    n = x ? schema_member(x, STR("n")) : NULL;
    CHECK(n && n->schema->types == SCHEMA_INTEGER && str_eq(n->schema->minimum.text, STR("1")));
    CHECK(x && schema_member(x, STR("m"))->is_required);
}

static void test_arrays(void)
{
    const struct schema *x = member_x("{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"},"
                                      "{\"type\":\"integer\"}],\"items\":false,\"maxItems\":2}",
                                      "");
    CHECK(x && x->prefix_count == 2 && x->prefix[1]->types == SCHEMA_INTEGER);
    CHECK(x && x->items && x->items->types == (SCHEMA_STRING | SCHEMA_INTEGER));
    CHECK(x && x->max_items == 2 && x->min_items == 0);
    x = member_x("{\"prefixItems\":[{\"type\":\"string\"}]}", "");
    CHECK(x && x->prefix_count == 1 && !x->items);
    x = member_x("{\"items\":[{\"type\":\"string\"}],\"additionalItems\":{\"type\":\"null\"}}", "");
    CHECK(x && x->prefix_count == 1 && x->items &&
          x->items->types == (SCHEMA_STRING | SCHEMA_NULL));
    x = member_x(
        "{\"anyOf\":[{\"type\":\"array\",\"items\":{\"type\":\"string\"}},{\"type\":\"string\"}]}",
        "");
    CHECK(x && x->items && x->items->types == SCHEMA_STRING);
    x = member_x(
        "{\"anyOf\":[{\"type\":\"array\",\"items\":{\"type\":\"string\"}},{\"type\":\"array\"}]}",
        "");
    CHECK(x && !x->items);
}

static void test_bounds(void)
{
    const struct schema *x = member_x("{\"type\":\"string\",\"minLength\":1,\"maxLength\":9,"
                                      "\"format\":\"uri\",\"pattern\":\"^h\"}",
                                      "");
    CHECK(x && x->min_length == 1 && x->max_length == 9);
    CHECK(x && str_eq(x->format, STR("uri")) && str_eq(x->pattern, STR("^h")));
    x = member_x("{\"minimum\":1,\"exclusiveMinimum\":true,\"exclusiveMaximum\":2.5}", "");
    CHECK(x && str_eq(x->minimum.text, STR("1")) && x->minimum.is_exclusive);
    CHECK(x && str_eq(x->maximum.text, STR("2.5")) && x->maximum.is_exclusive);
    x = member_x(
        "{\"anyOf\":[{\"type\":\"string\",\"maxLength\":3},{\"type\":\"integer\",\"maximum\":7}]}",
        "");
    CHECK(x && x->max_length == 3 && str_eq(x->maximum.text, STR("7")));
    x = member_x("{\"anyOf\":[{\"type\":\"string\",\"maxLength\":3},{\"type\":\"string\"}]}", "");
    CHECK(x && x->max_length == SCHEMA_NO_LIMIT);
    x = member_x("{\"minLength\":-1,\"maxLength\":1.5,\"maxItems\":\"3\"}", "");
    CHECK(x && x->min_length == 0 && x->max_length == SCHEMA_NO_LIMIT);
    x = member_x("{\"enum\":[1,2.50,\"a\",null,true]}", "");
    CHECK(x && x->value_count == 5 && x->enum_count == 1);
    CHECK(x && x->values[1].type == JSON_NUMBER && str_eq(x->values[1].text, STR("2.50")));
    x = member_x("{\"enum\":[1,[]]}", "");
    CHECK(x && x->value_count == 0 && (x->types & SCHEMA_ARRAY));
    x = member_x(
        "{\"additionalProperties\":{\"type\":\"string\"},\"propertyNames\":{\"maxLength\":4},"
        "\"patternProperties\":{\"^x-\":{\"type\":\"integer\"}}}",
        "");
    CHECK(x && x->is_open && x->rest && x->rest->types == SCHEMA_STRING);
    CHECK(x && x->keys && x->keys->max_length == 4);
    CHECK(x && x->pattern_count == 1 && x->patterns[0].schema->types == SCHEMA_INTEGER);
}

static void test_tool_facts(void)
{
    CHECK(read_snapshot(
        STR("[{\"name\":\"a\",\"title\":\"T\",\"description\":\"D\",\"outputSchema\":{},"
            "\"annotations\":{\"readOnlyHint\":true,\"destructiveHint\":false,"
            "\"idempotentHint\":1}},{\"name\":\"b\",\"annotations\":{\"title\":\"U\"}}]")));
    const struct pinned_tool *a = snapshot_tool(&snapshot, STR("a"));
    const struct pinned_tool *b = snapshot_tool(&snapshot, STR("b"));
    CHECK(a && str_eq(a->title, STR("T")) && str_eq(a->description, STR("D")));
    CHECK(a && a->has_output_schema && a->hints.read_only == SCHEMA_HINT_TRUE);
    CHECK(a && a->hints.destructive == SCHEMA_HINT_FALSE);
    CHECK(a && a->hints.idempotent == SCHEMA_HINT_ABSENT &&
          a->hints.open_world == SCHEMA_HINT_ABSENT);
    CHECK(b && str_eq(b->title, STR("U")) && !b->has_output_schema);
}

/* Schemas that multiply when they are followed stop at the budget; long lists merge in time. */
static void test_budget(void)
{
    static struct buf text;
    buf_init(&text, 8 << 20);
    buf_add(&text, STR("[{\"name\":\"t\",\"inputSchema\":{\"$ref\":\"#/$defs/d0\",\"$defs\":{"));
    for (int i = 0; i < 30; i++)
        buf_printf(&text,
                   "\"d%d\":{\"properties\":{\"a\":{\"$ref\":\"#/$defs/d%d\"},\"b\":{\"$ref\":"
                   "\"#/$defs/d%d\"}}},",
                   i, i + 1, i + 1);
    buf_add(&text, STR("\"d30\":{}}}}]"));
    CHECK(read_snapshot(buf_str(&text)));
    buf_clear(&text);
    buf_add(&text, STR("[{\"name\":\"t\",\"inputSchema\":{\"properties\":{\"x\":{\"oneOf\":["));
    for (int i = 0; i < 10000; i++)
        buf_printf(&text, "%s{\"const\":\"v%d\"}", i ? "," : "", i);
    buf_add(&text, STR("]}}}}]"));
    CHECK(read_snapshot(buf_str(&text)));
    const struct schema_member *x = schema_member(snapshot.tools[0].arguments, STR("x"));
    CHECK(x && x->schema->enum_count == 10000);
    buf_free(&text);
}

int main(void)
{
    RUN(test_holders);
    RUN(test_unpinned);
    RUN(test_open_or_closed);
    RUN(test_types);
    RUN(test_members);
    RUN(test_depth);
    RUN(test_references);
    RUN(test_cycles);
    RUN(test_merged_members);
    RUN(test_arrays);
    RUN(test_bounds);
    RUN(test_tool_facts);
    RUN(test_budget);
    arena_reset(&mem);
    return check_finish();
}
