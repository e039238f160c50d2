/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_tape.c - the tape says what the text said: numbers, limits, duplicate keys in objects
 * of any size, strings of any length, and nothing breaks on cut or changed texts. */
#include "tests/unit/check.h"
#include "tests/unit/json_read.h"

enum { U = JSON_UNSAFE_NUMBER, I = JSON_INTEGER, REFUSED = 99 };

static const struct {
    Str text;
    int flags;
} numbers[] = {
    { STR_INIT("0"), I },
    { STR_INIT("-0"), I },
    { STR_INIT("0.0"), 0 },
    { STR_INIT("0e0"), 0 },
    { STR_INIT("-1"), I },
    { STR_INIT("999999999999999"), I },
    { STR_INIT("1000000000000000"), I },
    { STR_INIT("9007199254740991"), I },
    { STR_INIT("-9007199254740991"), I },
    { STR_INIT("9007199254740992"), I | U },
    { STR_INIT("-9007199254740992"), I | U },
    { STR_INIT("9007199254740993"), I | U },
    { STR_INIT("10000000000000000"), I | U },
    { STR_INIT("18446744073709551616"), I | U },
    { STR_INIT("1.0"), 0 },
    { STR_INIT("1e2"), 0 },
    { STR_INIT("1.5"), 0 },
    { STR_INIT("0.1"), 0 },
    { STR_INIT("1.23456789012345"), 0 },
    { STR_INIT("1.234567890123456"), U },
    { STR_INIT("0.000001234567890123450000000"), 0 },
    { STR_INIT("1.500000000000000000000000000000000000"), 0 },
    { STR_INIT("1.000000000000000000000000000000000001"), U },
    { STR_INIT("9007199254740991.5"), U },
    { STR_INIT("1e15"), 0 },
    { STR_INIT("9e15"), 0 },
    { STR_INIT("1e16"), U },
    { STR_INIT("1e300"), U },
    { STR_INIT("1e-300"), 0 },
    { STR_INIT("2.3e-308"), U },
    { STR_INIT("4.9e-324"), U },
    { STR_INIT("4.940656458412465441765687928682213723651e-324"), U },
    /* Half the smallest double, 2^-1075, rounds to zero; a little more does not. */
    { STR_INIT("2.4703282292062327208e-324"), REFUSED },
    { STR_INIT("2.4703282292062327209e-324"), U },
    { STR_INIT("2.5e-324"), U },
    { STR_INIT("2.4e-324"), REFUSED },
    { STR_INIT("0.00000000024e-314"), REFUSED },
    { STR_INIT("0.00000000025e-314"), U },
    { STR_INIT("1e-324"), REFUSED },
    { STR_INIT("1e-323"), U },
    /* The largest double, and the half step above it that rounds to infinity. */
    { STR_INIT("1.7976931348623157e308"), U },
    { STR_INIT("-1.7976931348623158e308"), U },
    { STR_INIT("1.7976931348623159e308"), REFUSED },
    { STR_INIT("17976931348623159e292"), REFUSED },
    { STR_INIT("-1.8e308"), REFUSED },
    { STR_INIT("1e309"), REFUSED },
    { STR_INIT("0.1e309"), U },
    { STR_INIT("0.18e309"), REFUSED },
};

static void numbers_are_sorted(void)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct json_doc doc;
        enum json_error error = read_text(numbers[i].text, &doc);
        if (numbers[i].flags == REFUSED) {
            CHECK_ROW(error == JSON_ERR_NUMBER_RANGE, "%.*s", STR_ARG(numbers[i].text));
            continue;
        }
        if (!CHECK_ROW(error == JSON_ERR_NONE, "%.*s", STR_ARG(numbers[i].text)))
            continue;
        CHECK_ROW(doc.nodes[0].flags == numbers[i].flags, "%.*s: flags %d, want %d",
                  STR_ARG(numbers[i].text), doc.nodes[0].flags, numbers[i].flags);
        CHECK_STR(json_text(&doc.nodes[0]), numbers[i].text);
    }
}

/* 2^1024 - 2^970 is the first integer that rounds to infinity: exact to the last digit, and for a
 * digit far behind the last. */
