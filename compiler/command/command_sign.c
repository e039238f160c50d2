/* SPDX-License-Identifier: Apache-2.0 */
/* command_sign.c - keygen, sign, verify: who vouches for a bundle.
 *
 * A bundle is loaded, and so verified, before it is signed: nobody vouches for what no gateway
 * would take. Keys are made with mode 600 and never over a file that is there.
 */
#include "compiler/command/command.h"
#include "runtime/bundle/signature.h"
#include "runtime/crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MESSAGE_ROOM = BUNDLE_TEXT_MAX + 256 };

static enum exit_code write_public(struct ecdsa_key *key, const struct options *options)
{
    char pem[ECDSA_PEM_MAX];
    size_t n = 0;
    if (ecdsa_write_public(key, pem, &n) != ST_OK)
        return usage_error("out of memory");
    Str text = { .p = pem, .n = n };
    return options->public_key.n ? write_new(options->public_key, text, 0644) : put_text(text);
}

static enum exit_code write_private(struct ecdsa_key *key, Str path)
{
    char pem[ECDSA_PEM_MAX];
    size_t n = 0;
    if (ecdsa_write_private(key, pem, &n) != ST_OK)
        return usage_error("out of memory");
    enum exit_code code = write_new(path, (Str){ .p = pem, .n = n }, 0600);
    secret_wipe(pem, sizeof pem);
    return code;
}

enum exit_code mcpc_keygen(const struct options *options)
{
    struct ecdsa_key *key = NULL;
    if (options->output.n == 0)
        return usage_error("keygen needs -o KEY.pem, the file for the private key");
    if (str_eq(options->output, options->public_key))
        return usage_error("the private and the public key need a file each");
    if (ecdsa_generate(&key) != ST_OK)
        return usage_error("no key could be made");
    enum exit_code code = write_private(key, options->output);
    if (code == EXIT_OK) {
        code = write_public(key, options);
        if (code != EXIT_OK)
            (void)unlink(options->output.p); /* just made: half a pair is of no use */
    }
    ecdsa_free(key);
    return code;
}

/* A private key that others can read is no longer one. Only files have others: a pipe is ours. */
static bool is_exposed(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0;
}

static enum exit_code read_key(const struct options *options, bool is_private,
                               struct ecdsa_key **key)
{
    const char *path = options->key.p;
    struct buf pem;
    if (options->key.n == 0)
        return usage_error("--key is needed: a %s key in PEM", is_private ? "private" : "public");
    if (is_private && is_exposed(path))
        return usage_error("others may read the private key %s; take that away (chmod 600)", path);
    buf_init(&pem, (size_t)1 << 20);
    enum exit_code code = read_input(options->key, &pem);
    if (code == EXIT_OK) {
        enum status status = is_private ? ecdsa_read_private(buf_str(&pem), key)
                                        : ecdsa_read_public(buf_str(&pem), key);
        if (status == ST_UNSUPPORTED)
            code = usage_error("%s: the key is not on the curve P-256", path);
        else if (status == ST_DENIED)
            code = usage_error("%s: keys with a password can't be used", path);
        else if (status != ST_OK)
            code = usage_error("%s: no %s key in PEM", path, is_private ? "private" : "public");
    }
    secret_wipe(pem.p, pem.n);
    buf_free(&pem);
    return code;
}

/* The loaded bundle and the message about it. */
static enum exit_code read_bundle(Str path, struct program **program, struct buf *message)
{
    struct bundle_error error;
    if (program_read(path.p, program, &error) != ST_OK)
        return usage_error("%s: %s", path.p, error.text);
    if (signature_message(*program, message))
        return EXIT_OK;
    return usage_error("%s: the policy's name can't be signed", path.p);
}

static enum exit_code write_signature(struct ecdsa_key *key, Str message,
                                      const struct options *options)
{
    unsigned char signature[ECDSA_SIGNATURE_MAX];
    size_t n = 0;
    if (ecdsa_sign(key, message, signature, &n) != ST_OK)
        return usage_error("%s: its two halves are not of one pair", options->key.p);
    struct buf path;
    buf_init(&path, (size_t)1 << 16);
    if (options->output.n)
        buf_add(&path, options->output);
    else
        buf_printf(&path, "%s" SIGNATURE_SUFFIX, options->files[0].p);
    buf_add_char(&path, '\0');
    enum exit_code code = path.is_full ? usage_error("the file's name is too long")
                                       : write_file((Str){ .p = path.p, .n = path.n - 1 },
                                                    (Str){ .p = (const char *)signature, .n = n });
    buf_free(&path);
    return code;
}

enum exit_code mcpc_sign(const struct options *options)
{
    struct program *program = NULL;
    struct ecdsa_key *key = NULL;
    struct buf message;
    buf_init(&message, MESSAGE_ROOM);
    enum exit_code code = read_bundle(options->files[0], &program, &message);
    if (code == EXIT_OK && options->message) {
        code = put_text(buf_str(&message));
    } else if (code == EXIT_OK) {
        code = read_key(options, true, &key);
        if (code == EXIT_OK)
            code = write_signature(key, buf_str(&message), options);
    }
    ecdsa_free(key);
    buf_free(&message);
    program_release(program);
    return code;
}

static enum exit_code tell(const struct program *program, const char *path, enum status status)
{
    if (status == ST_NOT_FOUND || status == ST_DENIED || status == ST_INVALID) {
        (void)fprintf(stderr, "mcpc: %s: %s\n", path,
                      status == ST_NOT_FOUND ? "not signed: there is no .sig file beside it"
                                             : "the signature is not the key's");
        return EXIT_FINDINGS;
    }
    if (status != ST_OK)
        return usage_error("can't read %s" SIGNATURE_SUFFIX ": %s", path, status_text(status));
    return printf("%s: signed; policy \"%.*s\" version %u, identity %s\n", path,
                  STR_ARG(program_name(program)), program->meta->version, program->id) > 0
               ? EXIT_OK
               : EXIT_USAGE;
}

enum exit_code mcpc_verify(const struct options *options)
{
    struct program *program = NULL;
    struct ecdsa_key *key = NULL;
    struct buf message;
    const char *path = options->files[0].p;
    buf_init(&message, MESSAGE_ROOM);
    enum exit_code code = read_key(options, false, &key);
    if (code == EXIT_OK)
        code = read_bundle(options->files[0], &program, &message);
    if (code == EXIT_OK)
        code = tell(program, path, signature_check(program, path, &key, 1));
    ecdsa_free(key);
    buf_free(&message);
    program_release(program);
    return code;
}
