/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - mcpc: which subcommand, with which options. */
#include "compiler/command/command.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TAKES_JSON = 1 << 0,
    TAKES_OUTPUT = 1 << 1,
    TAKES_CALL = 1 << 2,
    TAKES_CHECK = 1 << 3,
    TAKES_WRITE = 1 << 4,
    TAKES_VERBOSE = 1 << 5,
    TAKES_MANY = 1 << 6, /* files */
    NEAREST_MAX = 2,     /* edits between what was typed and what is proposed */
};

struct command {
    const char *name;
    enum exit_code (*run)(const struct options *options);
    const char *usage, *summary;
    unsigned takes;
};

static const struct command commands[] = {
    { "compile", mcpc_compile, "[--json] [-v] [-o FILE.polb] FILE.pol",
      "Makes a bundle, FILE.polb beside FILE.pol unless -o names another; -v tells its size and "
      "cost.",
      TAKES_JSON | TAKES_OUTPUT | TAKES_VERBOSE },
    { "check", mcpc_check, "[--json] FILE.pol...",
      "Reports errors and warnings, and writes nothing.", TAKES_JSON | TAKES_MANY },
    { "test", mcpc_test, "[--json] FILE.pol...", "Runs the tests that policies hold.",
      TAKES_JSON | TAKES_MANY },
    { "eval", mcpc_eval, "[--json] [--call FILE.json|-] FILE.pol|FILE.polb",
      "Judges one call and says why; the call is read from standard input without --call:\n"
      "      {\"tool\": \"T\", \"arguments\": {}, \"server\": \"ALIAS\",\n"
      "       \"principal\": {\"id\": \"ID\", \"groups\": []}}; all but \"tool\" may be left out.",
      TAKES_JSON | TAKES_CALL },
    { "disasm", mcpc_disasm, "FILE.polb", "Lists a bundle's tables and code.", 0 },
    { "fmt", mcpc_fmt, "[--check|--write] FILE.pol...",
      "Prints a source in its canonical layout; --write puts it into the file, --check only "
      "compares.",
      TAKES_CHECK | TAKES_WRITE | TAKES_MANY },
};

static const struct {
    const char *name;
    unsigned needs;
    bool has_value;
    size_t member; /* of struct options */
} option_table[] = {
    { "--json", TAKES_JSON, false, offsetof(struct options, json) },
    { "--check", TAKES_CHECK, false, offsetof(struct options, check) },
    { "--write", TAKES_WRITE, false, offsetof(struct options, write) },
    { "-v", TAKES_VERBOSE, false, offsetof(struct options, verbose) },
    { "-o", TAKES_OUTPUT, true, offsetof(struct options, output) },
    { "--call", TAKES_CALL, true, offsetof(struct options, call) },
};

static void print_command(const struct command *command)
{
    (void)printf("  mcpc %s %s\n      %s\n", command->name, command->usage, command->summary);
}

static void print_help(void)
{
    (void)printf("mcpc %s, a compiler of policies for MCP gateways\n\n", MCP_VERSION);
    for (size_t i = 0; i < COUNT(commands); i++)
        print_command(&commands[i]);
    (void)printf("  mcpc help [SUBCOMMAND | bytecode | diagnostics]\n"
                 "      Explains a subcommand, or prints a reference table.\n"
                 "  mcpc --version\n\n"
                 "--json gives answers for machines on standard output: findings as one list a "
                 "file and line,\nresults of tests and verdicts as one object.\n"
                 "Exit codes: 0 ok (eval: allowed), 1 eval: denied, fmt --check: a layout differs, "
                 "2 wrong usage or\na file that can't be read or written, 3 errors in a policy, "
                 "4 a test failed.\n");
}

static const struct command *find_command(Str name)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (str_eq(name, str_of(commands[i].name)))
            return &commands[i];
    return NULL;
}

