/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - mcpc: which subcommand, with which options. The tables are commands.def and option.def.
 */
#include "compiler/command/command.h"

#include <stdio.h>
#include <stdlib.h>

enum { NEAREST_MAX = 2 /* edits between what was typed and what is proposed */ };

const struct command command_table[] = {
#define COMMAND(name, files, takes, usage, summary)                                                \
    { #name, mcpc_##name, usage, summary, takes, FILES_##files },
#include "compiler/command/commands.def"
#undef COMMAND
};
const size_t command_count = COUNT(command_table);

enum option_kind { OPTION_FLAG, OPTION_TEXT };

static const struct {
    const char *name;
    unsigned needs;
    enum option_kind kind;
    size_t member; /* of struct options */
} options_known[] = {
#define OPTION(NAME, spelling, kind, member, value, doc)                                           \
    { spelling, TAKES_##NAME, OPTION_##kind, offsetof(struct options, member) },
#include "compiler/command/option.def"
#undef OPTION
};

static void print_command(const struct command *command)
{
    (void)printf("  mcpc %s %s\n      %s\n", command->name, command->usage, command->summary);
}

static void print_help(void)
{
    (void)printf("mcpc %s, a compiler of policies for MCP gateways\n\n", MCP_VERSION);
    for (size_t i = 0; i < command_count; i++)
        print_command(&command_table[i]);
    (void)printf("  mcpc help [SUBCOMMAND | CODE | commands | bytecode | diagnostics]\n"
                 "      Explains a subcommand or a diagnostic such as E203, or prints a reference "
                 "table.\n"
                 "  mcpc --version\n\n"
                 "--json gives answers for machines on standard output: findings as one list a "
                 "file and line,\nresults of tests and verdicts as one object.\n"
                 "Exit codes: 0 ok (eval, explain: allowed), 1 denied, a layout differs, a verdict "
                 "changed, a claim is broken or\na signature is not the key's, 2 wrong usage or a "
                 "file that can't be "
                 "read or written,\n3 errors in a policy, 4 a test failed or coverage is too "
                 "low,\n5 diff or prove could not tell.\n");
}

static const struct command *find_command(Str name)
{
    for (size_t i = 0; i < command_count; i++)
        if (str_eq(name, str_of(command_table[i].name)))
            return &command_table[i];
    return NULL;
}

static enum exit_code unknown_command(Str name)
{
    for (size_t i = 0; i < command_count; i++)
        if (str_distance(name, str_of(command_table[i].name), NEAREST_MAX) <= NEAREST_MAX)
            return usage_error("unknown subcommand \"%.*s\", did you mean \"%s\"?", STR_ARG(name),
                               command_table[i].name);
    return usage_error("unknown subcommand \"%.*s\"; see `mcpc help`", STR_ARG(name));
}

/* Reads the option at argv[*i], and its value if it takes one; *i is the last word used then. */
static enum exit_code read_option(const struct command *command, int argc, char **argv, int *i,
                                  struct options *options)
{
    Str arg = str_of(argv[*i]);
    for (size_t k = 0; k < COUNT(options_known); k++) {
        if (!str_eq(arg, str_of(options_known[k].name)))
            continue;
        if (!(command->takes & options_known[k].needs))
            return usage_error("%s takes no %s; see `mcpc help %s`", command->name, argv[*i],
                               command->name);
        void *member = (char *)options + options_known[k].member;
        if (options_known[k].kind == OPTION_FLAG)
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

static bool has_files(const struct command *command, int count)
{
    switch (command->files) {
    case FILES_NONE: return count == 0;
    case FILES_ONE: return count == 1;
    case FILES_TWO: return count == 2;
    case FILES_MANY: return count >= 1;
    }
    return false;
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
    if (!has_files(command, options->file_count))
        return usage_error("usage: mcpc %s %s", command->name, command->usage);
    if (options->check && options->write)
        return usage_error("%s takes --check or --write, not both", command->name);
    if (options->json && (options->sarif || options->tap))
        return usage_error("%s takes --json or %s, not both", command->name,
                           options->tap ? "--tap" : "--sarif");
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
