/* SPDX-License-Identifier: Apache-2.0 */
/* test_mirror.c - which schemas are wrongly marked, what headers arguments make, and which headers
 * agree with them. Rows 9 and 11 for the headers of a tool's own. */
#include "runtime/gateway/mirror.h"
#include "tests/unit/check.h"

static struct arena mem;

static struct json_doc parse(const char *text)
{
    struct json_doc doc = { .count = 0 };
    CHECK_ROW(json_parse(str_of(text), &json_limits_default, &mem, &doc, NULL) == JSON_ERR_NONE,
              "%s", text);
    return doc;
}

/* Adds one tool with these properties. */
static struct mirrors *marks_of(const char *schema, bool *is_valid)
{
    struct buf text;
    struct mirrors *mirrors = mirrors_new();
    buf_init(&text, 1 << 20);
    buf_printf(&text, "{\"name\":\"t\",\"inputSchema\":%s}", schema);
    buf_add_char(&text, '\0');
    Str kept = arena_copy(&mem, buf_str(&text));
    struct json_doc doc = parse(kept.p);
    CHECK(mirrors_add(mirrors, &doc, 0, STR("t"), is_valid));
    buf_free(&text);
    return mirrors;
}

#define PROPERTIES(list)   "{\"type\":\"object\",\"properties\":{" list "}}"
#define MARKED(type, mark) "\"a\":{\"type\":\"" type "\",\"x-mcp-header\":" mark "}"

static const struct {
    const char *name, *schema;
    bool is_valid, is_marked;
} schemas[] = {
    { "none", PROPERTIES("\"a\":{\"type\":\"string\"}"), true, false },
    { "string", PROPERTIES(MARKED("string", "\"A\"")), true, true },
    { "integer", PROPERTIES(MARKED("integer", "\"A\"")), true, true },
    { "boolean", PROPERTIES(MARKED("boolean", "\"A\"")), true, true },
    { "number", PROPERTIES(MARKED("number", "\"A\"")), false, true },
    { "object", PROPERTIES(MARKED("object", "\"A\"")), false, true },
    { "array", PROPERTIES(MARKED("array", "\"A\"")), false, true },
    { "null", PROPERTIES(MARKED("null", "\"A\"")), false, true },
    { "no type", PROPERTIES("\"a\":{\"x-mcp-header\":\"A\"}"), false, true },
    { "types", PROPERTIES("\"a\":{\"type\":[\"string\"],\"x-mcp-header\":\"A\"}"), false, true },
    { "empty", PROPERTIES(MARKED("string", "\"\"")), false, true },
    { "no string", PROPERTIES(MARKED("string", "1")), false, true },
    { "space", PROPERTIES(MARKED("string", "\"My A\"")), false, true },
    { "colon", PROPERTIES(MARKED("string", "\"A:b\"")), false, true },
    { "line end", PROPERTIES(MARKED("string", "\"A\\r\\nB: c\"")), false, true },
    { "not ASCII", PROPERTIES(MARKED("string", "\"R\\u00e9gion\"")), false, true },
    { "tab", PROPERTIES(MARKED("string", "\"A\\t1\"")), false, true },
    { "any token", PROPERTIES(MARKED("string", "\"!#$%&'*+-.^_`|~09azAZ\"")), true, true },
    { "twice",
      PROPERTIES(MARKED("string", "\"A\"") ",\"b\":{\"type\":\"string\",\"x-mcp-header\":\"a\"}"),
      false, true },
    { "inside", PROPERTIES("\"o\":" PROPERTIES(MARKED("string", "\"A\""))), true, true },
    { "root", "{\"type\":\"string\",\"x-mcp-header\":\"A\"}", false, true },
    { "items",
      PROPERTIES(
          "\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}"),
      false, true },
    { "items of old",
      PROPERTIES("\"l\":{\"items\":[{\"type\":\"string\",\"x-mcp-header\":\"A\"}]}"), false, true },
    { "any of", "{\"anyOf\":[" PROPERTIES(MARKED("string", "\"A\"")) "]}", false, true },
    { "if", "{\"if\":" PROPERTIES(MARKED("string", "\"A\"")) "}", false, true },
    { "definition", "{\"$defs\":{\"d\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}}", false,
      true },
    { "additional", "{\"additionalProperties\":{\"type\":\"string\",\"x-mcp-header\":\"A\"}}",
      false, true },
    { "a property of that name", PROPERTIES("\"x-mcp-header\":{\"type\":\"string\"}"), true,
      false },
    { "data",
      PROPERTIES("\"a\":{\"default\":{\"x-mcp-header\":\"A\"},\"enum\":[{\"x-mcp-header\":1}]}"),
      true, false },
    { "no schema", "7", true, false },
};

