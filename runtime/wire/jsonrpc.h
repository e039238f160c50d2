/* SPDX-License-Identifier: Apache-2.0 */
/* jsonrpc.h - one JSON-RPC 2.0 message as MCP uses it: read strictly, written afresh.
 *
 * Pure: a parsed document in, a classification out. Refused, because others have read such
 * messages differently: arrays (batches), members that JSON-RPC does not have, `result` beside
 * `method`, ids that are null, fractions, containers, beyond +-(2^53-1) or longer than
 * JSONRPC_ID_MAX, params that are no object, a request without an id, and keys that differ from
 * one of the protocol's only by case (ASCII, and U+017F and U+212A, which fold to s and k) in the
 * message, its params and their _meta. Source: JSON-RPC 2.0; MCP base protocol.
 */
#ifndef RUNTIME_WIRE_JSONRPC_H
#define RUNTIME_WIRE_JSONRPC_H

#include "runtime/base/buf.h"
#include "runtime/json/json.h"

enum { JSONRPC_ID_MAX = 128 }; /* bytes of a string id */

enum jsonrpc_code {
    JSONRPC_PARSE_ERROR = -32700,
    JSONRPC_INVALID_REQUEST = -32600,
    JSONRPC_METHOD_NOT_FOUND = -32601,
    JSONRPC_INVALID_PARAMS = -32602,
    JSONRPC_INTERNAL_ERROR = -32603,
    MCP_RESOURCE_NOT_FOUND = -32002, /* legacy revisions; never sent in the modern era */
    MCP_HEADER_MISMATCH = -32020,
    MCP_MISSING_CAPABILITY = -32021,
    MCP_UNSUPPORTED_VERSION = -32022,
};

enum jsonrpc_kind {
    JSONRPC_INVALID, /* code and why say what is wrong */
    JSONRPC_REQUEST,
    JSONRPC_NOTIFICATION,
    JSONRPC_RESULT,
    JSONRPC_ERROR,
};

/* text: a string's decoded text, or an integer's literal. `1` and `"1"` differ. */
struct jsonrpc_id {
    bool is_present, is_string;
    Str text;
};

struct jsonrpc_message {
    enum jsonrpc_kind kind;
    struct jsonrpc_id id;   /* also of an invalid message, if it could be read */
    Str method;             /* REQUEST, NOTIFICATION */
    uint32_t params;        /* the object, or JSON_NONE */
    uint32_t meta;          /* the object params._meta, or JSON_NONE */
    uint32_t result;        /* RESULT: any value */
    int64_t error_code;     /* ERROR */
    Str error_message;      /* ERROR */
    uint32_t error_data;    /* ERROR: any value, or JSON_NONE */
    enum jsonrpc_code code; /* INVALID */
    const char *why;        /* INVALID: a sentence without a full stop */
};

/* Classifies a document. Slices in *out point into the document. */
void jsonrpc_read(const struct json_doc *doc, struct jsonrpc_message *out);

/* The code that answers a text that json_parse refused: what is not JSON is a parse error, what
 * is JSON but not acceptable an invalid request; want of memory is our own fault. */
enum jsonrpc_code jsonrpc_code_of(enum json_error error);

bool jsonrpc_id_eq(struct jsonrpc_id a, struct jsonrpc_id b);

/* True when key equals one of the protocol's keys after folding case, but is not it. */
bool jsonrpc_key_is_lookalike(Str key);

/* Writers; raw values must be JSON. An id that is not present is written as null. */
void jsonrpc_write_result(struct buf *out, struct jsonrpc_id id, Str raw_result);
void jsonrpc_write_error(struct buf *out, struct jsonrpc_id id, int64_t code, Str message,
                         Str raw_data); /* raw_data empty: none */
void jsonrpc_write_request(struct buf *out, uint64_t id, Str method, Str raw_params);
void jsonrpc_write_notification(struct buf *out, Str method, Str raw_params); /* empty: none */

/* Appends `"key":`, preceded by a comma unless the text ends with an opening brace. */
void jsonrpc_write_key(struct buf *out, Str key);

#endif
