/* SPDX-License-Identifier: Apache-2.0 */
/* command_config.c - the configuration on the command line: where it is, what is wrong with it. */
#include "runtime/daemon/command.h"
#include "runtime/daemon/config_tls.h"
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

/* Reads the options of a subcommand that takes --config alone; false after a message. */
static bool config_option(int argc, char **argv, Str *path)
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

/* What a subcommand with --config alone does with the configuration; the exit code. */
static int with_config(int argc, char **argv, int (*use)(const struct config *, const char *path))
{
    struct arena mem;
    struct config config;
    Str path = { NULL, 0 };
    if (!config_option(argc, argv, &path))
        return EXIT_USAGE;
    arena_init(&mem, COMMAND_CONFIG_MAX);
    int code = EXIT_USAGE;
    if (command_read_config(path, &mem, &config))
        code = use(&config, path.n ? path.p : COMMAND_CONFIG_PATH);
    arena_reset(&mem);
    return code;
}

int command_serve(int argc, char **argv)
{
    return with_config(argc, argv, serve_main);
}

static int check(const struct config *config, const char *path)
{
    struct trust trust = { .key_count = 0 };
    bool is_ok = config_trust(config, NULL, &trust);
    is_ok = config_tls_check(config) && is_ok;
    trust_close(&trust);
    if (is_ok)
        (void)printf("%s: ok\n", path);
    return is_ok ? EXIT_DONE : EXIT_USAGE;
}

int command_check(int argc, char **argv)
{
    return with_config(argc, argv, check);
}
