/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - moments that show every way in which tests of the clock can turn out.
 *
 * Two weeks from a Monday hold every weekday with every time of day, in a week without a change of
 * the zone's offset too; where dates are compared, two weeks from each date and the days around it
 * are taken as well. On each day the times at, before and behind each bound are tried, by every
 * offset that the zone has had.
 */
#include "compiler/prove/space.h"

enum {
    DAY = 86400,
    HOUR = 3600,
    MONDAY = 20458, /* 2026-01-05, in days since 1970 */
    DAYS_TRIED = 14,
    OFFSETS_MAX = 8,
    MOMENTS_MAX = 20000, /* tried of one clock */
};

#define MOMENT_MAX INT64_C(253402300799) /* the last second of 9999 */

struct moments {
    struct space *space;
    struct node *node;
    struct vec *values;
    struct vec days, times; /* int64_t */
    int32_t offsets[OFFSETS_MAX];
    uint32_t offset_count;
};

static void add_moment(struct moments *m, int64_t at)
{
    if (at < 0 || at > MOMENT_MAX)
        return;
    if (m->values->count >= MOMENTS_MAX) {
        m->node->is_partial = true;
        return;
    }
    Str text = arena_printf(m->space->mem, "%lld", (long long)at);
    m->space->is_full |= !text.p;
    if (text.p)
        *VEC_ADD(m->space, m->values, Str) = text;
}

static void add_number(struct moments *m, struct vec *row, int64_t number)
{
    for (uint32_t i = 0; i < row->count; i++)
        if (VEC_AT(row, int64_t, i) == number)
            return;
    *VEC_ADD(m->space, row, int64_t) = number;
}

/* A bound as a whole number; a fraction lies between two. */
static int64_t whole(Decimal bound)
{
    int64_t value = bound.mantissa;
    for (uint32_t i = 0; i < bound.scale; i++)
        value /= 10;
    return value;
}

static void find_offsets(struct moments *m)
{
    const struct program *p = m->space->model->programs[m->node->zone_side];
    const struct b_zone *zone = &p->zones[m->node->zone];
    for (uint32_t i = 0; i < zone->count; i++) {
        int32_t offset = p->zone_steps[zone->first + zone->count - 1 - i].offset;
        bool is_known = false;
        for (uint32_t k = 0; k < m->offset_count; k++)
            is_known |= m->offsets[k] == offset;
        if (is_known || offset % 60 != 0) /* local mean time, before there were zones */
            continue;
        if (m->offset_count == OFFSETS_MAX)
            break;
        m->offsets[m->offset_count++] = offset;
    }
}

static void add_days(struct moments *m, int64_t from)
{
    for (int64_t i = 0; i < DAYS_TRIED; i++)
        add_number(m, &m->days, from + i);
}

static void add_clock(struct moments *m)
{
    struct vec *clock = m->node->clock;
    find_offsets(m);
    add_days(m, MONDAY);
    for (uint32_t i = 0; i < clock[CLOCK_DATE].count; i++) {
        int64_t date = whole(VEC_AT(&clock[CLOCK_DATE], Decimal, i));
        add_days(m, date - DAYS_TRIED);
        add_days(m, date);
        add_number(m, &m->days, date + DAYS_TRIED);
    }
    add_number(m, &m->times, 0);
    add_number(m, &m->times, DAY - 1);
    for (uint32_t i = 0; i < clock[CLOCK_TIME].count; i++)
        for (int64_t by = -1; by <= 1; by++)
            add_number(m, &m->times, whole(VEC_AT(&clock[CLOCK_TIME], Decimal, i)) + by);
    for (uint32_t i = 0; i < clock[CLOCK_HOUR].count; i++) {
        int64_t hour = whole(VEC_AT(&clock[CLOCK_HOUR], Decimal, i));
        for (int64_t by = -1; by <= 1; by++)
            add_number(m, &m->times, (hour + by) * HOUR);
    }
    for (uint32_t d = 0; d < m->days.count; d++)
        for (uint32_t t = 0; t < m->times.count * m->offset_count; t++)
            add_moment(m, VEC_AT(&m->days, int64_t, d) * DAY +
                              VEC_AT(&m->times, int64_t, t / m->offset_count) -
                              m->offsets[t % m->offset_count]);
}

void clock_values(struct space *space, struct field *field, struct vec *values)
{
    struct moments m = { .space = space, .node = field->node, .values = values };
    const struct vec *bounds = &field->node->numbers;
    if (m.node->zone != B_NONE)
        add_clock(&m);
    for (uint32_t i = 0; i < bounds->count; i++)
        for (int64_t by = -1; by <= 1; by++)
            add_moment(&m, whole(VEC_AT(bounds, Decimal, i)) + by);
    m.node->is_partial |= bounds->count && m.node->zone != B_NONE;
    add_moment(&m, (int64_t)MONDAY * DAY + 12 * (int64_t)HOUR);
    for (uint32_t i = 0; i < m.node->samples.count; i++) {
        Str text = VEC_AT(&m.node->samples, Str, i);
        uint64_t at;
        if (str_to_u64(text, MOMENT_MAX, &at))
            add_moment(&m, (int64_t)at);
    }
}
