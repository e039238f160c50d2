/* SPDX-License-Identifier: Apache-2.0 */
/* judge_name.c - finds the verb of a tool's name. Names are written verb first ("delete_issue"),
 * verb last ("storage_account_list") or with the vendor before either; words that are things as
 * often as deeds count only where a verb stands. */
#include "compiler/classify/judge.h"

static bool is_filler(Str word)
{
    return words_listed("mcp tool tools api auto smart quick quickly all my the new safe safely "
                        "async advanced simple direct custom unified multi v",
                        word);
}

static bool joins(Str word)
{
    return words_listed("and or then if n", word);
}

/* "getweather": a verb that a longer single word begins with. */
static struct verb verb_of_joined(Str word)
{
    static const char verbs[] =
        "get list search find fetch read create update delete remove add set "
        "send write execute run upload post edit save insert query";
    Str rest = str_of(verbs);
    while (rest.n) {
        Str verb = str_cut(&rest, ' ');
        if (word.n >= verb.n + 3 && str_starts(word, verb))
            return verb_of_base(verb);
    }
    return (struct verb){ .deed = DEED_UNKNOWN };
}

/* The verb at a place; what is half of a thing's name is none: "get_merge_request". */
static struct verb verb_at(const struct words *words, uint32_t at)
{
    Str word = word_text(&words->items[at]);
    if (at + 1 < words->count && words_listed("merge pull", word) &&
        words_listed("request requests", word_text(&words->items[at + 1])))
        return (struct verb){ .deed = DEED_UNKNOWN };
    if (at > 0 && words_listed("request requests", word) &&
        words_listed("merge pull", word_text(&words->items[at - 1])))
        return (struct verb){ .deed = DEED_UNKNOWN };
    return verb_of_base(word);
}

/* The first word at which a verb would stand. */
static uint32_t verb_place(const struct words *words, uint32_t prefix)
{
    uint32_t at = prefix < words->count ? prefix : 0;
    while (at + 1 < words->count) {
        Str word = word_text(&words->items[at]);
        if (!is_filler(word) && verb_at(words, at).deed != DEED_NEUTRAL)
            break;
        at++;
    }
    return at;
}

static void take(struct name_verdict *out, struct verb verb, const struct word *word, bool is_clear)
{
    out->deed = verb.deed;
    out->word = word_text(word);
    out->is_clear = is_clear;
    out->is_firm = verb.place == DEED_ANYWHERE;
}

/* The worst of the verbs that act anywhere; READ when all of them read. */
static bool take_anywhere(const struct words *words, uint32_t from, struct name_verdict *out)
{
    bool has_any = false;
    for (uint32_t i = from; i < words->count; i++) {
        struct verb verb = verb_at(words, i);
        if (verb.place != DEED_ANYWHERE || verb.deed <= DEED_NEUTRAL)
            continue;
        if (!has_any || verb.deed > out->deed)
            take(out, verb, &words->items[i], true);
        has_any = true;
    }
    return has_any;
}

/* No verb stands in front: one that acts anywhere, the last word, any word. */
static void take_elsewhere(const struct words *words, uint32_t from, struct name_verdict *out)
{
    if (words->count == 0 || take_anywhere(words, from, out))
        return;
    struct verb last = verb_at(words, words->count - 1);
    if (last.deed > DEED_NEUTRAL) {
        take(out, last, &words->items[words->count - 1], false);
        return;
    }
    for (uint32_t i = from; i < words->count; i++) {
        struct verb verb = verb_at(words, i);
        if (verb.deed > out->deed && verb.deed > DEED_NEUTRAL)
            take(out, verb, &words->items[i], false);
    }
    if (out->deed == DEED_UNKNOWN && words->count == from + 1) {
        struct verb joined = verb_of_joined(word_text(&words->items[from]));
        if (joined.deed != DEED_UNKNOWN)
            take(out, joined, &words->items[from], false);
    }
}

