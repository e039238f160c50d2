/* SPDX-License-Identifier: Apache-2.0 */
/* test_domain_email.c - mail addresses and lists of them: routes, encoded words, comments, groups,
 * header injection, names that look like addresses; and what must hold of all that is read. */
#include "tests/unit/domain_rows.h"

enum { MEMORY = 64 << 20, TEXTS = 200000, TEXT_ROOM = 512, LIST_MOST = 1000 };

static struct arena mem;

static void test_address(void)
{
    static const struct domain_row rows[] = {
        { "ann@example.com", "address", "ann@example.com" },
        { "Ann@Example.COM", "address", "Ann@example.com" },
        { "Ann@Example.COM", "local", "Ann" },
        { "ann@example.com", "domain", "example.com" },
        { "ann+tag@example.com", "local", "ann+tag" },
        { "a.b-c_d@mail.example.co", "domain", "mail.example.co" },
        { "o'neil@example.com", "local", "o'neil" },
        { "a=b@example.com", "local", "a=b" },
        { "a?b@example.com", "local", "a?b" },
        { "x@xn--bcher-kva.example", "domain", "xn--bcher-kva.example" },
        { "123@4.example", "domain", "4.example" },
    };
    domain_rows_check(&mem, DOMAIN_EMAIL, rows, COUNT(rows));
}

static void test_address_refused(void)
{
    static const Str rows[] = {
        // clang-format off
        STR_INIT(""), STR_INIT("@"), STR_INIT("ann"), STR_INIT("ann@"), STR_INIT("@example.com"),
        STR_INIT("ann@localhost"), STR_INIT("ann@example.com."), STR_INIT("ann@.example.com"),
        STR_INIT("ann@example..com"), STR_INIT("ann@-a.com"), STR_INIT("ann@a_b.com"),
        STR_INIT("ann@[127.0.0.1]"), STR_INIT("ann@127.0.0.1"), STR_INIT("ann@[IPv6:::1]"),
        STR_INIT("ann@::1"), STR_INIT("ann@0x7f.1"), STR_INIT("ann@example.com:25"),
        /* two addresses for one */
        STR_INIT("ann@evil.com@example.com"), STR_INIT("ann@example.com,bob@evil.com"),
        STR_INIT("ann@example.com;bob@evil.com"), STR_INIT("ann@example.com bob@evil.com"),
        STR_INIT("ann@example.com\r\nBcc: x@evil.com"), STR_INIT("ann@example.com\nx"),
        STR_INIT("ann\0@example.com"), STR_INIT("ann@example.com\0@evil.com"),
        STR_INIT("ann@example.com%0ABcc:x@evil.com"), STR_INIT("mailto:ann@example.com"),
        STR_INIT("ann@example.com?cc=x@evil.com"), STR_INIT(" ann@example.com"),
        STR_INIT("ann@example.com "), STR_INIT("ann @example.com"), STR_INIT("ann@ example.com"),
        STR_INIT("Ann <ann@example.com>"), STR_INIT("<ann@example.com>"),
        /* quoted, commented, routed */
        STR_INIT("\"a b\"@example.com"), STR_INIT("\"ann@evil.com\"@example.com"),
        STR_INIT("\"ann\"@example.com"), STR_INIT("ann(comment)@example.com"),
        STR_INIT("ann@(x)example.com"), STR_INIT("ann@example.com(x)"), STR_INIT("a\\b@example.com"),
        STR_INIT("@evil.com:ann@example.com"), STR_INIT("ann%evil.com@example.com"),
        STR_INIT("evil.com!ann@example.com"), STR_INIT("|id@example.com"),
        STR_INIT("-oQ/tmp@example.com"), STR_INIT("ann<x@example.com"),
        /* encoded words and what decodes to other addresses */
        STR_INIT("=?utf-8?q?x=40evil.com=3e=20?=@example.com"),
        STR_INIT("=?iso-8859-1?q?=61?=@example.com"), STR_INIT("x=?utf-7?q?&AEA-?=@example.com"),
        STR_INIT("ann@xn--a.com"),
        /* dots, and what is not ASCII */
        STR_INIT(".ann@example.com"), STR_INIT("ann.@example.com"), STR_INIT("a..b@example.com"),
        STR_INIT("\xC3\xA9@example.com"), STR_INIT("ann@b\xC3\xBC" "cher.example"),
        STR_INIT("ann\xEF\xBC\xA0" "evil.com@example.com"), STR_INIT("ann@example\xE3\x80\x82" "com"),
        STR_INIT("\xFF@example.com"),
        // clang-format on
    };
    domain_refused_check(&mem, DOMAIN_EMAIL, rows, COUNT(rows));
}

