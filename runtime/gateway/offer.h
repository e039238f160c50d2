/* SPDX-License-Identifier: Apache-2.0 */
/* offer.h - what a server may ask of a client, as capabilities say it. Source: MCP 2025-11-25,
 * client capabilities; in older revisions an elicitation is a form. */
#ifndef RUNTIME_GATEWAY_OFFER_H
#define RUNTIME_GATEWAY_OFFER_H

#include "runtime/base/buf.h"
#include "runtime/json/json.h"

/* Bits. */
enum offer {
    OFFER_SAMPLING = 1,
    OFFER_SAMPLING_TOOLS = 2,
    OFFER_FORM = 4,
    OFFER_URL = 8,
    OFFER_ROOTS = 16,
};

/* The capabilities that a client declares. object: or JSON_NONE. */
uint32_t offers_read(const struct json_doc *doc, uint32_t object);

/* Appends the value of `capabilities`. */
void offers_write(struct buf *out, uint32_t offers);

#endif
