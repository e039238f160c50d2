/* SPDX-License-Identifier: Apache-2.0 */
/* test_domain_path.c - paths: traversal, encodings, what Windows, shells and file systems make of a
 * name; and what must hold of every path that is read. */
#include "tests/unit/domain_rows.h"

enum {
    MEMORY = 64 << 20,
    TEXTS = 200000,
    TEXT_ROOM = 256,
    PATH_MAX_BYTES = 4096,
    PARTS_MOST = 256
};

static struct arena mem;

static void test_normalised(void)
{
    static const struct domain_row rows[] = {
        { "/", "path", "/" },
        { "/srv/project/a.txt", "path", "/srv/project/a.txt" },
        { "/srv//project/./a/", "path", "/srv/project/a" },
        { "/srv/project/../../etc/passwd", "path", "/etc/passwd" },
        { "/srv/project/..", "path", "/srv" },
        { "/srv/project/../../", "path", "/" },
        { "/srv/project-old", "path", "/srv/project-old" },
        { "/a/b/c/../../d", "path", "/a/d" },
        { "/a/./././b", "path", "/a/b" },
        { "/a////b", "path", "/a/b" },
        { "/a/.b/..c/.d", "path", "/a/.b/..c/.d" },
        { ".", "path", "." },
        { "./", "path", "." },
        { "./.", "path", "." },
        { "a/..", "path", "." },
        { "a/../b", "path", "b" },
        { "a/b/../c", "path", "a/c" },
        { "a//b/", "path", "a/b" },
        { "./a", "path", "a" },
        { "a/~/x", "path", "a/~/x" },
        { "/~", "path", "/~" },
        { "/srv/%2e%2e/x", "path", "/srv/%2e%2e/x" }, /* a file may be called so */
        { "/srv/%2f..%2fetc", "path", "/srv/%2f..%2fetc" },
        { "/srv/$HOME/x", "path", "/srv/$HOME/x" },
        { "/srv/a b.txt", "path", "/srv/a b.txt" },
        { "/srv/ a", "path", "/srv/ a" },
        { "/srv/b\xC3\xBC"
          "cher",
          "path",
          "/srv/b\xC3\xBC"
          "cher" },
        { "/srv/9.41\xE2\x80\xAFPM.png", "name", "9.41\xE2\x80\xAFPM.png" },
        { "/srv/C:/x", "path", "/srv/C:/x" },
        { "/srv/2026-01-02T03:04:05", "name", "2026-01-02T03:04:05" },
        { "a:b", "path", "?" }, /* a drive */
        { "ab:c", "path", "ab:c" },
    };
    domain_rows_check(&mem, DOMAIN_PATH, rows, COUNT(rows));
}

static void test_members(void)
{
    static const struct domain_row rows[] = {
        { "/", "name", "" },
        { "/", "parts", "[]" },
        { ".", "name", "" },
        { ".", "absolute", "false" },
        { "a/b", "absolute", "false" },
        { "/a", "absolute", "true" },
        { "/a/./b/../c", "parts", "[a c]" },
        { "/srv/.env", "name", ".env" },
        { "/srv/.env", "ext", "" },
        { "/srv/.env.local", "ext", "local" },
        { "/srv/x.tar.gz", "ext", "gz" },
        { "/srv/x", "ext", "" },
        { "/srv/x.y/z", "ext", "" },
        { "/srv/..x", "ext", "x" },
        { "/srv/a.PEM", "ext", "PEM" },
        { "/srv/id_rsa/", "name", "id_rsa" },
    };
    domain_rows_check(&mem, DOMAIN_PATH, rows, COUNT(rows));
}

