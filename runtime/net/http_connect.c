/* SPDX-License-Identifier: Apache-2.0 */
/* http_connect.c - libcurl as the provider of connections.
 *
 * Each link is an easy handle with CONNECT_ONLY in one multi handle: libcurl resolves, connects,
 * tunnels through a proxy and verifies the certificate, reports "done", and from then on only
 * moves bytes. The handle stays in the multi handle (which shares its cache of CA certificates)
 * until the link is closed. While connecting, libcurl tells by callbacks what to watch.
 */
#include "runtime/crypto/secret.h"
#include "runtime/net/http_link.h"

#include <stdlib.h>

enum {
    MAX_CONNECTS = 1 << 20, /* libcurl's cache must never close a link of ours to make room */
    CA_CACHE_S = 600,       /* until a file of authorities is read again */
};

/* A socket that libcurl wants to be told about, while it connects. */
struct curl_socket {
    struct curl_socket *prev, *next;
    struct http_client *client;
    struct watch *watch;
    curl_socket_t fd;
};

void link_list_add(struct http_link **list, struct http_link *link)
{
    link->prev = NULL;
    link->next = *list;
    if (link->next)
        link->next->prev = link;
    *list = link;
}

void link_list_remove(struct http_link **list, struct http_link *link)
{
    if (link->prev)
        link->prev->next = link->next;
    else
        *list = link->next;
    if (link->next)
        link->next->prev = link->prev;
}

static void link_free(void *user)
{
    struct http_link *link = user;
    secret_buf_close(&link->in); /* late: an owner's callback may have been reading from it */
    free(link);
}

void link_close(struct http_link *link)
{
    struct http_client *client = link->client;
    link_list_remove(&client->links, link);
    watch_close(link->watch); /* before libcurl closes the descriptor */
    (void)curl_multi_remove_handle(client->multi, link->easy);
    curl_easy_cleanup(link->easy);
    origin_drop(link->origin);
    loop_defer(client->loop, link_free, link);
}

static enum status status_of_curl(CURLcode code)
{
    switch ((int)code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return ST_NOT_FOUND;
    case CURLE_OPERATION_TIMEDOUT: return ST_TIMEOUT;
    case CURLE_OUT_OF_MEMORY: return ST_NO_MEMORY;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS: return ST_DENIED;
    default: return ST_IO;
    }
}

static void on_link_event(void *user, int events)
{
    struct http_link *link = user;
    if (link->call)
        call_on_link_event(link->call, events);
    else
        pool_check(link);
}

static void link_connected(struct http_link *link)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    struct http_call *call = link->call;
    if (curl_easy_getinfo(link->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
        fd != CURL_SOCKET_BAD)
        link->watch = watch_open(link->client->loop, (int)fd, on_link_event, link);
    if (link->watch)
        call_on_connected(call);
    else
        call_end(call, ST_IO, "no socket from libcurl");
}

/* Takes libcurl's reports one by one: each may lead to calls that start, end or close the client.
 */
static void take_reports(struct http_client *client)
{
    while (!client->is_closed) {
        int left;
        CURLMsg *report = curl_multi_info_read(client->multi, &left);
        if (!report)
            return;
        if (report->msg != CURLMSG_DONE)
            continue;
        CURLcode code = report->data.result;
        struct http_link *link = NULL;
        (void)curl_easy_getinfo(report->easy_handle, CURLINFO_PRIVATE, (char **)&link);
        if (!link || !link->call)
            continue;
        if (code == CURLE_OK)
            link_connected(link);
        else if (link->is_refused)
            call_end(link->call, ST_DENIED, "the address is not one that this request may reach");
        else
            call_end(link->call, status_of_curl(code), curl_easy_strerror(code));
    }
}

static void act(struct http_client *client, curl_socket_t fd, int what)
{
    int running;
    (void)curl_multi_socket_action(client->multi, fd, what, &running);
    take_reports(client);
}

static void on_curl_timer(void *user)
{
    act(user, CURL_SOCKET_TIMEOUT, 0);
}

static void on_curl_socket(void *user, int events)
{
    struct curl_socket *socket = user;
    int in = (events & WATCH_READ) ? CURL_CSELECT_IN : 0;
    int out = (events & WATCH_WRITE) ? CURL_CSELECT_OUT : 0;
    act(socket->client, socket->fd, in | out);
}

/* libcurl's callback: it wants a timeout in timeout_ms, or none (-1). */
static int set_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct http_client *client = user;
    (void)multi;
    if (timeout_ms < 0)
        timer_stop(client->curl_timer);
    else
        timer_start(client->curl_timer, timeout_ms);
    return 0;
}