static void test_list(void)
{
    static const struct domain_row rows[] = {
        { "ann@a.com", "addresses", "[{address=ann@a.com local=ann domain=a.com}]" },
        { "ann@a.com, Bob <bob@B.com>", "addresses",
          "[{address=ann@a.com local=ann domain=a.com} {address=bob@b.com local=bob "
          "domain=b.com}]" },
        { "<ann@a.com>", "addresses", "[{address=ann@a.com local=ann domain=a.com}]" },
        { "\"Jane (Ops) Q. Doe\" <j@a.com>", "addresses",
          "[{address=j@a.com local=j domain=a.com}]" },
        { "J\xC3\xBCrgen Gro\xC3\x9F<j@a.com>", "addresses",
          "[{address=j@a.com local=j domain=a.com}]" },
        { "a@b.c,a@b.c", "addresses",
          "[{address=a@b.c local=a domain=b.c} {address=a@b.c local=a domain=b.c}]" },
    };
    domain_rows_check(&mem, DOMAIN_EMAILS, rows, COUNT(rows));
}

static void test_list_refused(void)
{
    static const Str rows[] = {
        // clang-format off
        STR_INIT(""), STR_INIT(" "), STR_INIT(","), STR_INIT("ann@a.com,"), STR_INIT(",ann@a.com"),
        STR_INIT("ann@a.com,,bob@b.com"), STR_INIT("ann@a.com;bob@b.com"), STR_INIT("ann@a.com bob@b.com"),
        STR_INIT("ann@a.com <bob@b.com>"), STR_INIT("\"ann@a.com\" <bob@b.com>"),
        STR_INIT("\"Doe, Jane\" <jane@a.com>"), STR_INIT("\"a\\\" <x@evil.com>, \" <ann@a.com>"),
        STR_INIT("\"a\"b\" <ann@a.com>"), STR_INIT("a\"b <ann@a.com>"), STR_INIT("\" <ann@a.com>"),
        STR_INIT("Dr. Ann <ann@a.com>"), STR_INIT("team: ann@a.com;"), STR_INIT("Ann <ann@a.com"),
        STR_INIT("Ann ann@a.com>"), STR_INIT("Ann <ann@a.com> x"), STR_INIT("<<ann@a.com>>"),
        STR_INIT("Ann <<x@evil.com> ann@a.com>"), STR_INIT("Ann <@evil.com:ann@a.com>"),
        STR_INIT("Ann < ann@a.com>"), STR_INIT("<>"), STR_INIT("ann@a.com (Ann)"),
        STR_INIT("Ann (x@evil.com) <ann@a.com>"), STR_INIT("=?utf-8?q?x=40evil.com?= <ann@a.com>"),
        STR_INIT("ann@a.com\r\n bob@b.com"), STR_INIT("ann@a.com,\tbob@b.com"),
        STR_INIT("A\nBcc: x@evil.com <ann@a.com>"), STR_INIT("A\xE2\x80\xAE <ann@a.com>"),
        STR_INIT("\xFF <ann@a.com>"), STR_INIT("ann@a.com, bob@localhost"), STR_INIT("undisclosed-recipients:;"),
        STR_INIT("ann@a.com\0,bob@b.com"),
        // clang-format on
    };
    domain_refused_check(&mem, DOMAIN_EMAILS, rows, COUNT(rows));
}

