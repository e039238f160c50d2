/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/domain/cli.h"

bool cli_read(Str text, const Str *value_flags, size_t value_flag_count, struct arena *mem,
              struct json_doc *out)
{
    (void)text, (void)value_flags, (void)value_flag_count, (void)mem, (void)out;
    return false;
}
bool cli_read_argv(const Str *argv, size_t count, const Str *value_flags, size_t value_flag_count,
                   struct arena *mem, struct json_doc *out)
{
    (void)argv, (void)count, (void)value_flags, (void)value_flag_count, (void)mem, (void)out;
    return false;
}
