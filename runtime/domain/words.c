/* SPDX-License-Identifier: Apache-2.0 */
/* words.c - quoting undone, and nothing else: what a shell would compute is refused, not guessed.
 */
#include "runtime/domain/words.h"

struct cutter {
    Str text;
    size_t at;
    struct arena *mem;
    struct words *out;
    char *word; /* of the word being read; text.n bytes are enough for all of them */
    size_t word_n, bare_n;
    bool is_open, is_quoted; /* is_quoted: something in the word was, behind bare_n bytes */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Characters that stand for themselves outside of quotes, in every shell. */
static bool is_literal(unsigned char c)
{
    static const char plain[] = "_-./:,@%+=^";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && memchr(plain, c, sizeof plain - 1) != NULL) || c >= 0x80;
}

static bool push(struct cutter *c, struct word word)
{
    if (c->out->count == WORDS_MAX)
        return false;
    c->out->items[c->out->count++] = word;
    return true;
}

static bool end_word(struct cutter *c)
{
    if (!c->is_open)
        return true;
    struct word word = { .text = { .p = c->word, .n = c->word_n }, .bare_n = c->bare_n };
    c->word += c->word_n;
    c->word_n = 0;
    c->bare_n = 0;
    c->is_open = c->is_quoted = false;
    /* zsh expands =cmd, also with a quote behind the sign; `^` and `%` begin things in some shells
     * only. */
    bool is_odd = word.bare_n && memchr("=^%", word.text.p[0], 3) != NULL;
    return !is_odd && push(c, word);
}

static void take(struct cutter *c, char byte)
{
    c->is_open = true;
    c->bare_n += !c->is_quoted;
    c->word[c->word_n++] = byte;
}

static void begin_quoted(struct cutter *c)
{
    c->is_open = true;
    c->is_quoted = true;
}

static bool single_quoted(struct cutter *c)
{
    begin_quoted(c);
    for (c->at++; c->at < c->text.n; c->at++) {
        if (c->text.p[c->at] == '\'') {
            c->at++;
            return true;
        }
        c->word[c->word_n++] = c->text.p[c->at];
    }
    return false;
}

/* Inside double quotes a backslash keeps its meaning before $ ` " \ only; elsewhere shells keep
 * both, but echo and printf then differ, so that is refused, as is `!` (history). */
static bool double_quoted(struct cutter *c)
{
    begin_quoted(c);
    for (c->at++; c->at < c->text.n; c->at++) {
        char byte = c->text.p[c->at];
        if (byte == '"') {
            c->at++;
            return true;
        }
        if (byte == '$' || byte == '`' || byte == '!')
            return false;
        if (byte == '\\') {
            char next = str_byte(c->text, c->at + 1);
            if (next != '$' && next != '`' && next != '"' && next != '\\')
                return false;
            byte = next;
            c->at++;
        }
        c->word[c->word_n++] = byte;
    }
    return false;
}

static bool escaped(struct cutter *c)
{
    if (c->at + 1 >= c->text.n || c->text.p[c->at + 1] == '\n')
        return false;
    begin_quoted(c);
    c->word[c->word_n++] = c->text.p[c->at + 1];
    c->at += 2;
    return true;
}

static bool operator_word(struct cutter *c)
{
    static const Str operators[] = { STR_INIT("||"), STR_INIT("&&"), STR_INIT("|"),
                                     STR_INIT("&"),  STR_INIT(";"),  STR_INIT("\n") };
    if (!end_word(c))
        return false;
    for (size_t i = 0; i < COUNT(operators); i++) {
        Str rest = str_sub(c->text, c->at, c->text.n);
        if (!str_starts(rest, operators[i]))
            continue;
        c->at += operators[i].n;
        /* ";;", "|&" and "&>" are other things. */
        char next = str_byte(c->text, c->at);
        bool is_other =
            operators[i].p[0] != '\n' && (next == ';' || next == '&' || next == '|' || next == '>');
        return !is_other && push(c, (struct word){ .text = operators[i], .is_operator = true });
    }
    return false;
}

/* NO-BREAK SPACE and its kin look like blanks and are none. */
static bool has_odd_blank(Str text)
{
    static const Str odd[] = { STR_INIT("\xC2\xA0"),     STR_INIT("\xC2\x85"),
                               STR_INIT("\xE1\x9A\x80"), STR_INIT("\xE2\x80"),
                               STR_INIT("\xE2\x81\x9F"), STR_INIT("\xE3\x80\x80"),
                               STR_INIT("\xEF\xBB\xBF") };
    for (size_t i = 0; i < COUNT(odd); i++)
        if (str_contains(text, odd[i]))
            return true;
    return false;
}

static bool cut(struct cutter *c)
{
    while (c->at < c->text.n) {
        char byte = c->text.p[c->at];
        bool is_good = true;
        if (is_blank(byte)) {
            is_good = end_word(c);
            c->at++;
        } else if (byte == '\'') {
            is_good = single_quoted(c);
        } else if (byte == '"') {
            is_good = double_quoted(c);
        } else if (byte == '\\') {
            is_good = escaped(c);
        } else if (is_literal((unsigned char)byte)) {
            take(c, byte);
            c->at++;
        } else {
            is_good = operator_word(c);
        }
        if (!is_good)
            return false;
    }
    return end_word(c);
}

bool words_read(Str text, struct arena *mem, struct words *out)
{
    struct cutter c = { .text = text, .mem = mem, .out = out };
    size_t room = text.n + 1 < WORDS_MAX ? text.n + 1 : WORDS_MAX;
    *out = (struct words){ .items = ARENA_NEW(mem, struct word, room) };
    c.word = arena_alloc_raw(mem, 1, 1, text.n + 1);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char byte = (unsigned char)text.p[i];
        if ((byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7F)
            return false;
    }
    return out->items && c.word && !has_odd_blank(text) && cut(&c);
}
