/* SPDX-License-Identifier: Apache-2.0 */
/* test_domain_uri.c - the canonical form of a resource's URI: spellings that attacks on path and
 * URL checks have used, and the property that they all break: of what passes, a server that repairs
 * as much as any does makes nothing else. */
#include "runtime/domain/uri.h"
#include "tests/unit/check.h"

enum { MEMORY = 1 << 20, TEXTS = 300000, TEXT_ROOM = 256 };

static struct arena mem;
static uint64_t state = 20261124;

static uint32_t roll(uint32_t sides)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % sides;
}

static bool is_canonical(Str uri)
{
    if (mem.blocks)
        arena_rewind(&mem);
    return uri_is_canonical(uri, &mem);
}

static void check_rows(const char *const *rows, size_t count, bool wants)
{
    for (size_t i = 0; i < count; i++)
        CHECK_ROW(is_canonical(str_of(rows[i])) == wants, "%s: %s", rows[i],
                  wants ? "refused" : "taken");
}

static void test_canonical(void)
{
    static const char *const rows[] = {
        "file:///",
        "file:///work/a.txt",
        "file:///work/a%20b.txt",
        "file:///work/b%C3%BCcher",
        "file:///work/.hidden/..x/...y",
        "file:///C:/x",
        "https://example.com/",
        "https://example.com/a/b/?q=1&r=%2B",
        "https://example.com:8443/a",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://xn--bcher-kva.example/a",
        "note:///today",
        "memo://insights",
        "demo://resource/static/document/features.md",
        "postgres://db.internal:5432/shop/orders",
        "git+ssh://host/a",
        "urn:isbn:0451450523",
        "test:plain",
        "screen://localhost/a",
        "x://h/a;v=1/b",
        "x://h/a,b!c'd(e)*f",
        "x://h/$&'()*+,=:@",
        "urn:a?b=1",
        "https://example.com/?a=%26%3D%2B%23%20&b=/?,:@!$'()*",
        "file:///work/%3Fa%23b%5Bc%5D%20d",
    };
    check_rows(rows, COUNT(rows), true);
}

static void test_scheme(void)
{
    static const char *const rows[] = {
        "",          ":",        "/etc/passwd", "work/a",      "//host/a",
        "1a://h/a",  "+a://h/a", "FILE:///a",   "File:///a",   "Demo://h/a",
        "fi le:///", "file",     "file\t:///a", " file:///a",  "file:///a ",
        "file:",     "note:",    "http:",       "fi%6Ce:///a", "\357\273\277file:///a",
    };
    check_rows(rows, COUNT(rows), false);
}

static void test_steps(void)
{
    static const char *const rows[] = {
        "file:///work/../etc/passwd",
        "file:///work/./a",
        "file:///..",
        "file:///work/..",
        "file:///work/.",
        "file:///work/..;/etc",
        "file:///work/..;x=1/etc",
        "file:///work/%2e%2e/etc",
        "file:///work/%2E%2E/etc",
        "file:///work/.%2e/etc",
        "file:///work/%2E./etc",
        "file:///work/..%2Fetc",
        "file:///work/..%2fetc",
        "file:///work/..%5Cetc",
        "file:///work/..\\etc",
        "file:///work\\..\\etc",
        "file:///work/%252e%252e/etc",
        "file:///work/%25",
        "file:///work/..%3B/etc",
        "file:///work/%C0%AE%C0%AE/etc",
        "file:///work/%C0%AFetc",
        "file:///work/%E0%80%AF",
        "file:///work/%EF%BC%8E%EF%BC%8E/etc",
        "file:///work/%E2%80%A5/etc",
        "file:///work/a%00.txt",
        "file:///work/a%0A",
        "file:///work//secret",
        "file:////etc/passwd",
        "file:///work/",
        "file:///work/secret.",
        "file:///work/secret%20",
        "file:///work/secret%C2%A0",
        "demo://h/../x",
        "demo://../x",
        "demo://h//x",
        "https://example.com/a//b",
        "https://example.com/a/..",
        "urn:a/../b",
        "urn:../b",
        "x:.",
    };
    check_rows(rows, COUNT(rows), false);
}

