/* SPDX-License-Identifier: Apache-2.0 */
/* denial.c - the text says what is wrong, the _meta says it to programs. */
#include "runtime/gateway/denial.h"

#include "runtime/gateway/result.h"

static Str reason_of(const struct verdict_text *verdict)
{
    return (Str){ .p = verdict->reason, .n = verdict->reason_n };
}

static Str source_of(const struct verdict_text *verdict)
{
    return (Str){ .p = verdict->source, .n = verdict->source_n };
}

static void make_text(struct buf *text, const struct verdict_text *verdict)
{
    Str source = source_of(verdict), unknown = { .p = verdict->unknown, .n = verdict->unknown_n };
    buf_printf(text, "Denied by policy \"%.*s\": %.*s", STR_ARG(verdict->policy),
               STR_ARG(reason_of(verdict)));
    if (unknown.n)
        buf_printf(text, " (%.*s)", STR_ARG(unknown));
    if (source.n)
        buf_printf(text, " [%.*s]", STR_ARG(source));
}

static void write_text(struct buf *out, const struct verdict_text *verdict)
{
    struct buf text;
    buf_init(&text, out->limit);
    make_text(&text, verdict);
    json_write_string(out, buf_str(&text));
    buf_free(&text);
}

static void write_member(struct buf *out, Str key, Str value)
{
    if (!value.n)
        return;
    jsonrpc_write_key(out, key);
    json_write_string(out, value);
}

static void write_decision(struct buf *out, const struct verdict_text *verdict)
{
    buf_add_char(out, '{');
    write_member(out, STR("verdict"), STR("deny"));
    write_member(out, STR("cause"), str_of(vm_cause_word(verdict->decision.cause)));
    write_member(out, STR("policy"), verdict->policy);
    write_member(out, STR("source"), source_of(verdict));
    write_member(out, STR("reason"), reason_of(verdict));
    write_member(out, STR("unknown"), (Str){ .p = verdict->unknown, .n = verdict->unknown_n });
    buf_add_char(out, '}');
}

void denial_write(struct buf *out, struct jsonrpc_id id, enum server_era era, Str alias,
                  const struct verdict_text *verdict)
{
    if (verdict->decision.cause == CAUSE_UNSAFE_NUMBER) {
        jsonrpc_write_error(out, id, JSONRPC_INVALID_PARAMS, reason_of(verdict), (Str){ 0 });
        return;
    }
    struct buf result;
    buf_init(&result, out->limit);
    buf_add(&result, STR("{\"content\":[{\"type\":\"text\",\"text\":"));
    write_text(&result, verdict);
    buf_add(&result, STR("}],\"isError\":true,\"_meta\":{\"mcpd/decision\":"));
    write_decision(&result, verdict);
    result_write_server_info(&result, era, alias);
    buf_add_char(&result, '}');
    result_write_era(&result, era);
    buf_add_char(&result, '}');
    jsonrpc_write_result(out, id, buf_str(&result));
    if (result.is_full)
        out->is_full = true;
    buf_free(&result);
}

void denial_write_error(struct buf *out, struct jsonrpc_id id, const struct verdict_text *verdict)
{
    struct buf text, data;
    buf_init(&text, out->limit);
    buf_init(&data, out->limit);
    make_text(&text, verdict);
    buf_add(&data, STR("{\"mcpd/decision\":"));
    write_decision(&data, verdict);
    buf_add_char(&data, '}');
    bool is_number = verdict->decision.cause == CAUSE_UNSAFE_NUMBER;
    jsonrpc_write_error(out, id, is_number ? (int64_t)JSONRPC_INVALID_PARAMS : (int64_t)DENIAL_CODE,
                        buf_str(&text), buf_str(&data));
    out->is_full |= text.is_full || data.is_full;
    buf_free(&text);
    buf_free(&data);
}
