/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h - what a name says, what a description says, each by itself. */
#ifndef COMPILER_CLASSIFY_JUDGE_H
#define COMPILER_CLASSIFY_JUDGE_H

#include "compiler/classify/words.h"

struct name_verdict {
    enum deed deed; /* UNKNOWN, NEUTRAL: the name does not say */
    Str word;       /* that decided */
    bool is_firm;   /* a verb that means nothing else */
    bool is_clear;  /* the verb stands where verbs stand and means nothing else */
    enum deed also; /* a worse verb elsewhere in the name */
    Str also_word;
    bool is_state;    /* no verb, but it ends like what one asks for */
    uint32_t objects; /* enum object_kind, or'ed */
    Str power_word;   /* that speaks of POWER; empty: none does */
    Str money_word;
};

/* prefix: words at the front that all tools of the server share. */
void judge_name(const struct words *words, uint32_t prefix, struct name_verdict *out);

struct sentence_verdict {
    enum deed deed;
    Str word;
    bool is_first;  /* the sentence begins with it */
    bool is_plain;  /* it is a verb here, not a thing */
    enum deed also; /* another verb beside it: "lists, creates and deletes" */
    Str also_word;
    Str phrase;       /* that speaks of no way back; empty: none */
    bool manages;     /* it begins with "manage" or the like */
    bool is_harmless; /* it says that it only reads */
    bool is_local;    /* it says that files are written */
    uint32_t objects;
};

/* words: of the description, which the caller keeps, since verdicts point into them. */
void judge_sentence(Str text, struct words *words, struct sentence_verdict *out);

/* The deed that a value of a picking argument stands for ("list_runs", "DELETE"). */
enum deed judge_value(Str value);

#endif