static void test_escapes(void)
{
    static const char *const rows[] = {
        "file:///work/%61",        "file:///work/%41",       "file:///work/a%2Db",
        "file:///work/%7E",        "file:///work/%",         "file:///work/%4",
        "file:///work/%zz",        "file:///work/%c3%bc",    "file:///work/%C3",
        "file:///work/%ED%A0%80",  "file:///work/%FF",       "file:///w%E2%80%AEork",
        "file:///work/a%E2%80%8B", "file:///work/\xC3\xBC",  "file:///work/<a>",
        "file:///work/a|b",        "file:///work/a^b",       "file:///work/{a}",
        "file:///work/a`b",        "file:///work/\"a\"",     "file:///work/a b",
        "https://h.example/?%2E",  "https://h.example/?%5C", "https://h.example/?%2525",
    };
    check_rows(rows, COUNT(rows), false);
    CHECK(!is_canonical(STR("file:///work/a\0b")));
    CHECK(!is_canonical(STR("file:///work/a\nb")));
}

/* What may stand as it is has no escape, and what may not has no other way: each was once a second
 * name of a resource that a deny rule named by the first. */
static void test_one_spelling(void)
{
    static const char unescaped[] = "!$&'()*+,=:@";
    static const char *const rows[] = {
        "https://h.example/?a=b+c", /* a blank to readers of forms, a plus to others */
        "https://h.example/?a=%2C",
        "https://h.example/?a=%3A",
        "https://h.example/?a=%3F",
        "https://h.example/?a=%40",
        "https://h.example/?a=[b]",
        "https://h.example/a[b]",
        "file:///work/a[b]",
        "file:///work/a]",
        "x://h/[a",
        "urn:isbn%3A0451450523",
        "urn:[a]",
        "urn:a?",
        "urn:a?b#c",
        "x://h/a?b=%24",
    };
    for (size_t i = 0; i + 1 < sizeof unescaped; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "file:///work/a%cb", unescaped[i]);
        CHECK_ROW(is_canonical(str_of(text)), "%s", text);
        (void)snprintf(text, sizeof text, "file:///work/a%%%02Xb", (unsigned)unescaped[i]);
        CHECK_ROW(!is_canonical(str_of(text)), "%s", text);
    }
    check_rows(rows, COUNT(rows), false);
}

static void test_authority(void)
{
    static const char *const rows[] = {
        "https://user@example.com/",
        "https://user:pw@example.com/",
        "https://good.example@evil.example/",
        "demo://user@h/a",
        "https://EXAMPLE.com/",
        "demo://Host/a",
        "https://example.com./",
        "demo://h./a",
        "demo://a..b/c",
        "https://example.com",
        "https:///a",
        "https://",
        "demo://",
        "https:example.com/",
        "https:/example.com/",
        "https:////example.com/",
        "https://example.com:443/",
        "http://example.com:80/",
        "https://example.com:/",
        "https://example.com:0443/",
        "https://example.com:65536/",
        "https://example.com:0/",
        "demo://h:/a",
        "demo://:80/a",
        "https://127.1/",
        "https://0x7f.0.0.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://[::0001]/",
        "https://[::1/",
        "https://[::FFFF:1.2.3.4]/",
        "https://ex%61mple.com/",
        "demo://h%2Fb/a",
        "https://b\303\274cher.example/",
        "https://example.com\\a",
        "https://example.com\\@evil.example/",
        "file://localhost/etc/passwd",
        "file://server/share",
        "file:/etc/passwd",
        "file:etc/passwd",
        "note:/today",
    };
    check_rows(rows, COUNT(rows), false);
}

static void test_query_and_fragment(void)
{
    static const char *const rows[] = {
        "file:///a?b",
        "file:///a?",
        "https://example.com/a?",
        "https://example.com/a#b",
        "https://example.com/a#",
        "file:///a#/../b",
        "https://example.com?a",
        "memo://insights?",
    };
    check_rows(rows, COUNT(rows), false);
}

static void test_limits(void)
{
    static char text[URI_BYTES_MAX + 2];
    memset(text, 'a', sizeof text);
    memcpy(text, "file:///", 8);
    CHECK(is_canonical((Str){ .p = text, .n = URI_BYTES_MAX }));
    CHECK(!is_canonical((Str){ .p = text, .n = URI_BYTES_MAX + 1 }));
    struct arena none;
    arena_init(&none, 0);
    CHECK(!uri_is_canonical(STR("file:///a"), &none));
    arena_reset(&none);
}

