/* SPDX-License-Identifier: Apache-2.0 */
/* emit_atom.c - one condition as an atom: what is a branch outside (and, or, not) is an instruction
 * inside the body of a loop. Equal code is one atom, wherever it is written.
 */
#include "compiler/emit/emit_atom.h"

#include "compiler/source/zone.h"
#include "runtime/domain/domain.h"

static void test_one(struct emitter *e, const struct expr *value, enum op op, uint32_t operand,
                     uint32_t reg, struct atom_code *code)
{
    uint32_t source = gen_value(e, value, reg, code);
    code_op(code, op, reg, source, 0, operand);
}

uint32_t constant_set(struct emitter *e, const struct expr *list)
{
    uint32_t count = 0, n = 0;
    for (const struct expr *item = list->items; item; item = item->next)
        count++;
    uint32_t *elements = ARENA_NEW(e->mem, uint32_t, count);
    e->bundle.is_full |= !elements;
    for (const struct expr *item = list->items; item && elements; item = item->next)
        n += constant_index(e, item, &elements[n]);
    return elements ? bundle_set(&e->bundle, elements, n) : 0;
}

/* ------------------------------- equality ------------------------------- */

static void gen_equality(struct emitter *e, const struct expr *expr, uint32_t reg,
                         struct atom_code *code)
{
    const struct expr *left = expr_resolve(expr->left), *right = expr_resolve(expr->right);
    if (left->kind == EXPR_NULL)
        test_one(e, right, OP_IS_NULL, 0, reg, code);
    else if (right->kind == EXPR_NULL)
        test_one(e, left, OP_IS_NULL, 0, reg, code);
    else
        (void)gen_pair(e, left, right, OP_EQ, reg, code);
}

/* --------------------------------- in ----------------------------------- */

static uint32_t address_ranges(struct emitter *e, const struct expr *cidr)
{
    struct b_net nets[64];
    uint32_t count = 0;
    for (const struct expr *item = cidr->items; item && count < COUNT(nets); item = item->next) {
        Str text;
        if (expr_constant_text(e, item, &text) && net_parse(text, &nets[count]))
            count++;
    }
    return bundle_nets(&e->bundle, nets, count);
}

/* x in [a, b, ...] with fields among the elements, inside a loop: x == a or x == b or ... */
static void gen_in_row(struct emitter *e, const struct expr *expr, const struct expr *list,
                       uint32_t reg, struct atom_code *code)
{
    uint32_t value = gen_value(e, expr->left, reg, code), to = reg + 1;
    for (const struct expr *item = list->items; item; item = item->next) {
        bool is_first = item == list->items;
        uint32_t at = is_first ? to : to + 1;
        uint32_t element = gen_value(e, item, at, code);
        code_op(code, OP_EQ, at, value, element, 0);
        if (!is_first)
            code_op(code, OP_OR, to, to, at, 0);
    }
    code_op(code, OP_IS_TRUE, reg, to, 0, 0);
}

static void gen_in(struct emitter *e, const struct expr *expr, uint32_t reg, struct atom_code *code)
{
    const struct expr *right = expr_resolve(expr->right);
    if (right->kind == EXPR_CALL && right->function == FN_CIDR)
        test_one(e, expr->left, OP_IN_NETS, address_ranges(e, right), reg, code);
    else if (expr_is_row(e, expr))
        gen_in_row(e, expr, right, reg, code);
    else if (right->kind == EXPR_SET || right->kind == EXPR_LIST)
        test_one(e, expr->left, OP_IN_SET, constant_set(e, right), reg, code);
    else
        (void)gen_pair(e, expr->left, right, OP_IN_LIST, reg, code);
}

/* ------------------------------- patterns ------------------------------- */

static void gen_match(struct match_op match, uint32_t value, uint32_t to, uint32_t spare,
                      struct atom_code *code)
{
    if (op_table[match.op].operands == OPERANDS_RR) {
        code_op(code, OP_CONST, spare, 0, 0, match.operand);
        code_op(code, match.op, to, value, spare, 0);
    } else {
        code_op(code, match.op, to, value, 0, match.operand);
    }
}

