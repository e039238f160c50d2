/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h - waits until one of some files changes, by looking at them every WATCH_STEP_MS: that
 * works on every file system, and with editors that put a new file in the old one's place. */
#ifndef COMPILER_COMMAND_WATCH_H
#define COMPILER_COMMAND_WATCH_H

#include "runtime/base/str.h"

#include <sys/stat.h>

enum { WATCH_FILES_MAX = 1024, WATCH_STEP_MS = 200 };

struct watch {
    struct watched {
        char *path;        /* owned */
        struct stat state; /* all zero: not there */
    } files[WATCH_FILES_MAX];
    size_t count; /* files beyond the limit are not looked at */
};

/* Adds a file as it is now; folder, if not empty, is where a relative path begins. */
void watch_add(struct watch *watch, Str folder, Str path);
void watch_clear(struct watch *watch);

/* Returns when a file differs from what it was when it was added. */
void watch_wait(const struct watch *watch);

#endif
