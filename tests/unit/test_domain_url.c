/* SPDX-License-Identifier: Apache-2.0 */
/* test_domain_url.c - URLs: what clients repair, confuse and disagree about, and what must hold of
 * every URL that is read. libcurl's reader is the second opinion here.
 *
 * With --print it reads lines, each a JSON string that holds a URL, and answers each with the JSON
 * of what it found or "-": for the comparison with a WHATWG reader
 * (tests/node/url_differential.mjs). */
#include "tests/unit/curl_agree.h"
#include "tests/unit/domain_rows.h"

enum {
    MEMORY = 64 << 20,
    TEXTS = 200000,
    TEXT_ROOM = 512,
    LINE_BYTES = 1 << 16,
    URL_MOST = 8192,
};

static struct arena mem;

static void test_authority(void)
{
    static const struct domain_row rows[] = {
        { "https://Docs.Example.com/a/b?x=1#y", "host", "docs.example.com" },
        { "https://example.com", "port", "443" },
        { "http://example.com", "port", "80" },
        { "ws://example.com", "port", "80" },
        { "wss://example.com", "port", "443" },
        { "ftp://example.com/x", "port", "21" },
        { "http://example.com:8080/", "port", "8080" },
        { "https://example.com:443/", "port", "443" },
        { "https://example.com:65535/", "port", "65535" },
        { "HTTPS://example.com/", "scheme", "https" },
        { "https://example.com/", "userinfo", "false" },
        { "https://user@example.com/", "userinfo", "true" },
        { "https://user:pass@example.com/", "userinfo", "true" },
        { "https://@example.com/", "userinfo", "true" },
        { "https://example.com@evil.com/", "host", "evil.com" },
        { "https://example.com:443@evil.com/", "host", "evil.com" },
        { "https://evil.com/@example.com", "host", "evil.com" },
        { "https://evil.com/#@example.com/", "host", "evil.com" },
        { "https://evil.com/?@example.com/", "host", "evil.com" },
        { "https://example.com.evil.com/", "host", "example.com.evil.com" },
        { "https://example.com./", "host", "example.com" },
        { "https://xn--bcher-kva.example/", "host", "xn--bcher-kva.example" },
        { "http://127.0.0.1./", "range", "loopback" },
        { "http://127.0.0.1/", "ip", "127.0.0.1" },
        { "http://[::1]/", "range", "loopback" },
        { "http://[::1]:8080/", "port", "8080" },
        { "http://[0:0:0:0:0:0:0:1]/", "host", "::1" },
        { "http://[::ffff:169.254.169.254]/", "range", "link_local" },
        { "http://[::ffff:a9fe:a9fe]/latest", "ip", "169.254.169.254" },
        { "http://[fd00:ec2::254]/", "range", "unique_local" },
        { "http://localhost/", "range", "null" },
    };
    domain_rows_check(&mem, DOMAIN_URL, rows, COUNT(rows));
}

