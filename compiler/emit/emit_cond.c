/* SPDX-License-Identifier: Apache-2.0 */
/* emit_cond.c - conditions to branches.
 *
 * A three-valued condition is asked one two-valued question: an allow rule asks whether it is true,
 * a deny rule whether it is false (anything else makes it act). Pushed down through not, and, or
 * (Kleene), the question becomes a monotone formula over questions to atoms, so short-circuit
 * branches answer it. Monotone matters: with "could be" answers for atoms whose arguments are not
 * known yet, the same code answers "could the whole be", which is what list filtering runs on.
 */
#include "compiler/emit/emit_internal.h"

enum formula { FORMULA_FALSE, FORMULA_TRUE, FORMULA_OPEN };

/* Where control goes when the formula holds and when not; `next` is the one of the two labels that
 * will stand right behind the code. */
struct exits {
    uint32_t yes, no, next;
};

static uint32_t label_new(struct rule_code *code)
{
    uint32_t label = (uint32_t)(code->targets.n / sizeof(uint32_t)), unset = UINT32_MAX;
    buf_add(&code->targets, (Str){ .p = (const char *)&unset, .n = sizeof unset });
    return label;
}

static uint32_t insn_count(const struct rule_code *code)
{
    return (uint32_t)(code->insns.n / sizeof(struct b_insn));
}

static void label_here(struct rule_code *code, uint32_t label)
{
    uint32_t at = insn_count(code);
    if (!code->targets.is_full)
        memcpy(code->targets.p + label * sizeof at, &at, sizeof at);
}

static void add_end(struct rule_code *code, bool fires)
{
    struct b_insn insn = { .op = fires ? OP_FIRE : OP_PASS };
    buf_add(&code->insns, (Str){ .p = (const char *)&insn, .n = sizeof insn });
}

/* Until resolve_labels, b of a branch is its label. */
static void add_branch(struct rule_code *code, struct b_insn insn, uint32_t label)
{
    if (label > UINT16_MAX)
        code->insns.is_full = true;
    insn.b = (uint16_t)label;
    buf_add(&code->insns, (Str){ .p = (const char *)&insn, .n = sizeof insn });
}

const struct expr *expr_resolve(const struct expr *expr)
{
    while (expr->kind == EXPR_NAME && expr->let)
        expr = expr->let->value;
    return expr;
}

static bool is_connective(const struct expr *expr)
{
    return expr->kind == EXPR_BINARY && (expr->op == OP2_AND || expr->op == OP2_OR);
}

/* Does "expr is wanted" mean that both sides hold, rather than one of them? */
static bool needs_both(const struct expr *expr, enum b_truth want)
{
    return (expr->op == OP2_AND) == (want == B_TRUE);
}

static enum b_truth flip(enum b_truth want)
{
    return want == B_TRUE ? B_FALSE : B_TRUE;
}

/* A constant list on the right of `in` is a set; one with fields in it is a row of equalities. */
bool expr_is_row(struct emitter *e, const struct expr *expr)
{
    if (expr->kind != EXPR_BINARY || expr->op != OP2_IN)
        return false;
    const struct expr *right = expr_resolve(expr->right);
    Str text;
    if (right->kind != EXPR_LIST)
        return false;
    for (const struct expr *item = right->items; item; item = item->next) {
        const struct expr *value = expr_resolve(item);
        if (value->kind != EXPR_BOOL && !expr_constant_text(e, value, &text))
            return true;
    }
    return false;
}

/* What is known of "expr is wanted" without any call. */
static enum formula fold(const struct expr *expr, enum b_truth want)
{
    expr = expr_resolve(expr);
    if (expr->kind == EXPR_BOOL)
        return expr->truth == (want == B_TRUE) ? FORMULA_TRUE : FORMULA_FALSE;
    if (expr->kind == EXPR_NOT)
        return fold(expr->left, flip(want));
    if (!is_connective(expr))
        return FORMULA_OPEN;
    enum formula left = fold(expr->left, want), right = fold(expr->right, want);
    enum formula decisive = needs_both(expr, want) ? FORMULA_FALSE : FORMULA_TRUE;
    if (left == decisive || right == decisive)
        return decisive;
    return left == FORMULA_OPEN ? left : right;
}

static void gen(struct emitter *e, const struct expr *expr, enum b_truth want, struct exits to,
                struct rule_code *code);

