/* SPDX-License-Identifier: Apache-2.0 */
/* tls_context.c - a certificate, its key and what is spoken with them, all good or none.
 *
 * Files are asked for their permissions when they are open, so that nothing can be exchanged
 * between the question and the reading; the key's text is wiped. Each context has ticket keys of
 * its own: a client that resumes a session of a certificate replaced meanwhile shakes hands anew.
 */
#include "runtime/crypto/secret.h"
#include "runtime/net/tls_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MBED_TEXT_MAX = 128 };

static enum status complain(struct tls_error *error, enum status status, const char *what,
                            const char *path, const char *why)
{
    (void)snprintf(error->text, sizeof error->text, "%s %s: %s", what, path, why);
    return status;
}

/* mbedTLS's own words for a code of its own. */
static enum status complain_mbed(struct tls_error *error, const char *what, const char *path,
                                 int code)
{
    char text[MBED_TEXT_MAX];
    mbedtls_strerror(code, text, sizeof text);
    return complain(error, ST_INVALID, what, path, text);
}

/* What is wrong with the permissions of a private key, or NULL. */
static const char *secrecy_problem(const struct stat *info)
{
    bool is_roots = info->st_uid == 0;
    if (!is_roots && info->st_uid != geteuid())
        return "it belongs to somebody else";
    if (info->st_mode & (S_IRWXO | S_IWGRP | S_IXGRP))
        return "others have access to it; take that away (chmod 600)";
    if ((info->st_mode & S_IRGRP) && !is_roots)
        return "its group may read it; take that away (chmod 600)";
    return NULL;
}

struct file {
    const char *what, *path;
    size_t max; /* bytes */
    bool is_secret;
};

