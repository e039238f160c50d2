/* SPDX-License-Identifier: Apache-2.0 */
/* test_domain_host.c - host names, addresses in every spelling, the ranges they lie in, prefixes,
 * punycode. libc's own reader and printer of addresses are the second opinion. */
#include "runtime/domain/certain.h"
#include "runtime/domain/ip.h"
#include "runtime/domain/punycode.h"
#include "tests/unit/domain_rows.h"

#include <arpa/inet.h>

enum { MEMORY = 64 << 20, TEXTS = 200000, TEXT_ROOM = 256 };

static struct arena mem;

static void test_names(void)
{
    static const struct domain_row rows[] = {
        { "Example.COM", "name", "example.com" },
        { "example.com.", "name", "example.com" },
        { "localhost", "name", "localhost" },
        { "localhost", "range", "null" },
        { "example.com", "ip", "null" },
        { "A.b.C", "labels", "[a b c]" },
        { "10.0.0.1", "labels", "[]" },
        { "_dmarc.example.com", "name", "_dmarc.example.com" },
        { "1.2.3.com", "name", "1.2.3.com" },
        { "1.2.3.4a", "name", "1.2.3.4a" },
        { "0xg", "name", "0xg" },
        { "10.0.0.1.example.com", "name", "10.0.0.1.example.com" },
        { "a--b.example", "name", "a--b.example" },
        { "xn--bcher-kva.example", "name", "xn--bcher-kva.example" },
        { "XN--BCHER-KVA.example", "name", "xn--bcher-kva.example" },
        { "xn--fsqu00a.xn--0zwm56d", "name", "xn--fsqu00a.xn--0zwm56d" },
    };
    static const Str refused[] = {
        // clang-format off
        STR_INIT(""), STR_INIT("."), STR_INIT(".."), STR_INIT("example.com.."), STR_INIT("a..b"),
        STR_INIT(".a"), STR_INIT("-a.com"), STR_INIT("a-.com"), STR_INIT("a.-b"),
        STR_INIT("exa mple.com"), STR_INIT(" a.com"), STR_INIT("a.com "), STR_INIT("a.com\n"),
        STR_INIT("a\0b.com"), STR_INIT("a.com\0.b.com"), STR_INIT("example.com%2f"),
        STR_INIT("ex%61mple.com"), STR_INIT("example.com/"), STR_INIT("example.com:80"),
        STR_INIT("u@example.com"), STR_INIT("a\\b"), STR_INIT("a,b"), STR_INIT("a!b"),
        STR_INIT("*.example.com"), STR_INIT("b\xC3\xBC" "cher.example"),
        STR_INIT("\xEF\xBC\xA1.com"), STR_INIT("a\xE3\x80\x82" "com"), STR_INIT("a\xC2\xAD" "b.com"),
        STR_INIT("\xE2\x84\x80.com"), STR_INIT("k\xE2\x80\x8B.com"), STR_INIT("stra\xC3\x9F" "e.de"),
        /* not punycode, or of nothing */
        STR_INIT("xn--.com"), STR_INIT("xn--a.com"), STR_INIT("xn--a-.com"), STR_INIT("ab--cd.com"),
        STR_INIT("xn--example.com.xn--"), STR_INIT("xn---a.com"), STR_INIT("xn--99999999.com"),
        STR_INIT("xn--bcher-kva_.com"),
        // clang-format on
    };
    domain_rows_check(&mem, DOMAIN_HOST, rows, COUNT(rows));
    domain_refused_check(&mem, DOMAIN_HOST, refused, COUNT(refused));
}