static struct curl_socket *socket_new(struct http_client *client, curl_socket_t fd)
{
    struct curl_socket *socket = calloc(1, sizeof *socket);
    if (!socket)
        return NULL;
    socket->watch = watch_open(client->loop, (int)fd, on_curl_socket, socket);
    if (!socket->watch) {
        free(socket);
        return NULL;
    }
    socket->client = client;
    socket->fd = fd;
    socket->next = client->sockets;
    if (socket->next)
        socket->next->prev = socket;
    client->sockets = socket;
    (void)curl_multi_assign(client->multi, fd, socket);
    return socket;
}

static void socket_free(struct curl_socket *socket)
{
    struct http_client *client = socket->client;
    watch_close(socket->watch);
    if (socket->prev)
        socket->prev->next = socket->next;
    else
        client->sockets = socket->next;
    if (socket->next)
        socket->next->prev = socket->prev;
    loop_defer(client->loop, free, socket); /* on_curl_socket may be on the stack */
}

/* libcurl's callback: it wants fd watched for what. */
static int set_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *assigned)
{
    struct http_client *client = user;
    struct curl_socket *socket = assigned;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (socket)
            socket_free(socket);
        return 0;
    }
    if (!socket)
        socket = socket_new(client, fd);
    if (!socket)
        return 0; /* -1 would end all links; so this one only runs into its timeout */
    int in = (what & CURL_POLL_IN) ? WATCH_READ : 0;
    int out = (what & CURL_POLL_OUT) ? WATCH_WRITE : 0;
    watch_set(socket->watch, in | out);
    return 0;
}

bool connect_open(struct http_client *client)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return false;
    client->curl_timer = timer_open(client->loop, on_curl_timer, client);
    client->multi = curl_multi_init();
    if (client->curl_timer && client->multi &&
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, set_socket) == CURLM_OK &&
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
        curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
        curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client) == CURLM_OK &&
        curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)MAX_CONNECTS) == CURLM_OK)
        return true;
    connect_close(client);
    return false;
}

void connect_close(struct http_client *client)
{
    if (client->multi)
        (void)curl_multi_cleanup(client->multi);
    client->multi = NULL;
    while (client->sockets)
        socket_free(client->sockets);
    timer_close(client->curl_timer);
    client->curl_timer = NULL;
    curl_global_cleanup();
}

/* Why the less usual ones: HTTP/1.1 alone, or ALPN could pick h2 under our bytes. CAPATH unset, or
 * each connection parses a folder of certificates anew; CAINFO stays. HTTPPROXYTUNNEL, as we
 * write requests for a server, not for a proxy. QUICK_EXIT, or closing a link waits for the
 * resolver's thread. */
static bool set_options(CURL *easy, const struct http_link *link, uint32_t connect_timeout_ms)
{
    const struct origin *origin = link->origin;
    return curl_easy_setopt(easy, CURLOPT_URL, origin->base) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, link) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, (long)CA_CACHE_S) == CURLE_OK &&
           (!origin->ca_file ||
            curl_easy_setopt(easy, CURLOPT_CAINFO, origin->ca_file) == CURLE_OK) &&
           curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L) == CURLE_OK &&
           (!origin->is_loopback || curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK) &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_timeout_ms) == CURLE_OK;
}

/* libcurl's callback: makes the socket for one address, unless that is out of reach. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_link *link = user;
    if (purpose != CURLSOCKTYPE_IPCXN ||
        !reach_allows(link->origin->reach, &address->addr, address->addrlen)) {
        link->is_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A proxy would resolve the name, out of our sight. */
static bool set_reach(CURL *easy, struct http_link *link)
{
    return link->origin->reach == REACH_ANY ||
           (curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, link) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK);
}

bool link_open(struct http_call *call)
{
    struct http_client *client = call->client;
    struct http_link *link = calloc(1, sizeof *link);
    CURL *easy = link ? curl_easy_init() : NULL;
    if (!easy) {
        free(link);
        return false;
    }
    link->client = client;
    link->origin = call->origin;
    link->easy = easy;
    link->call = call;
    buf_init(&link->in, CLIENT_IN_BYTES);
    if (!set_options(easy, link, call->connect_timeout_ms) || !set_reach(easy, link) ||
        (call->is_secret && !buf_reserve(&link->in, CLIENT_IN_BYTES)) ||
        curl_multi_add_handle(client->multi, easy) != CURLM_OK) {
        curl_easy_cleanup(easy);
        buf_free(&link->in);
        free(link);
        return false;
    }
    link->origin->users++;
    link_list_add(&client->links, link);
    call->link = link;
    return true;
}