static void test_refused(void)
{
    static const Str rows[] = {
        // clang-format off
        STR_INIT(""),
        /* above the start */
        STR_INIT(".."), STR_INIT("../x"), STR_INIT("/.."), STR_INIT("/../etc"), STR_INIT("a/../.."),
        STR_INIT("/a/../../b"), STR_INIT("./../x"), STR_INIT("a/b/../../../a/b"),
        /* backslashes, drives, network names */
        STR_INIT("..\\..\\etc"), STR_INIT("/srv/..\\x"), STR_INIT("C:\\x"), STR_INIT("C:/x"),
        STR_INIT("c:x"), STR_INIT("./c:x"), STR_INIT("a/../c:/x"), STR_INIT("\\\\host\\share"),
        STR_INIT("//host/share"), STR_INIT("///x"), STR_INIT("\\\\?\\C:\\x"),
        /* tildes, schemes, blanks: what is expanded or trimmed */
        STR_INIT("~"), STR_INIT("~/x"), STR_INIT("~root/x"), STR_INIT("./~/x"), STR_INIT("a/../~x"),
        STR_INIT("file:///etc/passwd"), STR_INIT("FILE:/etc/passwd"), STR_INIT("http://h/x"),
        STR_INIT("smb://h/x"), STR_INIT("./file:/x"), STR_INIT("zip+v2.0:/x"),
        STR_INIT(" /etc/passwd"), STR_INIT("/etc/passwd "), STR_INIT("\xC2\xA0/etc"),
        STR_INIT("/etc\xE3\x80\x80"), STR_INIT("./ x"), STR_INIT("\t/x"),
        /* control characters and line ends */
        STR_INIT("/srv/a\0b"), STR_INIT("/srv/a.txt\0.png"), STR_INIT("/srv/a\nb"),
        STR_INIT("/srv/a\r"), STR_INIT("/srv/a\x7F"), STR_INIT("/srv/\x1B[2J"),
        STR_INIT("/srv/a\xC2\x85" "b"), STR_INIT("/srv/a\xE2\x80\xA8" "b"),
        /* names that Windows, vfat and SMB shorten */
        STR_INIT("/srv/x.pem."), STR_INIT("/srv/x.pem "), STR_INIT("/srv/.. /x"),
        STR_INIT("/srv/..."), STR_INIT("/srv/.../x"), STR_INIT("/srv/ /x"), STR_INIT("/srv/. /x"),
        STR_INIT("/srv/x./../y"),
        /* not UTF-8: overlong slashes and dots, halves, surrogates */
        STR_INIT("/srv/\xC0\xAF" "x"), STR_INIT("/srv/\xC0\xAE\xC0\xAE/x"),
        STR_INIT("/srv/\xE0\x80\xAF" "x"), STR_INIT("/srv/\xF0\x80\x80\xAF" "x"),
        STR_INIT("/srv/\xFF"), STR_INIT("/srv/\xC3"), STR_INIT("/srv/\xED\xA0\x80"),
        /* mapped to dots, slashes and backslashes */
        STR_INIT("/srv/\xEF\xBC\x8E\xEF\xBC\x8E/x"), STR_INIT("/srv/..\xEF\xBC\x8F" "etc"),
        STR_INIT("/srv/..\xE2\x88\x95" "etc"), STR_INIT("/srv/..\xE2\x81\x84" "etc"),
        STR_INIT("/srv/..\xEF\xBC\xBC" "etc"), STR_INIT("/srv/..\xE2\x88\x96" "etc"),
        STR_INIT("/srv/..\xC2\xA5" "etc"), STR_INIT("/srv/..\xE2\x82\xA9" "etc"),
        STR_INIT("/srv/\xE2\x80\xA5/x"), STR_INIT("/srv/\xE2\x80\xA4\xE2\x80\xA4/x"),
        /* dropped or folded to ASCII */
        STR_INIT("/srv/.e\xE2\x80\x8Cnv"), STR_INIT("/srv/.g\xE2\x80\x8Dit"),
        STR_INIT("/srv/.env\xEF\xBB\xBF"), STR_INIT("/srv/\xE2\x80\xAEgpj.exe"),
        STR_INIT("/srv/.en\xC2\xADv"), STR_INIT("/srv/secret.\xE2\x84\xAA" "ey"),
        STR_INIT("/srv/pa\xC5\xBFswd"), STR_INIT("/srv/a\xF3\xA0\x81\xA1"),
        // clang-format on
    };
    domain_refused_check(&mem, DOMAIN_PATH, rows, COUNT(rows));
}

/* A text of n bytes: "/" and then letters with a slash at every width-th place. */
static bool read_long(size_t n, size_t width)
{
    char *at = arena_alloc_raw(&mem, 1, 1, n + 1);
    struct json_doc doc;
    if (!at)
        return false;
    for (size_t i = 0; i < n; i++)
        at[i] = i % width == 0 ? '/' : 'x';
    bool is_certain = domain_read(DOMAIN_PATH, (Str){ .p = at, .n = n }, &mem, &doc);
    arena_rewind(&mem);
    return is_certain;
}

