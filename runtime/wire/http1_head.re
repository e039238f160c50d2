/* SPDX-License-Identifier: Apache-2.0 */
/* http1_head.re - the grammar of a message head, refused at the first byte that does not fit.
 *
 * Two passes. The first sees bytes as they drip in, never one twice (but a pending CR): it knows
 * only lines, and refuses what no head may hold. The second sees a complete head, whose own last
 * CRLF is the sentinel: no rule crosses an LF. A NUL is a byte like others, and refused.
 */
#include "runtime/wire/http1_head.h"

typedef unsigned char uchar;

/*!re2c
    re2c:define:YYCTYPE  = uchar;
    re2c:define:YYCURSOR = p;
    re2c:define:YYMARKER = mark;
    re2c:yyfill:enable   = 0;

    tchar     = [!#$%&'*+.^_`|~0-9A-Za-z-];
    text      = [\t\x20-\x7e\x80-\xff];
    visible   = [\x21-\x7e];
    digit     = [0-9];
    crlf      = "\r\n";
*/

static Str slice(const uchar *from, const uchar *to)
{
    return (Str){ .p = (const char *)from, .n = (size_t)(to - from) };
}

enum line_event { LINE_TEXT, LINE_END, LINE_BARE_CR, LINE_BARE_LF, LINE_CONTROL, LINE_MORE };

/* What stands at *at: a run of text, a line end, or what is wrong. Looks at no byte at limit. */
static enum line_event next_event(const uchar **at, const uchar *limit)
{
    const uchar *p = *at;
    const uchar *mark = p;
    /*!local:re2c
        re2c:flags:input       = custom;
        re2c:api:style         = free-form;
        re2c:eof               = 0;
        re2c:define:YYPEEK     = "(uchar)(p < limit ? *p : 0)";
        re2c:define:YYSKIP     = "++p;";
        re2c:define:YYBACKUP   = "mark = p;";
        re2c:define:YYRESTORE  = "p = mark;";
        re2c:define:YYLESSTHAN = "p >= limit";

        text+   { *at = p; return LINE_TEXT; }
        crlf    { *at = p; return LINE_END; }
        "\r"    { return p == limit ? LINE_MORE : LINE_BARE_CR; }
        "\n"    { return LINE_BARE_LF; }
        $       { return LINE_MORE; }
        *       { return LINE_CONTROL; }
    */
}

/* The first byte of a line says that the line is folded or that the head is empty. */
static const char *bad_line_start(const uchar *p, bool is_first)
{
    if (*p == ' ' || *p == '\t')
        return is_first ? "space before the first line" : "folded line";
    return is_first && *p == '\r' ? "empty line before the head" : NULL;
}

static const char *event_error(enum line_event event)
{
    if (event == LINE_BARE_CR)
        return "CR without LF";
    return event == LINE_BARE_LF ? "LF without CR" : "control byte";
}

static enum http_result refuse(struct http_head *head, int status, const char *text)
{
    (void)http_fail(head, status, text);
    return HTTP_BAD;
}

enum http_result http_head_find_end(Str bytes, size_t max_head, size_t *scan,
                                    struct http_head *head, size_t *end)
{
    size_t n = bytes.n < max_head ? bytes.n : max_head;
    ENSURE(*scan <= n);
    if (n == 0)
        return max_head ? HTTP_MORE : refuse(head, 431, "head too long");
    const uchar *begin = (const uchar *)bytes.p;
    const uchar *limit = begin + n;
    const uchar *p = begin + *scan;
    for (;;) {
        const uchar *start = p;
        bool is_line_start = p == begin || p[-1] == '\n';
        const char *error = is_line_start && p < limit ? bad_line_start(p, p == begin) : NULL;
        if (error)
            return refuse(head, 400, error);
        enum line_event event = next_event(&p, limit);
        if (event == LINE_MORE)
            break;
        if (event != LINE_TEXT && event != LINE_END)
            return refuse(head, 400, event_error(event));
        if (event == LINE_END && is_line_start && start != begin) {
            *end = (size_t)(p - begin);
            return HTTP_DONE;
        }
    }
    *scan = (size_t)(p - begin);
    return n < max_head ? HTTP_MORE : refuse(head, 431, "head too long");
}

/* The lexers below give the place behind what they read, or NULL. */
/*!re2c
    re2c:bit-vectors = 1; // faster on runs of one class; re2c refuses it beside eof, above
*/

static const uchar *after_method(const uchar *p)
{
    const uchar *mark = p;
    /*!re2c
        tchar+ " "      { return p; }
        *               { return NULL; }
    */
}

static const uchar *after_target(const uchar *p)
{
    const uchar *mark = p;
    /*!re2c
        visible+ " "    { return p; }
        *               { return NULL; }
    */
}

