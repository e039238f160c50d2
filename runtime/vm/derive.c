/* SPDX-License-Identifier: Apache-2.0 */
/* derive.c - documents that are not the call's own: what a domain function reads in a string, what
 * lies at any depth, what the clock shows. They live in the VM's arena until the call ends; the
 * same text is read by the same function once. */
#include "runtime/domain/cli.h"
#include "runtime/vm/vm_internal.h"

#include <stdio.h>

static struct value root_value(const struct json_doc *doc)
{
    struct value out;
    node_value(doc, 0, &out);
    return out;
}

/* --------------------------- domain functions --------------------------- */

static struct decoded *find_decoded(const struct vm *vm, uint32_t domain, uint32_t set, Str text)
{
    for (uint32_t i = 0; i < vm->decoded_count; i++) {
        struct decoded *one = vm->decoded[i];
        if (one->domain == domain && one->set == set && one->text.p == text.p &&
            one->text.n == text.n)
            return one;
    }
    return NULL;
}

/* A place for a result. The texts of registers move, so only what lies in a document is kept. */
static struct decoded *new_decoded(struct vm *vm, const struct value *of)
{
    struct decoded *one = ARENA_NEW(&vm->arena, struct decoded, 1);
    if (one && of->doc && vm->decoded_count < VM_DECODED_MAX)
        vm->decoded[vm->decoded_count++] = one;
    return one;
}

static struct value decoded_value(const struct decoded *one)
{
    return one && one->is_certain ? root_value(&one->doc) : unknown_value(UNKNOWN_UNCERTAIN);
}

/* A text in the scratch is overwritten by the next atom: what is read from it needs a copy. */
static bool keep_text(struct vm *vm, const struct value *of, Str *text)
{
    *text = of->doc ? of->text : arena_copy(&vm->arena, of->text);
    return text->p != NULL || of->text.n == 0;
}

struct value value_decode(struct vm *vm, enum domain domain, const struct value *of)
{
    if (of->type != VALUE_STRING)
        return unknown_value(cause_of(of));
    struct decoded *one = find_decoded(vm, domain, 0, of->text);
    if (one)
        return decoded_value(one);
    Str text;
    one = new_decoded(vm, of);
    if (!one || !keep_text(vm, of, &text))
        return unknown_value(UNKNOWN_TOO_LONG);
    *one = (struct decoded){ .domain = domain, .text = of->text };
    one->is_certain = domain_read(domain, text, &vm->arena, &one->doc);
    return decoded_value(one);
}

/* The strings of a set, which is how a policy names the flags that take a value. */
static const Str *set_strings(struct vm *vm, uint32_t index, size_t *count)
{
    const struct program *p = vm->program;
    const struct b_set *set = &p->sets[index];
    Str *strings = ARENA_NEW(&vm->arena, Str, set->count);
    *count = 0;
    for (uint32_t i = 0; i < set->slots && strings; i++) {
        uint32_t entry = p->set_table[set->first + i];
        if (entry)
            strings[(*count)++] = program_text(p, p->consts[entry - 1].text);
    }
    return strings;
}

/* The words of a list of strings; NULL when it holds anything else. */
static const Str *list_words(struct vm *vm, const struct value *list, size_t *count)
{
    struct value element;
    uint32_t room = json_at(list->doc, list->node)->count;
    Str *words = ARENA_NEW(&vm->arena, Str, room);
    struct list_walk walk = list_begin(vm, list);
    *count = 0;
    while (words && list_next(&walk, &element)) {
        if (element.type != VALUE_STRING)
            return NULL;
        words[(*count)++] = element.text;
    }
    return words;
}

struct value value_cli(struct vm *vm, uint32_t set, const struct value *of)
{
    size_t flags, count;
    Str text;
    struct decoded *one = ARENA_NEW(&vm->arena, struct decoded, 1);
    const Str *takes_value = set_strings(vm, set, &flags);
    if (of->type != VALUE_STRING && of->type != VALUE_LIST)
        return unknown_value(cause_of(of));
    if (!one || !takes_value || !keep_text(vm, of, &text))
        return unknown_value(UNKNOWN_TOO_LONG);
    if (of->type == VALUE_STRING) {
        one->is_certain = cli_read(text, takes_value, flags, &vm->arena, &one->doc);
        return decoded_value(one);
    }
    const Str *words = list_words(vm, of, &count);
    one->is_certain =
        words && cli_read_argv(words, count, takes_value, flags, &vm->arena, &one->doc);
    return decoded_value(one);
}

