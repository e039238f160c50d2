/* SPDX-License-Identifier: Apache-2.0 */
/* TLS on the listener: which certificates are taken, what is spoken, and that a request means the
 * same whatever the records it comes in. */
#include "runtime/net/http_server.h"
#include "runtime/net/tls_internal.h"
#include "tests/unit/net_help.h"
#include "tests/unit/scratch.h"
#include "tests/unit/tls_peer.h"

#include <stdlib.h>
#include <sys/stat.h>

enum {
    BODY_MAX = 200000,
    HEARD_MAX = 64 << 20,
    BIG = 16 << 20, /* more than the kernel takes while nobody reads */
    SHAKE_MS = 500,
    HEAD_MS = 3000,
    SHAKES_MAX = 12, /* more than one turn takes */
    CONNECTIONS_MAX = 64,
};

static char *big;
static struct scratch_path certificate, key;

/* ---- certificates ---- */

static enum status open_context(const char *c, const char *k, struct tls_error *error)
{
    struct tls_context *context = NULL;
    *error = (struct tls_error){ .text = "" };
    enum status status = tls_context_open(c, k, &context, error);
    CHECK((status == ST_OK) == (context != NULL) && (status == ST_OK) == (error->text[0] == 0));
    tls_context_release(context);
    return status;
}

static void test_good_certificates(void)
{
    static const enum peer_key kinds[] = { PEER_P256, PEER_RSA_2048 };
    struct scratch_path c = scratch_path("good.pem"), k = scratch_path("good.key");
    struct tls_context *context = NULL;
    struct tls_error error;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct peer_certificate spec = { .key = kinds[i], .name = "CN=good" };
        spec.until = "20700102030405";
        peer_write_certificate(&spec, c.text, k.text);
        CHECK(tls_context_open(c.text, k.text, &context, &error) == ST_OK);
        CHECK(tls_context_end(context) == 3155857445); /* date -u -d '2070-01-02 03:04:05' +%s */
        tls_context_release(context);
    }
}

static void test_bad_certificates(void)
{
    static const struct peer_certificate expired = { .name = "CN=e", .until = "20250101000000" };
    static const struct peer_certificate early = { .name = "CN=y", .from = "20900101000000" };
    static const struct peer_certificate weak = { .name = "CN=w", .key = PEER_RSA_1024 };
    const struct {
        const struct peer_certificate *spec;
        const char *why;
    } rows[] = { { &expired, "it has expired" },
                 { &early, "it is not valid yet" },
                 { &weak, "its RSA key has less than 2048 bits" } };
    struct scratch_path c = scratch_path("bad.pem"), k = scratch_path("bad.key");
    struct tls_error error;
    for (size_t i = 0; i < COUNT(rows); i++) {
        peer_write_certificate(rows[i].spec, c.text, k.text);
        CHECK_ROW(open_context(c.text, k.text, &error) == ST_INVALID, "%s", rows[i].why);
        CHECK_ROW(str_ends(str_of(error.text), str_of(rows[i].why)), "%s", error.text);
    }
    CHECK(open_context(certificate.text, k.text, &error) == ST_INVALID);
    CHECK(str_ends(str_of(error.text), STR("the key is not that of the file's first certificate")));
    CHECK(open_context(certificate.text, certificate.text, &error) == ST_INVALID);
    CHECK(open_context(key.text, key.text, &error) == ST_INVALID);
    CHECK(open_context("/nonexistent", key.text, &error) == ST_IO);
    CHECK(open_context(certificate.text, "/nonexistent", &error) == ST_IO);
    CHECK(open_context("/", key.text, &error) == ST_INVALID);
}

static void test_damaged_files(void)
{
    char text[8192];
    struct scratch_path c = scratch_path("damaged.pem");
    struct tls_error error;
    size_t n = scratch_read(certificate.text, text, sizeof text);
    CHECK(n > 100);
    for (size_t cut = 0; cut < n - 1; cut += 37) {
        scratch_write(c.text, (Str){ text, cut });
        CHECK_ROW(open_context(c.text, key.text, &error) == ST_INVALID, "cut at %zu", cut);
    }
    memset(text, '\0', 100);
    scratch_write(c.text, (Str){ text, n });
    CHECK(open_context(c.text, key.text, &error) == ST_INVALID);
    scratch_write(c.text, (Str){ big, TLS_CERTIFICATE_MAX + 1 });
    CHECK(open_context(c.text, key.text, &error) == ST_INVALID);
    CHECK(str_ends(str_of(error.text), STR("too large")));
    scratch_write(c.text, (Str){ big, TLS_KEY_MAX + 1 });
    CHECK(open_context(certificate.text, c.text, &error) == ST_INVALID);
    CHECK(str_ends(str_of(error.text), STR("too large")));
}

