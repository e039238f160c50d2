/* SPDX-License-Identifier: Apache-2.0 */
/* pin_write.h - a snapshot's layout: the same tools give the same bytes, fit for a line diff. */
#ifndef COMPILER_COMMAND_PIN_WRITE_H
#define COMPILER_COMMAND_PIN_WRITE_H

#include "compiler/schema/schema.h"

/* Appends {"tools": [...]}: tools by name, members sorted but for a tool's name, which comes first.
 * False: out is full, or no memory. */
bool pin_write(const struct snapshot *snapshot, struct arena *mem, struct buf *out);

/* Appends in words what a reader of `old` has to know of `new`, a line a change, and returns how
 * many. Nothing, and 0, when every tool's digest is the same. */
size_t pin_describe(const struct snapshot *old, const struct snapshot *new_one, struct arena *mem,
                    struct buf *out);

#endif
