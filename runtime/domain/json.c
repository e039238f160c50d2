/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - a document inside a string, read by the same strict reader as the call itself. Its root
 * may be anything, so it is the member `value`. */
#include "runtime/domain/readers.h"
#include "runtime/json/json_build.h"

static const struct json_limits limits = {
    .max_bytes = DOMAIN_TEXT_MAX,
    .max_depth = 32,
    .max_nodes = 32768,
    .max_members = 4096,
    .allow_nul = false,
};

bool read_json(Str text, struct arena *mem, struct json_doc *out)
{
    struct json_doc inner;
    struct json_build build;
    if (json_parse(text, &limits, mem, &inner, NULL) != JSON_ERR_NONE)
        return false;
    json_build_init(&build, mem);
    json_build_begin(&build, JSON_OBJECT);
    json_build_key(&build, STR("value"));
    json_build_copy(&build, &inner, 0);
    json_build_end(&build);
    return json_build_finish(&build, out);
}
