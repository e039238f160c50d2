/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - one call as JSON, for `mcpc eval` and the tests of a policy. */
#ifndef COMPILER_COMMAND_CALL_H
#define COMPILER_COMMAND_CALL_H

#include "runtime/vm/vm.h"

enum { CALL_BYTES_MAX = 4 * 1024 * 1024 + 64 * 1024 }; /* of a call's text, with room to read */

struct call {
    struct json_doc doc; /* holds the arguments */
    struct principal principal;
    Str verdict;       /* as recorded: "allow", "deny"; {NULL, 0}: none */
    struct vm_call vm; /* points into the two above: don't move a struct call */
};

/* Reads {"tool","arguments","server","principal":{"id","groups","attributes"},"grant":{"label"},
 * "client":{"name","version","address"},"at","verdict"}, or for any kind of message "kind" (a tool
 * without one), "name" and "method" (the kind's first without one) instead of "tool"; other keys
 * are refused. "at" is the moment of the call by RFC 3339, without it now. False with *why filled
 * (lies in mem). */
bool call_read(Str json, struct arena *mem, struct call *call, Str *why);

/* Reads {"id","groups","attributes"}; empty text is the principal "anonymous" without groups. */
bool principal_read(Str json, struct arena *mem, struct principal *principal, Str *why);

/* An object; empty text is no arguments. */
bool arguments_read(Str json, struct arena *mem, struct call *call, Str *why);

#endif
