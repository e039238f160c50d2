/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - one connection's TLS over a non-blocking socket.
 *
 * mbedTLS takes from the socket the record that it needs and no more, so what a client sends stays
 * in the kernel until it is asked for; only the rest of a record can be left inside (tls_has_more).
 * A record that was encrypted and not sent must be finished by a call with the same length, which
 * is kept in owed. One call takes a bounded number of bytes from the socket, so that a client of
 * warnings and requests to renegotiate, which mbedTLS answers by itself, cannot keep us in it.
 */
#include "runtime/net/tls_internal.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <stdlib.h>
#include <sys/socket.h>

struct tls {
    struct tls_context *context; /* a share */
    mbedtls_ssl_context ssl;
    int fd;
    size_t owed;    /* plain bytes in the record that is encrypted and not all sent */
    size_t allowed; /* bytes that this call may still take from the socket */
    bool is_shaken, is_broken, is_ended;
};

/* mbedTLS's callbacks: what is sent and received, already encrypted. */
static int put_bytes(void *user, const unsigned char *bytes, size_t n)
{
    const struct tls *tls = user;
    ssize_t done = send(tls->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (done >= 0)
        return (int)done;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
                                             : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int get_bytes(void *user, unsigned char *bytes, size_t n)
{
    struct tls *tls = user;
    size_t room = n < tls->allowed ? n : tls->allowed;
    if (room == 0)
        return MBEDTLS_ERR_SSL_WANT_READ; /* the socket is still readable: the next turn goes on */
    ssize_t done = recv(tls->fd, bytes, room, MSG_DONTWAIT);
    if (done >= 0) {
        tls->allowed -= (size_t)done;
        return (int)done;
    }
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
                                             : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

struct tls *tls_open(struct tls_context *context, int fd)
{
    struct tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return NULL;
    mbedtls_ssl_init(&tls->ssl);
    if (mbedtls_ssl_setup(&tls->ssl, &context->config) != 0) {
        mbedtls_ssl_free(&tls->ssl);
        free(tls);
        return NULL;
    }
    tls->context = tls_context_share(context);
    tls->fd = fd;
    mbedtls_ssl_set_bio(&tls->ssl, tls, put_bytes, get_bytes, NULL);
    return tls;
}

void tls_close(struct tls *tls)
{
    if (!tls)
        return;
    mbedtls_ssl_free(&tls->ssl);
    tls_context_release(tls->context);
    free(tls);
}

enum tls_step tls_handshake(struct tls *tls, struct tls_error *why)
{
    tls->allowed = TLS_TURN_BYTES;
    int code = mbedtls_ssl_handshake(&tls->ssl);
    if (code == 0) {
        tls->is_shaken = true;
        return TLS_DONE;
    }
    if (code == MBEDTLS_ERR_SSL_WANT_READ)
        return TLS_WANTS_READ;
    if (code == MBEDTLS_ERR_SSL_WANT_WRITE)
        return TLS_WANTS_WRITE;
    tls->is_broken = true;
    mbedtls_strerror(code, why->text, sizeof why->text);
    return TLS_FAILED;
}

ssize_t tls_recv(struct tls *tls, void *bytes, size_t room)
{
    if (tls->is_broken) {
        errno = EPROTO;
        return -1;
    }
    tls->allowed = TLS_TURN_BYTES;
    int n = mbedtls_ssl_read(&tls->ssl, bytes, room);
    if (n >= 0)
        return n;
    if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || n == MBEDTLS_ERR_SSL_CONN_EOF)
        return 0;
    if (n == MBEDTLS_ERR_SSL_WANT_READ) {
        errno = EAGAIN;
        return -1;
    }
    /* WANT_WRITE is of a warning that mbedTLS answers, to a client that does not read: the next
     * tls_send would take that half-sent answer for its own record. */
    tls->is_broken = true;
    errno = EPROTO;
    return -1;
}

/* Up to max bytes from the start of head and body, copied together where both give some. */
static Str next_piece(struct tls *tls, Str head, Str body, size_t max)
{
    if (head.n == 0)
        return str_sub(body, 0, body.n < max ? body.n : max);
    if (body.n == 0 || head.n >= max)
        return str_sub(head, 0, head.n < max ? head.n : max);
    size_t more = max - head.n < body.n ? max - head.n : body.n;
    memcpy(tls->context->piece, head.p, head.n);
    memcpy(tls->context->piece + head.n, body.p, more);
    return (Str){ .p = tls->context->piece, .n = head.n + more };
}

/* Takes the first n bytes away from head and body. */
static void advance(Str *head, Str *body, size_t n)
{
    size_t of_head = n < head->n ? n : head->n;
    *head = str_sub(*head, of_head, head->n);
    *body = str_sub(*body, n - of_head, body->n);
}

ssize_t tls_send(struct tls *tls, Str head, Str body)
{
    size_t sent = 0;
    int most = mbedtls_ssl_get_max_out_record_payload(&tls->ssl);
    size_t max = most > 0 && most < TLS_PIECE_MAX ? (size_t)most : TLS_PIECE_MAX;
    tls->allowed = 0; /* sending never reads */
    while (head.n + body.n && !tls->is_broken) {
        Str piece = next_piece(tls, head, body, tls->owed ? tls->owed : max);
        ENSURE(piece.n >= tls->owed); /* see tls.h: what was not taken is offered again */
        int n = mbedtls_ssl_write(&tls->ssl, (const unsigned char *)piece.p, piece.n);
        if (n == MBEDTLS_ERR_SSL_WANT_WRITE) {
            tls->owed = piece.n;
            break;
        }
        tls->owed = 0;
        tls->is_broken = n <= 0 || (size_t)n > piece.n;
        if (!tls->is_broken) {
            advance(&head, &body, (size_t)n);
            sent += (size_t)n;
        }
    }
    return tls->is_broken ? -1 : (ssize_t)sent;
}

bool tls_has_more(const struct tls *tls)
{
    return tls->is_shaken && !tls->is_broken && mbedtls_ssl_get_bytes_avail(&tls->ssl) > 0;
}

void tls_end(struct tls *tls)
{
    if (!tls->is_shaken || tls->is_broken || tls->is_ended || tls->owed)
        return;
    tls->is_ended = true;
    (void)mbedtls_ssl_close_notify(&tls->ssl);
}