/* One of the instructions is true. */
static void gen_matches(struct emitter *e, const struct expr *left, struct match_ops ops,
                        uint32_t reg, struct atom_code *code)
{
    uint32_t value = gen_value(e, left, reg, code), to = reg + 1;
    if (ops.count == 1) {
        gen_match(ops.items[0], value, reg, to, code);
        return;
    }
    for (uint32_t i = 0; i < ops.count; i++) {
        uint32_t at = i == 0 ? to : to + 1;
        gen_match(ops.items[i], value, at, at, code);
        if (i > 0)
            code_op(code, OP_OR, to, to, at, 0);
    }
    code_op(code, OP_IS_TRUE, reg, to, 0, 0);
}

static void gen_pattern(struct emitter *e, const struct expr *expr, uint32_t reg,
                        struct atom_code *code)
{
    const struct expr *right = expr_resolve(expr->right);
    bool is_group = right->kind == EXPR_SET || right->kind == EXPR_LIST;
    const struct expr *first = is_group ? right->items : right;
    uint32_t count = 0;
    for (const struct expr *item = first; item; item = is_group ? item->next : NULL)
        count++;
    Str *patterns = ARENA_NEW(e->mem, Str, count);
    e->bundle.is_full |= !patterns;
    count = 0;
    for (const struct expr *item = first; item && patterns; item = is_group ? item->next : NULL) {
        patterns[count] = expr_resolve(item)->text;
        if (expr->op == OP2_LIKE && !expr_constant_text(e, item, &patterns[count]))
            patterns[count] = STR("");
        if (expr->op == OP2_CONTAINS) /* somewhere, with anything on both sides */
            patterns[count] =
                arena_printf(e->mem, "[\\s\\S]*(%.*s)[\\s\\S]*", STR_ARG(patterns[count]));
        count++;
    }
    enum automaton_syntax syntax = expr->op == OP2_LIKE ? AUTOMATON_GLOB : AUTOMATON_REGEX;
    if (patterns)
        gen_matches(e, expr->left, emit_pattern(e, syntax, patterns, count, right->span), reg,
                    code);
}

/* -------------------------------- within -------------------------------- */

/* A constant as its domain spells it, so that "/srv/" and "/srv" are one folder. */
static Str canonical(struct emitter *e, const struct expr *expr, enum domain domain, Str member)
{
    struct json_doc doc;
    Str text = STR_INIT("");
    (void)expr_constant_text(e, expr, &text);
    if (!domain_read(domain, text, e->mem, &doc)) {
        diag_add(e->diags, DIAG_BAD_ROOT, expr->span, STR_ARG(text));
        if (domain == DOMAIN_HOST && str_starts(text, STR("/")))
            diag_help(e->diags, "a string before 'within' is a host; write path(...) within");
        return text;
    }
    return json_member_string(&doc, 0, member);
}

static void gen_below(struct emitter *e, const struct expr *expr, bool is_path, uint32_t reg,
                      struct atom_code *code)
{
    const struct expr *right = expr_resolve(expr->right);
    bool is_group = right->kind == EXPR_SET || right->kind == EXPR_LIST;
    enum op op = is_path ? OP_PATH_WITHIN : OP_HOST_WITHIN;
    uint32_t value = gen_value(e, expr->left, reg, code), to = reg + 1;
    if (is_path) {
        code_op(code, OP_MEMBER, reg, value, 0, bundle_step(&e->bundle, STR("path")));
        value = reg;
    }
    const struct expr *first = is_group ? right->items : right;
    for (const struct expr *item = first; item; item = is_group ? item->next : NULL) {
        uint32_t at = item == first ? to : to + 1;
        Str root = canonical(e, item, is_path ? DOMAIN_PATH : DOMAIN_HOST,
                             is_path ? STR("path") : STR("name"));
        code_op(code, OP_CONST, at, 0, 0, bundle_const(&e->bundle, B_CONST_STRING, false, root));
        code_op(code, op, at, value, at, 0);
        if (item != first)
            code_op(code, OP_OR, to, to, at, 0);
    }
    code_op(code, OP_IS_TRUE, reg, to, 0, 0);
}

