/* SPDX-License-Identifier: Apache-2.0 */
/* command_config.c - the configuration on the command line: where it is, what is wrong with it. */
#include "runtime/daemon/command.h"
#include "runtime/daemon/config_trust.h"
#include "runtime/daemon/options.h"

#include <stdio.h>

bool command_read_config(Str path, struct arena *mem, struct config *config)
{
    Str errors = STR("");
    const char *file = path.n ? path.p : COMMAND_CONFIG_PATH;
    if (config_read(file, mem, config, &errors) == ST_OK)
        return true;
    (void)fwrite(errors.p, 1, errors.n, stderr);
    return false;
}

bool command_config_option(int argc, char **argv, Str *path)
{
    const struct option options[] = { { "config", OPTION_TEXT, path } };
    const struct option_set set = { options, COUNT(options), 0 };
    struct option_rest rest;
    if (!options_read(&set, argc, argv, &rest))
        return false;
    if (rest.behind_count == 0)
        return true;
    (void)fprintf(stderr, "mcpd: unexpected argument \"%s\"\n", rest.behind[0]);
    return false;
}

int command_check(int argc, char **argv)
{
    struct arena mem;
    struct config config;
    struct trust trust = { .key_count = 0 };
    Str path = { NULL, 0 };
    if (!command_config_option(argc, argv, &path))
        return EXIT_USAGE;
    arena_init(&mem, COMMAND_CONFIG_MAX);
    bool is_ok = command_read_config(path, &mem, &config) && config_trust(&config, NULL, &trust);
    trust_close(&trust);
    arena_reset(&mem);
    if (is_ok)
        (void)printf("%s: ok\n", path.n ? path.p : COMMAND_CONFIG_PATH);
    return is_ok ? EXIT_DONE : EXIT_USAGE;
}