/* minor is -1 for a version that is well-formed and not ours. */
static const uchar *after_version(const uchar *p, int *minor)
{
    const uchar *mark = p;
    /*!re2c
        "HTTP/1.1"                  { *minor = 1;  return p; }
        "HTTP/1.0"                  { *minor = 0;  return p; }
        "HTTP/" digit "." digit     { *minor = -1; return p; }
        *                           { return NULL; }
    */
}

static const uchar *after_name(const uchar *p, const char **error)
{
    const uchar *mark = p;
    /*!re2c
        tchar+ ":"          { return p; }
        tchar+ [ \t]+ ":"   { *error = "space before the colon";        return NULL; }
        ":"                 { *error = "empty field name";              return NULL; }
        *                   { *error = "field name is not a token";     return NULL; }
    */
}

static const uchar *after_line(const uchar *p)
{
    const uchar *mark = p;
    /*!re2c
        text* crlf      { return p; }
        *               { return NULL; }
    */
}

/* Reads the version and returns what is wrong with it, if anything. */
static const char *lex_version(const uchar **at, struct http_head *head, int *status)
{
    int minor = -1;
    const uchar *p = after_version(*at, &minor);
    *status = p ? 505 : 400;
    if (!p)
        return "malformed HTTP version";
    if (minor < 0)
        return "HTTP version is not 1.0 or 1.1";
    *at = p;
    head->minor = minor;
    return NULL;
}

static enum http_method method_of(Str text)
{
    if (str_eq(text, STR("GET")))
        return HTTP_GET;
    if (str_eq(text, STR("POST")))
        return HTTP_POST;
    return str_eq(text, STR("DELETE")) ? HTTP_DELETE : HTTP_OTHER_METHOD;
}

/* Anything but a path (and query) would name another place than Host does, or none. */
static bool lex_target(const uchar **at, size_t max_target, struct http_head *head)
{
    const uchar *p = after_target(*at);
    if (!p)
        return http_fail(head, 400, "request target is not visible ASCII");
    Str target = slice(*at, p - 1);
    if (target.n > max_target)
        return http_fail(head, 414, "request target too long");
    if (target.p[0] != '/')
        return http_fail(head, 400, "request target is not in origin-form");
    if (memchr(target.p, '#', target.n))
        return http_fail(head, 400, "request target has a fragment");
    head->target = target;
    *at = p;
    return true;
}

bool http_lex_request_line(const unsigned char **at, size_t max_target, struct http_head *head)
{
    const uchar *p = after_method(*at);
    if (!p)
        return http_fail(head, 400, "request method is not a token");
    head->method_text = slice(*at, p - 1);
    head->method = method_of(head->method_text);
    if (!lex_target(&p, max_target, head))
        return false;
    int status = 0;
    const char *error = lex_version(&p, head, &status);
    if (!error && (p[0] != '\r' || p[1] != '\n')) {
        error = "malformed HTTP version";
        status = 400;
    }
    *at = p + 2;
    return error ? http_fail(head, status, error) : true;
}

/* Three digits, 100 to 599, between spaces; the second is owed even without a reason phrase. */
static const uchar *after_status(const uchar *p)
{
    const uchar *mark = p;
    /*!re2c
        " " [1-5] digit digit " "   { return p; }
        *                           { return NULL; }
    */
}

bool http_lex_status_line(const unsigned char **at, struct http_head *head)
{
    const uchar *p = *at;
    int status = 0;
    const char *error = lex_version(&p, head, &status);
    if (error)
        return http_fail(head, status, error);
    const uchar *code = p + 1;
    p = after_status(p);
    if (!p)
        return http_fail(head, 400, "malformed status code");
    head->status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
    p = after_line(p);
    if (!p)
        return http_fail(head, 400, "malformed reason phrase");
    *at = p;
    return true;
}

static bool lex_field(const uchar **at, struct http_head *head)
{
    const char *error = NULL;
    const uchar *value = after_name(*at, &error);
    if (!value)
        return http_fail(head, 400, error);
    const uchar *next = after_line(value);
    if (!next)
        return http_fail(head, 400, "control byte");
    if (head->header_count == HTTP_HEADERS_MAX)
        return http_fail(head, 431, "too many header fields");
    head->headers[head->header_count++] = (struct http_header){
        .name = slice(*at, value - 1),
        .value = str_trim(slice(value, next - 2)),
    };
    *at = next;
    return true;
}

bool http_lex_fields(const unsigned char **at, struct http_head *head)
{
    const uchar *p = *at;
    while (*p != '\r') {
        if (!lex_field(&p, head))
            return false;
    }
    *at = p + 2;
    return true;
}
