/* SPDX-License-Identifier: Apache-2.0 */
/* http1.c - what a head means: where its body ends, and whether the connection may go on.
 *
 * Two readers that find different ends of one body is what request smuggling is made of. So a
 * head that says its length in two ways, or in one that a laxer reader could take otherwise, is
 * refused here; no field is repaired, ignored or preferred over another.
 */
#include "runtime/wire/http1.h"

#include "runtime/wire/http1_head.h"

const struct http_limits http_limits_default = { .max_head = 16384, .max_target = 2048 };

bool http_fail(struct http_head *head, int status, const char *text)
{
    head->error_status = status;
    head->error = text;
    return false;
}

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool http_is_tchar(unsigned char c)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    return is_alnum(c) || memchr(marks, c, sizeof(marks) - 1) != NULL;
}

/* How many fields have the name; *value becomes that of the last. */
static uint32_t count_header(const struct http_head *head, Str name, Str *value)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < head->header_count; i++) {
        if (str_eq_nocase(head->headers[i].name, name)) {
            *value = head->headers[i].value;
            count++;
        }
    }
    return count;
}

Str http_header(const struct http_head *head, Str name, bool *is_repeated)
{
    Str value = { NULL, 0 };
    uint32_t count = count_header(head, name, &value);
    if (is_repeated)
        *is_repeated = count > 1;
    return count == 1 ? value : (Str){ NULL, 0 };
}

bool http_header_has_token(const struct http_head *head, Str name, Str token)
{
    for (uint32_t i = 0; i < head->header_count; i++) {
        if (!str_eq_nocase(head->headers[i].name, name))
            continue;
        Str list = head->headers[i].value;
        while (list.n) {
            if (str_eq_nocase(str_trim(str_cut(&list, ',')), token))
                return true;
        }
    }
    return false;
}

/* RFC 9112 section 6.3, without its permissions to recover. Leaves NONE when nothing is said. */
static bool frame_body(struct http_head *head)
{
    Str length = { NULL, 0 }, coding = { NULL, 0 };
    uint32_t lengths = count_header(head, STR("Content-Length"), &length);
    uint32_t codings = count_header(head, STR("Transfer-Encoding"), &coding);
    if (lengths && codings)
        return http_fail(head, 400, "Content-Length together with Transfer-Encoding");
    if (lengths > 1)
        return http_fail(head, 400, "several Content-Length fields");
    if (codings > 1)
        return http_fail(head, 400, "several Transfer-Encoding fields");
    if (codings && head->minor == 0)
        return http_fail(head, 400, "Transfer-Encoding in HTTP/1.0");
    if (codings && !str_eq_nocase(coding, STR("chunked")))
        return http_fail(head, 501, "transfer coding other than chunked");
    if (lengths && !str_to_u64(length, HTTP_LENGTH_MAX, &head->length))
        return http_fail(head, 400, "malformed Content-Length");
    if (codings)
        head->framing = HTTP_BODY_CHUNKED;
    else
        head->framing = lengths ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    return true;
}

/* Fields that decide what a message is or who sent it: with two, another reader may see the
 * other one. (Those of the protocol above, Mcp-*, are its reader's: http_header tells.) */
static bool check_single(struct http_head *head)
{
    static const Str names[] = { STR_INIT("Content-Type"), STR_INIT("Authorization"),
                                 STR_INIT("Origin") };
    Str value;
    for (size_t i = 0; i < COUNT(names); i++) {
        if (count_header(head, names[i], &value) > 1)
            return http_fail(head, 400, "a field that must be single came twice");
    }
    return true;
}

/* A name or address with an optional port; which one is right is for the caller to say. */
static bool is_host(Str host)
{
    static const char marks[] = ".-_:[]";
    for (size_t i = 0; i < host.n; i++) {
        unsigned char c = (unsigned char)host.p[i];
        if (!is_alnum(c) && !memchr(marks, c, sizeof(marks) - 1))
            return false;
    }
    return host.n > 0;
}

static bool check_host(struct http_head *head)
{
    Str host = { NULL, 0 };
    uint32_t count = count_header(head, STR("Host"), &host);
    if (count > 1)
        return http_fail(head, 400, "several Host fields");
    if (count == 0)
        return head->minor == 0 ? true : http_fail(head, 400, "no Host field");
    return is_host(host) ? true : http_fail(head, 400, "malformed Host");
}

static void decide_keep_alive(struct http_head *head)
{
    bool is_asked =
        head->minor == 1 || http_header_has_token(head, STR("Connection"), STR("keep-alive"));
    head->keep_alive = is_asked && !http_header_has_token(head, STR("Connection"), STR("close"));
}

/* What a response's status says about its body overrides its fields (RFC 9112, section 6.3). */
static void frame_by_status(struct http_head *head)
{
    bool has_body = head->framing == HTTP_BODY_CHUNKED || head->length > 0;
    if (head->status < 200 || head->status == 204 || head->status == 304) {
        /* Only 304 may speak of a body it does not send; others may send it after all. */
        if (has_body && head->status != 304)
            head->keep_alive = false;
        head->framing = HTTP_BODY_NONE;
        head->length = 0;
    } else if (head->framing == HTTP_BODY_NONE) {
        head->framing = HTTP_BODY_UNTIL_CLOSE;
        head->keep_alive = false;
    }
}

/* A head that ran over its limit within its first line did so by its target. */
static void blame_target(Str bytes, size_t max_head, struct http_head *head)
{
    size_t n = bytes.n < max_head ? bytes.n : max_head;
    if (head->error_status == 431 && n && !memchr(bytes.p, '\n', n))
        (void)http_fail(head, 414, "request target too long");
}

enum http_result http_parse_request(Str bytes, const struct http_limits *limits, size_t *scan,
                                    struct http_head *head, size_t *used)
{
    size_t end = 0;
    enum http_result found = http_head_find_end(bytes, limits->max_head, scan, head, &end);
    if (found == HTTP_BAD)
        blame_target(bytes, limits->max_head, head);
    if (found != HTTP_DONE)
        return found;
    *head = (struct http_head){ .minor = 0 };
    const unsigned char *at = (const unsigned char *)bytes.p;
    if (!http_lex_request_line(&at, limits->max_target, head) || !http_lex_fields(&at, head) ||
        !frame_body(head) || !check_host(head) || !check_single(head))
        return HTTP_BAD;
    decide_keep_alive(head);
    *used = end;
    return HTTP_DONE;
}

enum http_result http_parse_response(Str bytes, const struct http_limits *limits, size_t *scan,
                                     struct http_head *head, size_t *used)
{
    size_t end = 0;
    enum http_result found = http_head_find_end(bytes, limits->max_head, scan, head, &end);
    if (found != HTTP_DONE)
        return found;
    *head = (struct http_head){ .minor = 0 };
    const unsigned char *at = (const unsigned char *)bytes.p;
    if (!http_lex_status_line(&at, head) || !http_lex_fields(&at, head) || !frame_body(head) ||
        !check_single(head))
        return HTTP_BAD;
    decide_keep_alive(head);
    frame_by_status(head);
    *used = end;
    return HTTP_DONE;
}
