/* SPDX-License-Identifier: Apache-2.0 */
/* jsonrpc.c - what kind of message a document is, decided once for everyone.
 *
 * The order of checks matters for the answer only: the id is read first, so that a refusal can
 * carry it; then whatever makes the message ambiguous; then its kind. Nothing here looks at
 * what a method means, save that MCP's notifications are named notifications/... and nothing
 * else is: so a tools/call without an id is refused before anyone could take it for one.
 */
#include "runtime/wire/jsonrpc.h"

#include <inttypes.h>

enum { MESSAGE_JSONRPC, MESSAGE_ID, MESSAGE_METHOD, MESSAGE_PARAMS, MESSAGE_RESULT, MESSAGE_ERROR };

/* Members of a message: index = the enum above. */
static const Str message_keys[] = {
    STR_INIT("jsonrpc"), STR_INIT("id"),     STR_INIT("method"),
    STR_INIT("params"),  STR_INIT("result"), STR_INIT("error"),
};

/* Keys with a meaning in some message's params or their _meta. */
static const Str protocol_keys[] = {
    STR_INIT("_meta"),
    STR_INIT("argument"),
    STR_INIT("arguments"),
    STR_INIT("capabilities"),
    STR_INIT("clientInfo"),
    STR_INIT("context"),
    STR_INIT("cursor"),
    STR_INIT("inputResponses"),
    STR_INIT("level"),
    STR_INIT("message"),
    STR_INIT("name"),
    STR_INIT("notifications"),
    STR_INIT("progress"),
    STR_INIT("progressToken"),
    STR_INIT("protocolVersion"),
    STR_INIT("reason"),
    STR_INIT("ref"),
    STR_INIT("requestId"),
    STR_INIT("requestState"),
    STR_INIT("task"),
    STR_INIT("taskId"),
    STR_INIT("total"),
    STR_INIT("uri"),
    STR_INIT("io.modelcontextprotocol/clientCapabilities"),
    STR_INIT("io.modelcontextprotocol/clientInfo"),
    STR_INIT("io.modelcontextprotocol/logLevel"),
    STR_INIT("io.modelcontextprotocol/protocolVersion"),
    STR_INIT("io.modelcontextprotocol/related-task"),
    STR_INIT("io.modelcontextprotocol/serverInfo"),
    STR_INIT("io.modelcontextprotocol/subscriptionId"),
    STR_INIT("baggage"),
    STR_INIT("traceparent"),
    STR_INIT("tracestate"),
};

static unsigned char fold_ascii(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? u | 0x20 : u;
}

/* The next character of *key folded: ASCII case, and the two letters outside ASCII that fold into
 * it (Unicode CaseFolding.txt, simple foldings of U+017F and U+212A). */
static unsigned char fold_next(Str *key)
{
    static const struct {
        Str from;
        unsigned char to;
    } foldings[] = { { STR_INIT("\xC5\xBF"), 's' }, { STR_INIT("\xE2\x84\xAA"), 'k' } };
    for (size_t i = 0; i < COUNT(foldings); i++)
        if (str_starts(*key, foldings[i].from)) {
            *key = str_sub(*key, foldings[i].from.n, key->n);
            return foldings[i].to;
        }
    unsigned char c = fold_ascii(key->p[0]);
    *key = str_sub(*key, 1, key->n);
    return c;
}

static bool folds_to(Str key, Str known)
{
    for (size_t i = 0; i < known.n; i++)
        if (!key.n || fold_next(&key) != fold_ascii(known.p[i]))
            return false;
    return key.n == 0;
}

static bool is_lookalike_of(Str key, const Str *known, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (folds_to(key, known[i]))
            return !str_eq(key, known[i]);
    return false;
}

bool jsonrpc_key_is_lookalike(Str key)
{
    return is_lookalike_of(key, message_keys, COUNT(message_keys)) ||
           is_lookalike_of(key, protocol_keys, COUNT(protocol_keys));
}

static bool has_lookalike(const struct json_doc *doc, uint32_t object)
{
    if (object == JSON_NONE)
        return false;
    for (uint32_t i = json_first(doc, object); i != JSON_NONE; i = json_after(doc, object, i)) {
        Str key = json_key(json_at(doc, i));
        if (is_lookalike_of(key, protocol_keys, COUNT(protocol_keys)))
            return true;
    }
    return false;
}

static void refuse(struct jsonrpc_message *out, const char *why)
{
    if (out->why)
        return;
    out->code = JSONRPC_INVALID_REQUEST;
    out->why = why;
}

