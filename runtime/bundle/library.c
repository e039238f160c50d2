/* SPDX-License-Identifier: Apache-2.0 */
/* library.c - names of the library's policies to files. */
#include "runtime/bundle/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const Str scheme = STR_INIT("std:");

bool library_is_named(Str policy)
{
    return str_starts(policy, scheme);
}

static bool is_word(Str word)
{
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!is_plain)
            return false;
    }
    return word.n > 0 && word.n <= LIBRARY_WORD_MAX;
}

enum status library_split(Str policy, Str *name, Str *profile)
{
    Str rest = library_is_named(policy) ? str_sub(policy, scheme.n, policy.n) : policy;
    *name = str_cut(&rest, '/');
    *profile = rest;
    return is_word(*name) && is_word(*profile) ? ST_OK : ST_INVALID;
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool join(struct library_path *out, Str folder, const char *rest)
{
    int n = snprintf(out->text, sizeof out->text, "%.*s%s", STR_ARG(folder), rest);
    return n > 0 && (size_t)n < sizeof out->text;
}

enum status library_folder(struct library_path *out)
{
    static const char *const places[] = { "/../share/mcpc/library", "/library" };
    const char *given = getenv("MCPC_LIBRARY");
    char program[LIBRARY_PATH_MAX];
    if (given && given[0])
        return join(out, str_of(given), "") && is_folder(out->text) ? ST_OK : ST_NOT_FOUND;
    ssize_t n = readlink("/proc/self/exe", program, sizeof program);
    while (n > 0 && program[n - 1] != '/')
        n--;
    if (n <= 1)
        return ST_NOT_FOUND;
    Str folder = { .p = program, .n = (size_t)n - 1 };
    for (size_t i = 0; i < COUNT(places); i++)
        if (join(out, folder, places[i]) && is_folder(out->text))
            return ST_OK;
    return ST_NOT_FOUND;
}

enum status library_bundle(Str policy, struct library_path *out)
{
    Str name, profile;
    enum status status = library_split(policy, &name, &profile);
    if (status == ST_OK)
        status = library_folder(out);
    if (status != ST_OK)
        return status;
    size_t used = strlen(out->text);
    int n = snprintf(out->text + used, sizeof out->text - used, "/%.*s.%.*s.polb", STR_ARG(name),
                     STR_ARG(profile));
    return n > 0 && (size_t)n < sizeof out->text - used ? ST_OK : ST_LIMIT;
}
