/* SPDX-License-Identifier: Apache-2.0 */
/* emit_value.c - what a condition computes with, as instructions.
 *
 * Registers are used like a stack: an expression leaves its value in the register it was given and
 * may use the ones above. Variables of quantifiers live in the register of their loop and are read
 * from there.
 */
#include "compiler/emit/emit_atom.h"

void code_add(struct atom_code *code, struct b_insn insn)
{
    if (code->count == BUNDLE_ATOM_INSNS_MAX)
        code->is_too_large = true;
    else
        code->insns[code->count++] = insn;
}

void code_op(struct atom_code *code, enum op op, uint32_t to, uint32_t first, uint32_t second,
             uint32_t operand)
{
    code_add(code, (struct b_insn){ .op = (uint8_t)op,
                                    .a = (uint8_t)to,
                                    .b = (uint16_t)(first | second << 8),
                                    .c = operand });
}

/* ------------------------------ constants ------------------------------- */

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
bool constant_index(struct emitter *e, const struct expr *expr, uint32_t *index)
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

/* -------------------------------- fields -------------------------------- */

static enum b_slot_root root_of(const struct expr *field)
{
    return field->root == ROOT_ARGS ? B_SLOT_ARGS : (enum b_slot_root)field->slot_root;
}

uint32_t emit_field_slot(struct emitter *e, const struct expr *expr)
{
    Str steps[BUNDLE_SLOT_STEPS_MAX];
    uint32_t count = 0;
    enum b_slot_root root = root_of(expr);
    const struct name *key = expr->path;
    if (root == B_SLOT_PRINCIPAL_ATTRIBUTES)
        key = key->next;
    for (; key && slot_root_table[root].has_steps; key = key->next) {
        if (count == BUNDLE_SLOT_STEPS_MAX) {
            diag_add(e->diags, DIAG_POLICY_TOO_LARGE, key->span, "a field with too many keys");
            break;
        }
        steps[count++] = key->text;
    }
    return bundle_slot(&e->bundle, root, steps, count);
}

static uint32_t step_index(struct emitter *e, Str key)
{
    return bundle_step(&e->bundle, key);
}

/* ------------------------------- variables ------------------------------ */

bool code_bind(struct atom_code *code, const struct expr *what, uint32_t reg)
{
    if (code->bound_count == COUNT(code->bound)) {
        code->is_too_large = true;
        return false;
    }
    code->bound[code->bound_count++] = (struct bound){ .what = what, .reg = reg };
    return true;
}

uint32_t code_bound(const struct atom_code *code, const struct expr *expr)
{
    const struct expr *what = expr->kind == EXPR_NAME ? expr->binding : expr;
    for (uint32_t i = code->bound_count; i > 0 && what; i--)
        if (code->bound[i - 1].what == what)
            return code->bound[i - 1].reg;
    return B_NONE;
}

/* -------------------------------- pieces -------------------------------- */

/* A piece of a string: constants, a default behind ?? too, are joined as they are written, so that
 * a number keeps the text that the author sees. */
static uint32_t gen_piece(struct emitter *e, const struct expr *expr, uint32_t reg,
                          struct atom_code *code)
{
    struct expr text = { .kind = EXPR_STRING, .span = expr->span };
    expr = expr_resolve(expr);
    if (expr_constant_text(e, expr, &text.text))
        return gen_value(e, &text, reg, code);
    if (expr->kind != EXPR_BINARY || expr->op != OP2_ELSE || reg + 1 >= BUNDLE_REGISTERS)
        return gen_value(e, expr, reg, code);
    uint32_t first = gen_piece(e, expr->left, reg, code);
    uint32_t second = gen_piece(e, expr->right, reg + 1, code);
    code_op(code, OP_ELSE, reg, first, second, 0);
    return reg;
}

/* Pieces are joined from the left. A lone "${x}" is still a string: joined with nothing. */
static void gen_interpolation(struct emitter *e, const struct expr *expr, uint32_t reg,
                              struct atom_code *code)
{
    struct expr empty = { .kind = EXPR_STRING, .text = STR_INIT(""), .span = expr->span };
    const struct expr *first = expr->items;
    uint32_t joined = gen_piece(e, first, reg, code);
    for (const struct expr *item = first->next ? first->next : &empty; item; item = item->next) {
        uint32_t piece = gen_piece(e, item, reg + 1, code);
        code_op(code, OP_CONCAT, reg, joined, piece, 0);
        joined = reg;
    }
}

/* ------------------------------- functions ------------------------------ */

uint32_t gen_pair(struct emitter *e, const struct expr *first, const struct expr *second,
                  enum op op, uint32_t reg, struct atom_code *code)
{
    uint32_t a = gen_value(e, first, reg, code), b = gen_value(e, second, reg + 1, code);
    code_op(code, op, reg, a, b, 0);
    return reg;
}

