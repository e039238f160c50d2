/* SPDX-License-Identifier: Apache-2.0 */
/* test_jsonrpc.c - rows R1, R2, R3, R7, R8 and R9 of what went wrong elsewhere, on the message. */
#include "runtime/wire/jsonrpc.h"
#include "tests/unit/check.h"

enum { TEXT_MAX = 4096, MEMORY_MAX = 1 << 20 };

struct read {
    struct arena arena;
    struct json_doc doc;
    struct jsonrpc_message message;
};

/* Reads text as the gateway does: what json_parse refuses is INVALID with its code. */
static void read_text(struct read *read, Str text)
{
    arena_init(&read->arena, MEMORY_MAX);
    enum json_error error = json_parse(text, &json_limits_default, &read->arena, &read->doc, NULL);
    if (error == JSON_ERR_NONE)
        jsonrpc_read(&read->doc, &read->message);
    else
        read->message = (struct jsonrpc_message){ .kind = JSONRPC_INVALID,
                                                  .code = jsonrpc_code_of(error),
                                                  .why = json_error_text(error) };
}

#define CALL(params)                                                                               \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":" params "}"
#define WITH(member) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"," member "}"
#define ID(id)       "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"m\"}"

static const struct {
    const char *name;
    Str text;
    enum jsonrpc_kind kind;
    int code;
} cases[] = {
    { "request", STR_INIT(CALL("{\"name\":\"x\"}")), JSONRPC_REQUEST, 0 },
    { "no params", STR_INIT(ID("1")), JSONRPC_REQUEST, 0 },
    { "notification", STR_INIT("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}"),
      JSONRPC_NOTIFICATION, 0 },
    { "result", STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"), JSONRPC_RESULT, 0 },
    { "result null", STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}"), JSONRPC_RESULT,
      0 },
    { "error", STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,\"message\":\"m\"}}"),
      JSONRPC_ERROR, 0 },
    { "error, id null",
      STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,\"message\":\"m\"}}"),
      JSONRPC_ERROR, 0 },
    { "error without id",
      STR_INIT("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-1,\"message\":\"m\"}}"), JSONRPC_ERROR,
      0 },

    { "R1 Name", STR_INIT(CALL("{\"name\":\"a\",\"Name\":\"b\"}")), JSONRPC_INVALID, -32600 },
    { "R1 NAME alone", STR_INIT(CALL("{\"NAME\":\"b\"}")), JSONRPC_INVALID, -32600 },
    { "R1 Arguments", STR_INIT(CALL("{\"Arguments\":{}}")), JSONRPC_INVALID, -32600 },
    { "R1 argument\xC5\xBF", STR_INIT(CALL("{\"argument\xC5\xBF\":{}}")), JSONRPC_INVALID, -32600 },
    { "R1 escaped long s", STR_INIT(CALL("{\"argument\\u017f\":{}}")), JSONRPC_INVALID, -32600 },
    { "R1 tas\xE2\x84\xAA", STR_INIT(CALL("{\"tas\xE2\x84\xAA\":{}}")), JSONRPC_INVALID, -32600 },
    { "R1 Method", STR_INIT(WITH("\"Method\":\"x\"")), JSONRPC_INVALID, -32600 },
    { "R1 param\xC5\xBF", STR_INIT(WITH("\"param\xC5\xBF\":{}")), JSONRPC_INVALID, -32600 },
    { "R1 in _meta",
      STR_INIT(CALL("{\"_meta\":{\"io.modelcontextprotocol/ProtocolVersion\":\"x\"}}")),
      JSONRPC_INVALID, -32600 },
    { "R1 _Meta", STR_INIT(CALL("{\"_Meta\":{}}")), JSONRPC_INVALID, -32600 },
    { "other keys in params pass", STR_INIT(CALL("{\"names\":1,\"nam\":2,\"\":3}")),
      JSONRPC_REQUEST, 0 },
    { "arguments are data", STR_INIT(CALL("{\"arguments\":{\"Name\":1,\"NAME\":2}}")),
      JSONRPC_REQUEST, 0 },

    { "R2 name twice", STR_INIT(CALL("{\"name\":\"a\",\"name\":\"b\"}")), JSONRPC_INVALID, -32600 },
    { "R2 na\\u006de", STR_INIT(CALL("{\"name\":\"a\",\"na\\u006de\":\"b\"}")), JSONRPC_INVALID,
      -32600 },
    { "R2 two params", STR_INIT(WITH("\"params\":{},\"params\":{}")), JSONRPC_INVALID, -32600 },
    { "R3 key with U+0000", STR_INIT(CALL("{\"name\\u0000\":\"b\"}")), JSONRPC_INVALID, -32600 },
    { "R3 value with U+0000", STR_INIT(CALL("{\"name\":\"a\\u0000\"}")), JSONRPC_INVALID, -32600 },

    { "R7 batch", STR_INIT("[" CALL("{}") "]"), JSONRPC_INVALID, -32600 },
    { "R7 empty batch", STR_INIT("[]"), JSONRPC_INVALID, -32600 },
    { "R8 params array", STR_INIT(CALL("[]")), JSONRPC_INVALID, -32600 },
    { "R8 params null", STR_INIT(CALL("null")), JSONRPC_INVALID, -32600 },
    { "R8 params string", STR_INIT(CALL("\"x\"")), JSONRPC_INVALID, -32600 },
    { "_meta array", STR_INIT(CALL("{\"_meta\":[]}")), JSONRPC_INVALID, -32600 },

    { "R9 no id", STR_INIT("{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\"}"), JSONRPC_INVALID,
      -32600 },
    { "R9 id null", STR_INIT(ID("null")), JSONRPC_INVALID, -32600 },
    { "R9 id 1.5", STR_INIT(ID("1.5")), JSONRPC_INVALID, -32600 },
    { "R9 id 1.0", STR_INIT(ID("1.0")), JSONRPC_INVALID, -32600 },
    { "R9 id 1e3", STR_INIT(ID("1e3")), JSONRPC_INVALID, -32600 },
    { "R9 id 2^53", STR_INIT(ID("9007199254740993")), JSONRPC_INVALID, -32600 },
    { "R9 id 2^53-1", STR_INIT(ID("9007199254740991")), JSONRPC_REQUEST, 0 },
    { "R9 id {}", STR_INIT(ID("{}")), JSONRPC_INVALID, -32600 },
    { "R9 id true", STR_INIT(ID("true")), JSONRPC_INVALID, -32600 },
    { "R9 notification with id",
      STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"notifications/x\"}"), JSONRPC_INVALID,
      -32600 },

    { "row 8 extra member", STR_INIT(WITH("\"extra\":1")), JSONRPC_INVALID, -32600 },
    { "row 8 result beside method", STR_INIT(WITH("\"result\":{}")), JSONRPC_INVALID, -32600 },
    { "row 8 error beside method", STR_INIT(WITH("\"error\":{}")), JSONRPC_INVALID, -32600 },
    { "result and error",
      STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},"
               "\"error\":{\"code\":1,\"message\":\"m\"}}"),
      JSONRPC_INVALID, -32600 },
    { "result without id", STR_INIT("{\"jsonrpc\":\"2.0\",\"result\":{}}"), JSONRPC_INVALID,
      -32600 },
    { "result, id null", STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}"),
      JSONRPC_INVALID, -32600 },
    { "result with params", STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"params\":{}}"),
      JSONRPC_INVALID, -32600 },
    { "error without code",
      STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"message\":\"m\"}}"), JSONRPC_INVALID,
      -32600 },
    { "error code 1.5",
      STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1.5,\"message\":\"m\"}}"),
      JSONRPC_INVALID, -32600 },
    { "jsonrpc 1.0", STR_INIT("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}"), JSONRPC_INVALID,
      -32600 },
    { "jsonrpc 2", STR_INIT("{\"jsonrpc\":2.0,\"id\":1,\"method\":\"m\"}"), JSONRPC_INVALID,
      -32600 },
    { "no jsonrpc", STR_INIT("{\"id\":1,\"method\":\"m\"}"), JSONRPC_INVALID, -32600 },
    { "method is a list", STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":[\"m\"]}"),
      JSONRPC_INVALID, -32600 },
    { "empty method", STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}"), JSONRPC_INVALID,
      -32600 },
    { "{}", STR_INIT("{}"), JSONRPC_INVALID, -32600 },
    { "a number", STR_INIT("5"), JSONRPC_INVALID, -32600 },

    { "row 4 BOM", STR_INIT("\xEF\xBB\xBF" ID("1")), JSONRPC_INVALID, -32700 },
    { "row 4 overlong", STR_INIT(ID("\"\xC0\xAF\"")), JSONRPC_INVALID, -32700 },
    { "row 4 lone surrogate", STR_INIT(ID("\"\\ud800\"")), JSONRPC_INVALID, -32600 },
    { "row 18 two documents", STR_INIT(ID("1") ID("2")), JSONRPC_INVALID, -32700 },
    { "row 18 cut", STR_INIT("{\"jsonrpc\":\"2.0\""), JSONRPC_INVALID, -32700 },
    { "row 18 nothing", STR_INIT(""), JSONRPC_INVALID, -32700 },
    { "row 18 a comma too many", STR_INIT("{\"jsonrpc\":\"2.0\",}"), JSONRPC_INVALID, -32700 },
};

