/* SPDX-License-Identifier: Apache-2.0 */
/* tls_peer.c - mbedTLS's other end. The end-to-end tests bring OpenSSL's; this one can be stepped
 * and stopped between any two bytes. */
#include "tests/unit/tls_peer.h"

#include "runtime/net/tls_mbed.h"
#include "tests/unit/net_help.h"

#include <mbedtls/bignum.h>
#include <mbedtls/ecp.h>
#include <mbedtls/rsa.h>
#include <sys/stat.h>

enum { PEM_MAX = 8192, READ_STEP = 4096 };

static void make_key(enum peer_key kind, mbedtls_pk_context *key)
{
    mbedtls_pk_init(key);
    if (kind == PEER_P256) {
        ENSURE(mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0);
        ENSURE(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), tls_entropy,
                                   NULL) == 0);
        return;
    }
    unsigned bits = kind == PEER_RSA_2048 ? 2048 : 1024;
    ENSURE(mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)) == 0);
    ENSURE(mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), tls_entropy, NULL, bits, 65537) == 0);
}

static void write_file(const char *path, const unsigned char *text)
{
    Str s = str_of((const char *)text);
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ENSURE(fd >= 0 && write(fd, s.p, s.n) == (ssize_t)s.n && close(fd) == 0);
}

static int set_serial(mbedtls_x509write_cert *cert)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    mbedtls_mpi serial;
    mbedtls_mpi_init(&serial);
    int code = mbedtls_mpi_lset(&serial, 1);
    if (code == 0)
        code = mbedtls_x509write_crt_set_serial(cert, &serial);
    mbedtls_mpi_free(&serial);
    return code;
#else
    unsigned char serial[] = { 1 };
    return mbedtls_x509write_crt_set_serial_raw(cert, serial, sizeof serial);
#endif
}

void peer_write_certificate(const struct peer_certificate *spec, const char *certificate,
                            const char *key_path)
{
    unsigned char pem[PEM_MAX];
    mbedtls_pk_context key;
    mbedtls_x509write_cert cert;
    make_key(spec->key, &key);
    mbedtls_x509write_crt_init(&cert);
    mbedtls_x509write_crt_set_version(&cert, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&cert, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&cert, &key);
    mbedtls_x509write_crt_set_issuer_key(&cert, &key);
    ENSURE(set_serial(&cert) == 0 &&
           mbedtls_x509write_crt_set_subject_name(&cert, spec->name) == 0 &&
           mbedtls_x509write_crt_set_issuer_name(&cert, spec->name) == 0 &&
           mbedtls_x509write_crt_set_validity(&cert, spec->from ? spec->from : "20200101000000",
                                              spec->until ? spec->until : "20991231235959") == 0);
    ENSURE(mbedtls_x509write_crt_pem(&cert, pem, sizeof pem, tls_entropy, NULL) == 0);
    write_file(certificate, pem);
    ENSURE(mbedtls_pk_write_key_pem(&key, pem, sizeof pem) == 0);
    write_file(key_path, pem);
    mbedtls_x509write_crt_free(&cert);
    mbedtls_pk_free(&key);
}

static int put_bytes(void *user, const unsigned char *bytes, size_t n)
{
    const struct peer *peer = user;
    ssize_t done = send(peer->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (done >= 0)
        return (int)done;
    return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int get_bytes(void *user, unsigned char *bytes, size_t n)
{
    const struct peer *peer = user;
    ssize_t done = recv(peer->fd, bytes, n, MSG_DONTWAIT);
    if (done >= 0)
        return (int)done;
    return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_CONN_EOF;
}

void peer_open(struct peer *peer, struct loop *loop, int fd, void (*set)(mbedtls_ssl_config *))
{
    peer->loop = loop;
    peer->fd = fd;
    mbedtls_ssl_config_init(&peer->config);
    mbedtls_ssl_init(&peer->ssl);
    ENSURE(tls_library_open());
    ENSURE(mbedtls_ssl_config_defaults(&peer->config, MBEDTLS_SSL_IS_CLIENT,
                                       MBEDTLS_SSL_TRANSPORT_STREAM,
                                       MBEDTLS_SSL_PRESET_DEFAULT) == 0);
    mbedtls_ssl_conf_rng(&peer->config, tls_entropy, NULL);
    mbedtls_ssl_conf_authmode(&peer->config, MBEDTLS_SSL_VERIFY_NONE);
    if (set)
        set(&peer->config);
    ENSURE(mbedtls_ssl_setup(&peer->ssl, &peer->config) == 0);
    mbedtls_ssl_set_bio(&peer->ssl, peer, put_bytes, get_bytes, NULL);
}

void peer_close(struct peer *peer)
{
    mbedtls_ssl_free(&peer->ssl);
    mbedtls_ssl_config_free(&peer->config);
    (void)close(peer->fd);
}

/* Turns the loop if the code says that it may help and there is time. */
static bool goes_on(struct peer *peer, int code, int64_t until)
{
    bool is_again = code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE;
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
    is_again |= code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#endif
    if (!is_again || world_mono_ms() >= until)
        return false;
    turn(peer->loop, 1);
    return true;
}

int peer_shake(struct peer *peer)
{
    int64_t until = world_mono_ms() + HELP_WAIT_MS;
    int code;
    do
        code = mbedtls_ssl_handshake(&peer->ssl);
    while (goes_on(peer, code, until));
    return code;
}

int peer_say(struct peer *peer, Str text)
{
    int64_t until = world_mono_ms() + HELP_WAIT_MS;
    while (text.n) {
        int n = mbedtls_ssl_write(&peer->ssl, (const unsigned char *)text.p, text.n);
        if (n > 0)
            text = str_sub(text, (size_t)n, text.n);
        else if (!goes_on(peer, n, until))
            return n;
    }
    return 0;
}

int peer_hear(struct peer *peer, struct buf *heard, Str until)
{
    int64_t deadline = world_mono_ms() + HELP_WAIT_MS;
    buf_clear(heard);
    for (;;) {
        size_t tail = READ_STEP + until.n; /* what came last, and what may be cut before it */
        Str fresh = str_sub(buf_str(heard), heard->n > tail ? heard->n - tail : 0, heard->n);
        if (until.n && str_contains(fresh, until))
            return 0;
        ENSURE(buf_reserve(heard, READ_STEP));
        int n = mbedtls_ssl_read(&peer->ssl, (unsigned char *)heard->p + heard->n, READ_STEP);
        if (n > 0)
            heard->n += (size_t)n;
        else if (!goes_on(peer, n, deadline))
            return n;
    }
}