static void test_open_key(void)
{
    static const mode_t bad[] = { 0604, 0660, 0620, 0602, 0666, 0601 };
    struct tls_error error;
    for (size_t i = 0; i < COUNT(bad); i++) {
        CHECK(chmod(key.text, bad[i]) == 0);
        CHECK_ROW(open_context(certificate.text, key.text, &error) == ST_DENIED, "%o", bad[i]);
    }
    /* A group may read what root owns: the way in which services share a key. */
    CHECK(chmod(key.text, 0640) == 0);
    CHECK(open_context(certificate.text, key.text, &error) == (geteuid() ? ST_DENIED : ST_OK));
    CHECK(chmod(key.text, 0400) == 0);
    CHECK(open_context(certificate.text, key.text, &error) == ST_OK);
    CHECK(chmod(key.text, 0600) == 0);
}

/* ---- a listener that echoes ---- */

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct tls_context *tls;
    uint16_t port;
    bool is_big;
    int requests, gones;
    struct buf heard;
};

static void on_head(void *user, struct exchange *exchange)
{
    (void)user;
    (void)exchange;
}

static void on_request(void *user, struct exchange *exchange)
{
    struct fixture *f = user;
    f->requests++;
    Str body = f->is_big ? (Str){ big, BIG } : exchange_body(exchange);
    exchange_respond(exchange, 200, NULL, 0, STR("text/plain"), body);
}

static void on_gone(void *user, struct exchange *exchange)
{
    struct fixture *f = user;
    (void)exchange;
    f->gones++;
}

static void set_up(struct fixture *f)
{
    static const struct http_handler handler = { on_head, on_request, on_gone, NULL };
    struct tls_error error;
    *f = (struct fixture){ .loop = new_loop() };
    ENSURE(tls_context_open(certificate.text, key.text, &f->tls, &error) == ST_OK);
    struct http_server_config config = { .host = "127.0.0.1",
                                         .max_connections = CONNECTIONS_MAX,
                                         .max_body_bytes = BODY_MAX,
                                         .head_timeout_ms = HEAD_MS,
                                         .body_timeout_ms = HEAD_MS,
                                         .idle_timeout_ms = HEAD_MS,
                                         .tls = f->tls,
                                         .handshake_timeout_ms = SHAKE_MS,
                                         .max_handshakes = SHAKES_MAX,
                                         .arena_limit = 1 << 20,
                                         .max_waiting_bytes = HEARD_MAX };
    buf_init(&f->heard, HEARD_MAX);
    CHECK(http_server_open(f->loop, &config, &handler, f, &f->server) == ST_OK);
    f->port = http_server_port(f->server);
}

static void tear_down(struct fixture *f)
{
    if (f->server)
        http_server_close(f->server);
    tls_context_release(f->tls);
    buf_free(&f->heard);
    loop_close(f->loop);
}

static struct peer *join(struct fixture *f, struct peer *peer, void (*set)(mbedtls_ssl_config *))
{
    peer_open(peer, f->loop, dial(f->port), set);
    CHECK(peer_shake(peer) == 0);
    return peer;
}

#define HELLO   "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
#define CLOSING "POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"

static bool is_answered(struct fixture *f, struct peer *peer)
{
    return peer_say(peer, STR(HELLO)) == 0 && peer_hear(peer, &f->heard, STR("\r\n\r\nhello")) == 0;
}