static void test_limits(void)
{
    CHECK(read_long(PATH_MAX_BYTES, 100));
    CHECK(!read_long(PATH_MAX_BYTES + 1, 100));
    CHECK(read_long((size_t)PARTS_MOST * 2, 2));
    CHECK(!read_long((size_t)PARTS_MOST * 2 + 2, 2));
    CHECK(!read_long(DOMAIN_TEXT_MAX + 1, 100));
}

/* What the parts of a text come to, by counting alone: -1 above the start. */
static int depth_of(Str text)
{
    int depth = 0;
    while (text.n) {
        Str part = str_cut(&text, '/');
        if (str_eq(part, STR("..")))
            depth--;
        else if (part.n && !str_eq(part, STR(".")))
            depth++;
        if (depth < 0)
            return -1;
    }
    return depth;
}

static void check_path(Str text, const struct json_doc *doc)
{
    struct json_doc again;
    Str path = json_member_string(doc, 0, STR("path"));
    uint32_t parts = json_member(doc, 0, STR("parts"));
    bool is_absolute = json_at(doc, json_member(doc, 0, STR("absolute")))->type == JSON_TRUE;
    CHECK_ROW(is_absolute == (text.p[0] == '/') && is_absolute == (path.p[0] == '/'), "%.*s",
              STR_ARG(text));
    for (uint32_t i = json_first(doc, parts); i != JSON_NONE; i = json_after(doc, parts, i)) {
        Str part = json_text(json_at(doc, i));
        CHECK_ROW(part.n && !str_eq(part, STR(".")) && !str_eq(part, STR("..")), "%.*s climbs",
                  STR_ARG(text));
    }
    CHECK_ROW(depth_of(text) == (int)json_at(doc, parts)->count, "%.*s: wrong depth",
              STR_ARG(text));
    CHECK_ROW(domain_result_size(doc) <= domain_result_limit(DOMAIN_PATH, text), "%.*s: too large",
              STR_ARG(text));
    CHECK_ROW(domain_read(DOMAIN_PATH, path, &mem, &again) &&
                  str_eq(json_member_string(&again, 0, STR("path")), path) &&
                  str_eq(json_member_string(&again, 0, STR("name")),
                         json_member_string(doc, 0, STR("name"))),
              "%.*s reads as another path than %.*s", STR_ARG(path), STR_ARG(text));
}

static void test_properties(void)
{
    static const Str pieces[] = {
        STR_INIT("/"),    STR_INIT("/"),   STR_INIT("/"),   STR_INIT("a"),
        STR_INIT("bc"),   STR_INIT("../"), STR_INIT("/./"), STR_INIT("."),
        STR_INIT("/../"), STR_INIT("d.e"), STR_INIT("~"),   STR_INIT(":"),
        STR_INIT(" "),    STR_INIT("\\"),  STR_INIT("%2e"), STR_INIT("\xC3\xA9"),
    };
    uint32_t seed = 1, accepted = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        char text[TEXT_ROOM];
        struct json_doc doc;
        size_t n = domain_random_text(&seed, pieces, COUNT(pieces), text, sizeof text);
        Str whole = { .p = text, .n = n };
        if (domain_read(DOMAIN_PATH, whole, &mem, &doc)) {
            accepted++;
            check_path(whole, &doc);
        }
        arena_rewind(&mem);
    }
    CHECK(accepted > TEXTS / 20);
}

static void test_memory(void)
{
    for (size_t limit = 0; limit < 8192; limit += 64) {
        struct arena small;
        struct json_doc doc;
        arena_init(&small, limit);
        if (domain_read(DOMAIN_PATH, STR("/srv/../a/b"), &small, &doc))
            CHECK_STR(json_member_string(&doc, 0, STR("path")), STR("/a/b"));
        arena_reset(&small);
    }
}

int main(void)
{
    arena_init(&mem, MEMORY);
    RUN(test_normalised);
    RUN(test_members);
    RUN(test_refused);
    RUN(test_limits);
    RUN(test_properties);
    RUN(test_memory);
    arena_reset(&mem);
    return check_finish();
}
