/* SPDX-License-Identifier: Apache-2.0 */
/* zone.c - asks the C library's own reader for each hour's offset instead of reading TZif and POSIX
 * rules a second time: transitions are found by halving, to the second. The zone file's existence
 * is checked before, since the library takes an unknown name for UTC. */
#include "compiler/source/zone.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define ZONE_FOLDER "/usr/share/zoneinfo/"

static bool is_plain(Str name)
{
    if (name.n == 0 || name.n > ZONE_NAME_MAX || name.p[0] == '/' || name.p[0] == '.')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        bool is_other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '/';
        if (!is_letter && !is_other)
            return false;
    }
    return true;
}

bool zone_exists(Str name)
{
    char path[sizeof ZONE_FOLDER + ZONE_NAME_MAX];
    struct stat info;
    if (!is_plain(name))
        return false;
    (void)snprintf(path, sizeof path, ZONE_FOLDER "%.*s", STR_ARG(name));
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static int32_t offset_at(int64_t when)
{
    time_t t = (time_t)when;
    struct tm local;
    return localtime_r(&t, &local) ? (int32_t)local.tm_gmtoff : 0;
}

/* The first second in (lo, hi] whose offset is not lo's. */
static int64_t change_between(int64_t lo, int64_t hi)
{
    int32_t before = offset_at(lo);
    while (hi - lo > 1) {
        int64_t middle = lo + (hi - lo) / 2;
        if (offset_at(middle) == before)
            lo = middle;
        else
            hi = middle;
    }
    return hi;
}

enum { DAY = 86400 };

static uint32_t find_steps(struct b_zone_step *steps)
{
    int64_t end = INT64_C(4133980800); /* the first second of 2101 */
    uint32_t count = 1;
    steps[0] = (struct b_zone_step){ .from = INT64_MIN, .offset = offset_at(0) };
    for (int64_t at = 0; at < end && count < ZONE_STEPS_MAX; at += DAY) {
        if (offset_at(at + DAY) == offset_at(at))
            continue;
        int64_t from = change_between(at, at + DAY);
        steps[count++] = (struct b_zone_step){ .from = from, .offset = offset_at(from) };
    }
    return count;
}

enum status zone_read(Str name, struct arena *mem, struct b_zone_step **steps, uint32_t *count)
{
    char zone[ZONE_NAME_MAX + 2];
    if (!zone_exists(name))
        return ST_IO;
    *steps = ARENA_NEW(mem, struct b_zone_step, ZONE_STEPS_MAX);
    if (!*steps)
        return ST_NO_MEMORY;
    (void)snprintf(zone, sizeof zone, ":%.*s", STR_ARG(name));
    const char *before = getenv("TZ");
    Str kept = before ? arena_copy(mem, str_of(before)) : (Str){ .p = NULL, .n = 0 };
    if (setenv("TZ", zone, 1) != 0)
        return ST_NO_MEMORY;
    tzset();
    *count = find_steps(*steps);
    if (kept.p)
        (void)setenv("TZ", kept.p, 1);
    else
        (void)unsetenv("TZ");
    tzset();
    return ST_OK;
}

/* -------------------------------- ranges -------------------------------- */

static bool read_bits(Str text, uint32_t most, uint32_t *bits)
{
    uint64_t number;
    if (!str_to_u64(text, most, &number))
        return false;
    *bits = (uint32_t)number;
    return true;
}

bool net_parse(Str text, struct b_net *out)
{
    static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };
    char plain[INET6_ADDRSTRLEN];
    const char *slash = memchr(text.p, '/', text.n);
    size_t length = slash ? (size_t)(slash - text.p) : text.n;
    *out = (struct b_net){ .bits = 128 };
    if (length == 0 || length >= sizeof plain || memchr(text.p, 0, text.n))
        return false;
    memcpy(plain, text.p, length);
    plain[length] = '\0';
    bool is_six = inet_pton(AF_INET6, plain, out->address) == 1;
    if (!is_six) {
        memcpy(out->address, mapped, sizeof mapped);
        if (inet_pton(AF_INET, plain, out->address + sizeof mapped) != 1)
            return false;
    }
    if (slash && !read_bits(str_sub(text, length + 1, text.n), is_six ? 128 : 32, &out->bits))
        return false;
    if (slash && !is_six)
        out->bits += 96;
    for (uint32_t bit = out->bits; bit < 128; bit++)
        if (out->address[bit / 8] >> (7 - bit % 8) & 1)
            return false;
    return true;
}