static void test_authority_refused(void)
{
    static const Str rows[] = {
        // clang-format off
        STR_INIT(""), STR_INIT("https"), STR_INIT("https:"), STR_INIT("https://"), STR_INIT("://a"),
        /* repaired by browsers, each in its way */
        STR_INIT("https:/example.com/"), STR_INIT("https:example.com"),
        STR_INIT("https:///example.com"), STR_INIT("https:////example.com"),
        STR_INIT("https:\\\\example.com"), STR_INIT("https:/\\example.com"),
        STR_INIT("https:\\/example.com"), STR_INIT("//example.com/"), STR_INIT("/a"),
        STR_INIT("example.com"), STR_INIT("?x"), STR_INIT(" https://example.com/"),
        STR_INIT("https://example.com/ "), STR_INIT("https://example.com/\n"),
        STR_INIT("\xEF\xBB\xBFhttps://example.com/"), STR_INIT("\x01https://example.com/"),
        STR_INIT("ht\ntps://example.com/"), STR_INIT("https://exam\tple.com/"),
        STR_INIT("https://example\r\n.com/"), STR_INIT("https://exa mple.com/"),
        STR_INIT("https://example.com\0.evil.com/"), STR_INIT("https://example.com/\0"),
        /* other schemes */
        STR_INIT("javascript:alert(1)"), STR_INIT("file:///etc/passwd"), STR_INIT("data:,x"),
        STR_INIT("gopher://h:70/_x"), STR_INIT("dict://h/"), STR_INIT("httpss://h/"),
        STR_INIT("blob:https://example.com/x"), STR_INIT("view-source:https://example.com/"),
        STR_INIT("jar:https://example.com!/"), STR_INIT("unix:///x"), STR_INIT("http+unix://x/"),
        STR_INIT("url:https://example.com/"), STR_INIT("https\xEF\xBC\x9A//example.com"),
        /* userinfo and its end */
        STR_INIT("https://a@b@c.com/"), STR_INIT("https://evil.com\\@example.com/"),
        STR_INIT("https://evil.com%5c@example.com@x.com/"), STR_INIT("https://evil.com#@example.com/"),
        STR_INIT("https://evil.com?@example.com/"), STR_INIT("https://evil.com?x#y@example.com"),
        STR_INIT("https://a:b@/"), STR_INIT("https://@/"), STR_INIT("https://[@example.com]/"),
        STR_INIT("https://u[x]@example.com/"), STR_INIT("https://[::1]@example.com/"),
        STR_INIT("https://example.com%40evil.com/"), STR_INIT("https://example.com&@evil.com#@x.com/"),
        /* ports */
        STR_INIT("https://example.com:/"), STR_INIT("https://example.com:0/"),
        STR_INIT("https://example.com:080/"), STR_INIT("https://example.com:65536/"),
        STR_INIT("https://example.com:99999/"), STR_INIT("https://example.com:+80/"),
        STR_INIT("https://example.com:-1/"), STR_INIT("https://example.com:8a/"),
        STR_INIT("https://example.com:80:443/"), STR_INIT("http://127.0.0.1:11211:80/"),
        STR_INIT("https://example.com: 80/"), STR_INIT("https://example.com:4294967376/"),
        STR_INIT("https://:80/"), STR_INIT("https://example.com:80%20/"),
        /* spellings of addresses */
        STR_INIT("http://2130706433/"), STR_INIT("http://0x7f000001/"), STR_INIT("http://0x7f.1/"),
        STR_INIT("http://0177.0.0.1/"), STR_INIT("http://017700000001/"), STR_INIT("http://127.1/"),
        STR_INIT("http://0/"), STR_INIT("http://0x/"), STR_INIT("http://1.2.3/"),
        STR_INIT("http://256.256.256.256/"), STR_INIT("http://1.2.3.4.5/"), STR_INIT("http://1.2.3.08/"),
        STR_INIT("http://foo.0x4/"), STR_INIT("http://127.0.0.1%2f/"), STR_INIT("http://127。0。0。1/"),
        STR_INIT("http://\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.0.0.1/"), STR_INIT("http://%31%32%37.0.0.1/"),
        STR_INIT("http://::1/"), STR_INIT("http://[::1/"), STR_INIT("http://::1]/"), STR_INIT("http://[]/"),
        STR_INIT("http://[::1]x/"), STR_INIT("http://x[::1]/"), STR_INIT("http://[::1]:/"),
        STR_INIT("http://[fe80::1%25eth0]/"), STR_INIT("http://[fe80::1%eth0]/"), STR_INIT("http://[127.0.0.1]/"),
        STR_INIT("http://[::127.0.0.01]/"), STR_INIT("http://[v7.x]/"), STR_INIT("http://[example.com]/"),
        /* hosts */
        STR_INIT("https://ex%61mple.com/"), STR_INIT("https://example%2ecom/"), STR_INIT("https://a..b/"),
        STR_INIT("https://.example.com/"), STR_INIT("https://example.com../"), STR_INIT("https://-a.com/"),
        STR_INIT("https://b\xC3\xBC" "cher.example/"), STR_INIT("https://\xE2\x84\x80.com/"),
        STR_INIT("https://ex\xC2\xAD" "ample.com/"), STR_INIT("https://example.com\xEF\xBC\x8F.evil.com/"),
        STR_INIT("https://xn--a/"), STR_INIT("https://xn--/"), STR_INIT("https://a,b/"), STR_INIT("https://*.a.com/"),
        STR_INIT("https://a<b/"), STR_INIT("https://a|b/"), STR_INIT("https://a^b/"), STR_INIT("https://$x/"),
        STR_INIT("https://example.com;evil.com/"), STR_INIT("https://a'b/"), STR_INIT("https://a!b/"),
        // clang-format on
    };
    domain_refused_check(&mem, DOMAIN_URL, rows, COUNT(rows));
}

