/* SPDX-License-Identifier: Apache-2.0 */
/* bench_upstream.c - the MCP server that throughput is measured against: one answer for every
 * tools/call, with the request's id, as fast as one thread can write it.
 *
 * A measuring tool on loopback, not a server to build on: it reads just enough HTTP/1.1 for
 * clients that send well-formed requests with a Content-Length. Speaks the legacy era.
 * Usage: bench_upstream TOOLS.json; the file's object is the result of tools/list, so that a policy
 * that was compiled for it finds its tools. Prints "ready PORT" and runs until it is killed.
 */
#include "runtime/json/json.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REQUEST_MAX = 16 * 1024,
    ANSWER_MAX = 64 * 1024,
    EVENTS = 64,
    BACKLOG = 256,
    MEMORY_BYTES = 1 << 20,
};

struct peer {
    int fd;
    size_t n;
    char bytes[REQUEST_MAX];
};

/* Reused from request to request. */
struct tools {
    struct arena mem;
    struct buf message, answer;
};

static const char call_result[] =
    "{\"content\":[{\"type\":\"text\",\"text\":\"3 issues. #812 Login form loses its state when it "
    "is sent twice (bug, ui). #807 Retry with backoff in the queue worker (enhancement). #799 The "
    "search page shows the first answer only (bug). Next page: 2.\"}],\"isError\":false}";

static const char initialize_result[] =
    "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},"
    "\"serverInfo\":{\"name\":\"bench-upstream\",\"version\":\"1.0.0\"}}";

static char tools_result[ANSWER_MAX / 2]; /* of tools/list, NUL behind */

static NORETURN void stop(const char *what)
{
    fprintf(stderr, "bench_upstream: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void write_message(struct buf *out, Str method, Str id)
{
    buf_clear(out);
    buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,", STR_ARG(id));
    if (str_eq(method, STR("tools/call")))
        buf_printf(out, "\"result\":%s}", call_result);
    else if (str_eq(method, STR("initialize")))
        buf_printf(out, "\"result\":%s}", initialize_result);
    else if (str_eq(method, STR("tools/list")))
        buf_printf(out, "\"result\":%s}", tools_result);
    else
        buf_add(out, STR("\"error\":{\"code\":-32601,\"message\":\"unknown method\"}}"));
}

static void write_answer(struct tools *tools, Str body)
{
    struct json_doc doc;
    arena_rewind(&tools->mem);
    buf_clear(&tools->answer);
    if (json_parse(body, &json_limits_default, &tools->mem, &doc, NULL) != JSON_ERR_NONE) {
        buf_add(&tools->answer, STR("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
        return;
    }
    uint32_t id = json_member(&doc, 0, STR("id"));
    if (id == JSON_NONE) {
        buf_add(&tools->answer, STR("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"));
        return;
    }
    write_message(&tools->message, json_member_string(&doc, 0, STR("method")), json_raw(&doc, id));
    buf_printf(&tools->answer,
               "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
               tools->message.n);
    buf_add(&tools->answer, buf_str(&tools->message));
}

/* The value of the Content-Length field; 0 when there is none. */
static uint64_t content_length(Str head)
{
    uint64_t length = 0;
    while (head.n) {
        Str line = str_cut(&head, '\n');
        Str name = str_cut(&line, ':');
        if (str_eq_nocase(name, STR("content-length")) && line.n &&
            !str_to_u64(str_trim(str_sub(line, 0, line.n - 1)), REQUEST_MAX, &length))
            return 0;
    }
    return length;
}

/* Answers each request that is there whole; false when the connection is to be closed. */
static bool serve(struct peer *peer, struct tools *tools)
{
    size_t used = 0;
    for (;;) {
        Str rest = { .p = peer->bytes + used, .n = peer->n - used };
        const char *end = memmem(rest.p, rest.n, "\r\n\r\n", 4);
        if (!end)
            break;
        size_t head = (size_t)(end - rest.p) + 4;
        size_t whole = head + content_length(str_sub(rest, 0, head));
        if (rest.n < whole)
            break;
        write_answer(tools, str_sub(rest, head, whole));
        if (send(peer->fd, tools->answer.p, tools->answer.n, MSG_NOSIGNAL) !=
            (ssize_t)tools->answer.n)
            return false; /* a client that reads slower than it asks: none of ours does */
        used += whole;
    }
    peer->n -= used;
    memmove(peer->bytes, peer->bytes + used, peer->n);
    return peer->n < REQUEST_MAX;
}

static void on_readable(struct peer *peer, struct tools *tools)
{
    ssize_t n = recv(peer->fd, peer->bytes + peer->n, REQUEST_MAX - peer->n, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        peer->n += (size_t)n;
        if (serve(peer, tools))
            return;
    }
    (void)close(peer->fd);
    free(peer);
}

static void add_peer(int epoll, int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct peer *peer = calloc(1, sizeof *peer);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };
    if (!peer || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        stop("connection");
    peer->fd = fd;
} /* NOLINT(clang-analyzer-unix.Malloc): epoll holds the peer */

static int listen_anywhere(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) != 0)
        stop("listen");
    printf("ready %u\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    return fd;
}

static void read_tools(const char *path)
{
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file || fread(tools_result, 1, sizeof tools_result - 1, file) == 0 || !feof(file))
        stop("the file of tools");
    (void)fclose(file);
}

int main(int argc, char **argv)
{
    static struct tools tools;
    struct epoll_event events[EVENTS], event = { .events = EPOLLIN, .data.ptr = NULL };
    int listener = listen_anywhere(), epoll = epoll_create1(EPOLL_CLOEXEC);
    read_tools(argc > 1 ? argv[1] : NULL);
    arena_init(&tools.mem, MEMORY_BYTES);
    buf_init(&tools.message, ANSWER_MAX);
    buf_init(&tools.answer, ANSWER_MAX);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        stop("epoll");
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        if (n < 0 && errno != EINTR)
            stop("epoll");
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                on_readable(events[i].data.ptr, &tools);
            else
                add_peer(epoll, listener);
        }
    }
}
