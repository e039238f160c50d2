/* SPDX-License-Identifier: Apache-2.0 */
/* http_link.h - calls and connections to upstreams (private to the client part of runtime/net).
 *
 * A call is one request with its answer; a link is one connection. A link serves one call, then
 * rests in its origin's list of idle ones or is closed. Who owns whom: the client owns all; a call
 * and the link it uses point at each other; an origin lives while a call or link names it.
 *
 * No function of libcurl's multi interface runs inside one of libcurl's own callbacks, and no
 * callback of a call's owner runs inside any function of libcurl.
 */
#ifndef RUNTIME_NET_HTTP_LINK_H
#define RUNTIME_NET_HTTP_LINK_H

#include "runtime/base/arena.h"
#include "runtime/net/http_client.h"

#include <curl/curl.h>

enum {
    CLIENT_URL_MAX = 4096,
    CLIENT_IDLE_PER_ORIGIN = 64,
    CLIENT_IDLE_MAX = 256,          /* over all origins */
    CLIENT_IDLE_MS = 30 * 1000,     /* a kept link without a call */
    CLIENT_READ_BYTES = 16 * 1024,  /* one read */
    CLIENT_IN_BYTES = 64 * 1024,    /* buffered of one answer: its head, or what waits in a pause */
    CLIENT_READS_A_TURN = 16,       /* of one link, then others have a turn */
    CLIENT_INTERIM_MAX = 8,         /* 1xx heads before the final one */
    CLIENT_HEADERS_MAX = 64 * 1024, /* bytes of a request head */
};

/* A URL taken apart. */
struct http_url {
    Str base;      /* "https://host:port", the port always there: the origin's name */
    Str authority; /* for Host: the port only when it is not the scheme's own */
    Str target;    /* path and query */
    bool is_loopback;
};

struct origin {
    struct origin *next;
    struct http_client *client;
    char *base;            /* see http_url; also the URL given to libcurl */
    enum http_reach reach; /* with base and ca_file, what tells origins apart */
    char *ca_file;         /* NULL: the system's */
    bool is_loopback;
    size_t users;           /* calls and links */
    struct http_link *idle; /* the one used last first */
    size_t idle_count;
};

struct http_link {
    struct http_client *client;
    struct origin *origin;
    struct http_link *prev, *next; /* in origin->idle, or in client->links while in use */
    CURL *easy;
    struct watch *watch;    /* NULL until connected */
    struct http_call *call; /* NULL: idle */
    struct buf in;
    size_t in_at;          /* bytes of in already taken */
    int64_t idle_since_ms; /* by world_mono_ms */
    bool is_reused;        /* had a call before this one */
    bool is_refused;       /* an address was out of reach */
};

struct http_call {
    struct http_client *client;
    struct http_call *prev, *next;
    struct origin *origin;
    struct http_link *link; /* NULL before it has one and after the end */
    struct timer *deadline; /* NULL: none */
    struct http_call_events events;
    void *user;
    uint32_t connect_timeout_ms;
    struct buf request;
    size_t sent;
    size_t scan; /* see http_parse_response */
    struct http_body body;
    uint32_t interims;
    bool has_tried;  /* curl_easy_send was called for it on this link */
    bool has_failed; /* the rest of the request can't be sent; an answer may still be there */
    bool has_head;
    bool may_keep; /* the answer's head allows another request on the link */
    bool is_secret;
    bool is_paused;
    bool is_over;    /* ended or cancelled: its memory goes at the end of the turn */
    bool is_resumed; /* http_call_resume is deferred */
};

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct timer *curl_timer; /* libcurl's own */
    struct timer *idle_timer; /* closes idle links; runs while there are any */
    struct origin *origins;
    struct http_call *calls;
    struct http_link *links;     /* in use or connecting */
    struct curl_socket *sockets; /* that libcurl watches itself */
    size_t idle_count;
    struct http_head head; /* scratch for the answer being parsed */
    bool is_closed;
};

/* http_url.c. mem holds the result. ST_INVALID: not an acceptable URL; ST_LIMIT: too long. */
MUST_USE enum status http_url_parse(Str text, struct arena *mem, struct http_url *url);

/* http_pool.c */
struct origin *origin_use(struct http_client *client, const struct http_url *url,
                          const struct http_request_spec *spec);
void origin_drop(struct origin *origin);
/* A kept link that is still quiet, or NULL. */
struct http_link *pool_take(struct origin *origin);
/* Takes the link: keeps it, or closes it when there are enough. */
void pool_put(struct http_link *link);
/* An idle link became readable: closes it unless that was only TLS talking to itself. */
void pool_check(struct http_link *link);
void pool_close(struct http_client *client);
void pool_on_idle_timer(void *user); /* the client */

/* http_connect.c */
MUST_USE bool connect_open(struct http_client *client);
void connect_close(struct http_client *client);
/* A new link for the call, connecting; false without memory. */
MUST_USE bool link_open(struct http_call *call);
void link_close(struct http_link *link);
void link_list_add(struct http_link **list, struct http_link *link);
void link_list_remove(struct http_link **list, struct http_link *link);

/* http_transfer.c */
/* Takes an idle link or opens one, and goes on from there. Runs deferred; user is the call. */
void call_begin(void *user);
void call_on_connected(struct http_call *call);
void call_on_link_event(struct http_call *call, int events);
void call_resume(void *user); /* likewise */
/* Tells the owner and frees; the link is closed unless the call has given it back. */
void call_end(struct http_call *call, enum status status, const char *why);
/* Frees without a word. */
void call_discard(struct http_call *call);

#endif
