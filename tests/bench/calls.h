/* SPDX-License-Identifier: Apache-2.0 */
/* calls.h - the calls that decisions are measured with: whole messages of one size, for the policy
 * in rules40.pol. The same seed gives the same messages everywhere. */
#ifndef TESTS_BENCH_CALLS_H
#define TESTS_BENCH_CALLS_H

#include "runtime/vm/vm.h"

enum { CALL_BYTES = 490, CALL_GROUPS = 3 };

struct bench_call {
    Str text;   /* the JSON-RPC request */
    Str server; /* "s0" and so on */
    struct principal principal;
    Str groups[CALL_GROUPS];
};

/* How a policy of many rules was made from the 40: each copy has its own server, or its own team.
 */
enum growth { GROWTH_SERVERS, GROWTH_TEAMS };

/* Fills count calls in mem, spread over the copies. Texts do not depend on copies. False: no
 * memory. */
bool calls_make(struct arena *mem, enum growth growth, uint32_t copies, size_t count,
                struct bench_call *out);

/* Small, fast, repeatable random numbers (xorshift64). */
uint32_t bench_random(uint64_t *state, uint32_t below);

#endif