static void test_ip4_spellings(void)
{
    static const struct domain_row rows[] = {
        { "127.0.0.1", "ip", "127.0.0.1" },
        { "127.0.0.1.", "ip", "127.0.0.1" },
        { "0.0.0.0", "name", "0.0.0.0" },
        { "255.255.255.255", "ip", "255.255.255.255" },
    };
    static const Str refused[] = {
        // clang-format off
        STR_INIT("127.1"), STR_INIT("127.0.1"), STR_INIT("127"), STR_INIT("0"), STR_INIT("00"),
        STR_INIT("2130706433"), STR_INIT("4294967296"), STR_INIT("99999999999999999999"),
        STR_INIT("0x7f000001"), STR_INIT("0X7F000001"), STR_INIT("0x7f.0.0.1"), STR_INIT("0x7f.1"),
        STR_INIT("0x"), STR_INIT("0x."), STR_INIT("a.0x"), STR_INIT("example.0x7f"),
        STR_INIT("0177.0.0.1"), STR_INIT("017700000001"), STR_INIT("127.0.0.01"),
        STR_INIT("012.0.0.1"), STR_INIT("08.0.0.1"), STR_INIT("127.0.0.08"), STR_INIT("1.2.3.4.5"),
        STR_INIT("256.1.1.1"), STR_INIT("1.1.1.256"), STR_INIT("1.2.3.4e1.5"), STR_INIT("a.1"),
        STR_INIT("1.2.3."), STR_INIT(".1.2.3"), STR_INIT("1..2.3"), STR_INIT("+1.2.3.4"),
        STR_INIT("1.2.3.-4"), STR_INIT("1.2.3.4 "), STR_INIT("1.2.3.4\n"), STR_INIT("1.2.3.4.."),
        STR_INIT("\xE2\x91\xA0.\xE2\x91\xA1.3.4"), STR_INIT("\xEF\xBC\x91.2.3.4"),
        STR_INIT("foo.2130706433"), STR_INIT("127.0.0x1"),
        // clang-format on
    };
    domain_rows_check(&mem, DOMAIN_HOST, rows, COUNT(rows));
    domain_refused_check(&mem, DOMAIN_HOST, refused, COUNT(refused));
}

static void test_ip6_spellings(void)
{
    static const struct domain_row rows[] = {
        { "::1", "ip", "::1" },
        { "[::1]", "ip", "::1" },
        { "::", "ip", "::" },
        { "0:0:0:0:0:0:0:1", "ip", "::1" },
        { "2001:DB8::00A1", "ip", "2001:db8::a1" },
        { "2001:db8:0:0:1:0:0:1", "ip", "2001:db8::1:0:0:1" },
        { "2001:db8:0:1:1:1:1:1", "ip", "2001:db8:0:1:1:1:1:1" },
        { "1::3:4:5:6:7:8", "ip", "1:0:3:4:5:6:7:8" },
        { "1:2:3:4:5:6:7::", "ip", "1:2:3:4:5:6:7:0" },
        { "::ffff:7f00:1", "ip", "127.0.0.1" },
        { "::ffff:127.0.0.1", "name", "127.0.0.1" },
        { "::127.0.0.1", "ip", "::7f00:1" },
        { "64:ff9b::1.2.3.4", "ip", "64:ff9b::102:304" },
        { "1:2:3:4:5:6:1.2.3.4", "ip", "1:2:3:4:5:6:102:304" },
    };
    static const Str refused[] = {
        // clang-format off
        STR_INIT(":"), STR_INIT(":::"), STR_INIT("1:::2"), STR_INIT("1::2::3"), STR_INIT(":1"),
        STR_INIT("1:"), STR_INIT("1:2:3:4:5:6:7"), STR_INIT("1:2:3:4:5:6:7:8:9"),
        STR_INIT("1:2:3:4::5:6:7:8"), STR_INIT("12345::"), STR_INIT("g::1"), STR_INIT("::1%eth0"),
        STR_INIT("fe80::1%25eth0"), STR_INIT("[::1"), STR_INIT("::1]"), STR_INIT("[]"),
        STR_INIT("[[::1]]"), STR_INIT("[::1]."), STR_INIT("[::1]:80"), STR_INIT("::1."),
        STR_INIT("::1.2.3"), STR_INIT("::1.2.3.4.5"), STR_INIT("::01.2.3.4"), STR_INIT("::256.1.1.1"),
        STR_INIT("::0x7f.0.0.1"), STR_INIT("1.2.3.4::"), STR_INIT("::1.2.3.4:5"),
        STR_INIT("1:2:3:4:5:6:7:1.2.3.4"), STR_INIT("[127.0.0.1]"), STR_INIT("[example.com]"),
        STR_INIT("[v1.a]"), STR_INIT("::1 "), STR_INIT(" ::1"), STR_INIT("::\0" "1"), STR_INIT("::1/64"),
        // clang-format on
    };
    domain_rows_check(&mem, DOMAIN_HOST, rows, COUNT(rows));
    domain_refused_check(&mem, DOMAIN_HOST, refused, COUNT(refused));
}