static void number_range_is_exact(void)
{
    static const char limit[] =
        "17976931348623158079372897140530341507993413271003782693617377898044496829276475"
        "09466490179775872070963302864166928879109465555478519404026306574886715058206819"
        "08902000708383676273854845817711531764475730270069855571366959622842914819860834"
        "936475292719074168444365510704342711559699508093042880177904174497792";
    struct buf text;
    struct json_doc doc;
    buf_init(&text, 1 << 20);
    buf_add(&text, str_of(limit));
    CHECK(text.n == 309);
    CHECK(read_text(buf_str(&text), &doc) != JSON_ERR_NONE);
    text.p[text.n - 1]--; /* its last digit is not 0 */
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_NONE);
    for (int i = 0; i < 5000; i++)
        buf_add_char(&text, i ? '9' : '.');
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_NONE);

    /* Thousands of zeros before and an exponent that undoes them. */
    buf_clear(&text);
    buf_add(&text, STR("0."));
    for (int i = 0; i < 5000; i++)
        buf_add_char(&text, '0');
    size_t zeros_end = text.n;
    buf_add(&text, STR("15e5002"));
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_NONE && doc.nodes[0].flags == 0);
    text.n = zeros_end;
    buf_add(&text, STR("15e5400"));
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_NUMBER_RANGE);
    text.n = zeros_end;
    buf_add(&text, STR("15"));
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_NUMBER_RANGE);
    buf_free(&text);
}

static void nul_needs_leave(void)
{
    struct json_limits limits = json_limits_default;
    struct json_doc doc;
    uint32_t at;
    limits.allow_nul = true;
    CHECK(read_with(STR("{\"k\":\"a\\u0000b\"}"), &limits, &doc, &at) == JSON_ERR_NONE);
    CHECK_STR(json_member_string(&doc, 0, STR("k")), STR("a\0b"));
    CHECK(read_with(STR("{\"k\\u0000\":1}"), &limits, &doc, &at) == JSON_ERR_NUL && at == 3);
    CHECK(read_with(STR("\"a\0b\""), &limits, &doc, &at) == JSON_ERR_CONTROL && at == 2);
}

static const char sample[] =
    "{\"jsonrpc\":\"2.0\",\"id\":\"q-1\",\"method\":\"tools/"
    "call\",\"params\":{\"name\":\"wr\\u0069te\\n\","
    "\"arguments\":{\"p\\u00e4th\":\"/tmp/\xc3\xa9\",\"n\":-12.5e+3,\"big\":9007199254740993,"
    "\"list\":[1,[],{},[null,true,false],\"\\ud83d\\ude00\"],\"e\":\"\"}} , \"z\" : [ ] }";

static void the_tape_says_what_the_text_said(void)
{
    struct json_doc doc;
    if (!CHECK(read_text(str_of(sample), &doc) == JSON_ERR_NONE))
        return;
    CHECK(doc.count == 21 && doc.nodes[0].next == 21 && doc.nodes[0].count == 5);
    CHECK_STR(json_raw(&doc, 0), str_of(sample));
    CHECK(doc.nodes[0].key == NULL);
    CHECK_STR(json_member_string(&doc, 0, STR("method")), STR("tools/call"));
    uint32_t params = json_member(&doc, 0, STR("params"));
    CHECK_STR(json_member_string(&doc, params, STR("name")), STR("write\n"));
    uint32_t arguments = json_member(&doc, params, STR("arguments"));
    CHECK(json_at(&doc, arguments)->count == 5);
    CHECK_STR(json_member_string(&doc, arguments, STR("p\xc3\xa4th")), STR("/tmp/\xc3\xa9"));
    uint32_t n = json_member(&doc, arguments, STR("n"));
    CHECK_STR(json_text(json_at(&doc, n)), STR("-12.5e+3"));
    CHECK(json_at(&doc, n)->flags == 0);
    CHECK(json_at(&doc, json_member(&doc, arguments, STR("big")))->flags == (I | U));
    uint32_t list = json_member(&doc, arguments, STR("list"));
    static const uint8_t types[] = { JSON_NUMBER, JSON_ARRAY, JSON_OBJECT, JSON_ARRAY,
                                     JSON_STRING };
    size_t seen = 0;
    for (uint32_t i = json_first(&doc, list); i != JSON_NONE; i = json_after(&doc, list, i)) {
        CHECK_ROW(seen < COUNT(types) && json_at(&doc, i)->type == types[seen], "element %zu",
                  seen);
        CHECK(json_at(&doc, i)->key == NULL);
        seen++;
    }
    CHECK(seen == json_at(&doc, list)->count);
    CHECK_STR(json_raw(&doc, list), STR("[1,[],{},[null,true,false],\"\\ud83d\\ude00\"]"));
    CHECK_STR(json_text(json_at(&doc, list)), json_raw(&doc, list));
    Str empty = json_member_string(&doc, arguments, STR("e"));
    CHECK(empty.n == 0 && empty.p != NULL);
    uint32_t z = json_member(&doc, 0, STR("z"));
    CHECK(json_first(&doc, z) == JSON_NONE);
    CHECK_STR(json_raw(&doc, z), STR("[ ]"));
}

