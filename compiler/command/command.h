/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - mcpc's subcommands. Each gets its arguments behind its own name and answers with an
 * exit code. */
#ifndef COMPILER_COMMAND_COMMAND_H
#define COMPILER_COMMAND_COMMAND_H

#include "compiler/command/driver.h"

#include <sys/types.h>

enum exit_code {
    EXIT_OK = 0,
    EXIT_FINDINGS = 1, /* eval, explain: deny; fmt --check: a file is laid out otherwise; replay,
                        * diff: a verdict changed; prove: a claim is broken; verify: not signed by
                        * the key; lsp: no `shutdown` */
    EXIT_USAGE = 2,    /* wrong arguments, or a file that can't be read or written */
    EXIT_COMPILE = 3,  /* errors in a policy */
    EXIT_TESTS = 4,    /* a test of a policy failed, or too little is covered by tests */
    EXIT_UNKNOWN = 5,  /* diff, prove: neither a call that shows it nor a proof was found */
};

/* A bit for each option, and what a subcommand takes of files. */
enum option_index {
#define OPTION(NAME, spelling, kind, member, value, doc) OPTION_INDEX_##NAME,
#include "compiler/command/option.def"
#undef OPTION
};
enum option_bit {
#define OPTION(NAME, spelling, kind, member, value, doc) TAKES_##NAME = 1 << OPTION_INDEX_##NAME,
#include "compiler/command/option.def"
#undef OPTION
};
enum file_count { FILES_NONE, FILES_ONE, FILES_TWO, FILES_MANY };

/* What every subcommand takes, split from its files. */
struct options {
    Str *files;
    int file_count;
    Str output; /* -o FILE */
    Str call;   /* --call FILE; "-" is standard input */
    Str params; /* --params FILE */
    Str profile;
    Str bearer_env;
    Str server; /* --server ALIAS */
    Str key, public_key, junit, coverage_min, old, count;
    bool diff, stdio;
    bool json, check, write, verbose, message, tap, watch, coverage, sarif, plan;
    bool prove, allow_unknown;
    bool classes, no_hints;
};

#define COMMAND(name, files, takes, usage, summary)                                                \
    enum exit_code mcpc_##name(const struct options *options);
#include "compiler/command/commands.def"
#undef COMMAND

struct command {
    const char *name;
    enum exit_code (*run)(const struct options *options);
    const char *usage, *summary;
    unsigned takes;
    enum file_count files;
};
extern const struct command command_table[];
extern const size_t command_count;

/* Prints what diags holds: rendered to standard error, or as JSON to standard output. */
void report_diags(struct compilation *c, const struct options *options);

/* What a compilation that did not succeed exits with: the file can't be read, or has errors. */
static inline enum exit_code failure_code(const struct compilation *c)
{
    return c->policy ? EXIT_COMPILE : EXIT_USAGE;
}

/* Writes text to standard output; EXIT_USAGE when that fails. */
enum exit_code put_text(Str text);

/* "mcpc: FORMAT" on standard error; returns EXIT_USAGE. */
enum exit_code usage_error(const char *format, ...) PRINTF_LIKE(1, 2);

/* Reads a file or, for "-" and nothing, standard input, up to the buffer's limit. */
enum exit_code read_input(Str path, struct buf *text);

/* The program of a bundle (.polb) or a policy, which is compiled; reports what is wrong with it. */
enum exit_code read_program(struct compilation *c, Str path, const struct options *options,
                            struct program **out);

/* Prints a reference table ("commands", "bytecode", "diagnostics") or what a diagnostic means
 * ("E203"); false for another topic. */
bool help_topic(Str topic);

/* Replaces a file's content in one step (a temporary beside it, renamed over it). The file's mode
 * is kept, a symbolic link is followed, and what is no regular file is written to as it is. path is
 * NUL-terminated. */
enum exit_code write_file(Str path, Str bytes);
/* Writes a file that must not be there yet; what can't be written whole is taken away again. */
enum exit_code write_new(Str path, Str bytes, mode_t mode);

#endif
