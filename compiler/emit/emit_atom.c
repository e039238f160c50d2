/* SPDX-License-Identifier: Apache-2.0 */
/* emit_atom.c - one condition without connectives: the values it reads, then its truth.
 *
 * Registers are used like a stack: an expression leaves its value in the register it was given and
 * may use the ones above. Equal code is one atom, wherever it is written.
 */
#include "compiler/emit/emit_internal.h"

struct atom_code {
    struct b_insn insns[BUNDLE_ATOM_INSNS_MAX];
    uint32_t count;
    bool reads_args;
    bool is_too_large;
};

static void add(struct atom_code *code, struct b_insn insn)
{
    if (code->count == BUNDLE_ATOM_INSNS_MAX)
        code->is_too_large = true;
    else
        code->insns[code->count++] = insn;
}

static uint16_t registers(uint32_t first, uint32_t second)
{
    return (uint16_t)(first | second << 8);
}

/* A constant's text without the call; NULL text when it reads the call. */
static Str join_constants(struct emitter *e, const struct expr *expr)
{
    struct buf text;
    Str piece, whole = { .p = NULL, .n = 0 };
    buf_init(&text, BUNDLE_CONCAT_MAX);
    for (const struct expr *item = expr->items; item; item = item->next) {
        if (!expr_constant_text(e, item, &piece)) {
            buf_free(&text);
            return whole;
        }
        buf_add(&text, piece);
    }
    if (text.is_full)
        diag_add(e->diags, DIAG_POLICY_TOO_LARGE, expr->span,
                 "a constant string of more than 64 KiB");
    else
        whole = arena_copy(e->mem, buf_str(&text));
    buf_free(&text);
    return whole;
}

bool expr_constant_text(struct emitter *e, const struct expr *expr, Str *text)
{
    expr = expr_resolve(expr);
    bool is_minus_zero = expr->kind == EXPR_NUMBER && str_eq(expr->text, STR("-0"));
    *text = is_minus_zero ? STR("0") : expr->text; /* as an argument's -0 is joined */
    if (expr->kind == EXPR_STRING || expr->kind == EXPR_NUMBER)
        return true;
    if (expr->kind != EXPR_INTERPOLATION)
        return false;
    *text = join_constants(e, expr);
    return text->p != NULL;
}

/* The index of a scalar constant in CONSTS; false when the expression reads the call. */
static bool constant_index(struct emitter *e, const struct expr *expr, uint32_t *index)
{
    Str text;
    expr = expr_resolve(expr);
    if (expr->kind == EXPR_NULL || expr->kind == EXPR_BOOL) {
        enum b_const_type type = expr->kind == EXPR_NULL ? B_CONST_NULL : B_CONST_BOOL;
        *index = bundle_const(&e->bundle, type, expr->kind == EXPR_BOOL && expr->truth, STR(""));
        return true;
    }
    if (!expr_constant_text(e, expr, &text))
        return false;
    bool is_number = expr->kind == EXPR_NUMBER;
    *index = bundle_const(&e->bundle, is_number ? B_CONST_NUMBER : B_CONST_STRING, false, text);
    return true;
}

static uint32_t field_slot(struct emitter *e, const struct expr *expr, struct atom_code *code)
{
    Str steps[BUNDLE_SLOT_STEPS_MAX];
    uint32_t count = 0;
    if (expr->root == ROOT_PRINCIPAL)
        return bundle_slot(&e->bundle,
                           expr->principal == PRINCIPAL_ID ? B_SLOT_PRINCIPAL_ID
                                                           : B_SLOT_PRINCIPAL_GROUPS,
                           NULL, 0);
    for (const struct name *key = expr->path; key; key = key->next) {
        if (count == BUNDLE_SLOT_STEPS_MAX) {
            code->is_too_large = true;
            break;
        }
        steps[count++] = key->text;
    }
    code->reads_args = true;
    return bundle_slot(&e->bundle, B_SLOT_ARGS, steps, count);
}

