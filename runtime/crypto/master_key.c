/* SPDX-License-Identifier: Apache-2.0 */
/* master_key.c - the keys' text, from three places, into the ring and nowhere else.
 *
 * What was read is wiped from every place where we put it. Permissions are asked of the open file,
 * so that it can't be exchanged between the question and the reading.
 */
#include "runtime/crypto/master_key.h"

#include "runtime/base/world.h"
#include "runtime/crypto/encode.h"
#include "runtime/crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4096, KEY_CHARS = BASE64URL_SIZE(SEAL_KEY_BYTES) };

static enum status parse_line(Str line, struct seal_ring *ring)
{
    unsigned char key[SEAL_KEY_BYTES];
    uint64_t id;
    size_t n = 0;
    Str rest = line;
    Str number = str_cut(&rest, ' ');
    if (!str_to_u64(number, UINT32_MAX, &id) || rest.n != KEY_CHARS)
        return ST_INVALID;
    bool is_key = base64url_decode(rest, key, sizeof key, &n) && n == sizeof key;
    enum status status = is_key ? seal_ring_add(ring, (uint32_t)id, key) : ST_INVALID;
    secret_wipe(key, sizeof key);
    return status == ST_CONFLICT ? ST_INVALID : status;
}

enum status master_key_parse(Str text, struct seal_ring *ring)
{
    bool has_key = false;
    if (text.n > MASTER_KEY_TEXT_MAX)
        return ST_LIMIT;
    while (text.n) {
        Str line = str_trim(str_cut(&text, '\n'));
        if (line.n == 0 || line.p[0] == '#')
            continue;
        enum status status = parse_line(line, ring);
        if (status != ST_OK)
            return status;
        has_key = true;
    }
    return has_key ? ST_OK : ST_INVALID;
}

static enum status check_file(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return ST_IO;
    if (!S_ISREG(info.st_mode))
        return ST_INVALID;
    bool is_private = (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    bool is_ours = info.st_uid == geteuid() || info.st_uid == 0;
    return is_private && is_ours ? ST_OK : ST_DENIED;
}

/* Reads to the end, or one byte more than a text may have. */
static enum status read_all(int fd, char *bytes, size_t room, size_t *n)
{
    *n = 0;
    while (*n < room) {
        ssize_t got = read(fd, bytes + *n, room - *n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ST_IO;
        if (got == 0)
            return ST_OK;
        *n += (size_t)got;
    }
    return ST_LIMIT;
}

enum status master_key_read_file(const char *path, struct seal_ring *ring)
{
    char text[MASTER_KEY_TEXT_MAX + 1];
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? ST_NOT_FOUND : ST_IO;
    enum status status = check_file(fd);
    if (status == ST_OK)
        status = read_all(fd, text, sizeof text, &n);
    (void)close(fd);
    if (status == ST_OK)
        status = master_key_parse((Str){ .p = text, .n = n }, ring);
    secret_wipe(text, sizeof text);
    return status;
}

enum status master_key_read_variable(const char *name, struct seal_ring *ring)
{
    char *value = getenv(name);
    if (!value)
        return ST_NOT_FOUND;
    enum status status = master_key_parse(str_of(value), ring);
    secret_wipe(value, strlen(value)); /* also what /proc/PID/environ shows */
    (void)unsetenv(name);
    return status;
}

enum status master_key_read_credential(const char *name, struct seal_ring *ring)
{
    char path[PATH_BYTES_MAX];
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (!folder)
        return ST_NOT_FOUND;
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return ST_LIMIT;
    return master_key_read_file(path, ring);
}

static bool write_all(int fd, Str text)
{
    while (text.n) {
        ssize_t done = write(fd, text.p, text.n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        text = str_sub(text, (size_t)done, text.n);
    }
    return true;
}

static enum status sync_folder_of(const char *path)
{
    char folder[PATH_BYTES_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    if (n >= sizeof folder)
        return ST_LIMIT;
    memcpy(folder, n ? path : "./", n ? n : 2);
    folder[n ? n : 2] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (fd >= 0)
        (void)close(fd);
    return is_synced ? ST_OK : ST_IO;
}

enum status master_key_make_file(const char *path)
{
    unsigned char key[SEAL_KEY_BYTES];
    char line[sizeof "1 \n" - 1 + KEY_CHARS] = "1 ";
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return errno == EEXIST ? ST_CONFLICT : ST_IO;
    world_entropy(key, sizeof key);
    base64url_encode((Str){ .p = (const char *)key, .n = sizeof key }, line + 2);
    line[sizeof line - 1] = '\n';
    bool is_written = write_all(fd, (Str){ .p = line, .n = sizeof line }) && fsync(fd) == 0;
    is_written = close(fd) == 0 && is_written;
    secret_wipe(key, sizeof key);
    secret_wipe(line, sizeof line);
    if (is_written)
        return sync_folder_of(path);
    (void)unlink(path); /* half a key would be worse than none */
    return ST_IO;
}
