/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - runs a fuzz target over stored inputs without a fuzzer: "replay FOLDER". What was once
 * found stays found: every find is stored, and this is part of `make check`. */
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

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    int count = 0;
    if (!folder) {
        (void)fprintf(stderr, "usage: replay FOLDER (%s can't be read)\n",
                      argc == 2 ? argv[1] : "no folder is named and");
        return 2;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (replay(argv[1], entry->d_name) != 0) {
            (void)fprintf(stderr, "can't read %s/%s\n", argv[1], entry->d_name);
            return 1;
        }
        count++;
    }
    (void)closedir(folder);
    printf("%-24s %d inputs\n", argv[1], count);
    return count == 0;
}