static enum status check_file(int fd, const struct file *file, struct tls_error *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return complain(error, ST_IO, file->what, file->path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return complain(error, ST_INVALID, file->what, file->path, "not a regular file");
    if (info.st_size < 0 || (size_t)info.st_size > file->max)
        return complain(error, ST_INVALID, file->what, file->path, "too large");
    const char *why = file->is_secret ? secrecy_problem(&info) : NULL;
    return why ? complain(error, ST_DENIED, file->what, file->path, why) : ST_OK;
}

/* Reads the open file to its end, with a NUL behind, into a buffer that has room for file->max and
 * one byte. */
static enum status read_all(int fd, const struct file *file, struct buf *out,
                            struct tls_error *error)
{
    while (out->n <= file->max) {
        ssize_t got = read(fd, out->p + out->n, file->max + 1 - out->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return complain(error, ST_IO, file->what, file->path, strerror(errno));
        if (got == 0) {
            out->p[out->n] = '\0';
            return ST_OK;
        }
        out->n += (size_t)got;
    }
    return complain(error, ST_INVALID, file->what, file->path, "too large");
}

/* *out holds nothing unless ST_OK; else secret_buf_close it. */
static enum status read_file(const struct file *file, struct buf *out, struct tls_error *error)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return complain(error, ST_IO, file->what, file->path, strerror(errno));
    enum status status = check_file(fd, file, error);
    if (status == ST_OK && !secret_buf_open(out, file->max + 1))
        status = complain(error, ST_NO_MEMORY, file->what, file->path, "no memory left");
    else if (status == ST_OK) {
        status = read_all(fd, file, out, error);
        if (status != ST_OK)
            secret_buf_close(out);
    }
    (void)close(fd);
    return status;
}

/* The length that mbedTLS wants of PEM: with the NUL. */
static const unsigned char *pem_of(const struct buf *text, size_t *n)
{
    *n = text->n + 1;
    return (const unsigned char *)text->p;
}

static enum status read_certificates(const struct file *file, mbedtls_x509_crt *chain,
                                     struct tls_error *error)
{
    struct buf text;
    size_t n;
    enum status status = read_file(file, &text, error);
    if (status != ST_OK)
        return status;
    const unsigned char *pem = pem_of(&text, &n);
    int code = mbedtls_x509_crt_parse(chain, pem, n);
    secret_buf_close(&text);
    if (code > 0)
        return complain(error, ST_INVALID, file->what, file->path,
                        "not all of its certificates can be read");
    return code ? complain_mbed(error, file->what, file->path, code) : ST_OK;
}

enum status tls_authorities_check(const char *path, struct tls_error *error)
{
    const struct file file = { "the authorities", path, TLS_AUTHORITIES_MAX, false };
    mbedtls_x509_crt chain;
    mbedtls_x509_crt_init(&chain);
    enum status status = read_certificates(&file, &chain, error);
    mbedtls_x509_crt_free(&chain);
    return status;
}

static enum status read_key(struct tls_context *context, const char *path, struct tls_error *error)
{
    const struct file file = { "the key", path, TLS_KEY_MAX, true };
    struct buf text;
    size_t n;
    enum status status = read_file(&file, &text, error);
    if (status != ST_OK)
        return status;
    const unsigned char *pem = pem_of(&text, &n);
    int code = tls_parse_key(&context->key, pem, n);
    secret_buf_close(&text);
    if (code == MBEDTLS_ERR_PK_PASSWORD_REQUIRED)
        return complain(error, ST_INVALID, file.what, path,
                        "it is encrypted, and there is nobody to ask for the password");
    return code ? complain_mbed(error, file.what, path, code) : ST_OK;
}

/* What is wrong with the pair, or NULL. */
static const char *pair_problem(const struct tls_context *context)
{
    const mbedtls_x509_crt *leaf = &context->chain;
    if (mbedtls_pk_can_do(&leaf->pk, MBEDTLS_PK_RSA)) {
        if (mbedtls_pk_get_bitlen(&leaf->pk) < TLS_RSA_BITS_MIN)
            return "its RSA key has less than 2048 bits";
    } else if (!mbedtls_pk_can_do(&leaf->pk, MBEDTLS_PK_ECDSA)) {
        return "its key is neither RSA nor ECDSA";
    }
    if (tls_check_pair(&leaf->pk, &context->key) != 0)
        return "the key is not that of the file's first certificate";
    if (mbedtls_x509_time_is_past(&leaf->valid_to))
        return "it has expired";
    if (mbedtls_x509_time_is_future(&leaf->valid_from))
        return "it is not valid yet";
    return NULL;
}

static bool set_up(struct tls_context *context)
{
    static const char *protocols[] = { "http/1.1", NULL };
    mbedtls_ssl_config *config = &context->config;
    /* The older library has nothing to open. */
    // cppcheck-suppress knownConditionTrueFalse
    if (!tls_library_open() ||
        mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0 ||
        mbedtls_ssl_ticket_setup(&context->tickets, tls_entropy, NULL, MBEDTLS_CIPHER_AES_256_GCM,
                                 TLS_TICKET_LIFE_S) != 0 ||
        mbedtls_ssl_conf_own_cert(config, &context->chain, &context->key) != 0 ||
        mbedtls_ssl_conf_alpn_protocols(config, protocols) != 0)
        return false;
    mbedtls_ssl_conf_rng(config, tls_entropy, NULL);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_ciphersuites(config, tls_suites);
    mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
    mbedtls_ssl_conf_session_tickets_cb(config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                        &context->tickets);
    tls_set_versions(config);
    return true;
}

static struct tls_context *context_new(void)
{
    struct tls_context *context = calloc(1, sizeof *context);
    if (!context)
        return NULL;
    context->users = 1;
    mbedtls_ssl_config_init(&context->config);
    mbedtls_x509_crt_init(&context->chain);
    mbedtls_pk_init(&context->key);
    mbedtls_ssl_ticket_init(&context->tickets);
    return context;
}

enum status tls_context_open(const char *certificate, const char *key, struct tls_context **out,
                             struct tls_error *error)
{
    struct tls_context *context = context_new();
    if (!context)
        return complain(error, ST_NO_MEMORY, "the certificate", certificate, "no memory left");
    const struct file file = { "the certificate", certificate, TLS_CERTIFICATE_MAX, false };
    enum status status = read_certificates(&file, &context->chain, error);
    if (status == ST_OK)
        status = read_key(context, key, error);
    const char *why = status == ST_OK ? pair_problem(context) : NULL;
    if (why)
        status = complain(error, ST_INVALID, "the certificate", certificate, why);
    if (status == ST_OK && !set_up(context))
        status = complain(error, ST_NO_MEMORY, "the certificate", certificate, "no memory left");
    if (status == ST_OK)
        *out = context;
    else
        tls_context_release(context);
    return status;
}

struct tls_context *tls_context_share(struct tls_context *context)
{
    if (context)
        context->users++;
    return context;
}

void tls_context_release(struct tls_context *context)
{
    if (!context || --context->users)
        return;
    mbedtls_ssl_config_free(&context->config);
    mbedtls_x509_crt_free(&context->chain);
    mbedtls_pk_free(&context->key);
    mbedtls_ssl_ticket_free(&context->tickets);
    secret_wipe(context->piece, sizeof context->piece); /* it held answers */
    free(context);
}

int64_t tls_context_end(const struct tls_context *context)
{
    const mbedtls_x509_time *end = &context->chain.valid_to;
    struct tm tm = { .tm_year = end->year - 1900,
                     .tm_mon = end->mon - 1,
                     .tm_mday = end->day,
                     .tm_hour = end->hour,
                     .tm_min = end->min,
                     .tm_sec = end->sec };
    return (int64_t)timegm(&tm);
}
