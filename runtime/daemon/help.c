/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - the configuration's keys as Markdown, from the tables that the reader itself uses. */
#include "runtime/daemon/command.h"
#include "runtime/daemon/config_reader.h"

static const char *type_text(enum config_type type)
{
    switch (type) {
    case CONFIG_OBJECT:
    case CONFIG_MAP: return "object";
    case CONFIG_STRING: return "string";
    case CONFIG_STRINGS: return "list of strings";
    case CONFIG_NUMBER: return "whole number";
    case CONFIG_BOOL: return "true or false";
    default: return "";
    }
}

static void add_row(struct buf *out, const struct config_key *key)
{
    buf_printf(out, "| `%.*s` | %s | ", STR_ARG(key->path), type_text(key->type));
    if (key->fallback.n)
        buf_printf(out, "`%.*s`", STR_ARG(key->fallback));
    buf_printf(out, " | %.*s |\n", STR_ARG(key->doc));
}

void help_config(struct buf *out)
{
    buf_add(out, STR("| key | type | default | meaning |\n| --- | --- | --- | --- |\n"));
    for (size_t i = 0; i < config_key_count; i++)
        add_row(out, &config_keys[i]);
}
