/* SPDX-License-Identifier: Apache-2.0 */
/* web_url.h - the URLs of OAuth: read strictly, compared, and built from one another.
 *
 * Every URL that comes out of metadata, a challenge or a redirect is hostile. Read are absolute
 * http and https URLs in visible ASCII without user information, fragment, dot segments or escapes
 * that hide a slash; the authority is read by runtime/domain's url(), so that a host has one
 * reading. Path and query are never changed: OAuth compares identifiers byte by byte.
 * Where a URL leads is checked once more on the address that is connected to (runtime/net).
 *
 * Sources: RFC 3986, RFC 8414 section 3.1, RFC 8707 section 2, RFC 9728 section 3.1.
 */
#ifndef RUNTIME_OAUTH_WEB_URL_H
#define RUNTIME_OAUTH_WEB_URL_H

#include "runtime/base/arena.h"
#include "runtime/base/str.h"

enum {
    WEB_URL_MAX = 2048, /* bytes of a URL */
    WELL_KNOWN_MAX = 3, /* places where one document may lie */
};

struct web_url {
    Str text;   /* as it was given; borrowed */
    Str origin; /* "https://host" or "https://host:8443": lower case, the scheme's port left out */
    Str host;   /* lower case, without brackets */
    Str path;   /* as it was given: "" or beginning with '/' */
    Str query;  /* p is NULL when there is none */
    bool is_https;
    bool is_loopback; /* localhost, below it, or a loopback address */
};

/* False also without memory. */
MUST_USE bool web_url_read(Str text, struct arena *mem, struct web_url *out);

/* May a request with credentials go there? https, or http to loopback in development. */
bool web_url_is_fit(const struct web_url *url, bool is_development);

/* The canonical URI of a server as a resource (RFC 8707): no fragment, no lone slash as path. */
MUST_USE bool resource_uri(const struct web_url *server, struct arena *mem, Str *out);

/* Does a resource's metadata speak of this server? The same origin, and a path that is the server's
 * or a whole number of leading segments of it; a query only if it is the server's own. */
bool resource_covers(const struct web_url *resource, const struct web_url *server);

/* Places, best first. */
struct well_known {
    Str urls[WELL_KNOWN_MAX];
    size_t count;
};

/* Of a server's protected resource metadata: below its path with its query, then at the root. */
MUST_USE bool well_known_resource(const struct web_url *server, struct arena *mem,
                                  struct well_known *out);

/* Of an issuer's metadata: RFC 8414, OpenID discovery with the path behind, and in front. */
MUST_USE bool well_known_issuer(const struct web_url *issuer, struct arena *mem,
                                struct well_known *out);

#endif
