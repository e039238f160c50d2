/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h - a command line of a known tool style: sub-command words and flags with values. */
#ifndef RUNTIME_DOMAIN_CLI_H
#define RUNTIME_DOMAIN_CLI_H

#include "runtime/json/json.h"

MUST_USE bool cli_read(Str text, const Str *value_flags, size_t value_flag_count, struct arena *mem,
                       struct json_doc *out);
MUST_USE bool cli_read_argv(const Str *argv, size_t count, const Str *value_flags,
                            size_t value_flag_count, struct arena *mem, struct json_doc *out);

#endif
