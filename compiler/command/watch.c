/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/command/watch.h"

#include <stdlib.h>
#include <time.h>

static struct stat look(const char *path)
{
    struct stat state;
    if (stat(path, &state) != 0)
        memset(&state, 0, sizeof state);
    return state;
}

void watch_add(struct watch *watch, Str folder, Str path)
{
    bool is_absolute = str_starts(path, STR("/"));
    size_t n = is_absolute ? 0 : folder.n;
    char *name = watch->count < WATCH_FILES_MAX ? malloc(n + path.n + 1) : NULL;
    if (!name)
        return;
    if (n)
        memcpy(name, folder.p, n);
    if (path.n)
        memcpy(name + n, path.p, path.n);
    name[n + path.n] = '\0';
    watch->files[watch->count++] = (struct watched){ .path = name, .state = look(name) };
}

void watch_clear(struct watch *watch)
{
    while (watch->count)
        free(watch->files[--watch->count].path);
}

static bool has_changed(const struct watched *file)
{
    struct stat now = look(file->path);
    return now.st_dev != file->state.st_dev || now.st_ino != file->state.st_ino ||
           now.st_size != file->state.st_size || now.st_mtim.tv_sec != file->state.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != file->state.st_mtim.tv_nsec;
}

void watch_wait(const struct watch *watch)
{
    static const struct timespec step = { .tv_nsec = WATCH_STEP_MS * 1000000L };
    for (;;) {
        for (size_t i = 0; i < watch->count; i++) {
            if (has_changed(&watch->files[i]))
                return;
        }
        (void)nanosleep(&step, NULL);
    }
}