static void gen_value(struct emitter *e, const struct expr *expr, uint32_t reg,
                      struct atom_code *code);

/* Two values into reg and reg + 1, then op of both into reg. */
static void gen_pair(struct emitter *e, const struct expr *first, const struct expr *second,
                     enum op op, uint32_t reg, struct atom_code *code)
{
    gen_value(e, first, reg, code);
    gen_value(e, second, reg + 1, code);
    add(code,
        (struct b_insn){ .op = (uint8_t)op, .a = (uint8_t)reg, .b = registers(reg, reg + 1) });
}

/* A piece of a string: constants, a default behind ?? too, are joined as they are written, so that
 * a number keeps the text that the author sees. */
static void gen_piece(struct emitter *e, const struct expr *expr, uint32_t reg,
                      struct atom_code *code)
{
    struct expr text = { .kind = EXPR_STRING, .span = expr->span };
    expr = expr_resolve(expr);
    if (expr_constant_text(e, expr, &text.text)) {
        gen_value(e, &text, reg, code);
    } else if (expr->kind == EXPR_BINARY && reg + 1 < BUNDLE_REGISTERS) {
        gen_piece(e, expr->left, reg, code);
        gen_piece(e, expr->right, reg + 1, code);
        add(code,
            (struct b_insn){ .op = OP_ELSE, .a = (uint8_t)reg, .b = registers(reg, reg + 1) });
    } else {
        gen_value(e, expr, reg, code);
    }
}

/* Pieces are joined from the left. A lone "${x}" is still a string: joined with nothing. */
static void gen_interpolation(struct emitter *e, const struct expr *expr, uint32_t reg,
                              struct atom_code *code)
{
    struct expr empty = { .kind = EXPR_STRING, .text = STR_INIT(""), .span = expr->span };
    const struct expr *first = expr->items;
    gen_piece(e, first, reg, code);
    for (const struct expr *item = first->next ? first->next : &empty; item; item = item->next) {
        gen_piece(e, item, reg + 1, code);
        add(code,
            (struct b_insn){ .op = OP_CONCAT, .a = (uint8_t)reg, .b = registers(reg, reg + 1) });
    }
}

static void gen_value(struct emitter *e, const struct expr *expr, uint32_t reg,
                      struct atom_code *code)
{
    uint32_t index;
    expr = expr_resolve(expr);
    if (reg + 1 >= BUNDLE_REGISTERS) {
        code->is_too_large = true;
        return;
    }
    if (constant_index(e, expr, &index)) {
        add(code, (struct b_insn){ .op = OP_CONST, .a = (uint8_t)reg, .c = index });
    } else if (expr->kind == EXPR_FIELD) {
        index = field_slot(e, expr, code);
        add(code, (struct b_insn){ .op = OP_FIELD, .a = (uint8_t)reg, .c = index });
    } else if (expr->kind == EXPR_BINARY && expr->op == OP2_ELSE) {
        gen_pair(e, expr->left, expr->right, OP_ELSE, reg, code);
    } else if (expr->kind == EXPR_INTERPOLATION) {
        gen_interpolation(e, expr, reg, code);
    } else if (expr->kind == EXPR_LENGTH) {
        gen_value(e, expr->left, reg, code);
        add(code, (struct b_insn){ .op = OP_LENGTH, .a = (uint8_t)reg, .b = registers(reg, 0) });
    } else {
        UNREACHABLE("the checker lets no other expression be a value");
    }
}

static void gen_one(struct emitter *e, const struct expr *value, enum op op, uint32_t operand,
                    struct atom_code *code)
{
    gen_value(e, value, 0, code);
    add(code, (struct b_insn){ .op = (uint8_t)op, .b = registers(0, 0), .c = operand });
}