static void gen_within(struct emitter *e, const struct expr *expr, uint32_t reg,
                       struct atom_code *code)
{
    const struct expr *left = expr_resolve(expr->left), *right = expr_resolve(expr->right);
    bool is_path = left->kind == EXPR_CALL && left->function == FN_PATH;
    if (expr->left->type.kind == TYPE_LIST)
        test_one(e, expr->left, OP_SUBSET, constant_set(e, right), reg, code);
    else
        gen_below(e, expr, is_path, reg, code);
}

/* ------------------------------ conditions ------------------------------ */

static void gen_connective(struct emitter *e, const struct expr *expr, uint32_t reg,
                           struct atom_code *code)
{
    if (reg + 2 >= BUNDLE_REGISTERS) {
        code->is_too_large = true;
        return;
    }
    gen_truth(e, expr->left, reg, code);
    gen_truth(e, expr->right, reg + 1, code);
    code_op(code, expr->op == OP2_AND ? OP_AND : OP_OR, reg, reg, reg + 1, 0);
}

static void gen_binary(struct emitter *e, const struct expr *expr, uint32_t reg,
                       struct atom_code *code)
{
    switch (expr->op) {
    case OP2_EQ: gen_equality(e, expr, reg, code); break;
    case OP2_NE:
        gen_equality(e, expr, reg, code);
        code_op(code, OP_NOT, reg, reg, 0, 0);
        break;
    case OP2_LT: (void)gen_pair(e, expr->left, expr->right, OP_LT, reg, code); break;
    case OP2_LE: (void)gen_pair(e, expr->left, expr->right, OP_LE, reg, code); break;
    case OP2_GT: (void)gen_pair(e, expr->right, expr->left, OP_LT, reg, code); break;
    case OP2_GE: (void)gen_pair(e, expr->right, expr->left, OP_LE, reg, code); break;
    case OP2_IN: gen_in(e, expr, reg, code); break;
    case OP2_STARTS: (void)gen_pair(e, expr->left, expr->right, OP_STARTS, reg, code); break;
    case OP2_ENDS: (void)gen_pair(e, expr->left, expr->right, OP_ENDS, reg, code); break;
    case OP2_CONTAINS:
        if (expr_resolve(expr->right)->kind == EXPR_PATTERN)
            gen_pattern(e, expr, reg, code);
        else
            (void)gen_pair(e, expr->left, expr->right, OP_CONTAINS, reg, code);
        break;
    case OP2_MATCHES:
    case OP2_LIKE: gen_pattern(e, expr, reg, code); break;
    case OP2_WITHIN: gen_within(e, expr, reg, code); break;
    case OP2_AND:
    case OP2_OR: gen_connective(e, expr, reg, code); break;
    case OP2_ELSE:
    case OP2_ADD:
    case OP2_SUB:
    case OP2_MUL: test_one(e, expr, OP_IS_TRUE, 0, reg, code); break;
    }
}

void gen_truth(struct emitter *e, const struct expr *expr, uint32_t reg, struct atom_code *code)
{
    uint32_t known = code_bound(code, expr);
    expr = expr_resolve(expr);
    if (reg + 2 >= BUNDLE_REGISTERS) {
        code->is_too_large = true;
    } else if (known != B_NONE) {
        code_op(code, OP_IS_TRUE, reg, known, 0, 0);
    } else if (expr->kind == EXPR_BINARY) {
        gen_binary(e, expr, reg, code);
    } else if (expr->kind == EXPR_NOT) {
        gen_truth(e, expr->left, reg, code);
        code_op(code, OP_NOT, reg, reg, 0, 0);
    } else if (expr->kind == EXPR_HAS) {
        test_one(e, expr->left, OP_HAS, 0, reg, code);
    } else {
        test_one(e, expr, OP_IS_TRUE, 0, reg, code);
    }
}

/* ------------------------------ quantifiers ----------------------------- */