static void test_whole_exchange(void)
{
    struct fixture f;
    struct peer peer;
    set_up(&f);
    (void)join(&f, &peer, NULL);
    CHECK(str_eq(str_of(mbedtls_ssl_get_alpn_protocol(&peer.ssl)), STR("")));
    for (int i = 0; i < 3; i++)
        CHECK(is_answered(&f, &peer));
    CHECK(peer_say(&peer, STR(CLOSING)) == 0);
    CHECK(peer_hear(&peer, &f.heard, STR("")) == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    CHECK(str_ends(buf_str(&f.heard), STR("\r\n\r\nhello")));
    CHECK(f.requests == 4 && f.gones == 0);
    peer_close(&peer);
    tear_down(&f);
}

/* One record for each byte, and all of several requests in one record. */
static void test_records_mean_nothing(void)
{
    static const Str three = STR_INIT(HELLO HELLO CLOSING);
    struct fixture f;
    struct peer peer;
    set_up(&f);
    for (size_t step = 1; step <= three.n; step = step < 4 ? step + 1 : step * 3) {
        f.requests = 0;
        (void)join(&f, &peer, NULL);
        for (size_t at = 0; at < three.n; at += step) {
            size_t end = at + step < three.n ? at + step : three.n;
            CHECK(peer_say(&peer, str_sub(three, at, end)) == 0);
        }
        CHECK(peer_hear(&peer, &f.heard, STR("")) == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
        CHECK_ROW(f.requests == 3, "%d requests by records of %zu", f.requests, step);
        peer_close(&peer);
    }
    tear_down(&f);
}

/* A body longer than many records, whose last one also holds the next request. */
static void test_big_body(void)
{
    struct fixture f;
    struct peer peer;
    struct buf all;
    set_up(&f);
    (void)join(&f, &peer, NULL);
    buf_init(&all, HEARD_MAX);
    buf_printf(&all, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", BODY_MAX);
    buf_add(&all, (Str){ big, BODY_MAX });
    buf_add(&all, STR(CLOSING));
    CHECK(peer_say(&peer, buf_str(&all)) == 0);
    CHECK(peer_hear(&peer, &f.heard, STR("")) == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    CHECK(f.requests == 2 && f.heard.n > BODY_MAX);
    buf_free(&all);
    peer_close(&peer);
    tear_down(&f);
}

static void set_short_records(mbedtls_ssl_config *config)
{
    ENSURE(mbedtls_ssl_conf_max_frag_len(config, MBEDTLS_SSL_MAX_FRAG_LEN_512) == 0);
}

/* An answer that the socket takes in many pieces, each cut somewhere inside a record. */
static void test_slow_reader(void)
{
    static void (*const sets[])(mbedtls_ssl_config *) = { NULL, set_short_records };
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct fixture f;
        struct peer peer;
        set_up(&f);
        f.is_big = true;
        int fd = dial(f.port);
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ 65536 }, sizeof(int));
        peer_open(&peer, f.loop, fd, sets[i]);
        CHECK(peer_shake(&peer) == 0);
        CHECK(peer_say(&peer, STR(CLOSING)) == 0);
        TURN_UNTIL(f.loop, f.requests == 1);
        CHECK(http_server_exchanges(f.server) == 1);
        CHECK(peer_hear(&peer, &f.heard, STR("")) == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
        const char *body = memmem(f.heard.p, f.heard.n, "\r\n\r\n", 4);
        CHECK(body && (size_t)(f.heard.p + f.heard.n - body) == 4 + BIG &&
              memcmp(body + 4, big, BIG) == 0);
        peer_close(&peer);
        tear_down(&f);
    }
}

/* An answer that was not all said must not end as if it were. */
static void test_cut_answer(void)
{
    struct fixture f;
    struct peer peer;
    set_up(&f);
    f.is_big = true;
    int fd = dial(f.port);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ 65536 }, sizeof(int));
    peer_open(&peer, f.loop, fd, NULL);
    CHECK(peer_shake(&peer) == 0);
    CHECK(peer_say(&peer, STR(CLOSING)) == 0);
    TURN_UNTIL(f.loop, f.requests == 1);
    CHECK(http_server_exchanges(f.server) == 1);
    http_server_close(f.server);
    f.server = NULL;
    int code = peer_hear(&peer, &f.heard, STR(""));
    CHECK(code != MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY && f.heard.n < BIG);
    peer_close(&peer);
    tear_down(&f);
}

static void test_client_leaves(void)
{
    struct fixture f;
    struct peer peer;
    set_up(&f);
    (void)join(&f, &peer, NULL);
    CHECK(peer_say(&peer, STR("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhal")) == 0);
    CHECK(mbedtls_ssl_close_notify(&peer.ssl) == 0);
    TURN_UNTIL(f.loop, f.gones == 1);
    CHECK(f.gones == 1 && f.requests == 0);
    peer_close(&peer);
    tear_down(&f);
}

/* ---- what is spoken ---- */

