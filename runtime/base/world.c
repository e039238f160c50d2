/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/world.h"

#include "runtime/base/attr.h"

#include <time.h>
#include <unistd.h>

static int64_t clock_ms(clockid_t id)
{
    struct timespec now;
    ENSURE(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t real_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

static int64_t real_mono_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

static void real_entropy(void *bytes, size_t count)
{
    unsigned char *at = bytes;
    while (count) {
        size_t step = count > 256 ? 256 : count; /* getentropy's own limit */
        ENSURE(getentropy(at, step) == 0);
        at += step;
        count -= step;
    }
}

static const struct world real_world = { real_wall_ms, real_mono_ms, real_entropy };
static const struct world *current = &real_world;

void world_set(const struct world *world)
{
    current = world ? world : &real_world;
}

int64_t world_wall_ms(void)
{
    return current->wall_ms();
}

int64_t world_mono_ms(void)
{
    return current->mono_ms();
}

void world_entropy(void *bytes, size_t count)
{
    current->entropy(bytes, count);
}
