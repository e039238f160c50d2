/* SPDX-License-Identifier: Apache-2.0 */
/* denial.h - what an agent hears when a message is denied: of a tool's call a result that it can
 * act on, of any other an error. */
#ifndef RUNTIME_GATEWAY_DENIAL_H
#define RUNTIME_GATEWAY_DENIAL_H

#include "runtime/gateway/decide.h"
#include "runtime/wire/jsonrpc.h"

/* Of an error by which the policy denies: ours, outside of what JSON-RPC and MCP reserve. */
enum { DENIAL_CODE = 4030 };

/* Appends the whole JSON-RPC message. A number that can't be compared is an invalid parameter
 * (-32602); every other denial of a tool's call is a result with isError and the decision in its
 * _meta. alias: the server asked. */
void denial_write(struct buf *out, struct jsonrpc_id id, enum server_era era, Str alias,
                  const struct verdict_text *verdict);

/* The same for what has no results that tell of errors: code DENIAL_CODE, the decision in data. */
void denial_write_error(struct buf *out, struct jsonrpc_id id, const struct verdict_text *verdict);

#endif
