/* SPDX-License-Identifier: Apache-2.0 */
/* derive.c - documents that are not the call's own: what a domain function reads in a string, what
 * lies at any depth, what the clock shows. They live in the VM's arena until the call ends; the
 * same text is read by the same function once. */
#include "runtime/base/utc.h"
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

enum { SECONDS_PER_DAY = 86400 };

struct value value_instant(struct vm *vm, const struct value *of)
{
    int64_t micros;
    if (of->type != VALUE_STRING)
        return unknown_value(cause_of(of));
    return utc_parse(of->text, &micros) ? value_micros(vm, micros) : unknown_value(UNKNOWN_TIME);
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
