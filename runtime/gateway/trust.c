/* SPDX-License-Identifier: Apache-2.0 */
/* trust.c - a bundle's signature first, then its version: an unsigned bundle has no say in what the
 * store remembers. */
#include "runtime/gateway/trust.h"

#include "runtime/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *read_pem(const char *path, char *out, size_t room, size_t *n)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return strerror(errno);
    const char *why = NULL;
    if (fstat(fd, &info) != 0)
        why = strerror(errno);
    else if (!S_ISREG(info.st_mode))
        why = "not a regular file";
    else if (info.st_mode & S_IWOTH)
        why = "anybody may write to this file; take that away (chmod o-w)";
    ssize_t got = why ? 0 : read(fd, out, room);
    if (got < 0)
        why = strerror(errno);
    (void)close(fd);
    *n = got > 0 ? (size_t)got : 0;
    return why;
}

bool trust_add_key(struct trust *trust, const char *path, const char **why)
{
    char pem[ECDSA_PEM_MAX + 1];
    size_t n = 0;
    *why = trust->key_count < TRUST_KEYS_MAX ? read_pem(path, pem, sizeof pem, &n)
                                             : "more than 64 keys are trusted";
    if (*why)
        return false;
    Str text = { .p = pem, .n = n };
    enum status status = ecdsa_read_public(text, &trust->keys[trust->key_count]);
    if (status == ST_OK) {
        trust->key_count++;
        return true;
    }
    *why = status == ST_UNSUPPORTED ? "not a key on the curve P-256" : "no public key in PEM";
    return false;
}

void trust_close(struct trust *trust)
{
    while (trust->key_count)
        ecdsa_free(trust->keys[--trust->key_count]);
}

static void say(struct bundle_error *error, const char *text)
{
    (void)snprintf(error->text, sizeof error->text, "%s", text);
}

static enum status check_version(const struct trust *trust, const struct program *program,
                                 struct bundle_error *error)
{
    uint32_t highest = 0, version = program->meta->version;
    enum status status =
        trust->store->ops->policy_version(trust->store, program_name(program), &highest);
    if (status != ST_OK) {
        say(error, "the store can't tell the policy's highest version");
        return status;
    }
    if (version >= highest)
        return ST_OK;
    if (trust->allow_rollback) {
        log_warn("an older version of a policy is let in name=%.*s version=%u highest=%u",
                 STR_ARG(program_name(program)), version, highest);
        return ST_OK;
    }
    (void)snprintf(error->text, sizeof error->text,
                   "version %u is older than version %u, which was in force (see "
                   "\"allow_rollback\")",
                   version, highest);
    return ST_DENIED;
}

enum status trust_check(const struct trust *trust, const struct program *program, const char *path,
                        struct bundle_error *error)
{
    if (trust->key_count == 0)
        return ST_OK;
    enum status status = signature_check(program, path, trust->keys, trust->key_count);
    if (status == ST_NOT_FOUND)
        say(error, "it is not signed: there is no .sig file beside it");
    else if (status == ST_DENIED)
        say(error, "its signature is by none of the trusted keys");
    else if (status != ST_OK)
        say(error, "its signature can't be read");
    return status == ST_OK ? check_version(trust, program, error) : status;
}

enum status trust_remember(const struct trust *trust, const struct program *program)
{
    if (trust->key_count == 0)
        return ST_OK;
    return trust->store->ops->policy_raise(trust->store, program_name(program),
                                           program->meta->version);
}
