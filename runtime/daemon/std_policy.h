/* SPDX-License-Identifier: Apache-2.0 */
/* std_policy.h - a policy that is named "std:NAME/PROFILE" on the command line. */
#ifndef RUNTIME_DAEMON_STD_POLICY_H
#define RUNTIME_DAEMON_STD_POLICY_H

#include "runtime/bundle/library.h"

/* The library's bundle; false after a message that says why there is none. */
MUST_USE bool library_find(Str policy, struct library_path *out);

#endif
