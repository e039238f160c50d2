/* SPDX-License-Identifier: Apache-2.0 */
/* init_policy.h - a first policy for a server, as text: what clearly reads is allowed, the rest is
 * denied by name with the reason why, and conditions are proposed where arguments can be judged. */
#ifndef COMPILER_COMMAND_INIT_POLICY_H
#define COMPILER_COMMAND_INIT_POLICY_H

#include "compiler/command/init_class.h"

/* Appends the policy to out, not yet in the canonical layout. file is the snapshot's name. False:
 * no memory, or out is full. */
MUST_USE bool init_write_policy(const struct snapshot *snapshot, Str alias, Str file,
                                struct arena *mem, struct buf *out);

/* init_sample.c: appends arguments for a call of the tool as JSON in ASCII, with every path in
 * folder. */
void init_write_sample(const struct schema *arguments, Str folder, struct buf *out);

#endif
