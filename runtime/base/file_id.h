/* SPDX-License-Identifier: Apache-2.0 */
/* file_id.h - whether a file is what it was: for whoever looks again from time to time. */
#ifndef RUNTIME_BASE_FILE_ID_H
#define RUNTIME_BASE_FILE_ID_H

#include "runtime/base/attr.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

/* What tells one state of a file from another. All zero: never seen, or not there. */
struct file_id {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed; /* changed: permissions and owner too */
};

/* False, and *out all zero, when the file is not there or can't be asked. */
bool file_id_of(const char *path, struct file_id *out);
bool file_id_eq(const struct file_id *a, const struct file_id *b);

#endif
