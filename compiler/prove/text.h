/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - the classes that tests split strings into, each with its shortest member.
 *
 * Every test of a string that a policy makes is a finite automaton. Run side by side over all
 * strings that JSON can hold (valid UTF-8 without U+0000), they reach finitely many states; strings
 * that end in states with the same answers are one class. Going over the states breadth first finds
 * the shortest member of each class, and proves that there are no others. Past a limit the answer
 * is what was found so far, and says so.
 */
#ifndef COMPILER_PROVE_TEXT_H
#define COMPILER_PROVE_TEXT_H

#include "runtime/bundle/program.h"

enum {
    TEXT_STATES_MAX = 32768,     /* of all automata side by side */
    TEXT_CLASSES_MAX = 2048,     /* classes of one string */
    TEXT_TESTS_MAX = 128,        /* automata side by side */
    MACHINE_CELLS_MAX = 4 << 20, /* transitions of one automaton */
};

enum text_test_kind {
    TEXT_LITERALS, /* which of texts it is: 0 for none, else its index + 1 */
    TEXT_STARTS,   /* starts with texts[0] */
    TEXT_ENDS,
    TEXT_CONTAINS,
    TEXT_PATH,   /* as a normalised path, texts[0] or below it */
    TEXT_HOST,   /* as a host, texts[0] or in it */
    TEXT_ORDER,  /* bytewise: 0 before texts[0], 1 the same, 2 behind it */
    TEXT_DFA,    /* the accept id of an automaton of a program */
    TEXT_WORDS,  /* contains a word of the trie `dfa` of a program, and not what that forbids */
    TEXT_LENGTH, /* code points against bounds, ascending: 2i + 1 at bounds[i], 2i below it */
};

struct text_test {
    enum text_test_kind kind;
    bool lowers; /* of the string with A-Z as a-z */
    const Str *texts;
    const uint32_t *bounds; /* of LENGTH */
    uint32_t count;         /* of texts or bounds */
    const struct program *program;
    uint32_t dfa;
};

struct text_class {
    Str text;                /* the shortest, in bytes */
    const uint32_t *answers; /* one a test */
};

struct text_classes {
    struct text_class *items; /* shortest first */
    uint32_t count;
    bool is_complete; /* there is no other class */
};

/* Everything lies in mem. ST_NO_MEMORY. */
MUST_USE enum status text_classes(const struct text_test *tests, uint32_t count, struct arena *mem,
                                  struct text_classes *out);

/* ------------------------------ machine.c ------------------------------- */

/* A deterministic automaton, total; the start is given, since one test starts in mid-word. */
struct machine {
    uint32_t states, classes, start;
    uint8_t class_of[256];
    uint32_t *next; /* state * classes + class */
    uint32_t *accept;
};

/* The automaton of a test. ST_LIMIT: too large; ST_NO_MEMORY. */
MUST_USE enum status machine_of_test(const struct text_test *test, struct arena *mem,
                                     struct machine *out);
/* Accepts (1) what JSON strings hold. */
MUST_USE enum status machine_of_utf8(struct arena *mem, struct machine *out);

#endif
