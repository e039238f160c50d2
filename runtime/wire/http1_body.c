/* SPDX-License-Identifier: Apache-2.0 */
/* http1_body.c - body bytes out of wire bytes, by length, by chunks or until close.
 *
 * Body bytes are lent as slices of the input, never copied. Chunk framing goes byte by byte
 * through one small machine, so that it cannot matter how the bytes were split. It refuses what
 * readers disagree on: signs, spaces, 0x, sizes that overflow, LF alone, trailers (RFC 9112, 7.1).
 */
#include "runtime/wire/http1.h"

/* States up to CHUNK_DIGITS_LAST count the digits of the size read so far. */
enum body_state {
    CHUNK_DIGITS_LAST = HTTP_CHUNK_DIGITS_MAX,
    CHUNK_EXTENSION, /* behind the ';' */
    CHUNK_SIZE_LF,   /* behind the CR of a size line */
    CHUNK_DATA,
    CHUNK_DATA_CR, /* behind the last byte of a chunk */
    CHUNK_DATA_LF,
    CHUNK_LAST_CR, /* behind the line of the chunk of size 0 */
    CHUNK_LAST_LF,
    BODY_DONE,
    BODY_BAD,
};

void http_body_begin(struct http_body *body, const struct http_head *head)
{
    *body = (struct http_body){ .framing = head->framing };
    if (head->framing == HTTP_BODY_LENGTH)
        body->left = head->length;
}

static bool fail(struct http_body *body, const char *text)
{
    body->state = BODY_BAD;
    body->error = text;
    return false;
}

static bool go(struct http_body *body, enum body_state state)
{
    body->state = (uint8_t)state;
    return true;
}

/* -1 for a byte that is no hex digit. */
static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool size_byte(struct http_body *body, unsigned char c)
{
    int digit = hex_value(c);
    if (digit < 0) {
        if (body->state == 0)
            return fail(body, "chunk without a size");
        if (c == '\r')
            return go(body, CHUNK_SIZE_LF);
        return c == ';' ? go(body, CHUNK_EXTENSION) : fail(body, "malformed chunk size");
    }
    if (body->state == CHUNK_DIGITS_LAST || body->left > HTTP_LENGTH_MAX >> 4)
        return fail(body, "chunk size too large");
    body->left = body->left << 4 | (uint64_t)digit;
    body->state++;
    return true;
}

/* Extensions mean nothing to us. The cap is for the whole body: nobody needs them, and a flood of
 * them is work without data. */
static bool extension_byte(struct http_body *body, unsigned char c)
{
    if (c == '\r')
        return go(body, CHUNK_SIZE_LF);
    if ((c < ' ' && c != '\t') || c > '~')
        return fail(body, "control or non-ASCII byte in a chunk extension");
    if (++body->line > HTTP_CHUNK_EXTENSION_MAX)
        return fail(body, "chunk extensions too long");
    return true;
}

static bool expect(struct http_body *body, bool is_expected, enum body_state next,
                   const char *error)
{
    return is_expected ? go(body, next) : fail(body, error);
}

static bool chunk_byte(struct http_body *body, unsigned char c)
{
    if (body->state <= CHUNK_DIGITS_LAST)
        return size_byte(body, c);
    switch (body->state) {
    case CHUNK_EXTENSION: return extension_byte(body, c);
    case CHUNK_SIZE_LF:
        return expect(body, c == '\n', body->left ? CHUNK_DATA : CHUNK_LAST_CR,
                      "chunk size line not ended by CRLF");
    case CHUNK_DATA_CR:
        return expect(body, c == '\r', CHUNK_DATA_LF, "chunk data not followed by CRLF");
    case CHUNK_DATA_LF:
        /* left is 0 and state 0 is "no digit yet": the next size starts afresh. */
        return expect(body, c == '\n', (enum body_state)0, "chunk data not followed by CRLF");
    case CHUNK_LAST_CR: return expect(body, c == '\r', CHUNK_LAST_LF, "trailer fields");
    default: break;
    }
    ENSURE(body->state == CHUNK_LAST_LF);
    return expect(body, c == '\n', BODY_DONE, "CR without LF");
}

/* Lends at most body->left bytes of *in. */
static Str take_data(struct http_body *body, Str *in)
{
    size_t n = body->left < in->n ? (size_t)body->left : in->n;
    Str data = str_sub(*in, 0, n);
    *in = str_sub(*in, n, in->n);
    body->left -= n;
    return data;
}

static enum http_result next_chunked(struct http_body *body, Str *in, Str *out)
{
    while (in->n) {
        if (body->state == CHUNK_DATA) {
            *out = take_data(body, in);
            if (body->left == 0)
                body->state = CHUNK_DATA_CR;
            return HTTP_MORE;
        }
        unsigned char c = (unsigned char)in->p[0];
        *in = str_sub(*in, 1, in->n);
        if (!chunk_byte(body, c))
            return HTTP_BAD;
        if (body->state == BODY_DONE)
            return HTTP_DONE;
    }
    return HTTP_MORE;
}

enum http_result http_body_next(struct http_body *body, Str *in, Str *out)
{
    *out = (Str){ NULL, 0 };
    if (body->state == BODY_DONE)
        return HTTP_DONE;
    if (body->state == BODY_BAD)
        return HTTP_BAD;
    switch (body->framing) {
    case HTTP_BODY_NONE: return HTTP_DONE;
    case HTTP_BODY_LENGTH: *out = take_data(body, in); return body->left ? HTTP_MORE : HTTP_DONE;
    case HTTP_BODY_CHUNKED: return next_chunked(body, in, out);
    case HTTP_BODY_UNTIL_CLOSE: break;
    }
    *out = *in; /* only the end of the connection ends it, which the caller sees */
    *in = str_sub(*in, in->n, in->n);
    return HTTP_MORE;
}