static void kinds_and_codes(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct read read;
        read_text(&read, cases[i].text);
        CHECK_ROW(read.message.kind == cases[i].kind, "%s: kind %d", cases[i].name,
                  (int)read.message.kind);
        if (read.message.kind == JSONRPC_INVALID) {
            CHECK_ROW((int)read.message.code == cases[i].code, "%s: code %d", cases[i].name,
                      (int)read.message.code);
            CHECK_ROW(read.message.why != NULL, "%s: no sentence", cases[i].name);
        }
        arena_reset(&read.arena);
    }
}

static void long_ids(void)
{
    for (size_t n = JSONRPC_ID_MAX; n <= JSONRPC_ID_MAX + 1; n++) {
        struct buf text;
        struct read read;
        buf_init(&text, TEXT_MAX);
        buf_add(&text, STR("{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":\""));
        for (size_t i = 0; i < n; i++)
            buf_add_char(&text, 'x');
        buf_add(&text, STR("\"}"));
        read_text(&read, buf_str(&text));
        CHECK_ROW(read.message.kind == (n <= JSONRPC_ID_MAX ? JSONRPC_REQUEST : JSONRPC_INVALID),
                  "%zu bytes", n);
        arena_reset(&read.arena);
        buf_free(&text);
    }
}

/* A refusal carries the id when there was one that could be read. */
static void refusals_keep_the_id(void)
{
    static const struct {
        Str text, id;
    } rows[] = {
        { STR_INIT(WITH("\"extra\":1")), STR_INIT("1") },
        { STR_INIT("{\"extra\":1,\"id\":\"a\",\"jsonrpc\":\"2.0\"}"), STR_INIT("a") },
        { STR_INIT(ID("1.5")), STR_INIT("") },
        { STR_INIT("[]"), STR_INIT("") },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct read read;
        read_text(&read, rows[i].text);
        CHECK_STR(read.message.id.text, rows[i].id);
        CHECK_ROW(read.message.id.is_present == (rows[i].id.n > 0), "row %zu", i);
        arena_reset(&read.arena);
    }
}

