/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h - one request of OAuth's and its answer, whole: metadata, registration, tokens.
 *
 * Each URL may come from somebody who wants to see us ask elsewhere. So: https, or http to loopback
 * in development; only public addresses, judged on the one connected to, unless the operator lets
 * the server's neighbourhood in; no redirects, no proxy, no cookies; bounded in size and time. What
 * was sent and received is wiped.
 */
#ifndef RUNTIME_KEEPER_FETCH_H
#define RUNTIME_KEEPER_FETCH_H

#include "runtime/net/http_client.h"
#include "runtime/oauth/bearer.h"

enum {
    FETCH_BYTES_MAX = 64 * 1024, /* of an answer */
    FETCH_CONNECT_MS = 5 * 1000,
    FETCH_TOTAL_MS = 20 * 1000,
    FETCH_BODY_MAX = 128 * 1024, /* of what is sent */
};

struct fetch;

struct fetch_request {
    Str url;
    Str content_type;    /* of the body; empty: a GET without one */
    Str authorization;   /* the field's value; empty: none */
    Str body;            /* copied */
    bool is_development; /* http and loopback are fine */
    bool may_be_private; /* so is any address: the operator said so */
    bool is_probe;       /* of an MCP server: the head is all that is wanted */
};

struct fetch_answer {
    enum status status; /* ST_OK: there was an answer, whatever it says */
    const char *why;    /* for the log, else */
    int http_status;
    bool is_json;       /* by its Content-Type */
    bool has_challenge; /* of a probe; lies in memory of the fetch, as the body does */
    struct bearer_challenge challenge;
    Str body; /* until the callback returns; then wiped */
};

typedef void (*fetch_done_fn)(void *user, const struct fetch_answer *answer);

/* Starts; done is called once, later, unless cancelled. ST_DENIED: the URL is not fit; ST_INVALID:
 * it is none, or a header may not hold what is asked; ST_LIMIT: the body is too long; ST_NO_MEMORY.
 * Of the answer, ST_DENIED: the address is out of reach, or TLS failed; ST_LIMIT: too long; the
 * rest as in http_client.h. */
MUST_USE enum status fetch_start(struct http_client *http, const struct fetch_request *request,
                                 fetch_done_fn done, void *user, struct fetch **out);

void fetch_cancel(struct fetch *fetch);

#endif
