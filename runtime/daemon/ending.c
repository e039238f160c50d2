/* SPDX-License-Identifier: Apache-2.0 */
/* ending.c - a clock that looks every few milliseconds whether the next step may be taken. It runs
 * once in a process's life, so looking is simpler than being told. */
#include "runtime/daemon/ending.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/net/child.h"

#include <signal.h>
#include <stdlib.h>

struct ending {
    struct loop *loop;
    const struct ending_steps *steps;
    void *user;
    struct timer *timer;
    int64_t deadline_ms; /* of the step that is going on; 0: not begun */
    bool is_cut;
};

static void look(void *user)
{
    struct ending *ending = user;
    int64_t now = world_mono_ms();
    bool is_late = now >= ending->deadline_ms;
    if (!ending->is_cut && (is_late || ending->steps->is_drained(ending->user))) {
        ending->is_cut = true;
        ending->deadline_ms = now + ENDING_REAP_MS;
        ending->steps->cut(ending->user);
    } else if (ending->is_cut && is_late && child_count()) {
        log_warn("servers had to be killed count=%zu", child_count());
        child_kill_all();
    }
    if (ending->is_cut && child_count() == 0)
        loop_stop(ending->loop);
    else
        timer_start(ending->timer, ENDING_LOOK_MS);
}

static void on_end_signal(void *user, int signo)
{
    struct ending *ending = user;
    (void)signo;
    if (!ending_has_begun(ending) && ending->steps->asked)
        ending->steps->asked(ending->user);
    ending_begin(ending, ending->steps->drain_ms);
}

static void on_reload_signal(void *user, int signo)
{
    const struct ending *ending = user;
    (void)signo;
    ending->steps->reload(ending->user);
}

enum status ending_open(struct loop *loop, const struct ending_steps *steps, void *user,
                        struct ending **out)
{
    struct ending *ending = calloc(1, sizeof *ending);
    if (!ending)
        return ST_NO_MEMORY;
    *ending = (struct ending){ .loop = loop, .steps = steps, .user = user };
    ending->timer = timer_open(loop, look, ending);
    enum status status = ending->timer ? ST_OK : ST_NO_MEMORY;
    if (status == ST_OK)
        status = loop_on_signal(loop, SIGTERM, on_end_signal, ending);
    if (status == ST_OK)
        status = loop_on_signal(loop, SIGINT, on_end_signal, ending);
    if (status == ST_OK)
        status = loop_on_signal(loop, SIGHUP, on_reload_signal, ending);
    *out = ending; /* also after a failure: the loop may already know it */
    return status;
}

void ending_close(struct ending *ending)
{
    if (!ending)
        return;
    if (ending->timer)
        timer_close(ending->timer);
    free(ending);
}

bool ending_has_begun(const struct ending *ending)
{
    return ending->deadline_ms != 0;
}

void ending_begin(struct ending *ending, int64_t drain_ms)
{
    if (ending->is_cut)
        return;
    bool is_second = ending_has_begun(ending);
    ending->deadline_ms = world_mono_ms() + (is_second ? 0 : drain_ms);
    timer_start(ending->timer, 0);
}