/* The `[]` of an expression that its loops reach first, unless one is being gone over already. */
static const struct expr *first_each(const struct atom_code *code, const struct expr *expr)
{
    const struct expr *found = NULL;
    for (; expr; expr = expr->left) {
        bool is_open = false;
        for (uint32_t i = 0; i < code->bound_count; i++)
            is_open |= code->bound[i].what == expr;
        if (is_open)
            break;
        if (expr->kind == EXPR_EACH)
            found = expr;
    }
    return found;
}

/* How a loop and the loops inside it add up. */
static enum op loop_op(enum quantifier quantifier, bool is_innermost)
{
    switch (quantifier) {
    case QUANTIFIER_ANY: return OP_LOOP_ANY;
    case QUANTIFIER_ALL: return OP_LOOP_ALL;
    case QUANTIFIER_COUNT: return is_innermost ? OP_LOOP_COUNT : OP_LOOP_SUM;
    case QUANTIFIER_SUM: break;
    }
    return OP_LOOP_SUM;
}

static void gen_body(struct emitter *e, const struct expr *q, uint32_t reg, struct atom_code *code)
{
    if (q->quantifier != QUANTIFIER_SUM) {
        gen_truth(e, q->right, reg, code);
        return;
    }
    uint32_t value = gen_value(e, q->right, reg, code);
    if (value != reg) { /* a variable by itself: the loop wants it in a place of its own */
        code_op(code, OP_ELSE, reg, value, value, 0);
    }
}

/* One loop: over a `[]` of the list, or over the list itself. The element is in reg, the body's
 * value in reg + 1 or, behind the last `[]` with more to follow, one further. */
static void gen_loop(struct emitter *e, const struct expr *q, const struct expr *each, uint32_t reg,
                     struct atom_code *code)
{
    if (reg + 3 >= BUNDLE_REGISTERS) {
        code->is_too_large = true;
        return;
    }
    uint32_t bound = code->bound_count;
    uint32_t list = gen_value(e, each ? each->left : q->left, reg, code);
    uint32_t loop = code->count;
    code_add(code, (struct b_insn){ .a = (uint8_t)reg }); /* filled in below */
    (void)code_bind(code, each ? each : q, reg);
    const struct expr *inner = each ? first_each(code, q->left) : NULL;
    uint32_t body = reg + 1;
    if (inner) {
        gen_loop(e, q, inner, body, code);
    } else {
        if (each && each == q->left) {
            (void)code_bind(code, q, reg);
        } else if (each) {
            uint32_t element = gen_value(e, q->left, reg + 1, code);
            (void)code_bind(code, q, element);
            body = reg + 2;
        }
        gen_body(e, q, body, code);
    }
    code->bound_count = bound;
    enum op op = loop_op(q->quantifier, !inner);
    code->insns[loop] = (struct b_insn){ .op = (uint8_t)op,
                                         .a = (uint8_t)reg,
                                         .b = (uint16_t)(list | body << 8),
                                         .c = code->count - loop - 1 };
}

/* True when the expression reads no variable but those that are bound already. */
static bool is_invariant(const struct atom_code *code, const struct expr *expr)
{
    if (!expr)
        return true;
    if (expr->kind == EXPR_NAME && expr->binding && code_bound(code, expr) == B_NONE)
        return false;
    for (const struct expr *item = expr->items; item; item = item->next)
        if (!is_invariant(code, item))
            return false;
    return is_invariant(code, expr->left) && is_invariant(code, expr->right);
}

static bool is_truth(const struct expr *expr)
{
    bool is_value = expr->kind == EXPR_BINARY && expr->op >= OP2_ADD;
    return expr->kind == EXPR_NOT || expr->kind == EXPR_HAS ||
           (expr->kind == EXPR_BINARY && !is_value) ||
           (expr->kind == EXPR_QUANTIFIER && expr->quantifier <= QUANTIFIER_ALL);
}

enum { HOISTED_REGISTERS = 6 };

/* Computes what no element changes before the loop: a condition on the whole call is judged once,
 * however long the list is. Registers from *reg on, up to last. */
