/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - mcpc's subcommands. Each gets its arguments behind its own name and answers with an
 * exit code. */
#ifndef COMPILER_COMMAND_COMMAND_H
#define COMPILER_COMMAND_COMMAND_H

#include "compiler/command/driver.h"

enum exit_code {
    EXIT_OK = 0,
    EXIT_FINDINGS = 1, /* eval: deny; fmt --check: a file is laid out otherwise */
    EXIT_USAGE = 2,    /* wrong arguments, or a file that can't be read or written */
    EXIT_COMPILE = 3,  /* errors in a policy */
    EXIT_TESTS = 4,    /* a test of a policy failed */
};

/* What every subcommand takes, split from its files. */
struct options {
    Str *files;
    int file_count;
    Str output; /* -o FILE */
    Str call;   /* --call FILE; "-" is standard input */
    bool json, check, write, verbose;
};

enum exit_code mcpc_compile(const struct options *options);
enum exit_code mcpc_check(const struct options *options);
enum exit_code mcpc_test(const struct options *options);
enum exit_code mcpc_eval(const struct options *options);
enum exit_code mcpc_disasm(const struct options *options);
enum exit_code mcpc_fmt(const struct options *options);

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

/* Prints a reference table, "bytecode" or "diagnostics"; false for another topic. */
bool help_topic(Str topic);

/* Replaces a file's content in one step (a temporary beside it, renamed over it). The file's mode
 * is kept, a symbolic link is followed, and what is no regular file is written to as it is. path is
 * NUL-terminated. */
enum exit_code write_file(Str path, Str bytes);

#endif