/* Where suites name a certificate, and a session is known by its master secret. */
static void set_tls12(mbedtls_ssl_config *config)
{
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#else
    mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#endif
}

static const char *alpn_offer[2];

static void set_alpn(mbedtls_ssl_config *config)
{
    ENSURE(mbedtls_ssl_conf_alpn_protocols(config, alpn_offer) == 0);
}

static void set_cbc(mbedtls_ssl_config *config)
{
    static const int suites[] = { MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
                                  MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, 0 };
    set_tls12(config);
    mbedtls_ssl_conf_ciphersuites(config, suites);
}

static void set_ccm(mbedtls_ssl_config *config)
{
    static const int suites[] = { MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, 0 };
    set_tls12(config);
    mbedtls_ssl_conf_ciphersuites(config, suites);
}

static void set_chacha(mbedtls_ssl_config *config)
{
    static const int suites[] = { MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, 0 };
    set_tls12(config);
    mbedtls_ssl_conf_ciphersuites(config, suites);
}

#if MBEDTLS_VERSION_NUMBER < 0x03000000
static void set_tls11(mbedtls_ssl_config *config)
{
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_1);
    mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_2);
}
#endif

static void check_shake(struct fixture *f, void (*set)(mbedtls_ssl_config *), bool is_good)
{
    struct peer peer;
    peer_open(&peer, f->loop, dial(f->port), set);
    CHECK((peer_shake(&peer) == 0) == is_good);
    if (is_good)
        CHECK(is_answered(f, &peer));
    peer_close(&peer);
}

static void test_what_is_spoken(void)
{
    struct fixture f;
    set_up(&f);
    check_shake(&f, set_chacha, true);
    check_shake(&f, set_cbc, false);
    check_shake(&f, set_ccm, false);
#if MBEDTLS_VERSION_NUMBER < 0x03000000
    check_shake(&f, set_tls11, false);
#endif
    alpn_offer[0] = "http/1.1";
    check_shake(&f, set_alpn, true);
    alpn_offer[0] = "h2";
    check_shake(&f, set_alpn, false);
    check_shake(&f, NULL, true);
    tear_down(&f);
}

#if MBEDTLS_VERSION_NUMBER < 0x03000000 && defined(MBEDTLS_SSL_RENEGOTIATION)
static void set_renegotiation(mbedtls_ssl_config *config)
{
    mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
}

static void test_renegotiation(void)
{
    struct fixture f;
    struct peer peer;
    set_up(&f);
    (void)join(&f, &peer, set_renegotiation);
    CHECK(is_answered(&f, &peer));
    int64_t until = world_mono_ms() + HELP_WAIT_MS;
    int code;
    do {
        code = mbedtls_ssl_renegotiate(&peer.ssl);
        turn(f.loop, 1);
    } while (code == MBEDTLS_ERR_SSL_WANT_READ && world_mono_ms() < until);
    CHECK(code != 0);
    peer_close(&peer);
    check_shake(&f, NULL, true);
    tear_down(&f);
}
#endif

static bool is_resumed(struct fixture *f, mbedtls_ssl_session *session)
{
    struct peer peer;
    unsigned char before[48], after[48];
    peer_open(&peer, f->loop, dial(f->port), set_tls12);
    CHECK(mbedtls_ssl_set_session(&peer.ssl, session) == 0);
    CHECK(peer_shake(&peer) == 0 && is_answered(f, &peer));
    mbedtls_ssl_session fresh;
    mbedtls_ssl_session_init(&fresh);
    CHECK(mbedtls_ssl_get_session(&peer.ssl, &fresh) == 0);
    memcpy(before, session->MBEDTLS_PRIVATE(master), sizeof before);
    memcpy(after, fresh.MBEDTLS_PRIVATE(master), sizeof after);
    mbedtls_ssl_session_free(&fresh);
    peer_close(&peer);
    return memcmp(before, after, sizeof before) == 0;
}

/* A ticket spares the handshake's cost, until the certificate is another one. */
static void test_tickets(void)
{
    struct fixture f;
    struct peer peer;
    struct tls_context *other = NULL;
    struct tls_error error;
    mbedtls_ssl_session session;
    set_up(&f);
    mbedtls_ssl_session_init(&session);
    (void)join(&f, &peer, set_tls12);
    CHECK(is_answered(&f, &peer));
    CHECK(mbedtls_ssl_get_session(&peer.ssl, &session) == 0);
    peer_close(&peer);
    CHECK(is_resumed(&f, &session));
    CHECK(tls_context_open(certificate.text, key.text, &other, &error) == ST_OK);
    http_server_set_tls(f.server, other);
    tls_context_release(other);
    CHECK(!is_resumed(&f, &session));
    mbedtls_ssl_session_free(&session);
    tear_down(&f);
}

