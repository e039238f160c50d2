/* SPDX-License-Identifier: Apache-2.0 */
/* offer.c - capabilities of clients, read and written. */
#include "runtime/gateway/offer.h"

#include "runtime/wire/jsonrpc.h"

static bool has(const struct json_doc *doc, uint32_t object, Str key)
{
    return object != JSON_NONE && json_member(doc, object, key) != JSON_NONE;
}

uint32_t offers_read(const struct json_doc *doc, uint32_t object)
{
    uint32_t offers = 0;
    if (object == JSON_NONE || json_at(doc, object)->type != JSON_OBJECT)
        return 0;
    uint32_t sampling = json_member(doc, object, STR("sampling"));
    uint32_t elicitation = json_member(doc, object, STR("elicitation"));
    if (sampling != JSON_NONE)
        offers |= OFFER_SAMPLING;
    if (has(doc, sampling, STR("tools")))
        offers |= OFFER_SAMPLING_TOOLS;
    /* An empty object means forms. Source: MCP 2025-11-25, elicitation, capabilities. */
    if (elicitation != JSON_NONE &&
        (has(doc, elicitation, STR("form")) || !has(doc, elicitation, STR("url"))))
        offers |= OFFER_FORM;
    if (has(doc, elicitation, STR("url")))
        offers |= OFFER_URL;
    if (has(doc, object, STR("roots")))
        offers |= OFFER_ROOTS;
    return offers;
}

void offers_write(struct buf *out, uint32_t offers)
{
    buf_add_char(out, '{');
    if (offers & OFFER_SAMPLING) {
        jsonrpc_write_key(out, STR("sampling"));
        buf_add(out, offers & OFFER_SAMPLING_TOOLS ? STR("{\"tools\":{}}") : STR("{}"));
    }
    if (offers & (OFFER_FORM | OFFER_URL)) {
        jsonrpc_write_key(out, STR("elicitation"));
        buf_add_char(out, '{');
        if (offers & OFFER_FORM)
            buf_add(out, STR("\"form\":{}"));
        if (offers & OFFER_URL) {
            jsonrpc_write_key(out, STR("url"));
            buf_add(out, STR("{}"));
        }
        buf_add_char(out, '}');
    }
    if (offers & OFFER_ROOTS) {
        jsonrpc_write_key(out, STR("roots"));
        buf_add(out, STR("{}"));
    }
    buf_add_char(out, '}');
}
