/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - names and sentences as words, and the lists that say what words mean.
 *
 * A name of more than WORDS_MAX words, of a word of more than WORD_BYTES_MAX bytes, or with bytes
 * that are not ASCII is odd: what is left out of it may say anything, so it never counts as
 * reading.
 */
#ifndef COMPILER_CLASSIFY_WORDS_H
#define COMPILER_CLASSIFY_WORDS_H

#include "runtime/base/str.h"

enum { WORDS_MAX = 24, WORD_BYTES_MAX = 32 };

/* What a verb does. Worse is later, but for NEUTRAL, which says nothing. */
enum deed {
    DEED_UNKNOWN,
    DEED_NEUTRAL,
    DEED_NONE,
    DEED_READ,
    DEED_WRITE,
    DEED_SEND,
    DEED_ADMIN,
    DEED_DESTROY,
    DEED_EXECUTE,
    DEED_MONEY,
};

enum deed_place { DEED_ANYWHERE, DEED_VERB };

/* Bits: what a thing adds to a deed. */
enum object_kind {
    OBJECT_POWER = 1,
    OBJECT_MONEY = 2,
    OBJECT_SECRET = 4,
    OBJECT_PRIVATE = 8,
    OBJECT_UNTRUSTED = 16,
    OBJECT_CODE = 32,
    OBJECT_BULK = 64,
    OBJECT_COST = 128,
    OBJECT_STATE = 256,
};

struct word {
    char text[WORD_BYTES_MAX];
    uint8_t n;
    char mark; /* in a sentence: the last mark between it and the word before; NUL: none */
};

struct words {
    struct word items[WORDS_MAX];
    uint32_t count;
    bool is_odd;
};

struct verb {
    enum deed deed;
    enum deed_place place;
};

static inline Str word_text(const struct word *word)
{
    return (Str){ .p = word->text, .n = word->n };
}

/* A name: digits and marks part words, so does a capital behind a small letter. */
void words_of_name(Str name, struct words *out);
/* A sentence: as many words as have room; letters of any case, digits part no words. */
void words_of_sentence(Str sentence, struct words *out);

/* Whether nothing but blanks stands before the word. */
static inline bool word_follows(const struct word *word)
{
    return word->mark == '\0';
}

/* Whether the list, words with spaces between, has the word. */
bool words_listed(const char *list, Str word);

/* The verb that the word is in base form; deed UNKNOWN: none. */
struct verb verb_of_base(Str word);
/* The same of "creates", "creating", "creation" not. */
struct verb verb_of_form(Str word);
/* Kinds of the thing, or'ed. */
uint32_t object_of(Str word);

/* "read", "write", ...: for reasons. */
const char *deed_text(enum deed deed);

static inline bool deed_mutates(enum deed deed)
{
    return deed >= DEED_WRITE;
}

#endif