/* The first and the last address of a range, and their neighbours. */
static const struct {
    const char *address, *range;
} ranges[] = {
    { "8.8.8.8", "public" },
    { "1.1.1.1", "public" },
    { "9.255.255.255", "public" },
    { "10.0.0.0", "private" },
    { "10.255.255.255", "private" },
    { "11.0.0.0", "public" },
    { "172.15.255.255", "public" },
    { "172.16.0.0", "private" },
    { "172.31.255.255", "private" },
    { "172.32.0.0", "public" },
    { "192.168.0.0", "private" },
    { "192.168.255.255", "private" },
    { "192.169.0.0", "public" },
    { "100.63.255.255", "public" },
    { "100.64.0.0", "carrier_nat" },
    { "100.127.255.255", "carrier_nat" },
    { "100.128.0.0", "public" },
    { "126.255.255.255", "public" },
    { "127.255.255.255", "loopback" },
    { "128.0.0.0", "public" },
    { "169.254.169.254", "link_local" },
    { "169.255.0.0", "public" },
    { "0.0.0.0", "unspecified" },
    { "0.1.2.3", "unspecified" },
    { "192.0.0.8", "reserved" },
    { "192.0.2.1", "documentation" },
    { "192.88.99.1", "reserved" },
    { "198.17.255.255", "public" },
    { "198.18.0.0", "reserved" },
    { "198.19.255.255", "reserved" },
    { "198.51.100.7", "documentation" },
    { "203.0.113.7", "documentation" },
    { "223.255.255.255", "public" },
    { "224.0.0.1", "multicast" },
    { "239.255.255.255", "multicast" },
    { "240.0.0.1", "reserved" },
    { "255.255.255.255", "reserved" },
    { "::", "unspecified" },
    { "::1", "loopback" },
    { "::2", "unspecified" }, /* 0.0.0.2 */
    { "::127.0.0.1", "loopback" },
    { "::8.8.8.8", "reserved" },
    { "::ffff:8.8.8.8", "public" },
    { "::ffff:10.0.0.1", "private" },
    { "::ffff:169.254.169.254", "link_local" },
    { "::ffff:0:127.0.0.1", "loopback" },
    { "::ffff:0:8.8.8.8", "reserved" },
    { "64:ff9b::10.0.0.1", "private" },
    { "64:ff9b::8.8.8.8", "reserved" },
    { "64:ff9b:1::1", "reserved" },
    { "2002:7f00:1::", "loopback" },
    { "2002:808:808::1", "reserved" },
    { "100::1", "reserved" },
    { "2001::1", "reserved" },
    { "2001:1ff:ffff::1", "reserved" },
    { "2001:200::1", "public" },
    { "2001:db8::1", "documentation" },
    { "2606:4700::1111", "public" },
    { "3fff:fff::1", "documentation" },
    { "3fff:1000::1", "public" },
    { "4000::1", "reserved" },
    { "5f00::1", "reserved" },
    { "fbff::1", "reserved" },
    { "fc00::1", "unique_local" },
    { "fdff:ffff::1", "unique_local" },
    { "fe00::1", "reserved" },
    { "fe80::1", "link_local" },
    { "febf::1", "link_local" },
    { "fec0::1", "private" },
    { "ff02::1", "multicast" },
};

static void test_ranges(void)
{
    for (size_t i = 0; i < COUNT(ranges); i++) {
        Address address;
        CHECK_ROW(ip_parse(str_of(ranges[i].address), &address) &&
                      str_eq(ip_range(address), str_of(ranges[i].range)),
                  "%s is not %s", ranges[i].address, ranges[i].range);
    }
}