static enum exit_code unknown_command(Str name)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (str_distance(name, str_of(commands[i].name), NEAREST_MAX) <= NEAREST_MAX)
            return usage_error("unknown subcommand \"%.*s\", did you mean \"%s\"?", STR_ARG(name),
                               commands[i].name);
    return usage_error("unknown subcommand \"%.*s\"; see `mcpc help`", STR_ARG(name));
}

/* Reads the option at argv[*i], and its value if it takes one; *i is the last word used then. */
static enum exit_code read_option(const struct command *command, int argc, char **argv, int *i,
                                  struct options *options)
{
    Str arg = str_of(argv[*i]);
    for (size_t k = 0; k < COUNT(option_table); k++) {
        if (!str_eq(arg, str_of(option_table[k].name)))
            continue;
        if (!(command->takes & option_table[k].needs))
            return usage_error("%s takes no %s; see `mcpc help %s`", command->name, argv[*i],
                               command->name);
        void *member = (char *)options + option_table[k].member;
        if (!option_table[k].has_value)
            *(bool *)member = true;
        else if (*i + 1 < argc)
            *(Str *)member = str_of(argv[++*i]);
        else
            return usage_error("%s needs a value", argv[*i]);
        return EXIT_OK;
    }
    return usage_error("%s: unknown option %s; see `mcpc help %s`", command->name, argv[*i],
                       command->name);
}

static enum exit_code read_arguments(const struct command *command, int argc, char **argv,
                                     struct options *options)
{
    bool is_behind = false; /* behind "--" all are files */
    for (int i = 0; i < argc; i++) {
        if (is_behind || argv[i][0] != '-' || argv[i][1] == '\0') {
            options->files[options->file_count++] = str_of(argv[i]);
        } else if (str_eq(str_of(argv[i]), STR("--"))) {
            is_behind = true;
        } else {
            enum exit_code code = read_option(command, argc, argv, &i, options);
            if (code != EXIT_OK)
                return code;
        }
    }
    if (options->file_count == 0 || (options->file_count > 1 && !(command->takes & TAKES_MANY)))
        return usage_error("usage: mcpc %s %s", command->name, command->usage);
    if (options->check && options->write)
        return usage_error("%s takes --check or --write, not both", command->name);
    return EXIT_OK;
}

static enum exit_code run(const struct command *command, int argc, char **argv)
{
    struct options options = { .file_count = 0 };
    if (argc > 0 &&
        (str_eq(str_of(argv[0]), STR("--help")) || str_eq(str_of(argv[0]), STR("-h")))) {
        print_command(command);
        return EXIT_OK;
    }
    options.files = calloc((size_t)argc + 1, sizeof *options.files);
    if (!options.files)
        return usage_error("out of memory");
    enum exit_code code = read_arguments(command, argc, argv, &options);
    if (code == EXIT_OK)
        code = command->run(&options);
    free(options.files);
    return code;
}

static enum exit_code help(int argc, char **argv)
{
    if (argc == 0) {
        print_help();
        return EXIT_OK;
    }
    const struct command *command = find_command(str_of(argv[0]));
    if (command)
        print_command(command);
    else if (!help_topic(str_of(argv[0])))
        return usage_error("there is no help on \"%s\"; `mcpc help` lists what there is", argv[0]);
    return EXIT_OK;
}

static enum exit_code dispatch(int argc, char **argv)
{
    if (argc < 2)
        return usage_error("a subcommand is needed; see `mcpc help`");
    Str name = str_of(argv[1]);
    if (str_eq(name, STR("help")) || str_eq(name, STR("--help")) || str_eq(name, STR("-h")))
        return help(argc - 2, argv + 2);
    if (str_eq(name, STR("--version")))
        return printf("mcpc %s\n", MCP_VERSION) > 0 ? EXIT_OK : EXIT_USAGE;
    const struct command *command = find_command(name);
    return command ? run(command, argc - 2, argv + 2) : unknown_command(name);
}

int main(int argc, char **argv)
{
    enum exit_code code = dispatch(argc, argv);
    return (int)code;
}