static void ids_of_two_types_differ(void)
{
    struct jsonrpc_id number = { true, false, STR("1") }, text = { true, true, STR("1") };
    CHECK(!jsonrpc_id_eq(number, text));
    CHECK(jsonrpc_id_eq(number, number));
    CHECK(!jsonrpc_id_eq(number, (struct jsonrpc_id){ 0 }));
}

static void lookalikes(void)
{
    static const struct {
        Str key;
        bool is_lookalike;
    } rows[] = {
        { STR_INIT("name"), false },
        { STR_INIT("Name"), true },
        { STR_INIT("jSONRPC"), true },
        { STR_INIT("param\xC5\xBF"), true },
        { STR_INIT("params "), false },
        { STR_INIT("task"), false },
        { STR_INIT("TASK"), true },
        { STR_INIT("ta\xC5\xBFk"), true },
        { STR_INIT("tas\xE2\x84\xAA"), true },
        { STR_INIT("n\xC3\xA4me"), false },
        { STR_INIT(""), false },
        { STR_INIT("\xC5"), false },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(jsonrpc_key_is_lookalike(rows[i].key) == rows[i].is_lookalike, "row %zu", i);
}

/* What is written reads back as the same message. */
static void written_messages_read_back(void)
{
    struct jsonrpc_id id = { true, true, STR("a\"\\\n\xC3\xA9") };
    struct buf out;
    struct read read;
    buf_init(&out, TEXT_MAX);

    jsonrpc_write_error(&out, id, -32603, STR("say \"no\""), STR("{\"a\":1}"));
    read_text(&read, buf_str(&out));
    CHECK(read.message.kind == JSONRPC_ERROR && read.message.error_code == -32603);
    CHECK(jsonrpc_id_eq(read.message.id, id));
    CHECK_STR(read.message.error_message, STR("say \"no\""));
    CHECK_STR(json_raw(&read.doc, read.message.error_data), STR("{\"a\":1}"));
    arena_reset(&read.arena);

    buf_clear(&out);
    jsonrpc_write_error(&out, (struct jsonrpc_id){ 0 }, -32700, STR("x"), (Str){ 0 });
    CHECK_STR(
        buf_str(&out),
        STR("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"x\"}}"));

    buf_clear(&out);
    jsonrpc_write_request(&out, 7, STR("tools/call"), STR("{\"name\":\"x\"}"));
    read_text(&read, buf_str(&out));
    CHECK(read.message.kind == JSONRPC_REQUEST);
    CHECK_STR(read.message.id.text, STR("7"));
    CHECK_STR(read.message.method, STR("tools/call"));
    CHECK_STR(json_raw(&read.doc, read.message.params), STR("{\"name\":\"x\"}"));
    arena_reset(&read.arena);

    buf_clear(&out);
    jsonrpc_write_notification(&out, STR("notifications/x"), (Str){ 0 });
    CHECK_STR(buf_str(&out), STR("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}"));

    buf_clear(&out);
    jsonrpc_write_result(&out, id, STR("{}"));
    read_text(&read, buf_str(&out));
    CHECK(read.message.kind == JSONRPC_RESULT && jsonrpc_id_eq(read.message.id, id));
    arena_reset(&read.arena);
    buf_free(&out);
}

/* Nobody's message is at fault for want of memory here. */
static void codes_of_refused_texts(void)
{
    CHECK(jsonrpc_code_of(JSON_ERR_SYNTAX) == JSONRPC_PARSE_ERROR);
    CHECK(jsonrpc_code_of(JSON_ERR_DUPLICATE_KEY) == JSONRPC_INVALID_REQUEST);
    CHECK(jsonrpc_code_of(JSON_ERR_TOO_LARGE) == JSONRPC_INVALID_REQUEST);
    CHECK(jsonrpc_code_of(JSON_ERR_NO_MEMORY) == JSONRPC_INTERNAL_ERROR);
}

int main(void)
{
    RUN(codes_of_refused_texts);
    RUN(kinds_and_codes);
    RUN(long_ids);
    RUN(refusals_keep_the_id);
    RUN(ids_of_two_types_differ);
    RUN(lookalikes);
    RUN(written_messages_read_back);
    return check_finish();
}