static bool is_subject(const struct peer *peer, const char *name)
{
    char subject[64];
    const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&peer->ssl);
    return crt && mbedtls_x509_dn_gets(subject, sizeof subject, &crt->subject) > 0 &&
           str_eq(str_of(subject), str_of(name));
}

/* Who is connected stays so; who comes later meets the new certificate. */
static void test_swap(void)
{
    static const struct peer_certificate spec = { .name = "CN=second" };
    struct scratch_path c = scratch_path("second.pem"), k = scratch_path("second.key");
    struct fixture f;
    struct peer old, fresh;
    struct tls_context *second = NULL;
    struct tls_error error;
    set_up(&f);
    peer_write_certificate(&spec, c.text, k.text);
    (void)join(&f, &old, NULL);
    CHECK(is_subject(&old, "CN=first") && is_answered(&f, &old));
    CHECK(tls_context_open(c.text, k.text, &second, &error) == ST_OK);
    http_server_set_tls(f.server, second);
    tls_context_release(second);
    CHECK(is_answered(&f, &old));
    (void)join(&f, &fresh, NULL);
    CHECK(is_subject(&fresh, "CN=second") && is_answered(&f, &fresh) && is_answered(&f, &old));
    peer_close(&old);
    peer_close(&fresh);
    tear_down(&f);
}

/* ---- strangers ---- */

static void test_plain_http(void)
{
    struct fixture f;
    set_up(&f);
    int fd = dial(f.port);
    CHECK(say(f.loop, fd, STR(HELLO)));
    CHECK(hear(f.loop, fd, &f.heard, STR("")));
    CHECK(str_starts(buf_str(&f.heard), STR("HTTP/1.1 400 Bad Request\r\n")));
    CHECK(f.requests == 0);
    (void)close(fd);
    tear_down(&f);
}

static void test_garbage(void)
{
    static const Str texts[] = { STR_INIT("\0\0\0\0\0\0"),
                                 STR_INIT("\x16\x03\x01\x00\x05hello"),
                                 STR_INIT("\x17\x03\x03\x00\x05hello"),
                                 STR_INIT("get / http"),
                                 STR_INIT("\x80\x2e\x01\x00\x02"),
                                 STR_INIT("\x15\x03\x03\x00\x02"
                                          "\x02\x28") };
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < COUNT(texts); i++) {
        int fd = dial(f.port);
        CHECK(say(f.loop, fd, texts[i]));
        CHECK(shutdown(fd, SHUT_WR) == 0);
        (void)hear(f.loop, fd, &f.heard, STR("")); /* an end or a reset, as the kernel likes */
        char byte;
        CHECK_ROW(recv(fd, &byte, 1, MSG_DONTWAIT) == 0 || errno != EAGAIN, "garbage %zu", i);
        CHECK_ROW(!str_contains(buf_str(&f.heard), STR("HTTP")), "garbage %zu", i);
        (void)close(fd);
    }
    check_shake(&f, NULL, true);
    CHECK(f.requests == 1);
    tear_down(&f);
}

/* Half a handshake, or a byte of one now and then, is over when its time is. */
static void test_slow_handshake(void)
{
    struct fixture f;
    set_up(&f);
    int silent = dial(f.port), slow = dial(f.port);
    int64_t start = world_mono_ms();
    while (world_mono_ms() - start < SHAKE_MS + 100) {
        (void)send(slow, "\x16\x03\x01\x02", 1, MSG_NOSIGNAL);
        turn(f.loop, 20);
    }
    CHECK(hear(f.loop, silent, &f.heard, STR("")) && f.heard.n == 0);
    char byte;
    CHECK(recv(slow, &byte, 1, MSG_DONTWAIT) <= 0 && errno != EAGAIN);
    (void)close(silent);
    (void)close(slow);
    tear_down(&f);
}

