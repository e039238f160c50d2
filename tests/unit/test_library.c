/* SPDX-License-Identifier: Apache-2.0 */
/* test_library.c - names of the library's policies: nothing in one leads out of its folder. */
#include "runtime/bundle/library.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static void test_names(void)
{
    static const struct {
        Str text;
        bool is_good;
    } rows[] = {
        { STR_INIT("std:github/standard"), true }, { STR_INIT("github/read-only_2"), true },
        { STR_INIT("std:github"), false },         { STR_INIT("std:/standard"), false },
        { STR_INIT("std:github/"), false },        { STR_INIT("std:../standard"), false },
        { STR_INIT("std:a/../b"), false },         { STR_INIT("std:a/b/c"), false },
        { STR_INIT("std:a/b.c"), false },          { STR_INIT("std:A/b"), false },
        { STR_INIT("std:a/b\0c"), false },         { STR_INIT(""), false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        Str name, profile;
        enum status status = library_split(rows[i].text, &name, &profile);
        CHECK_ROW((status == ST_OK) == rows[i].is_good, "%.*s", STR_ARG(rows[i].text));
    }
    CHECK(library_is_named(STR("std:x")) && !library_is_named(STR("x/std:")));
}

static void test_paths(void)
{
    struct library_path path;
    CHECK(setenv("MCPC_LIBRARY", "/", 1) == 0);
    CHECK(library_bundle(STR("std:fs/full"), &path) == ST_OK);
    CHECK_STR(str_of(path.text), STR("//fs.full.polb"));
    CHECK(library_bundle(STR("std:fs/../full"), &path) == ST_INVALID);
    CHECK(setenv("MCPC_LIBRARY", "/nowhere/at/all", 1) == 0);
    CHECK(library_bundle(STR("std:fs/full"), &path) == ST_NOT_FOUND);
}

int main(void)
{
    RUN(test_names);
    RUN(test_paths);
    return check_finish();
}