/* "get_or_create", "search_replace": a worse verb behind the one that decides. */
static void find_also(const struct words *words, uint32_t from, struct name_verdict *out)
{
    for (uint32_t i = from; i < words->count; i++) {
        Str word = word_text(&words->items[i]);
        struct verb verb = verb_at(words, i);
        bool is_joined = i > from && joins(word_text(&words->items[i - 1]));
        bool acts = verb.place == DEED_ANYWHERE || is_joined;
        if (acts && deed_mutates(verb.deed) && verb.deed > out->deed && verb.deed > out->also) {
            out->also = verb.deed;
            out->also_word = word;
        }
    }
}

static bool is_secret_key(const struct words *words, uint32_t at)
{
    Str word = word_text(&words->items[at]);
    return at > 0 && words_listed("key keys", word) &&
           words_listed(
               "api ssh access deploy private public gpg signing encryption secret service host",
               word_text(&words->items[at - 1]));
}

static void find_objects(const struct words *words, uint32_t from, struct name_verdict *out)
{
    for (uint32_t i = from; i < words->count; i++) {
        Str word = word_text(&words->items[i]);
        uint32_t kinds = object_of(word);
        if (is_secret_key(words, i))
            kinds |= OBJECT_POWER | OBJECT_SECRET;
        bool is_order = words_listed("order", word) && i > 0 &&
                        words_listed("sort display", word_text(&words->items[i - 1]));
        if (is_order)
            kinds = 0;
        out->objects |= kinds;
        if (kinds & OBJECT_POWER && !out->power_word.n)
            out->power_word = word;
        if (kinds & OBJECT_MONEY && !out->money_word.n)
            out->money_word = word;
    }
}

void judge_name(const struct words *words, uint32_t prefix, struct name_verdict *out)
{
    *out = (struct name_verdict){ .deed = DEED_UNKNOWN };
    if (words->count == 0)
        return;
    uint32_t from = verb_place(words, prefix);
    struct verb first = verb_at(words, from);
    if (first.deed > DEED_NEUTRAL) {
        bool is_alone = from + 1 == words->count;
        take(out, first, &words->items[from], first.place == DEED_ANYWHERE || !is_alone);
    } else {
        take_elsewhere(words, from, out);
    }
    find_also(words, from, out);
    find_objects(words, prefix < words->count ? prefix : 0, out);
    /* "deploy_logs_get": a thing in front, the verb behind. */
    struct verb last = verb_at(words, words->count - 1);
    bool is_firm_first = first.deed > DEED_NEUTRAL && first.place == DEED_ANYWHERE;
    if (!is_firm_first && deed_mutates(out->deed) && last.deed == DEED_READ &&
        last.place == DEED_ANYWHERE && from + 1 < words->count) {
        out->also = out->deed;
        out->also_word = out->word;
        take(out, last, &words->items[words->count - 1], false);
    }
    uint32_t state = object_of(word_text(&words->items[words->count - 1]));
    out->is_state = out->deed <= DEED_NEUTRAL && (state & OBJECT_STATE) != 0;
    if (words->is_odd)
        out->is_clear = false;
}

enum deed judge_value(Str value)
{
    struct words words;
    struct name_verdict verdict;
    static const struct {
        const char *word;
        enum deed deed;
    } http[] = { { "get", DEED_READ },      { "head", DEED_READ }, { "options", DEED_READ },
                 { "post", DEED_WRITE },    { "put", DEED_WRITE }, { "patch", DEED_WRITE },
                 { "delete", DEED_DESTROY } };
    for (size_t i = 0; i < COUNT(http); i++)
        if (str_eq_nocase(value, str_of(http[i].word)))
            return http[i].deed;
    words_of_name(value, &words);
    judge_name(&words, 0, &verdict);
    enum deed worse = verdict.also > verdict.deed ? verdict.also : verdict.deed;
    if (worse > DEED_NEUTRAL)
        return words.is_odd && !deed_mutates(worse) ? DEED_UNKNOWN : worse;
    return verdict.is_state ? DEED_READ : DEED_UNKNOWN;
}
