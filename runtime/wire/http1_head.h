/* SPDX-License-Identifier: Apache-2.0 */
/* http1_head.h - the lexical half of the HTTP/1.1 codec, for the files of runtime/wire only.
 *
 * First the end of the head is found, in which pass line ends and control bytes are checked;
 * only a complete head is taken apart. The lexers below rely on that: the bytes they are given
 * end in CRLF CRLF, no pattern of theirs goes on behind an LF, so they need no other bound.
 * Slices borrow the bytes of the head. Source: RFC 9112 sections 2 to 5, RFC 9110 section 5.
 */
#ifndef RUNTIME_WIRE_HTTP1_HEAD_H
#define RUNTIME_WIRE_HTTP1_HEAD_H

#include "runtime/wire/http1.h"

/* Sets what is wrong with a head; always false, to be returned. text is a literal. */
bool http_fail(struct http_head *head, int status, const char *text);

/* HTTP_DONE: *end is the length of the head with its CRLF CRLF. HTTP_BAD: head says why. */
MUST_USE enum http_result http_head_find_end(Str bytes, size_t max_head, size_t *scan,
                                             struct http_head *head, size_t *end);

/* Each reads at *at, moves it behind what was read and fills *head, or is false with http_fail.
 * *at is a place in a complete head. */
MUST_USE bool http_lex_request_line(const unsigned char **at, size_t max_target,
                                    struct http_head *head);
MUST_USE bool http_lex_status_line(const unsigned char **at, struct http_head *head);
MUST_USE bool http_lex_fields(const unsigned char **at, struct http_head *head);

/* A byte that a token may have (RFC 9110, section 5.6.2). */
bool http_is_tchar(unsigned char c);

#endif