static void lookups_are_exact(void)
{
    struct json_doc doc;
    CHECK(read_text(STR("{\"name\":1,\"Name\":\"x\",\"o\":{\"deep\":\"d\"}}"), &doc) ==
          JSON_ERR_NONE);
    CHECK(json_member(&doc, 0, STR("name")) == 1);
    CHECK(json_member(&doc, 0, STR("NAME")) == JSON_NONE);
    CHECK(json_member(&doc, 0, STR("nam")) == JSON_NONE);
    CHECK(json_member(&doc, 0, STR("name\0")) == JSON_NONE);
    CHECK(json_member(&doc, 0, STR("")) == JSON_NONE);
    CHECK(json_member(&doc, 0, STR("deep")) == JSON_NONE);
    CHECK(json_member(&doc, 1, STR("name")) == JSON_NONE);
    CHECK(json_member_string(&doc, 0, STR("name")).p == NULL);
    CHECK(json_member_string(&doc, 0, STR("none")).p == NULL);
    CHECK_STR(json_member_string(&doc, 0, STR("Name")), STR("x"));
    CHECK(read_text(STR("[\"name\"]"), &doc) == JSON_ERR_NONE);
    CHECK(json_member(&doc, 0, STR("name")) == JSON_NONE);
    CHECK(json_member(&doc, 0, STR("")) == JSON_NONE);
}

/* No proper prefix of a container is a document, and each is called truncated. */
static void prefixes_are_truncated(void)
{
    Str all = str_of(sample);
    struct json_doc doc;
    for (size_t n = 0; n < all.n; n++) {
        uint32_t at;
        enum json_error error = read_with(str_sub(all, 0, n), &json_limits_default, &doc, &at);
        CHECK_ROW(error == JSON_ERR_TRUNCATED && at == n, "prefix of %zu bytes: %s at %u", n,
                  json_error_text(error), at);
    }
    for (size_t n = 1; n < all.n; n++)
        CHECK_ROW(read_text(str_sub(all, n, all.n), &doc) != JSON_ERR_NONE, "suffix from %zu", n);
}

/* One byte changed to any other: whatever is still accepted spans the whole text. */
static void changed_bytes_do_no_harm(void)
{
    char text[sizeof sample - 1];
    for (size_t i = 0; i < sizeof text; i++) {
        memcpy(text, sample, sizeof text);
        for (int byte = 0; byte < 256; byte++) {
            struct json_doc doc;
            text[i] = (char)byte;
            if (read_text((Str){ .p = text, .n = sizeof text }, &doc) == JSON_ERR_NONE)
                CHECK_ROW(doc.nodes[0].next == doc.count, "byte %zu set to %d", i, byte);
        }
    }
}

