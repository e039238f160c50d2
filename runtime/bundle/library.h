/* SPDX-License-Identifier: Apache-2.0 */
/* library.h - where the policy library is, and its bundles by name: "std:github/standard".
 *
 * The library's folder is the one that MCPC_LIBRARY names, else share/mcpc/library beside the
 * folder of the running program, else library in that folder (a build that is not installed). A
 * name is two words of a-z, 0-9, - and _, so that it can't lead out of the folder.
 */
#ifndef RUNTIME_BUNDLE_LIBRARY_H
#define RUNTIME_BUNDLE_LIBRARY_H

#include "runtime/base/status.h"
#include "runtime/base/str.h"

enum { LIBRARY_PATH_MAX = 4096, LIBRARY_WORD_MAX = 64 };

/* With a NUL at its end. */
struct library_path {
    char text[LIBRARY_PATH_MAX];
};

/* Whether a policy is named "std:..." instead of by a file. */
bool library_is_named(Str policy);

/* ST_NOT_FOUND: there is no library. */
MUST_USE enum status library_folder(struct library_path *out);

/* The parts of "NAME/PROFILE", with or without "std:" before it; ST_INVALID: it is none. */
MUST_USE enum status library_split(Str policy, Str *name, Str *profile);

/* The bundle of "std:NAME/PROFILE". Whether the file is there is for its reader to see. */
MUST_USE enum status library_bundle(Str policy, struct library_path *out);

#endif
