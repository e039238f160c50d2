/* SPDX-License-Identifier: Apache-2.0 */
/* signature.c - the message that is signed, and the file that holds the signature. Whatever is not
 * a good signature by a key that was given is a refusal; there is no third answer. */
#include "runtime/bundle/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { MESSAGE_MAX = BUNDLE_TEXT_MAX + 256 };

static bool is_one_line(Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F)
            return false;
    }
    return true;
}

bool signature_message(const struct program *program, struct buf *out)
{
    Str name = program_name(program);
    if (!is_one_line(name))
        return false;
    buf_add(out, STR(SIGNATURE_CONTEXT "\npolicy "));
    buf_add(out, name);
    buf_printf(out, "\nversion %u\nidentity sha256:%s\n", program->meta->version, program->id);
    return !out->is_full;
}

static enum status read_bytes(int fd, unsigned char out[ECDSA_SIGNATURE_MAX], size_t *n)
{
    unsigned char bytes[ECDSA_SIGNATURE_MAX + 1] = { 0 };
    size_t count = 0;
    ssize_t got = 1;
    while (got != 0 && count < sizeof bytes) {
        got = read(fd, bytes + count, sizeof bytes - count);
        if (got < 0 && errno != EINTR)
            return ST_IO;
        count += got > 0 ? (size_t)got : 0;
    }
    if (count > ECDSA_SIGNATURE_MAX)
        return ST_INVALID;
    memcpy(out, bytes, count);
    *n = count;
    return ST_OK;
}

enum status signature_read(const char *path, unsigned char out[ECDSA_SIGNATURE_MAX], size_t *n)
{
    char name[PATH_MAX];
    int length = snprintf(name, sizeof name, "%s" SIGNATURE_SUFFIX, path);
    if (length < 0 || (size_t)length >= sizeof name)
        return ST_IO;
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? ST_NOT_FOUND : ST_IO;
    enum status status = read_bytes(fd, out, n);
    (void)close(fd);
    return status;
}

enum status signature_check(const struct program *program, const char *path,
                            struct ecdsa_key *const *keys, size_t key_count)
{
    unsigned char bytes[ECDSA_SIGNATURE_MAX];
    struct buf message;
    size_t n = 0;
    enum status status = signature_read(path, bytes, &n);
    if (status != ST_OK)
        return status;
    buf_init(&message, MESSAGE_MAX);
    Str signature = { .p = (const char *)bytes, .n = n };
    status = ST_DENIED;
    if (signature_message(program, &message)) {
        for (size_t i = 0; i < key_count && status != ST_OK; i++)
            status = ecdsa_verify(keys[i], buf_str(&message), signature) ? ST_OK : ST_DENIED;
    }
    buf_free(&message);
    return status;
}