static void test_path(void)
{
    static const struct domain_row rows[] = {
        { "https://example.com", "path", "/" },
        { "https://example.com", "parts", "[]" },
        { "https://example.com/", "path", "/" },
        { "https://example.com?x", "path", "/" },
        { "https://example.com#x", "path", "/" },
        { "https://example.com/a/../b", "path", "/b" },
        { "https://example.com/a/..", "path", "/" },
        { "https://example.com/a/b/..", "path", "/a/" },
        { "https://example.com/a/.", "path", "/a/" },
        { "https://example.com/a/./b/", "path", "/a/b/" },
        { "https://example.com/a/./b/", "parts", "[a b]" },
        { "https://example.com/./a", "path", "/a" },
        { "https://example.com/a/...", "path", "?" },
        { "https://example.com/.a/..b", "path", "/.a/..b" },
        { "https://example.com/a%20b", "path", "/a b" },
        { "https://example.com/%C3%A9", "path", "/\xC3\xA9" },
        { "https://example.com/a+b", "path", "/a+b" },
        { "https://example.com/%41%7a", "path", "/Az" },
        { "https://example.com/~u/@x/$y,(z)!*'=:&", "path", "/~u/@x/$y,(z)!*'=:&" },
        { "https://example.com/[a]", "path", "/[a]" },
        { "https://example.com/a?b/../c", "path", "/a" },
        { "https://example.com/a#/../c", "path", "/a" },
    };
    static const Str refused[] = {
        // clang-format off
        STR_INIT("https://example.com/.."), STR_INIT("https://example.com/../b"),
        STR_INIT("https://example.com/a/../../b"), STR_INIT("https://example.com//a"),
        STR_INIT("https://example.com//"), STR_INIT("https://example.com/a//b"),
        STR_INIT("https://example.com/a//"), STR_INIT("https://example.com/a/..//b"),
        STR_INIT("https://example.com/a/%2e%2e/b"), STR_INIT("https://example.com/a/%2E./b"),
        STR_INIT("https://example.com/a/.%2e/b"), STR_INIT("https://example.com/%2e/b"),
        STR_INIT("https://example.com/a%2fb"), STR_INIT("https://example.com/a%2Fb"),
        STR_INIT("https://example.com/a%5cb"), STR_INIT("https://example.com/a\\b"),
        STR_INIT("https://example.com/a%00b"), STR_INIT("https://example.com/a%0d%0ab"),
        STR_INIT("https://example.com/a%09b"), STR_INIT("https://example.com/a%7fb"),
        STR_INIT("https://example.com/a%252fb"), STR_INIT("https://example.com/a%25"),
        STR_INIT("https://example.com/a%25%32%65"), STR_INIT("https://example.com/a%2"),
        STR_INIT("https://example.com/a%"), STR_INIT("https://example.com/a%zz"),
        STR_INIT("https://example.com/a%u002f"), STR_INIT("https://example.com/a%3fb"),
        STR_INIT("https://example.com/a%23b"), STR_INIT("https://example.com/a;b"),
        STR_INIT("https://example.com/..;/b"), STR_INIT("https://example.com/a%3bb"),
        STR_INIT("https://example.com/a."), STR_INIT("https://example.com/a%20"),
        STR_INIT("https://example.com/a./b"), STR_INIT("https://example.com/..%20/b"),
        STR_INIT("https://example.com/%c0%af"), STR_INIT("https://example.com/%c0%ae%c0%ae/b"),
        STR_INIT("https://example.com/%e0%80%af"), STR_INIT("https://example.com/%ff"),
        STR_INIT("https://example.com/%c3"), STR_INIT("https://example.com/%c3/%a9"),
        STR_INIT("https://example.com/%ef%bc%8f"), STR_INIT("https://example.com/%ef%bc%8e%ef%bc%8e/b"),
        STR_INIT("https://example.com/%e2%80%8b"), STR_INIT("https://example.com/%ed%a0%80"),
        STR_INIT("https://example.com/\xC3\xA9"), STR_INIT("https://example.com/a b"),
        STR_INIT("https://example.com/a\tb"), STR_INIT("https://example.com/<x>"),
        STR_INIT("https://example.com/\"x\""), STR_INIT("https://example.com/`x`"),
        STR_INIT("https://example.com/{x}"), STR_INIT("https://example.com/a|b"),
        STR_INIT("https://example.com/a^b"), STR_INIT("https://example.com/?\xC3\xA9"),
        STR_INIT("https://example.com/?a b"), STR_INIT("https://example.com/?\\"),
        STR_INIT("https://example.com/#\n"),
        // clang-format on
    };
    domain_rows_check(&mem, DOMAIN_URL, rows, COUNT(rows));
    domain_refused_check(&mem, DOMAIN_URL, refused, COUNT(refused));
}