static void limits_hold_at_the_boundary(void)
{
    struct json_doc doc;
    uint32_t at;
    struct json_limits limits = {
        .max_bytes = 7, .max_depth = 2, .max_nodes = 3, .max_members = 2
    };
    CHECK(read_with(STR("[[1]]  "), &limits, &doc, &at) == JSON_ERR_NONE);
    CHECK(read_with(STR("[[1]]   "), &limits, &doc, &at) == JSON_ERR_TOO_LARGE && at == 7);
    CHECK(read_with(STR("[[[]]]"), &limits, &doc, &at) == JSON_ERR_TOO_DEEP && at == 2);
    CHECK(read_with(STR("[1,2]"), &limits, &doc, &at) == JSON_ERR_NONE);
    CHECK(read_with(STR("[1,2,3]"), &limits, &doc, &at) == JSON_ERR_TOO_MANY_NODES && at == 5);
    limits.max_bytes = 99;
    limits.max_nodes = 99;
    CHECK(read_with(STR("{\"a\":1,\"b\":2}"), &limits, &doc, &at) == JSON_ERR_NONE);
    CHECK(read_with(STR("{\"a\":1,\"b\":2,\"c\":3}"), &limits, &doc, &at) ==
              JSON_ERR_TOO_MANY_MEMBERS &&
          at == 13);
    CHECK(read_with(STR("[1,2,3,4]"), &limits, &doc, &at) == JSON_ERR_NONE);
    limits.max_depth = 0;
    CHECK(read_with(STR("[]"), &limits, &doc, &at) == JSON_ERR_TOO_DEEP);
    CHECK(read_with(STR("1"), &limits, &doc, &at) == JSON_ERR_NONE);
    limits.max_nodes = 0;
    CHECK(read_with(STR("1"), &limits, &doc, &at) == JSON_ERR_TOO_MANY_NODES);
    limits.max_bytes = 0;
    CHECK(read_with(STR("1"), &limits, &doc, &at) == JSON_ERR_TOO_LARGE);
    CHECK(read_with(STR(""), &limits, &doc, &at) == JSON_ERR_TRUNCATED);
}

/* open repeated, then the middle, then close repeated. */
static void nest(struct buf *text, uint32_t depth, Str open, Str middle, Str close)
{
    buf_clear(text);
    for (uint32_t i = 0; i < depth; i++)
        buf_add(text, open);
    buf_add(text, middle);
    for (uint32_t i = 0; i < depth; i++)
        buf_add(text, close);
}

static void default_limits_hold(void)
{
    struct buf text;
    struct json_doc doc;
    buf_init(&text, (size_t)8 << 20);
    nest(&text, 64, STR("["), STR(""), STR("]"));
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_NONE && doc.count == 64);
    nest(&text, 65, STR("["), STR(""), STR("]"));
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_TOO_DEEP);
    nest(&text, 64, STR("{\"a\":"), STR("1"), STR("}"));
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_NONE && doc.count == 65);
    nest(&text, 1000000, STR("["), STR(""), STR(""));
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_TOO_DEEP);
    nest(&text, 1000000, STR("{\"a\":"), STR(""), STR(""));
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_TOO_LARGE);

    uint32_t nodes = json_limits_default.max_nodes;
    buf_clear(&text);
    for (uint32_t i = 1; i < nodes; i++)
        buf_add(&text, i > 1 ? STR(",1") : STR("[1"));
    size_t n = text.n;
    buf_add_char(&text, ']');
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_NONE && doc.count == nodes);
    text.n = n;
    buf_add(&text, STR(",1]"));
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_TOO_MANY_NODES);

    buf_clear(&text);
    buf_add_char(&text, '"');
    while (text.n < json_limits_default.max_bytes - 1)
        buf_add_char(&text, 'x');
    buf_add_char(&text, '"');
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_NONE);
    buf_add_char(&text, ' ');
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_TOO_LARGE);
    buf_free(&text);
}

/* An object of count members of which the last repeats the key of member twin (or none). */
static void write_members(struct buf *text, uint32_t count, uint32_t twin)
{
    buf_clear(text);
    for (uint32_t i = 0; i < count; i++) {
        bool is_twin = i == count - 1 && twin < count;
        buf_printf(text, "%c\"k%s%u\":%u", i ? ',' : '{', is_twin ? "\\u0065" : "e",
                   is_twin ? twin : i, i);
    }
    buf_add_char(text, '}');
}

/* Both sides of the step from pairs to a table, and the member limit. */
static void duplicates_are_found_at_any_size(void)
{
    static const uint32_t sizes[] = { 2, 3, 31, 32, 33, 34, 64, 65, 128, 129, 1000, 4096 };
    struct buf text;
    struct json_doc doc;
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint32_t n = sizes[i], twins[] = { 0, (n - 1) / 2, n - 2 };
        write_members(&text, n, n);
        CHECK_ROW(read_text(buf_str(&text), &doc) == JSON_ERR_NONE && doc.nodes[0].count == n,
                  "%u members", n);
        for (size_t k = 0; k < COUNT(twins); k++) {
            write_members(&text, n, twins[k]);
            CHECK_ROW(read_text(buf_str(&text), &doc) == JSON_ERR_DUPLICATE_KEY,
                      "%u members, the last like %u", n, twins[k]);
        }
    }
    write_members(&text, 4097, 4097);
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_TOO_MANY_MEMBERS);
    buf_free(&text);
}

