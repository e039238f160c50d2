/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - runs a fuzz target over stored inputs without a fuzzer: "replay FOLDER...". What was
 * once found stays found: every find is stored, and this is part of `make check`. */
#include "fuzz/target.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int replay(const char *folder, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "rbe");
    if (!in)
        return -1;
    long size = fseek(in, 0, SEEK_END) == 0 ? ftell(in) : -1;
    rewind(in);
    /* Exactly as large as the input, so that a sanitizer sees a read past its end. */
    uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
    bool is_read = bytes && size >= 0 && fread(bytes, 1, (size_t)size, in) == (size_t)size;
    (void)fclose(in);
    if (is_read)
        (void)LLVMFuzzerTestOneInput(bytes, (size_t)size);
    free(bytes);
    return is_read ? 0 : -1;
}

/* How many inputs the folder has; -1 after a message when it can't be read. */
static int replay_folder(const char *name)
{
    DIR *folder = opendir(name);
    int count = 0;
    if (!folder)
        (void)fprintf(stderr, "replay: %s can't be read\n", name);
    for (const struct dirent *entry; folder && count >= 0 && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (replay(name, entry->d_name) != 0) {
            (void)fprintf(stderr, "replay: can't read %s/%s\n", name, entry->d_name);
            count = -1;
        }
    }
    if (folder)
        (void)closedir(folder);
    return folder ? count : -1;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int count = replay_folder(argv[i]);
        if (count < 0)
            return 1;
        total += count;
    }
    if (total == 0) {
        (void)fprintf(stderr, "usage: %s FOLDER... (with inputs)\n", argv[0]);
        return 2;
    }
    const char *name = strstr(argv[0], "replay_");
    printf("%-24s %d inputs\n", name ? name + strlen("replay_") : argv[0], total);
    return 0;
}