static void gen_test(struct rule_code *code, uint32_t atom, enum b_truth want, struct exits to)
{
    bool falls_to_yes = to.next == to.yes;
    struct b_insn test = { .op = falls_to_yes ? OP_SKIP_UNLESS : OP_SKIP_IF,
                           .a = (uint8_t)want,
                           .c = atom };
    add_branch(code, test, falls_to_yes ? to.no : to.yes);
}

static void gen_connective(struct emitter *e, const struct expr *expr, enum b_truth want,
                           struct exits to, struct rule_code *code)
{
    /* A side that is known to hold (of both) or to fail (of either) drops out. */
    if (fold(expr->left, want) != FORMULA_OPEN) {
        gen(e, expr->right, want, to, code);
        return;
    }
    if (fold(expr->right, want) != FORMULA_OPEN) {
        gen(e, expr->left, want, to, code);
        return;
    }
    uint32_t middle = label_new(code);
    bool both = needs_both(expr, want);
    struct exits first = { .yes = both ? middle : to.yes,
                           .no = both ? to.no : middle,
                           .next = middle };
    gen(e, expr->left, want, first, code);
    label_here(code, middle);
    gen(e, expr->right, want, to, code);
}

/* x in [a, b, ...] with fields among the elements: x == a or x == b or ... */
static void gen_list(struct emitter *e, const struct expr *expr, enum b_truth want, struct exits to,
                     struct rule_code *code)
{
    bool both = want == B_FALSE;
    for (const struct expr *item = expr_resolve(expr->right)->items; item; item = item->next) {
        struct expr equal = { .kind = EXPR_BINARY, .op = OP2_EQ, .span = expr->span };
        struct expr element = *item;
        element.next = NULL;
        equal.left = expr->left;
        equal.right = &element;
        uint32_t middle = item->next ? label_new(code) : 0;
        struct exits one = to;
        if (item->next)
            one = (struct exits){ .yes = both ? middle : to.yes,
                                  .no = both ? to.no : middle,
                                  .next = middle };
        gen_test(code, emit_atom(e, &equal), want, one);
        if (item->next)
            label_here(code, middle);
    }
}

/* The formula is open: what is known was settled above, so a branch never leads to what follows it.
 */
static void gen(struct emitter *e, const struct expr *expr, enum b_truth want, struct exits to,
                struct rule_code *code)
{
    expr = expr_resolve(expr);
    if (expr->kind == EXPR_NOT)
        gen(e, expr->left, flip(want), to, code);
    else if (is_connective(expr))
        gen_connective(e, expr, want, to, code);
    else if (expr_is_row(e, expr))
        gen_list(e, expr, want, to, code);
    else if (expr->kind == EXPR_BINARY && expr->op == OP2_NE)
        gen_test(code, emit_atom(e, expr), flip(want), to);
    else
        gen_test(code, emit_atom(e, expr), want, to);
}

static void resolve_labels(struct emitter *e, Span span, struct rule_code *code)
{
    uint32_t count = insn_count(code);
    if (code->insns.is_full || code->targets.is_full || count > BUNDLE_RULE_INSNS_MAX) {
        diag_add(e->diags, DIAG_POLICY_TOO_LARGE, span, "a rule with too many conditions");
        buf_clear(&code->insns);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct b_insn insn;
        char *at = code->insns.p + i * sizeof insn;
        memcpy(&insn, at, sizeof insn);
        if (op_table[insn.op].kind != OP_BRANCH)
            continue;
        uint32_t target;
        memcpy(&target, code->targets.p + insn.b * sizeof target, sizeof target);
        ENSURE(target > i + 1 && target < count);
        insn.b = (uint16_t)(target - i - 1);
        memcpy(at, &insn, sizeof insn);
    }
}

void emit_rule_code(struct emitter *e, enum effect effect, const struct expr *when,
                    struct rule_code *code)
{
    static const struct expr always = { .kind = EXPR_BOOL, .truth = true };
    const struct expr *cond = when ? when : &always;
    bool is_allow = effect == EFFECT_ALLOW;
    enum b_truth want = is_allow ? B_TRUE : B_FALSE;
    enum formula known = fold(cond, want);
    if (known != FORMULA_OPEN) {
        add_end(code, (known == FORMULA_TRUE) == is_allow);
        return;
    }
    struct exits to = { .yes = label_new(code), .no = label_new(code) };
    to.next = to.yes;
    gen(e, cond, want, to, code);
    label_here(code, to.yes);
    add_end(code, is_allow);
    label_here(code, to.no);
    add_end(code, !is_allow);
    resolve_labels(e, cond->span, code);
}