/* ----------------------------- at any depth ----------------------------- */

static struct value built_value(struct vm *vm, struct json_build *build)
{
    struct json_doc *doc = ARENA_NEW(&vm->arena, struct json_doc, 1);
    if (!doc || !json_build_finish(build, doc))
        return unknown_value(UNKNOWN_TOO_LONG);
    return root_value(doc);
}

static bool is_container(const struct value *of)
{
    return of->type == VALUE_LIST || of->type == VALUE_OBJECT;
}

struct value value_keys(struct vm *vm, const struct value *of)
{
    struct json_build build;
    if (!is_container(of))
        return unknown_value(cause_of(of));
    json_build_init(&build, &vm->arena);
    json_build_begin(&build, JSON_ARRAY);
    uint32_t end = json_at(of->doc, of->node)->next;
    for (uint32_t i = of->node + 1; i < end; i++) {
        const struct json_node *node = json_at(of->doc, i);
        if (node->key)
            json_build_string(&build, json_key(node));
    }
    json_build_end(&build);
    return built_value(vm, &build);
}

struct value value_find(struct vm *vm, const struct value *of, Str key)
{
    struct json_build build;
    if (!is_container(of))
        return unknown_value(cause_of(of));
    json_build_init(&build, &vm->arena);
    json_build_begin(&build, JSON_ARRAY);
    uint32_t end = json_at(of->doc, of->node)->next;
    for (uint32_t i = of->node + 1; i < end; i++) {
        const struct json_node *node = json_at(of->doc, i);
        if (node->key && str_eq(json_key(node), key))
            json_build_copy(&build, of->doc, i);
    }
    json_build_end(&build);
    return built_value(vm, &build);
}

/* --------------------------------- time --------------------------------- */

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

struct value value_instant(struct vm *vm, const struct value *of)
{
    if (of->type != VALUE_STRING)
        return unknown_value(cause_of(of));
    size_t at = 0;
    int64_t days = 0, seconds = 0, micros = 0, offset = 0;
    bool is_time = take_date(of->text, &at, &days) && take_char(of->text, &at, 'T') &&
                   take_time(of->text, &at, &seconds) && take_fraction(of->text, &at, &micros) &&
                   take_zone(of->text, &at, &offset) && at == of->text.n;
    if (!is_time)
        return unknown_value(UNKNOWN_TIME);
    return value_micros(vm, (days * SECONDS_PER_DAY + seconds - offset) * 1000000 + micros);
}

/* Local time is UTC plus the offset of the last step that has begun. */
static int64_t local_seconds(const struct program *p, uint32_t zone, int64_t now)
{
    const struct b_zone_step *steps = p->zone_steps + p->zones[zone].first;
    uint32_t lo = 0, hi = p->zones[zone].count;
    while (hi - lo > 1) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (steps[middle].from <= now)
            lo = middle;
        else
            hi = middle;
    }
    return now + steps[lo].offset;
}

struct value value_clock(struct vm *vm, uint32_t zone)
{
    static const Str weekdays[] = { STR_INIT("thu"), STR_INIT("fri"), STR_INIT("sat"),
                                    STR_INIT("sun"), STR_INIT("mon"), STR_INIT("tue"),
                                    STR_INIT("wed") };
    struct json_build build;
    int64_t now = vm->call->now;
    if (now < 0 || now > INT64_C(253402300799)) /* 1970 to 9999 */
        return unknown_value(UNKNOWN_TIME);
    int64_t local = local_seconds(vm->program, zone, now);
    local = local < 0 ? 0 : local; /* the first hours of 1970, west of Greenwich */
    int64_t days = local / SECONDS_PER_DAY, seconds = local % SECONDS_PER_DAY;
    json_build_init(&build, &vm->arena);
    json_build_begin(&build, JSON_OBJECT);
    json_build_key(&build, STR("date"));
    json_build_number(&build, (uint64_t)days);
    json_build_key(&build, STR("time"));
    json_build_number(&build, (uint64_t)seconds);
    json_build_key(&build, STR("hour"));
    json_build_number(&build, (uint64_t)seconds / 3600);
    json_build_key(&build, STR("weekday"));
    json_build_string(&build, weekdays[days % 7]);
    json_build_end(&build);
    return built_value(vm, &build);
}