/* One table serves all large objects of a document: entries of one must not haunt the next. */
static void the_table_is_clean_for_each_object(void)
{
    static const uint32_t sizes[] = { 40, 300, 40, 33, 129, 33 };
    struct buf text, part;
    struct json_doc doc;
    buf_init(&text, 1 << 20);
    buf_init(&part, 1 << 20);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        buf_add_char(&text, i ? ',' : '[');
        write_members(&part, sizes[i], sizes[i]);
        buf_add(&text, buf_str(&part));
    }
    buf_add_char(&text, ']');
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_NONE);
    text.n--;
    write_members(&part, 33, 7);
    buf_add_char(&text, ',');
    buf_add(&text, buf_str(&part));
    buf_add_char(&text, ']');
    CHECK(read_text(buf_str(&text), &doc) == JSON_ERR_DUPLICATE_KEY);
    buf_free(&text);
    buf_free(&part);
}

/* Every size of arena gives the whole document or NO_MEMORY. */
static void a_spent_arena_is_an_error(void)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    write_members(&text, 60, 60);
    bool was_read = false;
    for (size_t limit = 0; limit < 20000; limit += 64) {
        struct arena small;
        struct json_doc doc;
        arena_init(&small, limit);
        enum json_error error =
            json_parse(buf_str(&text), &json_limits_default, &small, &doc, NULL);
        CHECK_ROW(error == JSON_ERR_NONE || (error == JSON_ERR_NO_MEMORY && !was_read),
                  "arena of %zu bytes: %s", limit, json_error_text(error));
        was_read = was_read || error == JSON_ERR_NONE;
        arena_reset(&small);
    }
    CHECK(was_read);
    buf_free(&text);
}

/* Special bytes at each place around the 64-byte blocks. */
static void strings_of_each_length(void)
{
    static const char special[] = { '"', '\\', '\x1f', '\x80', '\n' };
    static const enum json_error want[] = { JSON_ERR_TRAILING, JSON_ERR_ESCAPE, JSON_ERR_CONTROL,
                                            JSON_ERR_UTF8, JSON_ERR_CONTROL };
    enum { LONGEST = 140 };
    for (size_t n = 0; n <= LONGEST; n++) {
        char text[LONGEST + 2];
        struct json_doc doc;
        uint32_t at;
        memset(text, 'a', sizeof text);
        text[0] = text[n + 1] = '"';
        Str all = { .p = text, .n = n + 2 };
        CHECK_ROW(read_text(all, &doc) == JSON_ERR_NONE && doc.nodes[0].text_n == n, "length %zu",
                  n);
        for (size_t i = 1; i <= n; i++) {
            for (size_t k = 0; k < COUNT(special); k++) {
                text[i] = special[k];
                if (special[k] == '\\' && i == n)
                    continue; /* escapes the closing quote: truncated, tested above */
                enum json_error error = read_with(all, &json_limits_default, &doc, &at);
                uint32_t place = (uint32_t)(special[k] == '"' ? i + 1 : i);
                CHECK_ROW(error == want[k] && at == place, "length %zu, byte %d at %zu: %s at %u",
                          n, special[k], i, json_error_text(error), at);
            }
            text[i] = 'a'; /* cppcheck-suppress unreadVariable ; it is read through all */
        }
    }
}

/* Keys and texts that begin and end at each place of a block. */
static void members_at_each_place(void)
{
    enum { LONGEST = 140 };
    char letters[LONGEST], text[3 * LONGEST];
    struct json_doc doc;
    memset(letters, 'k', sizeof letters);
    for (int key = 0; key < LONGEST; key++) {
        for (int value = 0; value < LONGEST; value++) {
            int n = snprintf(text, sizeof text, "{\"%.*s\":\"%.*s\",\"b\":[1]}", key, letters,
                             value, letters);
            enum json_error error = read_text((Str){ .p = text, .n = (size_t)n }, &doc);
            CHECK_ROW(error == JSON_ERR_NONE && doc.count == 4 && doc.nodes[0].count == 2 &&
                          doc.nodes[1].key_n == (uint32_t)key &&
                          doc.nodes[1].text_n == (uint32_t)value && doc.nodes[1].next == 2 &&
                          str_eq(json_raw(&doc, 1), str_sub(str_of(text), (size_t)key + 4,
                                                            (size_t)(key + value) + 6)) &&
                          str_eq(json_key(&doc.nodes[2]), STR("b")),
                      "key of %d bytes, text of %d: %s", key, value, json_error_text(error));
        }
    }
}

