/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_uri.c - any bytes as the URI of a resource, and as another spelling of it.
 *
 * The first byte is a way to respell, the second a place, the rest the text. A rule names a
 * resource by the one spelling that is judged, so the respelled text must not be canonical too: all
 * the ways are such that some server opens the same. A canonical URI of the web is also the one
 * that libcurl would write, and holds nothing that a plain search for steps and marks finds.
 */
#include "fuzz/target.h"
#include "runtime/base/buf.h"
#include "runtime/domain/uri.h"

#include <curl/curl.h>
#include <stdlib.h>

enum { MEMORY = 1 << 20, TEXT_MAX = 4096, PER_BYTE = 3 /* an escape */ };

static const char capitals[] = "0123456789ABCDEF";

static bool is_canonical(Str text)
{
    struct arena mem;
    char *copy = malloc(text.n ? text.n : 1); /* of its exact size: a read past it is seen */
    ENSURE(copy != NULL);
    if (text.n)
        memcpy(copy, text.p, text.n);
    arena_init(&mem, MEMORY);
    Str exact = { .p = copy, .n = text.n };
    bool holds = uri_is_canonical(exact, &mem);
    /* A template without expressions is a URI. */
    bool has_braces = str_contains(text, STR("{")) || str_contains(text, STR("}"));
    ENSURE(has_braces || uri_template_is_canonical(exact, &mem) == holds);
    ENSURE(!holds || uri_has_scheme(exact));
    arena_reset(&mem);
    free(copy);
    return holds;
}

/* ----------------------------- other spellings --------------------------- */

/* Where the parts of a URI are. */
struct places {
    size_t scheme_end, path, query; /* query: where the '?' stands, or the end */
};

static struct places places_of(Str text)
{
    struct places at = { .query = text.n };
    const char *colon = memchr(text.p, ':', text.n);
    at.scheme_end = colon ? (size_t)(colon - text.p) : text.n;
    const char *mark = memchr(text.p, '?', text.n);
    at.query = mark ? (size_t)(mark - text.p) : text.n;
    at.path = at.scheme_end + (at.scheme_end < text.n);
    if (str_starts(str_sub(text, at.path, text.n), STR("//")))
        for (at.path += 2; at.path < at.query && text.p[at.path] != '/';)
            at.path++;
    return at;
}

static void add_escape(struct buf *out, char c, bool is_small)
{
    unsigned char byte = (unsigned char)c;
    char hex[3] = { '%', capitals[byte >> 4], capitals[byte & 0xF] };
    for (size_t i = 1; i < sizeof hex && is_small; i++)
        hex[i] = char_lower(hex[i]);
    buf_add(out, (Str){ .p = hex, .n = sizeof hex });
}

static int hex_of(char c)
{
    const char *at = c ? strchr(capitals, c) : NULL;
    return at ? (int)(at - capitals) : -1;
}

static int escape_at(Str text, size_t at)
{
    int high = str_byte(text, at) == '%' ? hex_of(str_byte(text, at + 1)) : -1;
    int low = high < 0 ? -1 : hex_of(str_byte(text, at + 2));
    return low < 0 ? -1 : high << 4 | low;
}

static char other_case(char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter ? (char)(c ^ 0x20) : c;
}

/* '&' and '=' part a form; escaped they are text. */
static bool is_form_mark(char c)
{
    return c == '&' || c == '=' || c == '+';
}

enum respelling {
    ESCAPED,       /* a byte of the path or query as an escape, in capitals or not */
    ESCAPED_SMALL, /* */
    UNESCAPED,     /* an escape as its byte */
    ESCAPED_TWICE, /* the '%' of an escape */
    OTHER_CASE,    /* of a letter before the path, or in an escape */
    DOUBLED,       /* a '/' of the path */
    STEP_HERE,     /* behind a '/' of the path */
    STEP_BACK,     /* */
    BLANK,         /* in a query '+' is a blank to forms */
    EMPTY_QUERY,   /* at the end */
    FRAGMENT,      /* */
    FILE_SLASH,    /* */
    RESPELLINGS,
};

