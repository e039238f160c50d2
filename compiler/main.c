/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - mcpc: which subcommand, with which options. */
#include "compiler/command.h"

#include <stdio.h>
#include <stdlib.h>

struct command {
    const char *name;
    enum exit_code (*run)(const struct options *options);
    const char *usage, *summary;
    bool takes_many; /* files */
};

static const struct command commands[] = {
    { "compile", mcpc_compile, "[-o FILE.polb] [-v] FILE.pol", "make a bundle", false },
    { "check", mcpc_check, "FILE.pol ...", "report errors and warnings only", true },
    { "test", mcpc_test, "FILE.pol ...", "run the tests that a policy holds", true },
    { "eval", mcpc_eval, "[--call FILE.json|-] FILE.pol|FILE.polb",
      "judge one call; standard input when --call is not given", false },
    { "disasm", mcpc_disasm, "FILE.polb", "list a bundle's tables and code", false },
    { "fmt", mcpc_fmt, "[--check|--write] FILE.pol ...", "lay out a source in the one way", true },
};

static void print_help(FILE *out)
{
    (void)fprintf(out, "mcpc %s - compiles policies for MCP gateways\n\n", MCP_VERSION);
    for (size_t i = 0; i < COUNT(commands); i++)
        (void)fprintf(out, "  mcpc %-8s%-42s  %s\n", commands[i].name, commands[i].usage,
                      commands[i].summary);
    (void)fprintf(out,
                  "  mcpc help [bytecode|diagnostics] | --version\n\n"
                  "Every subcommand takes --json: answers for machines on standard output.\n"
                  "Exit codes: 0 fine (eval: allowed), 1 findings (eval: denied; fmt --check:\n"
                  "differs), 2 wrong usage or a file that can't be read or written, 3 errors\n"
                  "in a policy, 4 a test failed.\n");
}

/* True when the option at argv[*i] is known; its value, if it takes one, is consumed. */
static bool read_option(int argc, char **argv, int *i, struct options *options)
{
    Str arg = str_of(argv[*i]);
    static const struct {
        const char *name;
        size_t offset;
    } flags[] = { { "--json", offsetof(struct options, json) },
                  { "--check", offsetof(struct options, check) },
                  { "--write", offsetof(struct options, write) },
                  { "-v", offsetof(struct options, verbose) } };
    for (size_t k = 0; k < COUNT(flags); k++) {
        if (str_eq(arg, str_of(flags[k].name))) {
            *(bool *)((char *)options + flags[k].offset) = true;
            return true;
        }
    }
    bool is_output = str_eq(arg, STR("-o")), is_call = str_eq(arg, STR("--call"));
    if (!(is_output || is_call) || *i + 1 >= argc)
        return false;
    *(is_output ? &options->output : &options->call) = str_of(argv[++*i]);
    return true;
}

static enum exit_code run(const struct command *command, int argc, char **argv)
{
    struct options options = { .file_count = 0 };
    options.files = calloc((size_t)argc + 1, sizeof *options.files);
    if (!options.files)
        return usage_error("out of memory");
    enum exit_code code = EXIT_OK;
    for (int i = 0; i < argc && code == EXIT_OK; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            options.files[options.file_count++] = str_of(argv[i]);
        else if (!read_option(argc, argv, &i, &options))
            code = usage_error("%s: %s is not an option of it, or lacks its value", command->name,
                               argv[i]);
    }
    if (code == EXIT_OK &&
        (options.file_count == 0 || (options.file_count > 1 && !command->takes_many)))
        code = usage_error("usage: mcpc %s %s", command->name, command->usage);
    if (code == EXIT_OK)
        code = command->run(&options);
    free(options.files);
    return code;
}

static enum exit_code dispatch(int argc, char **argv)
{
    Str name = argc > 1 ? str_of(argv[1]) : STR("");
    if (str_eq(name, STR("help")) || str_eq(name, STR("--help")) || str_eq(name, STR("-h"))) {
        if (argc == 2)
            print_help(stdout);
        else if (!help_topic(str_of(argv[2])))
            return usage_error("there is no help on %s", argv[2]);
        return EXIT_OK;
    }
    if (str_eq(name, STR("--version"))) {
        return printf("mcpc %s\n", MCP_VERSION) > 0 ? EXIT_OK : EXIT_USAGE;
    }
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (str_eq(name, str_of(commands[i].name)))
            return run(&commands[i], argc - 2, argv + 2);
    }
    if (name.n)
        (void)usage_error("there is no subcommand %s", argv[1]);
    print_help(stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    enum exit_code code = dispatch(argc, argv);
    return (int)code;
}
