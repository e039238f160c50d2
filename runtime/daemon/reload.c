/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - one configuration in the place of another, whole or not at all. */
#include "runtime/daemon/reload.h"

#include "runtime/base/log.h"
#include "runtime/daemon/command.h"

#include <stdlib.h>

static struct principal *make_principals(const struct config *config)
{
    struct principal *principals = calloc(config->principal_count + 1, sizeof *principals);
    for (size_t i = 0; principals && i < config->principal_count; i++)
        principals[i] = (struct principal){
            .id = config->principals[i].id,
            .groups = config->principals[i].groups,
            .group_count = config->principals[i].group_count,
        };
    return principals;
}

bool live_config_open(struct live_config *live, const struct config *config)
{
    *live = (struct live_config){ .config = *config };
    arena_init(&live->mem, COMMAND_CONFIG_MAX);
    live->principals = make_principals(config);
    return live->principals != NULL;
}

void live_config_close(struct live_config *live)
{
    free(live->principals);
    arena_reset(&live->mem);
    *live = (struct live_config){ .principals = NULL };
}

/* A line of the log for each line of the complaints. */
static void log_complaints(Str errors)
{
    while (errors.n) {
        Str line = str_cut(&errors, '\n');
        log_error("configuration not reloaded, the one before stays why=%.*s", STR_ARG(line));
    }
}

static void say_restart(void *user, Str key)
{
    (void)user;
    log_warn("a changed setting takes a restart key=%.*s", STR_ARG(key));
}

bool live_config_reload(struct live_config *live, const char *path, struct live_config *old)
{
    struct live_config fresh = { .principals = NULL };
    Str errors = STR("");
    arena_init(&fresh.mem, COMMAND_CONFIG_MAX);
    bool is_good = config_read(path, &fresh.mem, &fresh.config, &errors) == ST_OK;
    if (is_good)
        fresh.principals = make_principals(&fresh.config);
    if (!fresh.principals) {
        log_complaints(is_good ? STR("no memory left") : errors);
        live_config_close(&fresh);
        return false;
    }
    config_each_restart(&live->config, &fresh.config, say_restart, NULL);
    *old = *live;
    *live = fresh;
    return true;
}