/* Reading the canonical address gives the same; the list is its elements. */
static void check_addresses(Str text, const struct json_doc *doc)
{
    uint32_t list = json_member(doc, 0, STR("addresses"));
    for (uint32_t i = json_first(doc, list); i != JSON_NONE; i = json_after(doc, list, i)) {
        struct json_doc one;
        Str address = json_member_string(doc, i, STR("address"));
        CHECK_ROW(domain_read(DOMAIN_EMAIL, address, &mem, &one) &&
                      str_eq(json_member_string(&one, 0, STR("address")), address) &&
                      str_eq(json_member_string(&one, 0, STR("local")),
                             json_member_string(doc, i, STR("local"))),
                  "%.*s in %.*s", STR_ARG(address), STR_ARG(text));
        CHECK_ROW(domain_result_size(&one) <= domain_result_limit(DOMAIN_EMAIL, address),
                  "%.*s: too large", STR_ARG(address));
    }
    CHECK_ROW(domain_result_size(doc) <= domain_result_limit(DOMAIN_EMAILS, text),
              "%.*s: too large", STR_ARG(text));
}

static void test_properties(void)
{
    static const Str pieces[] = {
        STR_INIT("@"), STR_INIT("@B.c"), STR_INIT("@a.com"), STR_INIT("."),
        STR_INIT("a"), STR_INIT("+t"),   STR_INIT(","),      STR_INIT(", "),
        STR_INIT("<"), STR_INIT(">"),    STR_INIT("\""),     STR_INIT("Ann "),
        STR_INIT("x"), STR_INIT("=?"),   STR_INIT("(c)"),    STR_INIT("x@y.z"),
    };
    uint32_t seed = 5, accepted = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        char text[TEXT_ROOM];
        struct json_doc doc;
        size_t n = domain_random_text(&seed, pieces, COUNT(pieces), text, sizeof text);
        Str whole = { .p = text, .n = n };
        if (domain_read(DOMAIN_EMAILS, whole, &mem, &doc)) {
            accepted++;
            check_addresses(whole, &doc);
        }
        arena_rewind(&mem);
    }
    CHECK(accepted > TEXTS / 100);
}

static bool reads(Str text, enum domain domain)
{
    struct json_doc doc;
    bool is_certain = domain_read(domain, text, &mem, &doc);
    arena_rewind(&mem);
    return is_certain;
}

static void test_limits(void)
{
    char text[LIST_MOST * 6 + 6];
    memset(text, 'x', 65);
    memcpy(text + 64, "@a.com", 6);
    CHECK(reads((Str){ .p = text, .n = 70 }, DOMAIN_EMAIL));
    text[64] = 'x';
    memcpy(text + 65, "@a.com", 6);
    CHECK(!reads((Str){ .p = text, .n = 71 }, DOMAIN_EMAIL));
    for (size_t i = 0; i < 300; i++)
        text[i] = i == 1 ? '@' : i % 40 == 39 ? '.' : 'x';
    CHECK(reads((Str){ .p = text, .n = 254 }, DOMAIN_EMAIL));
    CHECK(!reads((Str){ .p = text, .n = 255 }, DOMAIN_EMAIL));
    for (size_t i = 0; i <= LIST_MOST; i++)
        memcpy(text + i * 6, "a@b.c,", 6);
    CHECK(reads((Str){ .p = text, .n = LIST_MOST * 6 - 1 }, DOMAIN_EMAILS));
    CHECK(!reads((Str){ .p = text, .n = LIST_MOST * 6 + 5 }, DOMAIN_EMAILS));
}

static void test_memory(void)
{
    for (size_t limit = 0; limit < 8192; limit += 64) {
        struct arena small;
        struct json_doc doc;
        arena_init(&small, limit);
        if (domain_read(DOMAIN_EMAILS, STR("a@b.c, X <d@e.f>"), &small, &doc))
            CHECK(json_at(&doc, json_member(&doc, 0, STR("addresses")))->count == 2);
        arena_reset(&small);
    }
}

int main(void)
{
    arena_init(&mem, MEMORY);
    RUN(test_address);
    RUN(test_address_refused);
    RUN(test_list);
    RUN(test_list_refused);
    RUN(test_properties);
    RUN(test_limits);
    RUN(test_memory);
    arena_reset(&mem);
    return check_finish();
}
