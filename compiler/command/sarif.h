/* SPDX-License-Identifier: Apache-2.0 */
/* sarif.h - findings as a SARIF 2.1.0 log (OASIS), in the shape that GitHub code scanning takes:
 * one run, every diagnostic as a rule, locations in code points relative to the root of the
 * sources, and a fingerprint that survives when lines move. */
#ifndef COMPILER_COMMAND_SARIF_H
#define COMPILER_COMMAND_SARIF_H

#include "compiler/command/command.h"

struct sarif {
    struct buf results; /* of all policies so far */
};

void sarif_begin(struct sarif *sarif);
void sarif_add(struct sarif *sarif, struct compilation *c);
/* Prints the log on standard output, and frees. */
enum exit_code sarif_end(struct sarif *sarif);

#endif
