/* SPDX-License-Identifier: Apache-2.0 */
/* utc.c - writes times the same way wherever an operator or a program reads them. */
#include "runtime/base/utc.h"

#include <stdio.h>
#include <time.h>

/* The last millisecond of the year 9999: further on RFC 3339 has no words. */
static const int64_t utc_last_ms = INT64_C(253402300799999);

static int64_t clamp(int64_t ms)
{
    return ms < 0 ? 0 : ms > utc_last_ms ? utc_last_ms : ms;
}

/* Up to the seconds, without the zone. Returns the bytes written. */
static size_t write_seconds(struct utc_text *out, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    (void)gmtime_r(&seconds, &utc);
    return strftime(out->text, sizeof out->text, "%Y-%m-%dT%H:%M:%S", &utc);
}

struct utc_text utc_millis(int64_t ms)
{
    struct utc_text out;
    ms = clamp(ms);
    size_t n = write_seconds(&out, ms);
    (void)snprintf(out.text + n, sizeof out.text - n, ".%03dZ", (int)(ms % 1000));
    return out;
}

struct utc_text utc_seconds(int64_t ms)
{
    struct utc_text out;
    size_t n = write_seconds(&out, clamp(ms));
    (void)snprintf(out.text + n, sizeof out.text - n, "Z");
    return out;
}

/* ------------------------------- reading -------------------------------- */

enum { SECONDS_PER_DAY = 86400, DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468 };

/* Days since 1970-01-01 in the proleptic Gregorian calendar: years begin in March here, so that the
 * leap day is the last. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && is_leap);
}

/* count digits at text[*at], within lo and hi; -1 otherwise. */
static int64_t take_digits(Str text, size_t *at, size_t count, int64_t lo, int64_t hi)
{
    int64_t value = 0;
    if (count > text.n - *at)
        return -1;
    for (size_t i = 0; i < count; i++) {
        char c = text.p[(*at)++];
        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + (c - '0');
    }
    return value >= lo && value <= hi ? value : -1;
}

static bool take_char(Str text, size_t *at, char upper)
{
    bool is_here = *at < text.n && (text.p[*at] == upper || text.p[*at] == upper + ('a' - 'A'));
    *at += is_here;
    return is_here;
}

static bool take_plain(Str text, size_t *at, char c)
{
    bool is_here = *at < text.n && text.p[*at] == c;
    *at += is_here;
    return is_here;
}

static bool take_date(Str text, size_t *at, int64_t *days)
{
    int64_t year = take_digits(text, at, 4, 0, 9999);
    if (year < 0 || !take_plain(text, at, '-'))
        return false;
    int64_t month = take_digits(text, at, 2, 1, 12);
    if (month < 0 || !take_plain(text, at, '-'))
        return false;
    int64_t day = take_digits(text, at, 2, 1, days_in_month(year, month));
    *days = days_from_date(year, month, day);
    return day > 0;
}

/* hh:mm:ss; a leap second is refused, since what follows it has two readings. */
static bool take_time(Str text, size_t *at, int64_t *seconds)
{
    int64_t hour = take_digits(text, at, 2, 0, 23);
    if (hour < 0 || !take_plain(text, at, ':'))
        return false;
    int64_t minute = take_digits(text, at, 2, 0, 59);
    if (minute < 0 || !take_plain(text, at, ':'))
        return false;
    int64_t second = take_digits(text, at, 2, 0, 59);
    *seconds = hour * 3600 + minute * 60 + second;
    return second >= 0;
}

/* Z, or a distance from UTC. */
static bool take_zone(Str text, size_t *at, int64_t *offset)
{
    *offset = 0;
    if (take_char(text, at, 'Z'))
        return true;
    bool is_west = take_plain(text, at, '-');
    if (!is_west && !take_plain(text, at, '+'))
        return false;
    int64_t hours = take_digits(text, at, 2, 0, 23);
    if (hours < 0 || !take_plain(text, at, ':'))
        return false;
    int64_t minutes = take_digits(text, at, 2, 0, 59);
    *offset = (hours * 60 + minutes) * (is_west ? -60 : 60);
    return minutes >= 0;
}

enum { FRACTION_DIGITS_MAX = 6 };

/* Micro-seconds, so that whoever compares two instants never meets a rounded one. */
static bool take_fraction(Str text, size_t *at, int64_t *micros)
{
    *micros = 0;
    if (!take_plain(text, at, '.'))
        return true;
    size_t digits = 0;
    for (; *at < text.n && text.p[*at] >= '0' && text.p[*at] <= '9'; (*at)++) {
        if (++digits > FRACTION_DIGITS_MAX)
            return false;
        *micros = *micros * 10 + (text.p[*at] - '0');
    }
    for (size_t i = digits; i < FRACTION_DIGITS_MAX; i++)
        *micros *= 10;
    return digits > 0;
}

bool utc_parse(Str text, int64_t *micros)
{
    size_t at = 0;
    int64_t days = 0, seconds = 0, fraction = 0, offset = 0;
    bool is_time = take_date(text, &at, &days) && take_char(text, &at, 'T') &&
                   take_time(text, &at, &seconds) && take_fraction(text, &at, &fraction) &&
                   take_zone(text, &at, &offset) && at == text.n;
    *micros = (days * SECONDS_PER_DAY + seconds - offset) * 1000000 + fraction;
    return is_time;
}
