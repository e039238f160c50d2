/* SPDX-License-Identifier: Apache-2.0 */
/* ref_eval.h - the language's semantics a second time, slowly: it walks the checked tree of a
 * policy for one call and shares no code with the emitter, the bundle or the VM. */
#ifndef TESTS_UNIT_REF_EVAL_H
#define TESTS_UNIT_REF_EVAL_H

#include "compiler/syntax/ast.h"
#include "runtime/json/json.h"
#include "runtime/vm/vm.h"

enum ref_verdict {
    REF_ALLOW,
    REF_DENY,
    REF_REFUSED, /* an unknown server, or a tool or argument that the pin does not know */
};

struct ref_result {
    enum ref_verdict verdict;
    const struct rule *rule;          /* the one that acted, or NULL */
    const struct json_doc *rewritten; /* of an allow: the arguments with what rules set, until the
                                       * next call; NULL: as they were */
};

/* The name of a resource is taken as it is: whether it is canonical is the caller's to know. */
struct ref_result ref_decide(const struct policy *policy, const struct vm_call *call);

#endif
