/* SPDX-License-Identifier: Apache-2.0 */
/* term.c - a computed value as a variable of its own, for what is possible.
 *
 * What path(args.p) or args.a + args.b can be is not known, but it is one value for all conditions
 * that test it: what is within "/srv/a" is within "/srv". So a term is taken as if it could be any
 * string, any number or unknown, which is more than it can be; what is not possible even so, is
 * not. Only conditions that test nothing but the term take part: their truths follow from the
 * tests' answers by the semantics of strings, numbers and three values alone.
 */
#include "compiler/prove/search.h"

enum { TERM_NUMBERS_MAX = 64 }; /* bounds of one term */

/* The tests of a term and the conditions that are made of them. */
struct part {
    const struct term *term;
    struct text_test texts[TEXT_TESTS_MAX]; /* of the tests that are of strings */
    uint32_t text_count;
    Decimal bounds[TERM_NUMBERS_MAX]; /* ascending */
    uint32_t bound_count;
    const struct term_truth **truths; /* of the conditions */
    uint32_t *atoms, count;
    uint8_t *answers; /* of each test, for the value that is looked at */
    uint8_t *row;     /* truths of the conditions then */
};

static const struct term_test *test_at(const struct part *part, uint32_t i)
{
    return &VEC_AT(&part->term->tests, struct term_test, i);
}

/* False: too many. */
static bool add_bound(struct part *part, Decimal number)
{
    uint32_t at = part->bound_count;
    for (uint32_t i = 0; i < at; i++)
        if (decimal_cmp(part->bounds[i], number) == 0)
            return true;
    if (at == TERM_NUMBERS_MAX)
        return false;
    for (; at > 0 && decimal_cmp(part->bounds[at - 1], number) > 0; at--)
        part->bounds[at] = part->bounds[at - 1];
    part->bounds[at] = number;
    part->bound_count++;
    return true;
}

/* False: too many. */
static bool collect_tests(struct part *part)
{
    for (uint32_t i = 0; i < part->term->tests.count; i++) {
        const struct term_test *test = test_at(part, i);
        if (!test->is_text && !add_bound(part, test->number))
            return false;
        if (test->is_text && part->text_count == TEXT_TESTS_MAX)
            return false;
        if (test->is_text)
            part->texts[part->text_count++] = test->text;
    }
    return true;
}

/* The conditions that nothing else covers. False: memory ended. */
static bool collect_atoms(const struct search *s, struct part *part)
{
    struct space *space = s->space;
    part->truths = ARENA_NEW(space->mem, const struct term_truth *, space->atom_count);
    part->atoms = ARENA_NEW(space->mem, uint32_t, space->atom_count);
    part->row = ARENA_NEW(space->mem, uint8_t, space->atom_count);
    part->answers = ARENA_NEW(space->mem, uint8_t, part->term->tests.count);
    if (!part->truths || !part->atoms || !part->row || !part->answers)
        return false;
    for (uint32_t i = 0; i < space->atom_count; i++) {
        const struct term_truth *truth = space->atoms[i]->truth;
        if (!truth || truth->term != part->term || s->variable_of[i] != B_NONE)
            continue;
        part->truths[part->count] = truth;
        part->atoms[part->count++] = i;
    }
    return true;
}

/* -------------------------------- answers -------------------------------- */

/* order: -1, 0, 1: how the value stands to the constant. */
static uint8_t truth_of_order(const struct term_test *test, int order)
{
    if (test->is_flipped)
        order = -order;
    bool holds = test->op == OP_EQ ? order == 0 : test->op == OP_LT ? order < 0 : order <= 0;
    return holds ? B_TRUE : B_FALSE;
}

static uint8_t truth_of_text(const struct term_test *test, uint32_t answer)
{
    if (test->op == OP_LT || test->op == OP_LE)
        return truth_of_order(test, (int)answer - 1);
    return answer ? B_TRUE : B_FALSE;
}

/* The value is a string of that class: what asks for a number can't judge it. */
static void answer_as_text(const struct part *part, const struct text_class *class)
{
    uint32_t text = 0;
    for (uint32_t i = 0; i < part->term->tests.count; i++) {
        const struct term_test *test = test_at(part, i);
        part->answers[i] = test->is_text ? truth_of_text(test, class->answers[text]) : B_UNKNOWN;
        text += test->is_text;
    }
}

