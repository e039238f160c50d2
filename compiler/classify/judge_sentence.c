/* SPDX-License-Identifier: Apache-2.0 */
/* judge_sentence.c - finds the verb of a description's first words, and phrases that speak of no
 * way back. A description is written by the server: it raises what a name says, and stands in for a
 * name that says nothing. */
#include "compiler/classify/judge.h"

enum { HEAD_WORDS = 12, ALSO_WORDS = 12 };

static const struct {
    enum {
        PHRASE_HARMLESS,
        PHRASE_LOCAL,
        PHRASE_READ,
        PHRASE_WRITE,
        PHRASE_DESTROY,
        PHRASE_EXECUTE
    } kind;
    Str text;
} phrases[] = {
#define PHRASE(KIND, text) { PHRASE_##KIND, STR_INIT(text) },
#define FOREIGN(KIND, words)
#include "compiler/classify/phrase.def"
#undef PHRASE
#undef FOREIGN
};

static bool is_filler(Str word)
{
    return (word.n > 3 && str_ends(word, STR("ly"))) ||
           words_listed(
               "tool this the a an to for you can will used using api endpoint function "
               "operation allows allow allowing lets let that helps enables description "
               "deprecated beta required advanced important purpose mcp command users user "
               "agent agents designer method it your",
               word);
}

/* Behind these a verb may stand, whatever was before. */
static bool leads_to_verb(Str word)
{
    return words_listed("to that which and or can will then you", word);
}

enum form { FORM_NONE, FORM_BASE, FORM_S, FORM_ING };

static enum form form_of(Str word, struct verb *verb)
{
    *verb = verb_of_base(word);
    if (verb->deed != DEED_UNKNOWN)
        return FORM_BASE;
    *verb = verb_of_form(word);
    if (verb->deed == DEED_UNKNOWN)
        return FORM_NONE;
    return str_ends(word, STR("ing")) ? FORM_ING : FORM_S;
}

static void find_also(const struct words *words, uint32_t head, enum form form,
                      struct sentence_verdict *out)
{
    for (uint32_t i = head + 1; i < words->count && i <= head + ALSO_WORDS; i++) {
        const struct word *word = &words->items[i];
        Str before = word_text(&words->items[i - 1]);
        struct verb verb;
        if (word->mark == '.')
            return;
        if (form_of(word_text(word), &verb) != form || verb.place != DEED_ANYWHERE ||
            !(word->mark == ',' || word->mark == '/' || words_listed("and or then", before)))
            continue;
        if (deed_mutates(verb.deed) && verb.deed > out->deed && verb.deed > out->also) {
            out->also = verb.deed;
            out->also_word = word_text(word);
        }
    }
}

/* "starts a crawl": the word before is a verb, not a thing. */
static bool has_article(const struct words *words, uint32_t at)
{
    return at < words->count && words_listed("a an the new one your", word_text(&words->items[at]));
}

/* Words that ask in a name ("is_open") and say nothing at the head of a sentence. */
static bool is_question(Str word)
{
    return words_listed("is has can who what where when which how provide provides enables", word);
}

static void find_head(const struct words *words, struct sentence_verdict *out)
{
    bool is_first = true;
    for (uint32_t i = 0; i < words->count && i < HEAD_WORDS; i++) {
        Str word = word_text(&words->items[i]);
        struct verb verb;
        enum form form = form_of(word, &verb);
        bool is_led = !is_first && (!word_follows(&words->items[i]) ||
                                    leads_to_verb(word_text(&words->items[i - 1])));
        bool may_stand = is_first || (is_led && verb.place == DEED_ANYWHERE);
        if (form != FORM_NONE && verb.deed != DEED_NEUTRAL && may_stand && !is_question(word)) {
            out->deed = verb.deed;
            out->word = word;
            out->is_first = is_first;
            out->is_plain = verb.place == DEED_ANYWHERE || has_article(words, i + 1);
            find_also(words, i, form, out);
            return;
        }
        if (form == FORM_NONE && !is_filler(word))
            is_first = false;
        if (verb.deed == DEED_NEUTRAL && out->deed == DEED_UNKNOWN) {
            out->deed = DEED_NEUTRAL;
            out->word = word;
            out->manages =
                is_first && words_listed("manage manages managing administer control", word);
        }
    }
}

static bool contains_nocase(Str text, Str needle)
{
    for (size_t i = 0; i + needle.n <= text.n; i++)
        if (str_eq_nocase(str_sub(text, i, i + needle.n), needle))
            return true;
    return false;
}

static void find_phrases(Str text, struct sentence_verdict *out)
{
    bool denies = contains_nocase(text, STR("non-destructive")) ||
                  contains_nocase(text, STR("nondestructive")) ||
                  contains_nocase(text, STR("not destructive"));
    for (size_t i = 0; i < COUNT(phrases); i++) {
        if (!contains_nocase(text, phrases[i].text))
            continue;
        bool is_foreign = (unsigned char)phrases[i].text.p[0] >= 0x80;
        enum deed deed = phrases[i].kind == PHRASE_READ      ? DEED_READ
                         : phrases[i].kind == PHRASE_WRITE   ? DEED_WRITE
                         : phrases[i].kind == PHRASE_EXECUTE ? DEED_EXECUTE
                                                             : DEED_DESTROY;
        if (phrases[i].kind == PHRASE_HARMLESS)
            out->is_harmless = true;
        else if (phrases[i].kind == PHRASE_LOCAL)
            out->is_local = true;
        else if (is_foreign && deed > out->deed) {
            out->deed = deed;
            out->word = phrases[i].text;
        } else if (!is_foreign && !denies && !out->phrase.n)
            out->phrase = phrases[i].text;
    }
}

void judge_sentence(Str text, struct words *words, struct sentence_verdict *out)
{
    *out = (struct sentence_verdict){ .deed = DEED_UNKNOWN };
    words_of_sentence(text, words);
    find_head(words, out);
    find_phrases(text, out);
    for (uint32_t i = 0; i < words->count; i++)
        out->objects |= object_of(word_text(&words->items[i]));
}
