/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - private to mcpd's command line: the subcommands and what they share. */
#ifndef RUNTIME_DAEMON_COMMAND_H
#define RUNTIME_DAEMON_COMMAND_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/daemon/config.h"
#include "runtime/daemon/serve.h"

enum {
    COMMAND_MEMORY_MAX = 64 * 1024 * 1024, /* bytes of one subcommand's arena */
    COMMAND_CONFIG_MAX = 16 * 1024 * 1024, /* of the configuration in serve */
};

#define COMMAND_CONFIG_PATH "mcpd.jsonc" /* without --config */

/* Each takes the words behind its own name and returns the exit code. */
#define COMMAND(words, function, arguments, doc) int function(int argc, char **argv);
#include "runtime/daemon/commands.def"
#undef COMMAND

/* Reads the configuration, empty path: the usual one, and prints what is wrong with it. */
MUST_USE bool command_read_config(Str path, struct arena *mem, struct config *config);

/* Markdown tables of all keys of the configuration: docs/configuration.md has them verbatim. */
void help_config(struct buf *out);

#endif