/* More unfinished handshakes than may be: the oldest goes, whoever goes on is served. */
static void test_handshake_cap(void)
{
    struct fixture f;
    int fds[SHAKES_MAX * 4];
    set_up(&f);
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial(f.port);
        turn(f.loop, 1);
    }
    char byte;
    CHECK(recv(fds[0], &byte, 1, MSG_DONTWAIT) == 0);
    CHECK(recv(fds[COUNT(fds) - 1], &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    check_shake(&f, NULL, true);
    for (size_t i = 0; i < COUNT(fds); i++)
        (void)close(fds[i]);
    tear_down(&f);
}

/* Many at once: more than have their step in one turn, and none of them starves. */
static void test_handshakes_together(void)
{
    struct fixture f;
    static struct peer peers[SHAKES_MAX];
    bool is_done[SHAKES_MAX] = { false };
    size_t done = 0;
    set_up(&f);
    for (size_t i = 0; i < SHAKES_MAX; i++)
        peer_open(&peers[i], f.loop, dial(f.port), NULL);
    int64_t until = world_mono_ms() + HELP_WAIT_MS;
    while (done < SHAKES_MAX && world_mono_ms() < until) {
        for (size_t i = 0; i < SHAKES_MAX; i++) {
            if (!is_done[i] && mbedtls_ssl_handshake(&peers[i].ssl) == 0) {
                is_done[i] = true;
                done++;
            }
        }
        turn(f.loop, 1);
    }
    CHECK_ROW(done == SHAKES_MAX, "%zu of %d", done, SHAKES_MAX);
    for (size_t i = 0; i < SHAKES_MAX; i++) {
        CHECK(is_answered(&f, &peers[i]));
        peer_close(&peers[i]);
    }
    tear_down(&f);
}

static void defer_again(void *user)
{
    int *left = ((void **)user)[1];
    if (--*left > 0)
        loop_defer(((void **)user)[0], defer_again, user);
}

static void look_away(void *user, int events)
{
    (void)user;
    (void)events;
}

/* What is deferred runs although a descriptor stays ready all the time. */
static void test_deferred_beside_readiness(void)
{
    int left = 5, fds[2];
    struct loop *loop = new_loop();
    void *user[] = { loop, &left };
    CHECK(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
    struct watch *watch = watch_open(loop, fds[0], look_away, NULL);
    watch_set(watch, WATCH_READ);
    loop_defer(loop, defer_again, user);
    TURN_UNTIL(loop, left == 0);
    CHECK(left == 0);
    watch_close(watch);
    (void)close(fds[0]);
    (void)close(fds[1]);
    loop_close(loop);
}

/* Closing the server with connections in every state of their handshake. */
static void test_close(void)
{
    struct fixture f;
    struct peer peers[SHAKES_MAX];
    set_up(&f);
    for (size_t i = 0; i < COUNT(peers); i++) {
        peer_open(&peers[i], f.loop, dial(f.port), NULL);
        for (size_t k = 0; k < i; k++) {
            (void)mbedtls_ssl_handshake(&peers[i].ssl);
            turn(f.loop, 2);
        }
    }
    http_server_drain(f.server);
    http_server_close(f.server);
    f.server = NULL;
    turn(f.loop, 2);
    for (size_t i = 0; i < COUNT(peers); i++)
        peer_close(&peers[i]);
    tear_down(&f);
}

int main(void)
{
    static const struct peer_certificate first = { .name = "CN=first" };
    big = malloc(BIG);
    ENSURE(big);
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)('a' + i % 23);
    certificate = scratch_path("first.pem");
    key = scratch_path("first.key");
    peer_write_certificate(&first, certificate.text, key.text);
    RUN(test_good_certificates);
    RUN(test_bad_certificates);
    RUN(test_damaged_files);
    RUN(test_open_key);
    RUN(test_whole_exchange);
    RUN(test_records_mean_nothing);
    RUN(test_big_body);
    RUN(test_slow_reader);
    RUN(test_cut_answer);
    RUN(test_client_leaves);
    RUN(test_what_is_spoken);
#if MBEDTLS_VERSION_NUMBER < 0x03000000 && defined(MBEDTLS_SSL_RENEGOTIATION)
    RUN(test_renegotiation);
#endif
    RUN(test_tickets);
    RUN(test_swap);
    RUN(test_plain_http);
    RUN(test_garbage);
    RUN(test_slow_handshake);
    RUN(test_handshake_cap);
    RUN(test_handshakes_together);
    RUN(test_deferred_beside_readiness);
    RUN(test_close);
    free(big);
    return check_finish();
}