/* The value is a number: place 2k + 1 is bound k, the even ones lie around the bounds. */
static void answer_as_number(const struct part *part, uint32_t place)
{
    for (uint32_t i = 0; i < part->term->tests.count; i++) {
        const struct term_test *test = test_at(part, i);
        uint32_t at = 0;
        while (!test->is_text && decimal_cmp(part->bounds[at], test->number) != 0)
            at++;
        int order = place < 2 * at + 1 ? -1 : place > 2 * at + 1;
        part->answers[i] = test->is_text ? B_UNKNOWN : truth_of_order(test, order);
    }
}

static uint8_t truth_of_both(enum op op, uint8_t a, uint8_t b)
{
    uint8_t decisive = op == OP_AND ? B_FALSE : B_TRUE;
    if (a == decisive || b == decisive)
        return decisive;
    return a == B_UNKNOWN || b == B_UNKNOWN ? B_UNKNOWN : a;
}

/* Its height is bounded when it is lifted. */
static uint8_t truth_of(const struct part *part, const struct term_truth *truth)
{
    if (truth->op == OP_AND || truth->op == OP_OR)
        return truth_of_both(truth->op, truth_of(part, truth->left), truth_of(part, truth->right));
    if (truth->op != OP_NOT)
        return part->answers[truth->test];
    uint8_t inner = truth_of(part, truth->left);
    return inner == B_UNKNOWN ? B_UNKNOWN : inner == B_TRUE ? B_FALSE : B_TRUE;
}

/* -------------------------------- values --------------------------------- */

static void add_value(struct variable *v, const struct part *part)
{
    uint32_t at = v->count++;
    for (uint32_t i = 0; i < part->count; i++) {
        uint8_t is = truth_of(part, part->truths[i]);
        uint32_t truth = is == B_TRUE ? 0 : is == B_FALSE ? 1 : 2;
        v->bits[(size_t)(i * 3 + truth) * v->words + at / 64] |= UINT64_C(1) << (at % 64);
    }
}

/* One value of each way in which the tests can turn out: the classes of strings, the bounds and
 * what lies around them, and a value that no test can judge. */
static void add_values(struct variable *v, const struct part *part,
                       const struct text_classes *classes)
{
    for (uint32_t k = 0; k < classes->count; k++) {
        answer_as_text(part, &classes->items[k]);
        add_value(v, part);
    }
    for (uint32_t k = 0; part->bound_count && k <= 2 * part->bound_count; k++) {
        answer_as_number(part, k);
        add_value(v, part);
    }
    memset(part->answers, B_UNKNOWN, part->term->tests.count);
    add_value(v, part);
}

static bool make_room(struct space *space, struct variable *v, const struct part *part,
                      const struct text_classes *classes)
{
    uint32_t room = classes->count + 2 * part->bound_count + 2;
    struct arena *mem = space->mem;
    *v = (struct variable){ .is_term = true, .words = room / 64 + 1 };
    v->costs = ARENA_NEW(mem, uint32_t, room);
    v->refused = ARENA_NEW(mem, uint8_t, room);
    v->bits = ARENA_NEW(mem, uint64_t, (size_t)part->count * 3 * v->words);
    v->alive = ARENA_NEW(mem, uint64_t, v->words);
    v->atoms = (struct atom_row){ .items = part->atoms, .count = part->count };
    return v->costs && v->refused && v->bits && v->alive;
}

/* False: memory ended. A term with more tests than can be gone through is left out. */
static bool add_term(struct search *s, struct part *part)
{
    struct text_classes classes = { .count = 0, .is_complete = true };
    struct variable *v = &s->variables[s->variable_count];
    if (!collect_atoms(s, part))
        return false;
    if (part->count == 0 || !collect_tests(part))
        return true;
    if (part->text_count &&
        text_classes(part->texts, part->text_count, s->space->mem, &classes) != ST_OK)
        return false;
    if (!classes.is_complete)
        return true;
    if (!make_room(s->space, v, part, &classes))
        return false;
    add_values(v, part, &classes);
    for (uint32_t i = 0; i < part->count; i++) {
        s->variable_of[part->atoms[i]] = s->variable_count;
        s->local_of[part->atoms[i]] = i;
    }
    s->variable_count++;
    return true;
}

bool search_add_terms(struct search *s)
{
    struct part *part = ARENA_NEW(s->space->mem, struct part, 1);
    bool is_good = part != NULL;
    for (const struct term *term = s->space->terms; term && is_good; term = term->next) {
        *part = (struct part){ .term = term };
        is_good = add_term(s, part);
    }
    return is_good;
}