static void test_templates(void)
{
    static const struct {
        const char *text;
        bool wants;
    } rows[] = {
        { "file:///work/{path}", true },     { "demo://resource/dynamic/text/{resourceId}", true },
        { "https://{host}/a{?q,r}", true },  { "x://h/{+path}", true },
        { "file:///work/a", true },          { "FILE:///{path}", false },
        { "file:///work/../{path}", false }, { "file:///work/{path", false },
        { "file:///work/path}", false },     { "file:///work/{}", false },
        { "file:///work/{a{b}}", false },    { "file:///%2e%2e/{path}", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(uri_template_is_canonical(str_of(rows[i].text), &mem) == rows[i].wants, "%s",
                  rows[i].text);
    CHECK(uri_has_scheme(STR("File:x")) && !uri_has_scheme(STR("review")));
    CHECK(!uri_has_scheme(STR("a b:c")) && !uri_has_scheme(STR(":x")) && !uri_has_scheme(STR("")));
}

/* ------------------------------ the property ---------------------------- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static char *undo_once(char *text)
{
    char *to = text;
    for (const char *at = text; *at;) {
        int high = *at == '%' ? hex_digit(at[1]) : -1, low = high >= 0 ? hex_digit(at[2]) : -1;
        if (low >= 0) {
            *to++ = (char)(high << 4 | low);
            at += 3;
        } else {
            *to++ = *at++;
        }
    }
    *to = '\0';
    return text;
}

/* What a helpful server might make of it: escapes undone twice, backslashes turned, letters of
 * scheme and host made small, parameters cut off, slashes folded, steps taken, a slash at a file's
 * end dropped. The text is changed in place. */
static void repair(char *text)
{
    char out[TEXT_ROOM * 2], *parts[TEXT_ROOM] = { NULL };
    size_t count = 0;
    (void)undo_once(undo_once(text));
    for (char *c = text; *c; c++)
        *c = *c == '\\' ? '/' : *c;
    bool is_file = strncmp(text, "file:", 5) == 0;
    char *colon = strchr(text, ':'), *rest;
    for (char *part = strtok_r(colon + 1, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
        char *end = strchr(part, ';');
        size_t before = end ? (size_t)(end - part) : 0;
        bool is_step = (before == 1 || before == 2) && strncmp(part, "..", before) == 0;
        if (is_step)
            *end = '\0';
        if (strcmp(part, "..") == 0)
            count -= count > 0;
        else if (strcmp(part, ".") != 0)
            parts[count++] = part;
    }
    *colon = '\0';
    int n = snprintf(out, sizeof out, "%s:%s", text, is_file ? "///" : "//");
    for (size_t i = 0; i < count; i++)
        n += snprintf(out + n, sizeof out - (size_t)n, "%s%s", i ? "/" : "", parts[i]);
    memcpy(text, out, (size_t)n + 1);
}

/* What a canonical URI must be after repair: itself, its escapes undone, without a last slash. */
static void plain(char *text)
{
    size_t n = strlen(undo_once(text));
    if (text[n - 1] == '/' && strcmp(text, "file:///") != 0)
        text[n - 1] = '\0';
}

static void test_nothing_to_repair(void)
{
    static const char *const pieces[] = { "a",   "b",   "/",   "/",   "..",  ".",    "%2e", "%2F",
                                          "%5C", "\\",  "%25", "%20", ";",   "//",   "%61", "x.y",
                                          "/..", "/./", "%2E", "~",   "%C0", "%252", "-" };
    static const char *const heads[] = { "file:///", "x://h/" };
    uint32_t taken = 0;
    for (uint32_t i = 0; i < TEXTS && check_ok; i++) {
        char text[TEXT_ROOM], repaired[TEXT_ROOM * 2], undone[TEXT_ROOM * 2];
        int n = snprintf(text, sizeof text, "%s", heads[roll(COUNT(heads))]);
        for (uint32_t k = 1 + roll(8); k > 0; k--)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s", pieces[roll(COUNT(pieces))]);
        if (!is_canonical(str_of(text)))
            continue;
        taken++;
        memcpy(repaired, text, (size_t)n + 1);
        memcpy(undone, text, (size_t)n + 1);
        repair(repaired);
        plain(undone);
        CHECK_ROW(strcmp(repaired, undone) == 0, "%s is %s to some server", text, repaired);
    }
    CHECK(taken > TEXTS / 100);
}

int main(void)
{
    arena_init(&mem, MEMORY);
    RUN(test_canonical);
    RUN(test_scheme);
    RUN(test_steps);
    RUN(test_escapes);
    RUN(test_one_spelling);
    RUN(test_authority);
    RUN(test_query_and_fragment);
    RUN(test_limits);
    RUN(test_templates);
    RUN(test_nothing_to_repair);
    arena_reset(&mem);
    return check_finish();
}