static void hoist(struct emitter *e, const struct expr *expr, uint32_t *reg, uint32_t last,
                  struct atom_code *code)
{
    if (!expr || *reg >= last)
        return;
    Str text;
    bool is_call = (expr->kind == EXPR_CALL && expr->function != FN_CIDR) ||
                   (expr->kind == EXPR_INTERPOLATION && !expr_constant_text(e, expr, &text));
    if ((is_truth(expr) || is_call) && is_invariant(code, expr)) {
        if (is_call)
            (void)gen_value(e, expr, *reg, code);
        else
            gen_truth(e, expr, *reg, code);
        (void)code_bind(code, expr, *reg);
        ++*reg;
        return;
    }
    hoist(e, expr->left, reg, last, code);
    hoist(e, expr->right, reg, last, code);
    for (const struct expr *item = expr->items; item; item = item->next)
        hoist(e, item, reg, last, code);
}

void gen_quantifier(struct emitter *e, const struct expr *expr, uint32_t reg,
                    struct atom_code *code)
{
    uint32_t bound = code->bound_count, at = reg, last = reg + HOISTED_REGISTERS;
    hoist(e, expr->right, &at, last < BUNDLE_REGISTERS / 2 ? last : BUNDLE_REGISTERS / 2, code);
    gen_loop(e, expr, first_each(code, expr->left), at, code);
    code->bound_count = bound;
    if (at != reg) /* the result goes where it was asked for */
        code_op(code, OP_ELSE, reg, at, at, 0);
}

static struct atom_code *new_code(struct emitter *e)
{
    struct atom_code *code = ARENA_NEW(e->mem, struct atom_code, 1);
    e->bundle.is_full |= !code;
    return code;
}

uint32_t emit_set_value(struct emitter *e, const struct expr *value, struct buf *out)
{
    struct atom_code *code = new_code(e);
    if (!code)
        return 0;
    uint32_t reg = gen_value(e, value, 0, code);
    if (op_table[code->insns[code->count - 1].op].kind != OP_VALUE ||
        expr_resolve(value)->kind == EXPR_QUANTIFIER)
        code_op(code, OP_ELSE, reg, reg, reg,
                0); /* a loop's body is at the end: the value is not */
    if (code->is_too_large) {
        diag_add(e->diags, DIAG_POLICY_TOO_LARGE, value->span, "a value with too many parts");
        return 0;
    }
    buf_add(out, (Str){ .p = (const char *)code->insns, .n = code->count * sizeof *code->insns });
    return code->count;
}

/* The atom of `a != b` is true when they are equal, and says so. */
static struct b_text quote_equal(struct emitter *e, const struct expr *expr)
{
    Str source = e->sources->items[expr->span.source].text;
    const struct expr *sides[] = { expr->left, expr->right };
    Str texts[2];
    for (size_t i = 0; i < COUNT(sides); i++) {
        struct b_text quoted = emit_quote(e, sides[i]->span);
        texts[i] = str_sub(source, sides[i]->span.lo, sides[i]->span.lo + quoted.length);
    }
    Str text = arena_printf(e->mem, "%.*s == %.*s", STR_ARG(texts[0]), STR_ARG(texts[1]));
    e->bundle.is_full |= !text.p;
    return bundle_text(&e->bundle, text);
}

uint32_t emit_atom(struct emitter *e, const struct expr *expr)
{
    struct atom_code *code = new_code(e);
    if (!code)
        return 0;
    if (expr->kind == EXPR_BINARY && expr->op == OP2_NE)
        gen_equality(e, expr, 0, code); /* the branch asks for the opposite */
    else
        gen_truth(e, expr, 0, code);
    if (code->is_too_large) {
        diag_add(e->diags, DIAG_POLICY_TOO_LARGE, expr->span, "a condition with too many parts");
        return 0;
    }
    struct b_atom place = { .flags = code->varies ? (uint32_t)B_ATOM_VARIES : 0 };
    emit_place(e, expr->span, &place.source, &place.line, &place.column);
    bool is_unequal = expr->kind == EXPR_BINARY && expr->op == OP2_NE;
    place.text = is_unequal ? quote_equal(e, expr) : emit_quote(e, expr->span);
    return bundle_atom(&e->bundle, code->insns, code->count, &place);
}
