/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - mcpd's command line: finds the subcommand and runs it.
 *
 * Exit codes: 0 ok, 1 refused or failed at run time, 2 wrong usage or configuration. Results go to
 * standard output, everything said to a person to standard error.
 */
#include "runtime/daemon/command.h"
#include "runtime/daemon/options.h"
#include "runtime/daemon/std_policy.h"
#include "runtime/oauth/machine.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct command {
    Str words; /* "grant create" */
    int (*run)(int argc, char **argv);
    const char *arguments, *doc;
};

static const struct command commands[] = {
#define COMMAND(words, function, arguments, doc) { STR_INIT(words), function, arguments, doc },
#include "runtime/daemon/commands.def"
#undef COMMAND
};

/* What is wrong with the values of `mcpd run`, or NULL. */
static const char *run_problem(const struct run_options *run)
{
    if (run->policy.n == 0)
        return "--policy is needed";
    if (run->argc == 0)
        return "a command is needed behind \"--\"";
    if (run->server.n && config_alias_problem(run->server))
        return config_alias_problem(run->server);
    if (run->principal.n && config_name_problem(run->principal))
        return "--principal must have 1 to 256 bytes, no spaces or control characters";
    for (size_t i = 0; i < run->group_count; i++) {
        if (config_name_problem(run->groups[i]))
            return "--group must have 1 to 256 bytes, no spaces or control characters";
    }
    return NULL;
}

int command_run(int argc, char **argv)
{
    struct run_options run = { .argc = 0 };
    static struct option_list groups;
    const struct option options[] = {
        { "policy", OPTION_TEXT, &run.policy },       { "server", OPTION_TEXT, &run.server },
        { "principal", OPTION_TEXT, &run.principal }, { "group", OPTION_LIST, &groups },
        { "audit", OPTION_TEXT, &run.audit },
    };
    const struct option_set set = { options, COUNT(options), 0 };
    struct option_rest rest;
    if (!options_read(&set, argc, argv, &rest))
        return EXIT_USAGE;
    Str *words = calloc(rest.behind_count + 1, sizeof *words);
    if (!words)
        return EXIT_FAILED;
    for (size_t i = 0; i < rest.behind_count; i++)
        words[i] = str_of(rest.behind[i]);
    run.groups = groups.items;
    run.group_count = groups.count;
    run.argv = words;
    run.argc = rest.behind_count;
    struct library_path listed;
    const char *problem = run_problem(&run);
    if (problem)
        (void)fprintf(stderr, "mcpd: %s\n", problem);
    bool is_good = !problem;
    if (is_good && library_is_named(run.policy)) {
        is_good = library_find(run.policy, &listed);
        run.policy = str_of(listed.text);
    }
    int code = is_good ? run_main(&run) : EXIT_USAGE;
    free(words);
    return code;
}

static void print_command(FILE *out, const struct command *command)
{
    (void)fprintf(out, "  mcpd %.*s %s\n      %s\n", STR_ARG(command->words), command->arguments,
                  command->doc);
}

static void print_help(FILE *out)
{
    (void)fprintf(out,
                  "mcpd %s, a gateway for the Model Context Protocol that enforces compiled "
                  "policies\n\n",
                  MCP_VERSION);
    for (size_t i = 0; i < COUNT(commands); i++)
        print_command(out, &commands[i]);
    (void)fprintf(out, "  mcpd --version\n\n"
                       "FILE is " COMMAND_CONFIG_PATH " unless --config names another one.\n"
                       "Exit codes: 0 ok, 1 refused or failed, 2 wrong usage or configuration.\n");
}

static int print_page(void (*page)(struct buf *out))
{
    struct buf out;
    buf_init(&out, COMMAND_CONFIG_MAX);
    page(&out);
    bool is_ok = !out.is_full && fwrite(out.p, 1, out.n, stdout) == out.n;
    buf_free(&out);
    return is_ok ? EXIT_DONE : EXIT_FAILED;
}

/* Does the command begin with the words? "grant" names three. */
static bool is_named(const struct command *command, const char *first, const char *second)
{
    Str words = command->words;
    if (!str_eq(str_cut(&words, ' '), str_of(first)))
        return false;
    return !second || str_eq(words, str_of(second));
}

/* Explains every command whose words begin so; false when there is none. */
static bool explain(FILE *out, const char *first, const char *second)
{
    bool is_known = false;
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (!is_named(&commands[i], first, second))
            continue;
        print_command(out, &commands[i]);
        is_known = true;
    }
    return is_known;
}

int command_help(int argc, char **argv)
{
    if (argc == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (argc == 1 && strcmp(argv[0], "config") == 0)
        return print_page(help_config);
    if (argc == 1 && strcmp(argv[0], "oauth") == 0)
        return print_page(oauth_machine_print);
    if (argc <= 2 && explain(stdout, argv[0], argc == 2 ? argv[1] : NULL))
        return EXIT_DONE;
    (void)fprintf(stderr, "mcpd: there is no help on that; `mcpd help` lists what there is\n");
    return EXIT_USAGE;
}

static int complain_unknown(const char *word)
{
    const char *names[COUNT(commands)];
    char firsts[COUNT(commands)][16];
    for (size_t i = 0; i < COUNT(commands); i++) {
        Str words = commands[i].words;
        Str first = str_cut(&words, ' ');
        (void)snprintf(firsts[i], sizeof firsts[i], "%.*s", STR_ARG(first));
        names[i] = firsts[i];
    }
    const char *near = options_nearest(str_of(word), names, COUNT(names));
    (void)fprintf(stderr, "mcpd: unknown subcommand \"%s\"", word);
    (void)fprintf(stderr, near ? ", did you mean \"%s\"?\n" : "; see `mcpd help`%s\n",
                  near ? near : "");
    return EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
    const char *second = argc > 1 ? argv[1] : NULL;
    bool is_first_known = false;
    for (size_t i = 0; i < COUNT(commands); i++) {
        bool has_two = memchr(commands[i].words.p, ' ', commands[i].words.n) != NULL;
        int used = has_two ? 2 : 1;
        is_first_known = is_first_known || is_named(&commands[i], argv[0], NULL);
        if (!is_named(&commands[i], argv[0], has_two ? second : NULL) || (has_two && !second))
            continue;
        if (argc > used && strcmp(argv[used], "--help") == 0)
            return command_help(used, argv);
        return commands[i].run(argc - used, argv + used);
    }
    if (!is_first_known)
        return complain_unknown(argv[0]);
    bool wants_help = second && strcmp(second, "--help") == 0;
    if (!wants_help)
        (void)fprintf(stderr, "mcpd: %s needs one of its subcommands:\n", argv[0]);
    (void)explain(wants_help ? stdout : stderr, argv[0], NULL);
    return wants_help ? EXIT_DONE : EXIT_USAGE;
}

/* With a standard descriptor closed, the next file opened would take its number, and a token
 * printed for a person would land in the database. */
static bool hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    if (!hold_standard_descriptors())
        return EXIT_FAILED;
    /* A closed pipe or a full disk is an error of the call that meets it, not our end. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    int code = EXIT_DONE;
    if (strcmp(argv[1], "--version") == 0)
        (void)printf("mcpd %s\n", MCP_VERSION);
    else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        print_help(stdout);
    else
        code = dispatch(argc - 1, argv + 1);
    if (fflush(stdout) != 0 && code == EXIT_DONE)
        code = EXIT_FAILED;
    return code;
}
