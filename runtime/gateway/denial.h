/* SPDX-License-Identifier: Apache-2.0 */
/* denial.h - what an agent hears when a call is denied: a tool result that it can act on. */
#ifndef RUNTIME_GATEWAY_DENIAL_H
#define RUNTIME_GATEWAY_DENIAL_H

#include "runtime/gateway/decide.h"
#include "runtime/wire/jsonrpc.h"

/* Appends the whole JSON-RPC message. A number that can't be compared is an invalid parameter
 * (-32602); every other denial is a result with isError and the decision in its _meta. alias: the
 * server asked. */
void denial_write(struct buf *out, struct jsonrpc_id id, enum server_era era, Str alias,
                  const struct verdict_text *verdict);

#endif
