/* SPDX-License-Identifier: Apache-2.0 */
/* pin_source.h - where `pin` and `init` take a server's tools from: a file, a URL, a command. */
#ifndef COMPILER_COMMAND_PIN_SOURCE_H
#define COMPILER_COMMAND_PIN_SOURCE_H

#include "compiler/command/command.h"
#include "compiler/schema/schema.h"

struct pinning {
    struct arena mem; /* snapshots live here; the caller resets it */
    struct diags diags;
    const struct options *options;
};

void pinning_init(struct pinning *p, const struct options *options);

/* A snapshot from one URL or file. What is wrong is said on standard error. */
enum exit_code pinning_read_one(struct pinning *p, Str name, struct snapshot *out);

/* From what the words from `first` on name: a command with --stdio, else one URL or file. */
enum exit_code pinning_read_words(struct pinning *p, int first, struct snapshot *out);

#endif
