/* SPDX-License-Identifier: Apache-2.0 */
/* decide.h - the one place where forwarding can be permitted.
 *
 * A call is forwarded only after decide_call has answered DECIDED_ALLOW, and that answer comes
 * only after the VM allowed it, the tool is the one that the policy was compiled for (or the policy
 * does not care), and the audit log has its line. Whatever fails on the way is a
 * denial. */
#ifndef RUNTIME_GATEWAY_DECIDE_H
#define RUNTIME_GATEWAY_DECIDE_H

#include "runtime/audit/audit.h"
#include "runtime/gateway/caller.h"
#include "runtime/gateway/definitions.h"
#include "runtime/gateway/server.h"

enum { SOURCE_TEXT_MAX = 512, DECISION_TEXT_MAX = 8192 };

/* WAIT: the policy would allow it, but how the tool is defined now is not known yet. Nothing is on
 * record: ask again when it is. */
enum decided { DECIDED_UNRECORDED, DECIDED_DENY, DECIDED_WAIT, DECIDED_ALLOW };

/* One message as it was read. */
struct asked {
    const struct kind_method *method;
    Str name; /* empty where the kind has none */
    const struct json_doc *doc;
    uint32_t arguments;       /* what `args` is: the object, or JSON_NONE */
    struct standing standing; /* of a tool; of others FREE */
};

/* A verdict and the words for it; slices live as long as the policy and the call, rewritten
 * arguments until the policy's next decision. */
struct verdict_text {
    struct decision decision;
    Str policy, policy_id; /* empty when no policy is loaded */
    char source[SOURCE_TEXT_MAX];
    size_t source_n;
    char reason[DECISION_TEXT_MAX]; /* for the agent; never empty on a denial */
    size_t reason_n;
    char unknown[DECISION_TEXT_MAX]; /* what could not be judged */
    size_t unknown_n;
};

/* Judges a message and puts it on record. vm NULL: the policy never loaded. audit NULL: `mcpd run`
 * without a log file, where the operator's log has the record. */
enum decided decide_call(struct audit *audit, struct vm *vm, const struct caller *caller,
                         const struct asked *asked, struct verdict_text *out);

/* Puts something else on record: a list that is filtered ("allow", no cause), a method that is not
 * governed ("deny", "not_governed"). False: it must not be answered. */
MUST_USE bool decide_record(struct audit *audit, struct vm *vm, const struct caller *caller,
                            Str method, Str verdict, Str cause);

Str server_alias(const struct server *server);

#endif
