/* SPDX-License-Identifier: Apache-2.0 */
/* scratch.h - a folder of its own for each test program, removed at its end. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include "runtime/base/str.h"

enum { SCRATCH_PATH_MAX = 512 };

struct scratch_path {
    char text[SCRATCH_PATH_MAX];
};

/* The path of name in the folder, which is made at the first call and removed at exit. */
struct scratch_path scratch_path(const char *name);

/* Writes the file anew, mode 0600; stops the test program when it can't. */
void scratch_write(const char *path, Str bytes);

/* Reads at most size bytes; returns how many, 0 also for a missing file. */
size_t scratch_read(const char *path, char *bytes, size_t size);

#endif
