/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h - a program, its working memory and one call: what eval, explain, bench and replay share.
 */
#ifndef COMPILER_COMMAND_JUDGE_H
#define COMPILER_COMMAND_JUDGE_H

#include "compiler/command/call.h"
#include "compiler/command/command.h"

enum { JUDGE_BYTES_MAX = 256 << 20 };

struct judge {
    struct compilation c;
    struct program *program;
    struct vm *vm;
    struct arena mem; /* of the call */
    struct buf json;  /* its text */
    struct call call;
};

/* Loads the program in options->files[0]; the result is the exit code. judge_close in any case. */
enum exit_code judge_open(struct judge *judge, const struct options *options, Str path);
void judge_close(struct judge *judge);

/* Reads the call of --call or standard input. */
enum exit_code judge_read_call(struct judge *judge, const struct options *options);

/* A call from text; false with *why. What the one before left in mem is gone. */
bool judge_take_call(struct judge *judge, Str json, Str *why);

#endif
