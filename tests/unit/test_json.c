/* SPDX-License-Identifier: Apache-2.0 */
/* test_json.c - the texts that the JSON reader accepts, and those that it refuses: why and where.
 */
#include "tests/unit/check.h"
#include "tests/unit/json_read.h"

enum { ANYWHERE = -1 };

static const Str good[] = {
    STR_INIT("{}"),
    STR_INIT("[]"),
    STR_INIT(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n"),
    STR_INIT("null"),
    STR_INIT("true"),
    STR_INIT("false"),
    STR_INIT("0"),
    STR_INIT("-0"),
    STR_INIT("0e5"),
    STR_INIT("0e999999999999999999999"),
    STR_INIT("-0.000e-999999999999999"),
    STR_INIT("10"),
    STR_INIT("1.0"),
    STR_INIT("1e308"),
    STR_INIT("1E+2"),
    STR_INIT("1e-2"),
    STR_INIT("123456789012345678901234567890"),
    STR_INIT("\"\""),
    STR_INIT("\"\x7f\""),
    STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\""),
    STR_INIT("\"\\ud83d\\ude00\""),
    STR_INIT("\"\\uD83D\\uDE00\""),
    STR_INIT("\"\\uffff\\ufffe\""),
    STR_INIT("\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""),
    STR_INIT("\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\""),
    STR_INIT("\"\xef\xbb\xbf\""),
    STR_INIT("{\"\":1}"),
    STR_INIT("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":2}}"),
    STR_INIT("[{\"a\":1},{\"a\":1}]"),
    STR_INIT("{\"a\":1,\"A\":2,\"aa\":3,\"\\u0001\":4,\"__proto__\":5}"),
    STR_INIT("{\"name\":1,\"nam\":2,\"nbme\":3,\"n\":4,\"e\":5,\"\":6}"),
};

static void good_texts_are_read(void)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        struct json_doc doc;
        enum json_error error = read_text(good[i], &doc);
        CHECK_ROW(error == JSON_ERR_NONE, "%.*s: %s", STR_ARG(good[i]), json_error_text(error));
    }
}

