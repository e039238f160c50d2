/* SPDX-License-Identifier: Apache-2.0 */
/* policies.h - the loaded bundles, by path.
 *
 * A bundle is read on first use and again when its file has changed (device, inode, size or
 * modification time), looked at no more than once in POLICY_CHECK_MS. A new file that can't be
 * loaded, or that is not trusted, is logged and leaves the one in force as it is: the last good one
 * stays. Where keys are trusted, a change of the signature's file counts as well, so that it does
 * not matter which of the two is replaced first.
 */
#ifndef RUNTIME_GATEWAY_POLICIES_H
#define RUNTIME_GATEWAY_POLICIES_H

#include "runtime/gateway/trust.h"
#include "runtime/vm/vm.h"

enum { POLICY_CHECK_MS = 1000, POLICIES_MAX = 4096 };

struct policies;

/* trust is borrowed; NULL: every bundle is trusted. NULL: no memory. */
struct policies *policies_open(const struct trust *trust);
void policies_close(struct policies *policies);

/* Lends the working memory of the bundle in the file until the next call; NULL when it has never
 * loaded. path has a NUL behind it. */
struct vm *policies_get(struct policies *policies, Str path);

/* Looks at every file now. */
void policies_reload(struct policies *policies);

#endif