/* Finds the members; slots[] gets node indexes. A key beyond the six refuses the message. */
static void read_members(const struct json_doc *doc, uint32_t slots[], struct jsonrpc_message *out)
{
    for (uint32_t i = json_first(doc, 0); i != JSON_NONE; i = json_after(doc, 0, i)) {
        Str key = json_key(json_at(doc, i));
        size_t k = 0;
        while (k < COUNT(message_keys) && !str_eq(key, message_keys[k]))
            k++;
        if (k < COUNT(message_keys))
            slots[k] = i;
        else if (is_lookalike_of(key, message_keys, COUNT(message_keys)))
            refuse(out, "a member differs from one of JSON-RPC's by case only");
        else
            refuse(out, "a member that JSON-RPC does not have");
    }
}

static void read_id(const struct json_doc *doc, uint32_t index, struct jsonrpc_message *out)
{
    if (index == JSON_NONE)
        return;
    const struct json_node *node = json_at(doc, index);
    bool is_string = node->type == JSON_STRING && node->text_n <= JSONRPC_ID_MAX;
    bool is_integer = node->type == JSON_NUMBER && (node->flags & JSON_INTEGER) &&
                      !(node->flags & JSON_UNSAFE_NUMBER);
    if (!is_string && !is_integer) {
        refuse(out, "an id is a string of at most 128 bytes or an integer within +-(2^53-1)");
        return;
    }
    out->id =
        (struct jsonrpc_id){ .is_present = true, .is_string = is_string, .text = json_text(node) };
}

static void read_params(const struct json_doc *doc, uint32_t index, struct jsonrpc_message *out)
{
    if (index == JSON_NONE)
        return;
    if (json_at(doc, index)->type != JSON_OBJECT) {
        refuse(out, "params must be an object");
        return;
    }
    out->params = index;
    uint32_t meta = json_member(doc, index, STR("_meta"));
    if (meta != JSON_NONE && json_at(doc, meta)->type != JSON_OBJECT)
        refuse(out, "_meta must be an object");
    else
        out->meta = meta;
    if (has_lookalike(doc, index) || has_lookalike(doc, out->meta))
        refuse(out, "a key in params or _meta differs from one of the protocol's by case only");
}

static void read_call(const struct json_doc *doc, const uint32_t slots[],
                      struct jsonrpc_message *out)
{
    if (slots[MESSAGE_RESULT] != JSON_NONE || slots[MESSAGE_ERROR] != JSON_NONE)
        refuse(out, "a message is a call or a response, not both");
    const struct json_node *method = json_at(doc, slots[MESSAGE_METHOD]);
    if (method->type != JSON_STRING || method->text_n == 0) {
        refuse(out, "a method is a string");
        return;
    }
    out->method = json_text(method);
    read_params(doc, slots[MESSAGE_PARAMS], out);
    bool is_notification = str_starts(out->method, STR("notifications/"));
    bool has_id = slots[MESSAGE_ID] != JSON_NONE;
    if (!is_notification && !has_id)
        refuse(out, "a request needs an id");
    if (is_notification && has_id)
        refuse(out, "a notification has no id");
    if (!out->why)
        out->kind = has_id ? JSONRPC_REQUEST : JSONRPC_NOTIFICATION;
}

