/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[128];
static pid_t owner;

static void remove_folder(void)
{
    if (getpid() != owner)
        return; /* a child that exits must not take the files away from its parent */
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[SCRATCH_PATH_MAX];
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
            (void)unlink(path);
    }
    if (dir)
        (void)closedir(dir);
    (void)rmdir(folder);
}

struct scratch_path scratch_path(const char *name)
{
    struct scratch_path path;
    if (!folder[0]) {
        const char *base = getenv("TMPDIR");
        (void)snprintf(folder, sizeof folder, "%s/mcp-test-XXXXXX", base ? base : "/tmp");
        ENSURE(mkdtemp(folder) != NULL);
        owner = getpid();
        ENSURE(atexit(remove_folder) == 0);
    }
    int n = snprintf(path.text, sizeof path.text, "%s/%s", folder, name);
    ENSURE(n > 0 && n < (int)sizeof path.text);
    return path;
}

void scratch_write(const char *path, Str bytes)
{
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    ENSURE(fd >= 0);
    ENSURE(write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n);
    ENSURE(close(fd) == 0);
}

size_t scratch_read(const char *path, char *bytes, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    size_t n = 0;
    for (ssize_t got = 1; got > 0 && n<size; n += got> 0 ? (size_t)got : 0)
        got = read(fd, bytes + n, size - n);
    (void)close(fd);
    return n;
}
