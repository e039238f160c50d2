/* SPDX-License-Identifier: Apache-2.0 */
/* seeds.c - bundles, and pairs of bundle and call, to begin fuzzing from: "seeds FOLDER POLICY...".
 *
 * Stored bundles would go stale with the format and then never get past the header, so they are
 * made from policies whenever they are wanted. A policy gives one bundle a profile, in
 * FOLDER/bundle, and with each of them pairs in FOLDER/vm: of the calls in its own tests, which
 * are written to reach its rules. A policy that does not compile (some are there to be refused) has
 * none. The same policies give the same files.
 */
#include "compiler/command/driver.h"

#include <stdio.h>

enum { PATH_BYTES = 4096, PAIRS_MAX = 12 };

static void write_seed(Str folder, Str target, Str name, uint32_t number, Str first, Str second)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%.*s/%.*s/%.*s-%u", STR_ARG(folder), STR_ARG(target),
                     STR_ARG(name), number);
    ENSURE(n > 0 && (size_t)n < sizeof path);
    FILE *out = fopen(path, "wbe");
    ENSURE(out != NULL);
    ENSURE(fwrite(first.p, 1, first.n, out) == first.n);
    ENSURE(second.n == 0 || fwrite(second.p, 1, second.n, out) == second.n);
    ENSURE(fclose(out) == 0);
}

/* The file's name behind that of its folder, since folders have files of one name: "statements-
 * 09-github-merge.pol". Lies in mem. */
static Str name_of(Str path, struct arena *mem)
{
    size_t name = path.n, folder;
    while (name > 0 && path.p[name - 1] != '/')
        name--;
    for (folder = name ? name - 1 : 0; folder > 0 && path.p[folder - 1] != '/';)
        folder--;
    return arena_printf(mem, "%.*s-%.*s", STR_ARG(str_sub(path, folder, name ? name - 1 : 0)),
                        STR_ARG(str_sub(path, name, path.n)));
}

/* Every argument text that the tests have, once for this bundle. */
static uint32_t write_pairs(const struct compilation *c, Str folder, Str name, uint32_t number)
{
    Str bundle = buf_str(&c->bundle), seen[PAIRS_MAX];
    uint32_t count = 0;
    for (const struct test *test = c->policy->tests; test; test = test->next) {
        for (const struct test_call *call = test->calls; call; call = call->next) {
            bool is_new = count < PAIRS_MAX && call->arguments.n > 0;
            for (uint32_t i = 0; i < count && is_new; i++)
                is_new = !str_eq(seen[i], call->arguments);
            if (!is_new)
                continue;
            seen[count] = call->arguments;
            write_seed(folder, STR("vm"), name, number + count, bundle, call->arguments);
            count++;
        }
    }
    if (count == 0)
        write_seed(folder, STR("vm"), name, number + count++, bundle, STR("{}"));
    return count;
}

static void write_policy(Str folder, Str path)
{
    static struct compilation c; /* holds the diagnostics: too large for a stack frame */
    Str profiles[PROFILES_MAX];
    uint32_t pairs = 0;
    compilation_init(&c);
    Str name = name_of(path, &c.mem);
    uint32_t count = compilation_check(&c, path) ? compilation_profiles(&c, profiles) : 0;
    for (uint32_t i = 0; i < count; i++) {
        c.profile = profiles[i];
        if (!compilation_emit(&c))
            break;
        write_seed(folder, STR("bundle"), name, i, buf_str(&c.bundle), (Str){ NULL, 0 });
        pairs += write_pairs(&c, folder, name, pairs);
    }
    compilation_free(&c);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: seeds FOLDER POLICY...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        write_policy(str_of(argv[1]), str_of(argv[i]));
    return 0;
}