static void gen_two(struct emitter *e, const struct expr *first, const struct expr *second,
                    enum op op, struct atom_code *code)
{
    gen_value(e, first, 0, code);
    gen_value(e, second, 1, code);
    add(code, (struct b_insn){ .op = (uint8_t)op, .b = registers(0, 1) });
}

static uint32_t constant_set(struct emitter *e, const struct expr *list)
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

static void gen_in(struct emitter *e, const struct expr *expr, struct atom_code *code)
{
    const struct expr *right = expr_resolve(expr->right);
    if (right->kind == EXPR_SET || right->kind == EXPR_LIST)
        gen_one(e, expr->left, OP_IN_SET, constant_set(e, right), code);
    else
        gen_two(e, expr->left, right, OP_IN_LIST, code);
}

static void gen_equality(struct emitter *e, const struct expr *expr, struct atom_code *code)
{
    const struct expr *left = expr_resolve(expr->left), *right = expr_resolve(expr->right);
    if (left->kind == EXPR_NULL)
        gen_one(e, right, OP_IS_NULL, 0, code);
    else if (right->kind == EXPR_NULL)
        gen_one(e, left, OP_IS_NULL, 0, code);
    else
        gen_two(e, left, right, OP_EQ, code);
}

static void gen_pattern(struct emitter *e, const struct expr *expr, struct atom_code *code)
{
    const struct expr *right = expr_resolve(expr->right);
    Str pattern = right->text;
    if (expr->op == OP2_LIKE && !expr_constant_text(e, right, &pattern))
        pattern = STR("");
    enum automaton_syntax syntax = expr->op == OP2_LIKE ? AUTOMATON_GLOB : AUTOMATON_REGEX;
    gen_one(e, expr->left, OP_MATCH, emit_pattern(e, syntax, pattern, right->span), code);
}

static void gen_binary(struct emitter *e, const struct expr *expr, struct atom_code *code)
{
    switch (expr->op) {
    case OP2_EQ:
    case OP2_NE: gen_equality(e, expr, code); break;
    case OP2_LT: gen_two(e, expr->left, expr->right, OP_LT, code); break;
    case OP2_LE: gen_two(e, expr->left, expr->right, OP_LE, code); break;
    case OP2_GT: gen_two(e, expr->right, expr->left, OP_LT, code); break;
    case OP2_GE: gen_two(e, expr->right, expr->left, OP_LE, code); break;
    case OP2_IN: gen_in(e, expr, code); break;
    case OP2_STARTS: gen_two(e, expr->left, expr->right, OP_STARTS, code); break;
    case OP2_ENDS: gen_two(e, expr->left, expr->right, OP_ENDS, code); break;
    case OP2_CONTAINS: gen_two(e, expr->left, expr->right, OP_CONTAINS, code); break;
    case OP2_MATCHES:
    case OP2_LIKE: gen_pattern(e, expr, code); break;
    case OP2_ELSE: gen_one(e, expr, OP_IS_TRUE, 0, code); break;
    case OP2_AND:
    case OP2_OR: UNREACHABLE("connectives are branches");
    }
}

uint32_t emit_atom(struct emitter *e, const struct expr *expr)
{
    struct atom_code code = { .count = 0 };
    if (expr->kind == EXPR_BINARY)
        gen_binary(e, expr, &code);
    else if (expr->kind == EXPR_HAS)
        gen_one(e, expr->left, OP_HAS, 0, &code);
    else
        gen_one(e, expr, OP_IS_TRUE, 0, &code);
    if (code.is_too_large) {
        diag_add(e->diags, DIAG_POLICY_TOO_LARGE, expr->span, "a condition with too many parts");
        return 0;
    }
    struct b_atom place = { .flags = code.reads_args ? (uint32_t)B_ATOM_VARIES : 0 };
    emit_place(e, expr->span, &place.source, &place.line, &place.column);
    place.text = emit_quote(e, expr->span);
    return bundle_atom(&e->bundle, code.insns, code.count, &place);
}