static void test_prefixes(void)
{
    static const struct {
        const char *cidr, *address;
        bool is_inside;
    } rows[] = {
        { "10.0.0.0/8", "10.255.0.1", true },
        { "10.0.0.0/8", "11.0.0.0", false },
        { "10.0.0.0/8", "::ffff:10.0.0.1", true },
        { "10.0.0.0/8", "a00::", false },
        { "0.0.0.0/0", "1.2.3.4", true },
        { "0.0.0.0/0", "::1", false },
        { "::/0", "::1", true },
        { "::/0", "1.2.3.4", true },
        { "1.2.3.4", "1.2.3.4", true },
        { "1.2.3.4/32", "1.2.3.5", false },
        { "1.2.3.4/31", "1.2.3.5", true },
        { "fe80::/10", "febf::1", true },
        { "fe80::/10", "fec0::1", false },
        { "::1/128", "::1", true },
        { "::ffff:10.0.0.0/104", "10.1.1.1", true },
    };
    static const char *const refused[] = {
        "",
        "/",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "10.0.0.0/-1",
        "10.0.0.1/8",
        "10.0.0/8",
        "10/8",
        "010.0.0.0/8",
        "0xa.0.0.0/8",
        "::/129",
        "::1/127",
        "fe80::1%1/64",
        "[::]/0",
        "10.0.0.0/8/8",
        "10.0.0.0/8 ",
        " 10.0.0.0/8",
        "x/8",
        "1.2.3.4/4294967328",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cidr cidr;
        Address address;
        CHECK_ROW(ip_parse_cidr(str_of(rows[i].cidr), &cidr) &&
                      ip_parse(str_of(rows[i].address), &address) &&
                      ip_in_cidr(address, &cidr) == rows[i].is_inside,
                  "%s in %s", rows[i].address, rows[i].cidr);
    }
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct cidr cidr;
        CHECK_ROW(!ip_parse_cidr(str_of(refused[i]), &cidr), "%s", refused[i]);
    }
}

/* What libc takes and we do too, in both directions; its printer differs only where it writes
 * dotted decimal. */
static void check_like_libc(Str text)
{
    char plain[TEXT_ROOM];
    unsigned char bytes[16];
    Address address, again;
    memcpy(plain, text.p, text.n);
    plain[text.n] = '\0';
    bool is_theirs = inet_pton(AF_INET6, plain, bytes) == 1, is_ours = ip6_read(text, &address);
    CHECK_ROW(is_theirs == is_ours, "%s: libc and we differ", plain);
    if (!is_ours || !is_theirs)
        return;
    CHECK_ROW(memcmp(bytes, address.bytes, sizeof bytes) == 0, "%s: other bytes", plain);
    Str canonical = ip_text(address, &mem);
    CHECK_ROW(ip_parse(canonical, &again) && again.is_v4 == address.is_v4 &&
                  memcmp(again.bytes, bytes, sizeof bytes) == 0,
              "%s: %.*s is another address", plain, STR_ARG(canonical));
    CHECK_ROW(canonical.n <= text.n + 1, "%s: %.*s is longer", plain, STR_ARG(canonical));
    char printed[INET6_ADDRSTRLEN];
    bool has_print = inet_ntop(AF_INET6, bytes, printed, sizeof printed) != NULL;
    CHECK_ROW(has_print && (strchr(printed, '.') || str_eq(str_of(printed), canonical)),
              "%s: %.*s and %s", plain, STR_ARG(canonical), printed);
}

static void test_ip6_like_libc(void)
{
    static const Str pieces[] = {
        STR_INIT(":"),       STR_INIT(":"),     STR_INIT(":"),     STR_INIT("::"),
        STR_INIT("0:"),      STR_INIT("0:"),    STR_INIT("0"),     STR_INIT("1"),
        STR_INIT("ff"),      STR_INIT("abcd:"), STR_INIT("ffff:"), STR_INIT("1.2.3.4"),
        STR_INIT("0.0.0.0"), STR_INIT("."),     STR_INIT("01"),    STR_INIT("1:2:"),
    };
    uint32_t seed = 7;
    for (size_t i = 0; i < TEXTS; i++) {
        char text[TEXT_ROOM];
        size_t n = domain_random_text(&seed, pieces, COUNT(pieces), text, sizeof text - 1);
        check_like_libc((Str){ .p = text, .n = n });
        arena_rewind(&mem);
    }
}