static void gen_one(struct emitter *e, const struct expr *value, enum op op, uint32_t operand,
                    uint32_t reg, struct atom_code *code)
{
    uint32_t source = gen_value(e, value, reg, code);
    code_op(code, op, reg, source, 0, operand);
}

static uint32_t constant_text_step(struct emitter *e, const struct expr *expr)
{
    Str text;
    return expr_constant_text(e, expr, &text) ? step_index(e, text) : 0;
}

static void gen_cli(struct emitter *e, const struct expr *expr, uint32_t reg,
                    struct atom_code *code)
{
    static const struct expr none = { .kind = EXPR_SET };
    const struct expr *flags = expr->items->next ? expr_resolve(expr->items->next) : &none;
    gen_one(e, expr->items, OP_CLI, constant_set(e, flags), reg, code);
}

static void gen_clock(struct emitter *e, const struct expr *expr, uint32_t reg,
                      struct atom_code *code)
{
    Str zone = STR_INIT("UTC");
    (void)expr_constant_text(e, expr->items, &zone);
    code->varies = true;
    code_op(code, OP_CLOCK, reg, 0, 0, emit_zone(e, zone, expr->span));
}

/* What a domain function finds is an object; of some the policy means one member. */
static void gen_domain(struct emitter *e, const struct expr *expr, uint32_t reg,
                       struct atom_code *code)
{
    gen_one(e, expr->items, OP_DECODE, (uint32_t)expr->function, reg, code);
    Str member = expr->function == FN_JSON     ? STR("value")
                 : expr->function == FN_YAML   ? STR("documents")
                 : expr->function == FN_EMAILS ? STR("addresses")
                                               : STR("");
    if (member.n)
        code_op(code, OP_MEMBER, reg, reg, 0, step_index(e, member));
}

static void gen_call(struct emitter *e, const struct expr *expr, uint32_t reg,
                     struct atom_code *code)
{
    const struct expr *first = expr->items;
    switch (expr->function) {
    case FN_CLI: gen_cli(e, expr, reg, code); return;
    case FN_CLOCK: gen_clock(e, expr, reg, code); return;
    case FN_KEYS: gen_one(e, first, OP_KEYS, 0, reg, code); return;
    case FN_FIND: gen_one(e, first, OP_FIND, constant_text_step(e, first->next), reg, code); return;
    case FN_LOWER: gen_one(e, first, OP_LOWER, 0, reg, code); return;
    case FN_TRIM: gen_one(e, first, OP_TRIM, 0, reg, code); return;
    case FN_TIME: gen_one(e, first, OP_INSTANT, 0, reg, code); return;
    case FN_NUMBER: gen_one(e, first, OP_NUMBER, 0, reg, code); return;
    case FN_MIN: (void)gen_pair(e, first, first->next, OP_MIN, reg, code); return;
    case FN_MAX: (void)gen_pair(e, first, first->next, OP_MAX, reg, code); return;
    default: gen_domain(e, expr, reg, code); return;
    }
}

static enum op arithmetic_op(enum binary_op op)
{
    return op == OP2_ADD ? OP_ADD : op == OP2_SUB ? OP_SUB : OP_MUL;
}

uint32_t gen_value(struct emitter *e, const struct expr *expr, uint32_t reg, struct atom_code *code)
{
    uint32_t index, known = code_bound(code, expr);
    if (known != B_NONE)
        return known;
    expr = expr_resolve(expr);
    if (reg + 2 >= BUNDLE_REGISTERS) {
        code->is_too_large = true;
        return 0;
    }
    if (constant_index(e, expr, &index)) {
        code_op(code, OP_CONST, reg, 0, 0, index);
        return reg;
    }
    switch (expr->kind) {
    case EXPR_FIELD:
        code->varies |= slot_root_table[root_of(expr)].varies;
        code_op(code, OP_FIELD, reg, 0, 0, emit_field_slot(e, expr));
        break;
    case EXPR_INTERPOLATION: gen_interpolation(e, expr, reg, code); break;
    case EXPR_LENGTH: gen_one(e, expr->left, OP_LENGTH, 0, reg, code); break;
    case EXPR_MEMBER:
        gen_one(e, expr->left, OP_MEMBER, step_index(e, expr->text), reg, code);
        break;
    case EXPR_INDEX: gen_one(e, expr->left, OP_ELEMENT, expr->index, reg, code); break;
    case EXPR_CALL: gen_call(e, expr, reg, code); break;
    case EXPR_QUANTIFIER: gen_quantifier(e, expr, reg, code); break;
    case EXPR_LIST: code_op(code, OP_EMPTY, reg, 0, 0, 0); break; /* the only list that is one */
    case EXPR_BINARY:
        if (expr->op == OP2_ELSE)
            return gen_pair(e, expr->left, expr->right, OP_ELSE, reg, code);
        return gen_pair(e, expr->left, expr->right, arithmetic_op(expr->op), reg, code);
    default: UNREACHABLE("the checker lets no other expression be a value");
    }
    return reg;
}