static const struct {
    Str text;
    enum json_error error;
    int at; /* offset of the error */
} bad[] = {
    /* Duplicate keys, at any depth, after unescaping; the place is the second member's value. */
    { STR_INIT("{\"name\":1,\"name\":2}"), JSON_ERR_DUPLICATE_KEY, 17 },
    { STR_INIT("{\"name\":1,\"na\\u006de\":2}"), JSON_ERR_DUPLICATE_KEY, 22 },
    { STR_INIT("{\"na\\u006De\":1,\"\\u006eame\":2}"), JSON_ERR_DUPLICATE_KEY, ANYWHERE },
    { STR_INIT("{\"\":1,\"\":2}"), JSON_ERR_DUPLICATE_KEY, 9 },
    { STR_INIT("{\"/\":1,\"\\/\":2}"), JSON_ERR_DUPLICATE_KEY, ANYWHERE },
    { STR_INIT("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}"), JSON_ERR_DUPLICATE_KEY, ANYWHERE },
    { STR_INIT("{\"p\":{},\"m\":1,\"p\":{}}"), JSON_ERR_DUPLICATE_KEY, ANYWHERE },
    { STR_INIT("[[[{\"x\":[{\"k\":{\"a\":1,\"b\":2,\"a\":3}}]}]]]"), JSON_ERR_DUPLICATE_KEY,
      ANYWHERE },
    /* U+0000. */
    { STR_INIT("{\"a\\u0000\":1}"), JSON_ERR_NUL, 3 },
    { STR_INIT("\"a\\u0000\""), JSON_ERR_NUL, 2 },
    { STR_INIT("\"a\0b\""), JSON_ERR_CONTROL, 2 },
    { STR_INIT("{\"a\0\":1}"), JSON_ERR_CONTROL, 3 },
    { STR_INIT("\0"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT("{}\0"), JSON_ERR_TRAILING, 2 },
    { STR_INIT("{\0}"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("[1\0]"), JSON_ERR_SYNTAX, 2 },
    { STR_INIT("{\"a\"\0:1}"), JSON_ERR_SYNTAX, 4 },
    { STR_INIT("[tr\0ue]"), JSON_ERR_SYNTAX, 3 },
    /* Encoding. */
    { STR_INIT("\xef\xbb\xbf{}"), JSON_ERR_BOM, 0 },
    { STR_INIT("\xff\xfe{\0}\0"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT(" \xef\xbb\xbf{}"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("{}\xef\xbb\xbf"), JSON_ERR_TRAILING, 2 },
    { STR_INIT("\"\x80\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xbf\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xc0\xaf\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xc0\x80\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xc1\xbf\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xe0\x80\xaf\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xe0\x9f\xbf\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xf0\x80\x80\xaf\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xf0\x8f\xbf\xbf\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xed\xa0\x80\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xed\xbf\xbf\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xed\xa0\xbd\xed\xb8\x80\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xf4\x90\x80\x80\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xf5\x80\x80\x80\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xfe\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xc3\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xe2\x82\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"\xf0\x9f\x98\""), JSON_ERR_UTF8, 1 },
    { STR_INIT("\"abcdefghijklmnopqrs\xc3\xa9\xc3(\""), JSON_ERR_UTF8, 22 },
    { STR_INIT("{\"\xff\":1}"), JSON_ERR_UTF8, 2 },
    { STR_INIT("\"\xc3"), JSON_ERR_TRUNCATED, 2 },
    { STR_INIT("\"\xf0\x9f\x98"), JSON_ERR_TRUNCATED, 4 },
    /* Surrogates. */
    { STR_INIT("\"\\ud800\""), JSON_ERR_SURROGATE, 1 },
    { STR_INIT("\"\\udc00\""), JSON_ERR_SURROGATE, 1 },
    { STR_INIT("\"\\udc00\\ud800\""), JSON_ERR_SURROGATE, 1 },
    { STR_INIT("\"\\ud800\\ud800\\udc00\""), JSON_ERR_SURROGATE, 1 },
    { STR_INIT("\"\\ud800x\""), JSON_ERR_SURROGATE, 1 },
    { STR_INIT("\"\\ud800\\n\""), JSON_ERR_SURROGATE, 1 },
    { STR_INIT("\"\\ud800\\u0041\""), JSON_ERR_SURROGATE, 1 },
    { STR_INIT("\"\\ud800\\udbff\""), JSON_ERR_SURROGATE, 1 },
    { STR_INIT("\"\\ud800\\ue000\""), JSON_ERR_SURROGATE, 1 },
    { STR_INIT("\"\\ud800\xed\xb0\x80\""), JSON_ERR_SURROGATE, 1 },
    { STR_INIT("{\"\\uDFFF\":1}"), JSON_ERR_SURROGATE, 2 },
    { STR_INIT("\"\\udc00"), JSON_ERR_SURROGATE, 1 },
    { STR_INIT("\"\\ud800"), JSON_ERR_TRUNCATED, 7 },
    { STR_INIT("\"\\ud800\\"), JSON_ERR_TRUNCATED, 8 },
    { STR_INIT("\"\\ud800\\udc"), JSON_ERR_TRUNCATED, 11 },
    /* Strings. */
    { STR_INIT("\"a\nb\""), JSON_ERR_CONTROL, 2 },
    { STR_INIT("\"\x01\""), JSON_ERR_CONTROL, 1 },
    { STR_INIT("\"\x1f\""), JSON_ERR_CONTROL, 1 },
    { STR_INIT("\"\t\""), JSON_ERR_CONTROL, 1 },
    { STR_INIT("\"\\x41\""), JSON_ERR_ESCAPE, 1 },
    { STR_INIT("\"\\'\""), JSON_ERR_ESCAPE, 1 },
    { STR_INIT("\"\\0\""), JSON_ERR_ESCAPE, 1 },
    { STR_INIT("\"\\U0041\""), JSON_ERR_ESCAPE, 1 },
    { STR_INIT("\"\\u+123\""), JSON_ERR_ESCAPE, 1 },
    { STR_INIT("\"\\u12G4\""), JSON_ERR_ESCAPE, 1 },
    { STR_INIT("\"\\u123\""), JSON_ERR_ESCAPE, 1 },
    { STR_INIT("\"\\\n\""), JSON_ERR_ESCAPE, 1 },
    { STR_INIT("\"\\\0\""), JSON_ERR_ESCAPE, 1 },
    { STR_INIT("\"\\u00\0"), JSON_ERR_ESCAPE, 1 },
    { STR_INIT("\"abc"), JSON_ERR_TRUNCATED, 4 },
    { STR_INIT("\""), JSON_ERR_TRUNCATED, 1 },
    { STR_INIT("\"abc\\\""), JSON_ERR_TRUNCATED, 6 },
    { STR_INIT("\"\\u00"), JSON_ERR_TRUNCATED, 5 },
    { STR_INIT("'a'"), JSON_ERR_SYNTAX, 0 },
    /* Numbers. */
    { STR_INIT("01"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("-01"), JSON_ERR_SYNTAX, 2 },
    { STR_INIT("00"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("+1"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT(".5"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT("[1.]"), JSON_ERR_SYNTAX, 3 },
    { STR_INIT("[1.e5]"), JSON_ERR_SYNTAX, 3 },
    { STR_INIT("[1e]"), JSON_ERR_SYNTAX, 3 },
    { STR_INIT("[1e+]"), JSON_ERR_SYNTAX, 4 },
    { STR_INIT("[-]"), JSON_ERR_SYNTAX, 2 },
    { STR_INIT("[--1]"), JSON_ERR_SYNTAX, 2 },
    { STR_INIT("[0x10]"), JSON_ERR_SYNTAX, 2 },
    { STR_INIT("[1_000]"), JSON_ERR_SYNTAX, 2 },
    { STR_INIT("[1 000]"), JSON_ERR_SYNTAX, 3 },
    { STR_INIT("[1.5.2]"), JSON_ERR_SYNTAX, 4 },
    { STR_INIT("[1e5.2]"), JSON_ERR_SYNTAX, 4 },
    { STR_INIT("[NaN]"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("[Infinity]"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("[-Infinity]"), JSON_ERR_SYNTAX, 2 },
    { STR_INIT("[nan]"), JSON_ERR_SYNTAX, 2 },
    { STR_INIT("-"), JSON_ERR_TRUNCATED, 1 },
    { STR_INIT("1."), JSON_ERR_TRUNCATED, 2 },
    { STR_INIT("1e-"), JSON_ERR_TRUNCATED, 3 },
    { STR_INIT("1e999"), JSON_ERR_NUMBER_RANGE, 0 },
    { STR_INIT("[-1e999]"), JSON_ERR_NUMBER_RANGE, 1 },
    { STR_INIT("1e-999"), JSON_ERR_NUMBER_RANGE, 0 },
    { STR_INIT("1e99999999999999999999999999"), JSON_ERR_NUMBER_RANGE, 0 },
    { STR_INIT("1e-99999999999999999999999999"), JSON_ERR_NUMBER_RANGE, 0 },
    { STR_INIT("0.1e-99999999999999999999999999"), JSON_ERR_NUMBER_RANGE, 0 },
    /* Words and structure. */
    { STR_INIT(""), JSON_ERR_TRUNCATED, 0 },
    { STR_INIT(" \n"), JSON_ERR_TRUNCATED, 2 },
    { STR_INIT("tru"), JSON_ERR_TRUNCATED, 3 },
    { STR_INIT("True"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT("[trUe]"), JSON_ERR_SYNTAX, 3 },
    { STR_INIT("[nul]"), JSON_ERR_SYNTAX, 4 },
    { STR_INIT("[truefalse]"), JSON_ERR_SYNTAX, 5 },
    { STR_INIT("undefined"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT("{"), JSON_ERR_TRUNCATED, 1 },
    { STR_INIT("["), JSON_ERR_TRUNCATED, 1 },
    { STR_INIT("{\"a\""), JSON_ERR_TRUNCATED, 4 },
    { STR_INIT("{\"a\":"), JSON_ERR_TRUNCATED, 5 },
    { STR_INIT("{\"a\":1"), JSON_ERR_TRUNCATED, 6 },
    { STR_INIT("{\"a\":1,"), JSON_ERR_TRUNCATED, 7 },
    { STR_INIT("}"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT("]"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT("[}"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("{]"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("[1}"), JSON_ERR_SYNTAX, 2 },
    { STR_INIT("{\"a\":1]"), JSON_ERR_SYNTAX, 6 },
    { STR_INIT("{\"a\":[1}]"), JSON_ERR_SYNTAX, 7 },
    { STR_INIT("{\"a\":}"), JSON_ERR_SYNTAX, 5 },
    { STR_INIT("{\"a\":]}"), JSON_ERR_SYNTAX, 5 },
    { STR_INIT("{\"a\"}"), JSON_ERR_SYNTAX, 4 },
    { STR_INIT("{\"a\",1}"), JSON_ERR_SYNTAX, 4 },
    { STR_INIT("{\"a\"::1}"), JSON_ERR_SYNTAX, 5 },
    { STR_INIT("{\"a\" 1}"), JSON_ERR_SYNTAX, 5 },
    { STR_INIT("{1:2}"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("{a:1}"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("{\"a\":1,}"), JSON_ERR_SYNTAX, 7 },
    { STR_INIT("{,}"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("[1,]"), JSON_ERR_SYNTAX, 3 },
    { STR_INIT("[,1]"), JSON_ERR_SYNTAX, 1 },
    { STR_INIT("[1,,2]"), JSON_ERR_SYNTAX, 3 },
    { STR_INIT("[1 2]"), JSON_ERR_SYNTAX, 3 },
    { STR_INIT("[1:2]"), JSON_ERR_SYNTAX, 2 },
    { STR_INIT("{\"a\":1:2}"), JSON_ERR_SYNTAX, 6 },
    { STR_INIT("{\"a\":1 \"b\":2}"), JSON_ERR_SYNTAX, 7 },
    { STR_INIT("[1/*x*/]"), JSON_ERR_SYNTAX, 2 },
    { STR_INIT("//x\n{}"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT("#x\n{}"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT("\f{}"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT("\v{}"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT("\xc2\xa0{}"), JSON_ERR_SYNTAX, 0 },
    { STR_INIT("\x1e{}"), JSON_ERR_SYNTAX, 0 },
    /* Behind the document. */
    { STR_INIT("{}{}"), JSON_ERR_TRAILING, 2 },
    { STR_INIT("{} {}"), JSON_ERR_TRAILING, 3 },
    { STR_INIT("{}\n[]"), JSON_ERR_TRAILING, 3 },
    { STR_INIT("{}}"), JSON_ERR_TRAILING, 2 },
    { STR_INIT("[]]"), JSON_ERR_TRAILING, 2 },
    { STR_INIT("{},"), JSON_ERR_TRAILING, 2 },
    { STR_INIT("{};"), JSON_ERR_TRAILING, 2 },
    { STR_INIT("{}//"), JSON_ERR_TRAILING, 2 },
    { STR_INIT("1 2"), JSON_ERR_TRAILING, 2 },
    { STR_INIT("\"a\"b"), JSON_ERR_TRAILING, 3 },
    { STR_INIT("0x10"), JSON_ERR_TRAILING, 1 },
};

static void bad_texts_are_refused(void)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct json_doc doc = { .count = 77 };
        uint32_t at = 9999;
        enum json_error error = read_with(bad[i].text, &json_limits_default, &doc, &at);
        CHECK_ROW(error == bad[i].error, "%zu %.*s: got %s, want %s", i, STR_ARG(bad[i].text),
                  json_error_text(error), json_error_text(bad[i].error));
        CHECK_ROW(bad[i].at == ANYWHERE ? at < bad[i].text.n : at == (uint32_t)bad[i].at,
                  "%zu %.*s: at %u, want %d", i, STR_ARG(bad[i].text), at, bad[i].at);
        CHECK_ROW(doc.count == 77, "%zu %.*s: the document was touched", i, STR_ARG(bad[i].text));
    }
}

/* Each error has a row above or a limit test below; here each has a sentence. */
static void errors_have_texts(void)
{
    for (int i = 0; i < JSON_ERROR_COUNT; i++)
        CHECK(json_error_text((enum json_error)i)[0] != '\0');
    CHECK_STR(str_of(json_error_text(JSON_ERR_BOM)),
              STR("a byte order mark stands before the document"));
}

int main(void)
{
    RUN(good_texts_are_read);
    RUN(bad_texts_are_refused);
    RUN(errors_have_texts);
    read_end();
    return check_finish();
}