static void schemas_that_are_marked(void)
{
    for (size_t i = 0; i < COUNT(schemas); i++) {
        bool is_valid = false;
        struct mirrors *mirrors = marks_of(schemas[i].schema, &is_valid);
        const struct mirror *mirror = mirrors_find(mirrors, STR("t"));
        CHECK_ROW(is_valid == schemas[i].is_valid, "%s", schemas[i].name);
        CHECK_ROW((mirror != NULL) == schemas[i].is_marked, "%s", schemas[i].name);
        CHECK_ROW(!mirror || mirror_is_valid(mirror) == schemas[i].is_valid, "%s", schemas[i].name);
        mirrors_free(mirrors);
    }
}

/* More marks, or deeper ones, than we keep count as wrong: no call goes out half marked. */
static void marks_are_limited(void)
{
    for (int count = MIRROR_PARAMS_MAX; count <= MIRROR_PARAMS_MAX + 1; count++) {
        char text[8192] = "{\"properties\":{";
        size_t n = strlen(text);
        for (int i = 0; i < count; i++)
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  "%s\"p%d\":{\"type\":\"string\",\"x-mcp-header\":\"P%d\"}",
                                  i ? "," : "", i, i);
        (void)snprintf(text + n, sizeof text - n, "}}");
        bool is_valid;
        mirrors_free(marks_of(text, &is_valid));
        CHECK(is_valid == (count == MIRROR_PARAMS_MAX));
    }
    for (int depth = MIRROR_PATH_MAX; depth <= MIRROR_PATH_MAX + 1; depth++) {
        struct buf text;
        buf_init(&text, 8192);
        for (int i = 0; i < depth; i++)
            buf_add(&text, STR("{\"properties\":{\"p\":"));
        buf_add(&text, STR("{\"type\":\"string\",\"x-mcp-header\":\"P\"}"));
        for (int i = 0; i < depth; i++)
            buf_add(&text, STR("}}"));
        buf_add_char(&text, '\0');
        bool is_valid;
        mirrors_free(marks_of(text.p, &is_valid));
        buf_free(&text);
        CHECK(is_valid == (depth == MIRROR_PATH_MAX));
    }
}

#define SCHEMA                                                                                     \
    PROPERTIES("\"s\":{\"type\":\"string\",\"x-mcp-header\":\"S\"},"                               \
               "\"i\":{\"type\":\"integer\",\"x-mcp-header\":\"I\"},"                              \
               "\"b\":{\"type\":\"boolean\",\"x-mcp-header\":\"B\"},"                              \
               "\"o\":{\"properties\":{\"s\":{\"type\":\"string\",\"x-mcp-header\":\"O\"}}}")

static const struct {
    const char *arguments, *fields;
} made[] = {
    { "{}", "" },
    { "{\"s\":null,\"i\":[],\"b\":{},\"o\":1}", "" },
    { "{\"s\":\"us west\"}", "Mcp-Param-S:us west\n" },
    { "{\"s\":\"\"}", "Mcp-Param-S:\n" },
    { "{\"s\":\" x\"}", "Mcp-Param-S:=?base64?IHg=?=\n" },
    { "{\"s\":\"x \"}", "Mcp-Param-S:=?base64?eCA=?=\n" },
    { "{\"s\":\"a\\r\\nB: c\"}", "Mcp-Param-S:=?base64?YQ0KQjogYw==?=\n" },
    { "{\"s\":\"\\u00e9\"}", "Mcp-Param-S:=?base64?w6k=?=\n" },
    { "{\"s\":\"=?base64?SGk=?=\"}", "Mcp-Param-S:=?base64?PT9iYXNlNjQ/U0drPT89?=\n" },
    { "{\"s\":\"=?base64?SGk=\"}", "Mcp-Param-S:=?base64?SGk=\n" },
    { "{\"i\":42}", "Mcp-Param-I:42\n" },
    { "{\"i\":42.0}", "Mcp-Param-I:42\n" },
    { "{\"i\":4.2e1}", "Mcp-Param-I:42\n" },
    { "{\"i\":-0}", "Mcp-Param-I:0\n" },
    { "{\"i\":9007199254740993}", "Mcp-Param-I:9007199254740993\n" },
    { "{\"i\":1.5}", "Mcp-Param-I:1.5\n" },
    { "{\"b\":true,\"o\":{\"s\":\"in\"}}", "Mcp-Param-B:true\nMcp-Param-O:in\n" },
    { "{\"b\":false}", "Mcp-Param-B:false\n" },
};