/* No text that inet_aton takes for an address passes for a name. */
static void check_name(Str text, const struct json_doc *doc)
{
    char plain[TEXT_ROOM];
    struct in_addr theirs;
    struct json_doc again;
    Str name = json_member_string(doc, 0, STR("name")), ip = json_member_string(doc, 0, STR("ip"));
    memcpy(plain, text.p, text.n);
    plain[text.n] = '\0';
    CHECK_ROW(ip.p || inet_aton(plain, &theirs) == 0, "%s passes for a name", plain);
    CHECK_ROW(domain_read(DOMAIN_HOST, name, &mem, &again) &&
                  str_eq(json_member_string(&again, 0, STR("name")), name),
              "%.*s reads as another host than %s", STR_ARG(name), plain);
    CHECK_ROW(domain_result_size(doc) <= domain_result_limit(DOMAIN_HOST, text), "%s: too large",
              plain);
}

static void test_properties(void)
{
    static const Str pieces[] = {
        STR_INIT("."),   STR_INIT("."),   STR_INIT("a"),   STR_INIT("B"),
        STR_INIT("1"),   STR_INIT("0x"),  STR_INIT("f"),   STR_INIT("07"),
        STR_INIT("10"),  STR_INIT("255"), STR_INIT("-"),   STR_INIT("xn--"),
        STR_INIT("kva"), STR_INIT("_"),   STR_INIT("com"), STR_INIT("4294967295"),
    };
    uint32_t seed = 3, accepted = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        char text[TEXT_ROOM];
        struct json_doc doc;
        size_t n = domain_random_text(&seed, pieces, COUNT(pieces), text, sizeof text - 1);
        Str whole = { .p = text, .n = n };
        if (domain_read(DOMAIN_HOST, whole, &mem, &doc)) {
            accepted++;
            check_name(whole, &doc);
        }
        arena_rewind(&mem);
    }
    CHECK(accepted > TEXTS / 20);
}

static void test_punycode(void)
{
    static const char *const valid[] = {
        "bcher-kva",
        "fsqu00a",
        "0zwm56d",
        "p1ai",
        "80ak6aa92e",
        "n3h",
        "maana-pta",
        "j6w193g",
        "ls8h",
        "3e0b707e",
        "egbpdaj6bu4bxfgehfvwxn",
        "ihqwcrb4cv8a8dqg056pqjye",
        "d9juau41awczczp",
    };
    static const char *const refused[] = {
        "",
        "-",
        "--",
        "-a",
        "a",
        "a-",

        "999999b",
        "0",
        "BCHER-KVA",
        "b\xC3\xBC",

        "99999999999999999999999999999999999999999999999999999999999a",
    };
    for (size_t i = 0; i < COUNT(valid); i++)
        CHECK_ROW(punycode_is_valid(str_of(valid[i])), "%s", valid[i]);
    for (size_t i = 0; i < COUNT(refused); i++)
        CHECK_ROW(!punycode_is_valid(str_of(refused[i])), "%s", refused[i]);
}

static void test_limits(void)
{
    char text[600];
    struct json_doc doc;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 64 == 63 ? '.' : 'x';
    CHECK(domain_read(DOMAIN_HOST, (Str){ .p = text, .n = 253 }, &mem, &doc));
    CHECK(domain_read(DOMAIN_HOST, (Str){ .p = text, .n = 63 }, &mem, &doc));
    CHECK(!domain_read(DOMAIN_HOST, (Str){ .p = text, .n = 254 }, &mem, &doc));
    CHECK(!domain_read(DOMAIN_HOST, (Str){ .p = text, .n = 600 }, &mem, &doc));
    text[63] = 'x';
    CHECK(!domain_read(DOMAIN_HOST, (Str){ .p = text, .n = 64 }, &mem, &doc));
    arena_rewind(&mem);
    for (size_t limit = 0; limit < 8192; limit += 64) {
        struct arena small;
        arena_init(&small, limit);
        if (domain_read(DOMAIN_HOST, STR("A.b.c"), &small, &doc))
            CHECK_STR(json_member_string(&doc, 0, STR("name")), STR("a.b.c"));
        arena_reset(&small);
    }
}

int main(void)
{
    arena_init(&mem, MEMORY);
    RUN(test_names);
    RUN(test_ip4_spellings);
    RUN(test_ip6_spellings);
    RUN(test_ranges);
    RUN(test_prefixes);
    RUN(test_ip6_like_libc);
    RUN(test_properties);
    RUN(test_punycode);
    RUN(test_limits);
    arena_reset(&mem);
    return check_finish();
}
