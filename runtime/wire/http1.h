/* SPDX-License-Identifier: Apache-2.0 */
/* http1.h - the HTTP/1.1 codec (RFC 9112), strict, shared by the listener and the upstream leg.
 *
 * Pure: bytes in, structures out, no I/O. Ambiguity that smuggling lives on is refused, never
 * repaired: Content-Length together with Transfer-Encoding, two lengths (even equal ones), a
 * length that is not 1*DIGIT or has leading zeros or is past 2^63-1, any transfer coding but one
 * "chunked", Transfer-Encoding in HTTP/1.0, folded lines, bare CR or LF, an empty line before the
 * head, space before the colon, an empty or non-token field name, control bytes in a value, zero
 * or several Hosts or one that is no host, a second Content-Type, Authorization or Origin, chunk
 * sizes that are not 1*HEXDIG or past 2^63-1, chunk extensions longer than a small cap, trailers,
 * absolute-form and other targets than origin-form, versions other than 1.0 and 1.1.
 *
 * Incremental without being re-entrant: hand over all bytes received so far; HTTP_MORE says that
 * the head is not complete. `scan` remembers how far was looked at, so that a head that drips in
 * is not rescanned. The result does not depend on how the bytes were split (a fuzzed property).
 */
#ifndef RUNTIME_WIRE_HTTP1_H
#define RUNTIME_WIRE_HTTP1_H

#include "runtime/base/buf.h"
#include "runtime/base/str.h"

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE, HTTP_OTHER_METHOD };

enum http_framing {
    HTTP_BODY_NONE,   /* no body */
    HTTP_BODY_LENGTH, /* head.length bytes */
    HTTP_BODY_CHUNKED,
    HTTP_BODY_UNTIL_CLOSE, /* responses only */
};

enum http_result {
    HTTP_DONE,
    HTTP_MORE, /* the bytes so far are fine, but not the end */
    HTTP_BAD,  /* answer head.error_status (requests) and close */
};

struct http_header {
    Str name;  /* as sent; compare with str_eq_nocase */
    Str value; /* without OWS at its ends */
};

enum {
    HTTP_HEADERS_MAX = 64,         /* header fields in one head: more is 431 */
    HTTP_CHUNK_DIGITS_MAX = 16,    /* hex digits of one chunk size, leading zeros included */
    HTTP_CHUNK_EXTENSION_MAX = 256 /* bytes of chunk extensions in one body, all chunks together */
};
#define HTTP_LENGTH_MAX ((uint64_t)INT64_MAX) /* of a Content-Length or a chunk */

struct http_limits {
    size_t max_head;   /* bytes of a head with its final CRLFCRLF: more is 431 */
    size_t max_target; /* bytes of a request target: more is 414 */
};

extern const struct http_limits http_limits_default; /* 16 KiB, 2 KiB */

struct http_head {
    enum http_method method; /* requests */
    Str method_text;
    Str target;      /* requests: origin-form, visible ASCII, no fragment */
    int status;      /* responses: 100..599 */
    int minor;       /* HTTP/1.minor: 0 or 1 */
    bool keep_alive; /* by version and Connection */
    enum http_framing framing;
    uint64_t length; /* HTTP_BODY_LENGTH */
    uint32_t header_count;
    struct http_header headers[HTTP_HEADERS_MAX];
    int error_status;  /* after HTTP_BAD: 400, 414, 431, 501 or 505 */
    const char *error; /* after HTTP_BAD: what was wrong (a literal, no byte of the input) */
};

/* Parses a request head at the start of bytes. HTTP_DONE: fills *head (slices into bytes) and
 * *used with the head's length. *scan is 0 for a new head and kept by the caller meanwhile. */
MUST_USE enum http_result http_parse_request(Str bytes, const struct http_limits *limits,
                                             size_t *scan, struct http_head *head, size_t *used);

/* Likewise for a response; a 1xx head is returned like any other (framing NONE). */
MUST_USE enum http_result http_parse_response(Str bytes, const struct http_limits *limits,
                                              size_t *scan, struct http_head *head, size_t *used);

/* The value of the only header of that name; {NULL, 0} when absent. When there are several, none
 * of them is trusted: the value is {NULL, 0} and *is_repeated (may be NULL) is true, else false.
 * A header that is there but empty has a p that is not NULL. */
Str http_header(const struct http_head *head, Str name, bool *is_repeated);

/* True when the comma list of all headers of that name has the token, in any case. */
bool http_header_has_token(const struct http_head *head, Str name, Str token);

/* Body bytes out of wire bytes, for one message. */
struct http_body {
    enum http_framing framing;
    uint64_t left;     /* bytes left in the body (LENGTH) or in the current chunk */
    uint8_t state;     /* private */
    uint32_t line;     /* bytes of chunk extensions in this body so far, private */
    const char *error; /* set when HTTP_BAD */
};

void http_body_begin(struct http_body *body, const struct http_head *head);

/* Takes wire bytes from *in (advancing it) and sets *out to a slice of body bytes in it, maybe
 * empty. HTTP_DONE: the body is complete, *in stands behind it (and *out may still hold its last
 * bytes). HTTP_MORE: all of *in was used or *out is non-empty: call again. */
MUST_USE enum http_result http_body_next(struct http_body *body, Str *in, Str *out);

/* True when value may stand in a field: no control byte but TAB, no space or TAB at its ends. Ask
 * before writing a value that came from outside. */
bool http_value_is_legal(Str value);

/* Writers. They ENSURE that what they write is legal (a token as name, http_value_is_legal): that
 * is for bugs of ours, bytes from outside are to be checked before. */
void http_write_status(struct buf *out, int status);
void http_write_request_line(struct buf *out, Str method, Str target);
void http_write_header(struct buf *out, Str name, Str value);
void http_write_header_u64(struct buf *out, Str name, uint64_t value);
void http_write_end(struct buf *out);
void http_write_chunk(struct buf *out, Str data); /* data must not be empty */
void http_write_last_chunk(struct buf *out);

/* "OK" for 200 and so on; "" for a status that this file does not know. */
const char *http_reason(int status);

/* The media type of a Content-Type value in lower case without parameters, compared: true when it
 * is type and the charset parameter is absent or utf-8 (any case, quoted or not). */
bool http_content_type_is(Str value, Str type);

#endif