static void test_query(void)
{
    static const struct domain_row rows[] = {
        { "https://example.com?x", "query", "x" },
        { "https://example.com/?x=%2f&y[]=1", "query", "x=%2f&y[]=1" },
        { "https://example.com/?a?b", "query", "a?b" },
        { "https://example.com/?", "query", "" },
        { "https://example.com/", "query", "null" },
        { "https://example.com/#?x", "query", "null" },
        { "https://example.com/#?x", "fragment", "?x" },
        { "https://example.com/?a#b#c", "fragment", "b#c" },
        { "https://example.com/#", "fragment", "" },
        { "https://example.com/", "fragment", "null" },
        { "https://example.com/?u=https://evil.com@x/..", "host", "example.com" },
    };
    domain_rows_check(&mem, DOMAIN_URL, rows, COUNT(rows));
}

/* The URL written again from what was found, each byte of the path escaped that may be. */
static Str write_again(const struct json_doc *doc, struct buf *out)
{
    Str host = json_member_string(doc, 0, STR("host")),
        path = json_member_string(doc, 0, STR("path"));
    Str query = json_member_string(doc, 0, STR("query"));
    bool is_v6 = memchr(host.p, ':', host.n) != NULL;
    Str port = json_text(json_at(doc, json_member(doc, 0, STR("port"))));
    buf_clear(out);
    buf_printf(out, "%.*s://%s%.*s%s:%.*s", STR_ARG(json_member_string(doc, 0, STR("scheme"))),
               is_v6 ? "[" : "", STR_ARG(host), is_v6 ? "]" : "", STR_ARG(port));
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '/' || path.p[i] == '.')
            buf_add_char(out, path.p[i]);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)path.p[i]);
    }
    if (query.p)
        buf_printf(out, "?%.*s", STR_ARG(query));
    return buf_str(out);
}

static void check_url(Str text, const struct json_doc *doc, struct buf *out)
{
    static const Str same[] = { STR_INIT("scheme"), STR_INIT("host"), STR_INIT("ip"),
                                STR_INIT("range"),  STR_INIT("path"), STR_INIT("query") };
    struct json_doc again;
    Str written = write_again(doc, out);
    bool is_certain = domain_read(DOMAIN_URL, written, &mem, &again);
    CHECK_ROW(is_certain, "%.*s is refused, %.*s is not", STR_ARG(written), STR_ARG(text));
    for (size_t i = 0; i < COUNT(same) && is_certain; i++)
        CHECK_ROW(
            str_eq(json_member_string(doc, 0, same[i]), json_member_string(&again, 0, same[i])),
            "%.*s: another %.*s than %.*s", STR_ARG(written), STR_ARG(same[i]), STR_ARG(text));
    CHECK_ROW(domain_result_size(doc) <= domain_result_limit(DOMAIN_URL, text), "%.*s: too large",
              STR_ARG(text));
    CHECK_ROW(curl_agrees(text, doc, &mem), "%.*s: curl differs", STR_ARG(text));
}