static void respell_byte(enum respelling how, Str text, size_t i, const struct places *at,
                         struct buf *out)
{
    char c = text.p[i];
    bool in_path = i >= at->path && i<at->query, in_query = i> at->query;
    int escape = escape_at(text, i);
    bool may_escape = (in_path && c != '/') || (in_query && !is_form_mark(c));
    if (may_escape && c != '%' && (how == ESCAPED || how == ESCAPED_SMALL))
        add_escape(out, c, how == ESCAPED_SMALL);
    else if (how == ESCAPED_TWICE && escape >= 0)
        buf_add(out, STR("%25"));
    else if (how == OTHER_CASE && (i < at->path || escape_at(text, i - 1) >= 0))
        buf_add_char(out, other_case(c));
    else if (how == BLANK && in_query && c == '+')
        buf_add(out, STR("%20"));
    else
        buf_add_char(out, c);
    if (in_path && c == '/')
        buf_add(out, how == DOUBLED     ? STR("/")
                     : how == STEP_HERE ? STR("./")
                     : how == STEP_BACK ? STR("x/../")
                                        : STR(""));
}

/* The text in another way from `place` on; the same text when the way is not for it. */
static void respell(enum respelling how, size_t place, Str text, struct buf *out)
{
    struct places at = places_of(text);
    int escape = how == UNESCAPED ? escape_at(text, place) : -1;
    bool keeps = escape < 0 || (place > at.query && is_form_mark((char)escape));
    buf_add(out, str_sub(text, 0, place));
    if (!keeps) {
        buf_add_char(out, (char)escape);
        buf_add(out, str_sub(text, place + 3, text.n));
        return;
    }
    if (place < text.n)
        respell_byte(how, text, place, &at, out);
    buf_add(out, str_sub(text, place + 1, text.n));
    if ((how == EMPTY_QUERY && at.query == text.n) || how == FRAGMENT)
        buf_add_char(out, how == FRAGMENT ? '#' : '?');
    if (how == FILE_SLASH && str_starts(text, STR("file:")))
        buf_add_char(out, '/');
}

/* ----------------------------- second opinions --------------------------- */

/* What libcurl makes of a URL of the web: the same text. */
static void check_curl(Str text)
{
    char plain[TEXT_MAX + 1], *whole = NULL;
    CURLU *url = curl_url();
    ENSURE(url != NULL);
    memcpy(plain, text.p, text.n);
    plain[text.n] = '\0';
    ENSURE(curl_url_set(url, CURLUPART_URL, plain, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK);
    ENSURE(curl_url_get(url, CURLUPART_URL, &whole, 0) == CURLUE_OK);
    ENSURE(str_eq(str_of(whole), text));
    curl_free(whole);
    curl_url_cleanup(url);
}

static void check_marks(Str text)
{
    static const Str marks[] = {
        STR_INIT("/../"), STR_INIT("/./"), STR_INIT("/..;"), STR_INIT("%2F"), STR_INIT("%5C"),
        STR_INIT("%25"),  STR_INIT("%2E"), STR_INIT("%00"),  STR_INIT("%7F"), STR_INIT("\\"),
        STR_INIT("#"),    STR_INIT(" "),   STR_INIT("%0A"),  STR_INIT("%3B"),
    };
    Str path = str_sub(text, places_of(text).path, places_of(text).query);
    for (size_t i = 0; i < COUNT(marks); i++)
        ENSURE(!str_contains(text, marks[i]) || (i < 3 && !str_contains(path, marks[i])));
    ENSURE(!str_contains(path, STR("//")));
    ENSURE(!str_ends(path, STR("/..")) && !str_ends(path, STR("/.")));
}

static bool is_of_the_web(Str text)
{
    return str_starts(text, STR("http:")) || str_starts(text, STR("https:")) ||
           str_starts(text, STR("ftp:"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || size > TEXT_MAX)
        return 0;
    Str text = { .p = (const char *)data + 2, .n = size - 2 };
    if (!is_canonical(text))
        return 0;
    check_marks(text);
    if (is_of_the_web(text))
        check_curl(text);
    struct buf other;
    buf_init(&other, text.n * PER_BYTE + 8);
    respell((enum respelling)(data[0] % RESPELLINGS), data[1] % text.n, text, &other);
    ENSURE(!other.is_full);
    ENSURE(str_eq(buf_str(&other), text) || !is_canonical(buf_str(&other)));
    buf_free(&other);
    return 0;
}
