/* SPDX-License-Identifier: Apache-2.0 */
/* http1_write.c - heads and chunks as bytes.
 *
 * A line break in a name or value would let whoever chose it write our head for us. Every writer
 * therefore stops the process rather than write one; callers check foreign values before, with
 * http_value_is_legal. A full buffer is seen by the caller at the end of the chain (buf.h).
 */
#include "runtime/wire/http1.h"
#include "runtime/wire/http1_head.h"

#include <inttypes.h>

const char *http_reason(int status)
{
    switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "";
    }
}

static bool is_token(Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!http_is_tchar((unsigned char)s.p[i]))
            return false;
    }
    return s.n > 0;
}

static bool is_target(Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c > '~' || c == '#')
            return false;
    }
    return s.n > 0 && s.p[0] == '/';
}

bool http_value_is_legal(Str value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return str_trim(value).n == value.n;
}

static void add_crlf(struct buf *out)
{
    buf_add(out, STR("\r\n"));
}

void http_write_status(struct buf *out, int status)
{
    ENSURE(status >= 100 && status <= 599);
    buf_printf(out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
}

void http_write_request_line(struct buf *out, Str method, Str target)
{
    ENSURE(is_token(method) && is_target(target));
    buf_add(out, method);
    buf_add_char(out, ' ');
    buf_add(out, target);
    buf_add(out, STR(" HTTP/1.1\r\n"));
}

void http_write_header(struct buf *out, Str name, Str value)
{
    ENSURE(is_token(name) && http_value_is_legal(value));
    buf_add(out, name);
    buf_add(out, STR(": "));
    buf_add(out, value);
    add_crlf(out);
}

void http_write_header_u64(struct buf *out, Str name, uint64_t value)
{
    ENSURE(is_token(name));
    buf_add(out, name);
    buf_printf(out, ": %" PRIu64 "\r\n", value);
}

void http_write_end(struct buf *out)
{
    add_crlf(out);
}

void http_write_chunk(struct buf *out, Str data)
{
    ENSURE(data.n > 0); /* an empty chunk would end the body */
    buf_printf(out, "%zx\r\n", data.n);
    buf_add(out, data);
    add_crlf(out);
}

void http_write_last_chunk(struct buf *out)
{
    buf_add(out, STR("0\r\n\r\n"));
}
