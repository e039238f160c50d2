/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_config.c - any bytes as mcpd.jsonc: a configuration whose values keep their promises, or
 * complaints, one a line. */
#include "fuzz/target.h"
#include "runtime/daemon/address.h"
#include "runtime/daemon/config_reader.h"

#include <stdlib.h>

enum { ARENA_BYTES = 32 * 1024 * 1024 };

static void check_accepted(const struct config *config)
{
    ENSURE(config->listen_host.n && config->listen_host.p[config->listen_host.n] == '\0');
    ENSURE(config->store_path.p[0] == '/' && config->audit_path.n);
    for (size_t i = 0; i < config->server_count; i++) {
        const struct server_spec *server = &config->servers[i];
        ENSURE(!config_alias_problem(server->alias));
        ENSURE((server->argc > 0) == (server->transport == SERVER_STDIO));
        ENSURE(server->transport == SERVER_STDIO || !address_url_problem(server->url));
        ENSURE(server->argc == 0 || server->argv[0].n);
    }
#define LIMIT(name, def, min, max, doc)                                                            \
    ENSURE((int64_t)config->limits.name >= (min) && (int64_t)config->limits.name <= (max));
#include "runtime/gateway/limit.def"
#undef LIMIT
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena mem;
    struct config config;
    Str errors = STR("");
    char *text = malloc(size); /* of that exact size: reading past it is seen */
    if (size && !text)
        return 0;
    if (size)
        memcpy(text, data, size);
    arena_init(&mem, ARENA_BYTES);
    enum status status = config_parse("f", STR("/x"), (Str){ text, size }, &mem, &config, &errors);
    ENSURE((status == ST_OK) == (errors.n == 0));
    ENSURE(errors.n == 0 || errors.p[errors.n - 1] == '\n');
    if (status == ST_OK)
        check_accepted(&config);
    arena_reset(&mem);
    free(text);
    return 0;
}