static void test_properties(void)
{
    static const Str pieces[] = {
        STR_INIT("/"),      STR_INIT("/"),         STR_INIT("a"),    STR_INIT(".."),
        STR_INIT("."),      STR_INIT("%20"),       STR_INIT("%2e"),  STR_INIT("?"),
        STR_INIT("#"),      STR_INIT("@"),         STR_INIT(":"),    STR_INIT("80"),
        STR_INIT("[::1]"),  STR_INIT("b.c"),       STR_INIT("\\"),   STR_INIT(";"),
        STR_INIT("%c3%a9"), STR_INIT("127.0.0.1"), STR_INIT("0x7f"), STR_INIT("h.example"),
        STR_INIT("/x/"),    STR_INIT("/../"),
    };
    static const Str starts[] = { STR_INIT("https://"), STR_INIT("http://h"), STR_INIT("WS://a.b/"),
                                  STR_INIT("ftp://u@h/"), STR_INIT("https://h/a/b") };
    uint32_t seed = 11, accepted = 0;
    struct buf out;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < TEXTS; i++) {
        char text[TEXT_ROOM];
        struct json_doc doc;
        Str start = starts[domain_random(&seed) % COUNT(starts)];
        memcpy(text, start.p, start.n);
        size_t n = start.n + domain_random_text(&seed, pieces, COUNT(pieces), text + start.n,
                                                sizeof text - start.n);
        Str whole = { .p = text, .n = n };
        if (domain_read(DOMAIN_URL, whole, &mem, &doc)) {
            accepted++;
            check_url(whole, &doc, &out);
        }
        arena_rewind(&mem);
    }
    CHECK(accepted > TEXTS / 40);
    buf_free(&out);
}

static void test_limits(void)
{
    char text[URL_MOST + 1];
    struct json_doc doc;
    memset(text, 'x', sizeof text);
    memcpy(text, "https://example.com/", 20);
    CHECK(domain_read(DOMAIN_URL, (Str){ .p = text, .n = URL_MOST }, &mem, &doc));
    CHECK(!domain_read(DOMAIN_URL, (Str){ .p = text, .n = URL_MOST + 1 }, &mem, &doc));
    for (size_t i = 21; i < sizeof text; i += 2)
        text[i] = '/';
    CHECK(domain_read(DOMAIN_URL, (Str){ .p = text, .n = 20 + 512 }, &mem, &doc));
    CHECK(!domain_read(DOMAIN_URL, (Str){ .p = text, .n = 20 + 514 }, &mem, &doc));
    arena_rewind(&mem);
    for (size_t limit = 0; limit < 8192; limit += 64) {
        struct arena small;
        arena_init(&small, limit);
        if (domain_read(DOMAIN_URL, STR("https://u@h.example:1/a/../%41?q#f"), &small, &doc))
            CHECK_STR(json_member_string(&doc, 0, STR("path")), STR("/A"));
        arena_reset(&small);
    }
}

/* ------------------------------- --print -------------------------------- */

static void print_member(const struct json_doc *doc, uint32_t at, struct buf *out)
{
    const struct json_node *node = json_at(doc, at);
    json_write_string(out, json_key(node));
    buf_add_char(out, ':');
    if (node->type == JSON_STRING)
        json_write_string(out, json_text(node));
    else
        buf_add(out, node->type == JSON_ARRAY ? STR("[]") : json_text(node));
}

static void print_line(Str line, struct buf *out)
{
    struct json_doc text, doc;
    buf_clear(out);
    if (json_parse(line, &json_limits_default, &mem, &text, NULL) != JSON_ERR_NONE ||
        !domain_read(DOMAIN_URL, json_text(json_at(&text, 0)), &mem, &doc)) {
        puts("-");
        return;
    }
    const char *before = "{";
    for (uint32_t i = json_first(&doc, 0); i != JSON_NONE; i = json_after(&doc, 0, i)) {
        buf_printf(out, "%s", before);
        print_member(&doc, i, out);
        before = ",";
    }
    printf("%.*s}\n", STR_ARG(buf_str(out)));
}

static void print_all(void)
{
    static char line[LINE_BYTES];
    struct buf out;
    buf_init(&out, 1 << 20);
    while (fgets(line, sizeof line, stdin)) {
        print_line(str_of(line), &out);
        arena_rewind(&mem);
    }
    buf_free(&out);
}

int main(int argc, char **argv)
{
    arena_init(&mem, MEMORY);
    if (argc > 1 && str_eq(str_of(argv[1]), STR("--print"))) {
        print_all();
        arena_reset(&mem);
        return 0;
    }
    RUN(test_authority);
    RUN(test_authority_refused);
    RUN(test_path);
    RUN(test_query);
    RUN(test_properties);
    RUN(test_limits);
    arena_reset(&mem);
    return check_finish();
}