static void fields_that_are_made(void)
{
    bool is_valid;
    struct mirrors *mirrors = marks_of(SCHEMA, &is_valid);
    const struct mirror *mirror = mirrors_find(mirrors, STR("t"));
    for (size_t i = 0; i < COUNT(made); i++) {
        struct json_doc doc = parse(made[i].arguments);
        struct buf out;
        buf_init(&out, MIRROR_FIELDS_MAX);
        mirror_write(mirror, &doc, 0, &out);
        CHECK_ROW(str_eq(buf_str(&out), str_of(made[i].fields)), "%s: %.*s", made[i].arguments,
                  STR_ARG(buf_str(&out)));
        CHECK_ROW(!mirror_fault(mirror, &doc, 0, buf_str(&out)), "%s", made[i].arguments);
        buf_free(&out);
    }
    mirrors_free(mirrors);
}

static const struct {
    const char *arguments, *fields;
    bool agrees;
} compared[] = {
    { "{}", "", true },
    { "{}", "Mcp-Param-Other:x\n", true },
    { "{}", "Mcp-Param-S:x\n", false },
    { "{\"s\":null}", "Mcp-Param-S:null\n", false },
    { "{\"s\":\"x\"}", "", false },
    { "{\"s\":\"x\"}", "mcp-PARAM-s:x\n", true },
    { "{\"s\":\"x\"}", "Mcp-Param-S:X\n", false },
    { "{\"s\":\"x\"}", "Mcp-Param-SS:x\n", false },
    { "{\"s\":\"Hello\"}", "Mcp-Param-S:=?base64?SGVsbG8=?=\n", true },
    { "{\"s\":\"Hello\"}", "Mcp-Param-S:=?base64?SGVsbG8?=\n", false },
    { "{\"s\":\"Hello\"}", "Mcp-Param-S:=?base64?SGVs!!!bG8=?=\n", false },
    { "{\"s\":\"Hello\"}", "Mcp-Param-S:=?BASE64?SGVsbG8=?=\n", false },
    { "{\"s\":\"=?BASE64?SGVsbG8=?=\"}", "Mcp-Param-S:=?BASE64?SGVsbG8=?=\n", true },
    { "{\"s\":\"SGVsbG8=\"}", "Mcp-Param-S:SGVsbG8=\n", true },
    { "{\"s\":\"=?base64?SGVsbG8=\"}", "Mcp-Param-S:=?base64?SGVsbG8=\n", true },
    { "{\"i\":42}", "Mcp-Param-I:42.0\n", true },
    { "{\"i\":42}", "Mcp-Param-I:43\n", false },
    { "{\"i\":42}", "Mcp-Param-I:0x2a\n", false },
    { "{\"i\":42}", "Mcp-Param-I:\n", false },
    { "{\"i\":\"42\"}", "Mcp-Param-I:42\n", true },
    { "{\"i\":9007199254740993}", "Mcp-Param-I:9007199254740992\n", false },
    { "{\"b\":true}", "Mcp-Param-B:True\n", false },
    { "{\"b\":true}", "Mcp-Param-B:true\n", true },
};

static void fields_that_agree_or_not(void)
{
    bool is_valid;
    struct mirrors *mirrors = marks_of(SCHEMA, &is_valid);
    const struct mirror *mirror = mirrors_find(mirrors, STR("t"));
    for (size_t i = 0; i < COUNT(compared); i++) {
        struct json_doc doc = parse(compared[i].arguments);
        const char *fault = mirror_fault(mirror, &doc, 0, str_of(compared[i].fields));
        CHECK_ROW(!fault == compared[i].agrees, "%s %s", compared[i].arguments, compared[i].fields);
    }
    mirrors_free(mirrors);
}

/* Of a tool that is listed twice the first counts. */
static void the_first_of_two_counts(void)
{
    bool is_valid;
    struct mirrors *mirrors = marks_of(PROPERTIES(MARKED("number", "\"A\"")), &is_valid);
    struct json_doc doc =
        parse("{\"name\":\"t\",\"inputSchema\":" PROPERTIES(MARKED("string", "\"A\"")) "}");
    CHECK(mirrors_add(mirrors, &doc, 0, STR("t"), &is_valid) && !is_valid);
    CHECK(!mirror_is_valid(mirrors_find(mirrors, STR("t"))));
    CHECK(!mirrors_find(mirrors, STR("T")));
    mirrors_free(mirrors);
}

int main(void)
{
    arena_init(&mem, 64 << 20);
    RUN(schemas_that_are_marked);
    RUN(marks_are_limited);
    RUN(fields_that_are_made);
    RUN(fields_that_agree_or_not);
    RUN(the_first_of_two_counts);
    arena_reset(&mem);
    return check_finish();
}
