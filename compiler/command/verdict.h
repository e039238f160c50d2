/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h - a decision in words, for people and for machines. */
#ifndef COMPILER_COMMAND_VERDICT_H
#define COMPILER_COMMAND_VERDICT_H

#include "runtime/vm/vm.h"

/* "allow"/"deny", by which rule, where, why: several lines. */
void verdict_print(const struct program *program, const struct vm_call *call,
                   const struct decision *decision, struct buf *out);

/* {"verdict","cause","server","tool","source","reason","unknown"...} */
void verdict_json(const struct program *program, const struct vm_call *call,
                  const struct decision *decision, struct buf *out);

/* The policy's only server, for a call that names none. */
Str program_only_server(const struct program *program);

#endif
