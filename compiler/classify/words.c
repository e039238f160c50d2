/* SPDX-License-Identifier: Apache-2.0 */
/* words.c - splits names and sentences, and looks words up in the tables. The tables are small and
 * searched from the top; what is classified is a few thousand tools at most. */
#include "compiler/classify/words.h"

static const struct {
    enum deed deed;
    enum deed_place place;
    const char *words;
} deed_rows[] = {
#define DEED(KIND, PLACE, words) { DEED_##KIND, DEED_##PLACE, words },
#include "compiler/classify/deed.def"
#undef DEED
};

static const struct {
    enum object_kind kind;
    const char *words;
} object_rows[] = {
#define OBJECT(KIND, words) { OBJECT_##KIND, words },
#include "compiler/classify/object.def"
#undef OBJECT
};

static const struct {
    enum deed deed;
    const char *words;
} foreign_rows[] = {
#define PHRASE(KIND, text)
#define FOREIGN(KIND, words) { DEED_##KIND, words },
#include "compiler/classify/phrase.def"
#undef PHRASE
#undef FOREIGN
};

static bool is_upper(char ch)
{
    return ch >= 'A' && ch <= 'Z';
}

static bool is_letter(char ch)
{
    return is_upper(ch) || (ch >= 'a' && ch <= 'z');
}

static void add_letter(struct words *words, char ch, bool is_first, char mark)
{
    if (is_first && words->count == WORDS_MAX) {
        words->is_odd = true;
        return;
    }
    if (is_first)
        words->items[words->count++] = (struct word){ .mark = mark };
    struct word *word = &words->items[words->count - 1];
    if (word->n == sizeof word->text)
        words->is_odd = true;
    else
        word->text[word->n++] = char_lower(ch);
}

void words_of_name(Str name, struct words *out)
{
    char before = '\0';
    *out = (struct words){ .count = 0 };
    for (size_t i = 0; i < name.n && !(out->is_odd && out->count == WORDS_MAX); i++) {
        char ch = name.p[i];
        out->is_odd |= (unsigned char)ch >= 0x80;
        bool is_hump = is_upper(ch) && is_letter(before) &&
                       (!is_upper(before) ||
                        (is_letter(str_byte(name, i + 1)) && !is_upper(str_byte(name, i + 1))));
        if (is_letter(ch))
            add_letter(out, ch, !is_letter(before) || is_hump, '\0');
        before = ch;
    }
}

void words_of_sentence(Str sentence, struct words *out)
{
    bool is_in_word = false;
    char mark = '\0';
    *out = (struct words){ .count = 0 };
    for (size_t i = 0; i < sentence.n; i++) {
        char ch = sentence.p[i];
        bool joins = is_in_word && (ch == '-' || ch == '\'');
        if (is_letter(ch)) {
            if (!is_in_word && out->count == WORDS_MAX)
                break;
            add_letter(out, ch, !is_in_word, mark);
            mark = '\0';
        }
        if (ch != ' ' && !is_letter(ch) && !joins)
            mark = ch;
        is_in_word = is_letter(ch) || joins;
    }
    out->is_odd = false; /* a sentence may be long */
}

bool words_listed(const char *list, Str word)
{
    for (const char *at = list; *at;) {
        size_t n = 0;
        while (at[n] && at[n] != ' ')
            n++;
        if (n == word.n && memcmp(at, word.p, n) == 0)
            return true;
        at += at[n] ? n + 1 : n;
    }
    return false;
}

static struct verb verb_listed(Str word)
{
    for (size_t i = 0; i < COUNT(deed_rows); i++)
        if (words_listed(deed_rows[i].words, word))
            return (struct verb){ .deed = deed_rows[i].deed, .place = deed_rows[i].place };
    for (size_t i = 0; i < COUNT(foreign_rows); i++)
        if (words_listed(foreign_rows[i].words, word))
            return (struct verb){ .deed = foreign_rows[i].deed, .place = DEED_VERB };
    return (struct verb){ .deed = DEED_UNKNOWN };
}

struct verb verb_of_base(Str word)
{
    struct verb verb = verb_listed(word);
    if (verb.deed != DEED_UNKNOWN || word.n < 6)
        return verb;
    bool undoes = str_starts(word, STR("un")), repeats = str_starts(word, STR("re"));
    if (!undoes && !repeats)
        return verb;
    verb = verb_listed(str_sub(word, 2, word.n)); /* "unmatch", "redeliver" */
    if (undoes && verb.deed != DEED_UNKNOWN)
        verb.deed = DEED_WRITE;
    verb.place = DEED_VERB;
    return verb;
}

/* The word with its last cut bytes replaced by a letter (NUL: by nothing). */
static struct verb verb_of_stem(Str word, size_t cut, char letter)
{
    char text[WORD_BYTES_MAX + 1];
    size_t n = word.n - cut;
    if (word.n < cut + 2 || n >= sizeof text)
        return (struct verb){ .deed = DEED_UNKNOWN };
    memcpy(text, word.p, n);
    if (letter)
        text[n++] = letter;
    return verb_of_base((Str){ .p = text, .n = n });
}

struct verb verb_of_form(Str word)
{
    static const struct {
        Str ending;
        size_t cut;
        char letter;
    } forms[] = {
        { STR_INIT(""), 0, '\0' },      { STR_INIT("ies"), 3, 'y' },    { STR_INIT("es"), 2, '\0' },
        { STR_INIT("s"), 1, '\0' },     { STR_INIT("ing"), 3, '\0' },   { STR_INIT("ing"), 3, 'e' },
        { STR_INIT("tting"), 4, '\0' }, { STR_INIT("nning"), 4, '\0' },
    };
    struct verb verb = { .deed = DEED_UNKNOWN };
    for (size_t i = 0; i < COUNT(forms) && verb.deed == DEED_UNKNOWN; i++)
        if (str_ends(word, forms[i].ending))
            verb = verb_of_stem(word, forms[i].cut, forms[i].letter);
    return verb;
}

uint32_t object_of(Str word)
{
    uint32_t kinds = 0;
    for (size_t i = 0; i < COUNT(object_rows); i++)
        if (words_listed(object_rows[i].words, word))
            kinds |= (uint32_t)object_rows[i].kind;
    return kinds;
}

const char *deed_text(enum deed deed)
{
    switch (deed) {
    case DEED_UNKNOWN:
    case DEED_NEUTRAL: return "nothing clear";
    case DEED_NONE: return "none";
    case DEED_READ: return "read";
    case DEED_WRITE: return "write";
    case DEED_SEND: return "send";
    case DEED_ADMIN: return "admin";
    case DEED_DESTROY: return "destructive";
    case DEED_EXECUTE: return "execute";
    case DEED_MONEY: return "money";
    }
    return "";
}
