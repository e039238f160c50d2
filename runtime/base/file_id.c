/* SPDX-License-Identifier: Apache-2.0 */
/* file_id.c - a file's state in a few numbers. Times are as fine as the file system keeps them: two
 * writes of one length within its tick may look like one, so whoever replaces a file renames a new
 * one over it. */
#include "runtime/base/file_id.h"

bool file_id_of(const char *path, struct file_id *out)
{
    struct stat info;
    *out = (struct file_id){ .size = 0 };
    if (stat(path, &info) != 0)
        return false;
    *out = (struct file_id){ .device = info.st_dev,
                             .inode = info.st_ino,
                             .size = info.st_size,
                             .modified = info.st_mtim,
                             .changed = info.st_ctim };
    return true;
}

static bool time_eq(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool file_id_eq(const struct file_id *a, const struct file_id *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           time_eq(a->modified, b->modified) && time_eq(a->changed, b->changed);
}