/* Each code point as an escape decodes to its UTF-8, which is accepted as it is. */
static void each_escape_decodes(void)
{
    for (uint32_t c = 1; c < 0x110000; c += c < 0x10000 ? 1 : 251) {
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        char text[16], utf8[8];
        uint32_t v = c - 0x10000;
        int n = c < 0x10000 ? snprintf(text, sizeof text, "\"\\u%04x\"", c)
                            : snprintf(text, sizeof text, "\"\\u%04X\\u%04x\"", 0xd800 + (v >> 10),
                                       0xdc00 + (v & 0x3ff));
        struct json_doc doc;
        enum json_error error = read_text((Str){ .p = text, .n = (size_t)n }, &doc);
        if (!CHECK_ROW(error == JSON_ERR_NONE, "U+%04X", c))
            return;
        Str got = json_text(&doc.nodes[0]);
        size_t want = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        CHECK_ROW(got.n == want && utf8_is_valid(got) && utf8_length(got) == 1, "U+%04X", c);
        uint32_t back = (unsigned char)got.p[0] & (want == 1 ? 0x7fU : 0x7fU >> want);
        for (size_t i = 1; i < got.n; i++)
            back = back << 6 | ((unsigned char)got.p[i] & 0x3fU);
        CHECK_ROW(back == c, "U+%04X came back as U+%04X", c, back);
        memcpy(utf8, got.p, got.n);
        struct buf out;
        buf_init(&out, 64);
        json_write_string(&out, (Str){ .p = utf8, .n = want });
        error = read_text(buf_str(&out), &doc);
        CHECK_ROW(error == JSON_ERR_NONE && doc.nodes[0].text_n == want &&
                      !memcmp(doc.nodes[0].text, utf8, want),
                  "U+%04X written as %.*s", c, STR_ARG(buf_str(&out)));
        buf_free(&out);
    }
}

static const struct {
    Str in, out;
} written[] = {
    { STR_INIT(""), STR_INIT("\"\"") },
    { STR_INIT("plain"), STR_INIT("\"plain\"") },
    { STR_INIT("a\"b\\c/d"), STR_INIT("\"a\\\"b\\\\c/d\"") },
    { STR_INIT("\b\f\n\r\t\x01\x1f\x7f"), STR_INIT("\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"") },
    { STR_INIT("a\0b"), STR_INIT("\"a\\u0000b\"") },
    { STR_INIT("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"),
      STR_INIT("\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\"") },
    { STR_INIT("\xc3\xa9\xf0\x9f\x98\x80"), STR_INIT("\"\xc3\xa9\xf0\x9f\x98\x80\"") },
};

static void strings_are_written(void)
{
    for (size_t i = 0; i < COUNT(written); i++) {
        struct buf out;
        buf_init(&out, 256);
        json_write_string(&out, written[i].in);
        CHECK_STR(buf_str(&out), written[i].out);
        struct json_limits limits = json_limits_default;
        struct json_doc doc;
        limits.allow_nul = true;
        if (CHECK(read_with(buf_str(&out), &limits, &doc, NULL) == JSON_ERR_NONE))
            CHECK_STR(json_text(&doc.nodes[0]), written[i].in);
        buf_free(&out);
    }
    struct buf tight;
    buf_init(&tight, 4);
    json_write_string(&tight, STR("abc"));
    CHECK(tight.is_full);
    buf_free(&tight);
}

int main(void)
{
    RUN(numbers_are_sorted);
    RUN(number_range_is_exact);
    RUN(nul_needs_leave);
    RUN(the_tape_says_what_the_text_said);
    RUN(lookups_are_exact);
    RUN(prefixes_are_truncated);
    RUN(changed_bytes_do_no_harm);
    RUN(limits_hold_at_the_boundary);
    RUN(default_limits_hold);
    RUN(duplicates_are_found_at_any_size);
    RUN(the_table_is_clean_for_each_object);
    RUN(a_spent_arena_is_an_error);
    RUN(strings_of_each_length);
    RUN(members_at_each_place);
    RUN(each_escape_decodes);
    RUN(strings_are_written);
    read_end();
    return check_finish();
}