/* An integer literal that json_parse found safe. */
static bool read_safe_integer(const struct json_node *node, int64_t *out)
{
    if (node->type != JSON_NUMBER || !(node->flags & JSON_INTEGER) ||
        (node->flags & JSON_UNSAFE_NUMBER))
        return false;
    Str digits = json_text(node);
    bool is_negative = str_starts(digits, STR("-"));
    uint64_t value;
    if (!str_to_u64(str_sub(digits, is_negative, digits.n), INT64_MAX, &value))
        return false;
    *out = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static void read_error(const struct json_doc *doc, uint32_t index, struct jsonrpc_message *out)
{
    uint32_t code = json_member(doc, index, STR("code"));
    uint32_t message = json_member(doc, index, STR("message"));
    if (code == JSON_NONE || !read_safe_integer(json_at(doc, code), &out->error_code) ||
        message == JSON_NONE || json_at(doc, message)->type != JSON_STRING) {
        refuse(out, "an error has an integer code and a message");
        return;
    }
    out->error_message = json_text(json_at(doc, message));
    out->error_data = json_member(doc, index, STR("data"));
}

/* An error may come without an id: the peer could not read the request's. */
static void read_response(const struct json_doc *doc, const uint32_t slots[],
                          struct jsonrpc_message *out)
{
    bool has_result = slots[MESSAGE_RESULT] != JSON_NONE;
    bool has_error = slots[MESSAGE_ERROR] != JSON_NONE;
    if (has_result == has_error || slots[MESSAGE_PARAMS] != JSON_NONE)
        refuse(out, "a message has a method, a result or an error");
    else if (has_result && !out->id.is_present)
        refuse(out, "a result needs an id");
    if (has_error)
        read_error(doc, slots[MESSAGE_ERROR], out);
    out->result = slots[MESSAGE_RESULT];
    if (!out->why)
        out->kind = has_result ? JSONRPC_RESULT : JSONRPC_ERROR;
}

void jsonrpc_read(const struct json_doc *doc, struct jsonrpc_message *out)
{
    *out = (struct jsonrpc_message){ .kind = JSONRPC_INVALID };
    if (json_at(doc, 0)->type != JSON_OBJECT) {
        refuse(out, json_at(doc, 0)->type == JSON_ARRAY ? "batches are not accepted"
                                                        : "a message is an object");
        return;
    }
    uint32_t slots[COUNT(message_keys)] = { JSON_NONE };
    read_members(doc, slots, out);
    /* {"id":null} beside an error is how a peer says that it could not read our id. */
    bool is_null_id =
        slots[MESSAGE_ID] != JSON_NONE && json_at(doc, slots[MESSAGE_ID])->type == JSON_NULL;
    if (!(is_null_id && slots[MESSAGE_ERROR] != JSON_NONE))
        read_id(doc, slots[MESSAGE_ID], out);
    if (slots[MESSAGE_JSONRPC] == JSON_NONE ||
        !str_eq(json_member_string(doc, 0, STR("jsonrpc")), STR("2.0")))
        refuse(out, "jsonrpc must be \"2.0\"");
    if (slots[MESSAGE_METHOD] != JSON_NONE)
        read_call(doc, slots, out);
    else
        read_response(doc, slots, out);
}

enum jsonrpc_code jsonrpc_code_of(enum json_error error)
{
    switch (error) {
    case JSON_ERR_SYNTAX:
    case JSON_ERR_TRAILING:
    case JSON_ERR_TRUNCATED:
    case JSON_ERR_UTF8:
    case JSON_ERR_BOM:
    case JSON_ERR_CONTROL:
    case JSON_ERR_ESCAPE: return JSONRPC_PARSE_ERROR;
    case JSON_ERR_NONE:
    case JSON_ERR_SURROGATE:
    case JSON_ERR_NUL:
    case JSON_ERR_DUPLICATE_KEY:
    case JSON_ERR_NUMBER_RANGE:
    case JSON_ERR_TOO_LARGE:
    case JSON_ERR_TOO_DEEP:
    case JSON_ERR_TOO_MANY_NODES:
    case JSON_ERR_TOO_MANY_MEMBERS: break;
    case JSON_ERR_NO_MEMORY:
    case JSON_ERROR_COUNT: return JSONRPC_INTERNAL_ERROR;
    }
    return JSONRPC_INVALID_REQUEST;
}

bool jsonrpc_id_eq(struct jsonrpc_id a, struct jsonrpc_id b)
{
    return a.is_present == b.is_present && a.is_string == b.is_string && str_eq(a.text, b.text);
}

void jsonrpc_write_key(struct buf *out, Str key)
{
    if (out->n && out->p[out->n - 1] != '{')
        buf_add_char(out, ',');
    json_write_string(out, key);
    buf_add_char(out, ':');
}

static void write_id(struct buf *out, struct jsonrpc_id id)
{
    jsonrpc_write_key(out, STR("id"));
    if (!id.is_present)
        buf_add(out, STR("null"));
    else if (id.is_string)
        json_write_string(out, id.text);
    else
        buf_add(out, id.text);
}

void jsonrpc_write_result(struct buf *out, struct jsonrpc_id id, Str raw_result)
{
    buf_add(out, STR("{\"jsonrpc\":\"2.0\""));
    write_id(out, id);
    buf_add(out, STR(",\"result\":"));
    buf_add(out, raw_result);
    buf_add_char(out, '}');
}

void jsonrpc_write_error(struct buf *out, struct jsonrpc_id id, int64_t code, Str message,
                         Str raw_data)
{
    buf_add(out, STR("{\"jsonrpc\":\"2.0\""));
    write_id(out, id);
    buf_printf(out, ",\"error\":{\"code\":%" PRId64 ",\"message\":", code);
    json_write_string(out, message);
    if (raw_data.n) {
        buf_add(out, STR(",\"data\":"));
        buf_add(out, raw_data);
    }
    buf_add(out, STR("}}"));
}

void jsonrpc_write_request(struct buf *out, uint64_t id, Str method, Str raw_params)
{
    buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"method\":", id);
    json_write_string(out, method);
    if (raw_params.n) {
        buf_add(out, STR(",\"params\":"));
        buf_add(out, raw_params);
    }
    buf_add_char(out, '}');
}

void jsonrpc_write_notification(struct buf *out, Str method, Str raw_params)
{
    buf_add(out, STR("{\"jsonrpc\":\"2.0\",\"method\":"));
    json_write_string(out, method);
    if (raw_params.n) {
        buf_add(out, STR(",\"params\":"));
        buf_add(out, raw_params);
    }
    buf_add_char(out, '}');
}
