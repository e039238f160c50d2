/* SPDX-License-Identifier: Apache-2.0 */
/* lift.c - from a condition's code to tests of fields.
 *
 * The code is run once on symbols instead of values: a register holds a node of a field, its
 * length, its lower case, a constant, a part of the clock, a truth, or a term, which is anything
 * else that is computed. A test of a node by a constant is noted there and stays exact; every other
 * test makes the condition inexact, and leaves what may help to find values for it.
 */
#include "compiler/prove/space.h"
#include "runtime/domain/domain.h"

enum sym_kind {
    SYM_NODE,
    SYM_LENGTH,
    SYM_LOWER,
    SYM_CONST,
    SYM_CLOCK,
    SYM_PART,
    SYM_TRUTH,
    SYM_TERM
};

struct sym {
    enum sym_kind kind;
    struct node *node;              /* NODE, LENGTH, LOWER; CLOCK, PART: of `now` */
    const struct b_const *constant; /* CONST */
    enum clock_part part;           /* PART */
    struct term *term;              /* TERM */
    const struct term_truth *truth; /* TRUTH: of one term alone; else NULL */
};

struct lift {
    struct space *space;
    struct space_atom *atom;
    const struct program *program;
    struct sym regs[BUNDLE_REGISTERS];
    struct node *each; /* of the loop that is gone through; NULL: none */
    bool has_loop, tests_outside;
};

void *vec_add(struct space *space, struct vec *vec, size_t size)
{
    ENSURE(vec);
    if (vec->count == vec->room) {
        uint32_t room = vec->room ? vec->room * 2 : 8;
        void *items = arena_alloc(space->mem, size, _Alignof(max_align_t), room);
        if (!items) {
            static max_align_t spare[16]; /* what is written here is never read */
            space->is_full = true;
            ENSURE(size <= sizeof spare);
            return spare;
        }
        if (vec->count)
            memcpy(items, vec->items, vec->count * size);
        vec->items = items;
        vec->room = room;
    }
    return (char *)vec->items + size * vec->count++;
}

/* -------------------------------- nodes --------------------------------- */

static struct node *node_new(struct space *space, struct node node)
{
    struct node *made = ARENA_NEW(space->mem, struct node, 1);
    space->is_full |= !made;
    if (made) {
        *made = node;
        made->zone = B_NONE;
    }
    return made;
}

static struct node *child(struct space *space, struct node *parent, Str key, bool is_each)
{
    if (!parent)
        return NULL;
    for (struct node *at = parent->children; at; at = at->next)
        if (at->is_each == is_each && str_eq(at->key, key))
            return at;
    struct node *made = node_new(space, (struct node){ .parent = parent,
                                                       .field = parent->field,
                                                       .key = key,
                                                       .is_each = is_each,
                                                       .next = parent->children });
    if (made)
        parent->children = made;
    return made;
}

static struct node *each_of(struct space *space, struct node *list)
{
    if (list)
        list->is_list = true;
    return child(space, list, STR(""), true);
}

static enum field_kind kind_of_root(uint32_t root)
{
    switch (root) {
    case B_SLOT_ARGS: return FIELD_ARGUMENT;
    case B_SLOT_PRINCIPAL_ATTRIBUTES: return FIELD_ATTRIBUTE;
    case B_SLOT_PRINCIPAL_GROUPS: return FIELD_GROUPS;
    case GROUP_ROOT: return FIELD_GROUP;
    case B_SLOT_NOW: return FIELD_NOW;
    case B_SLOT_PRINCIPAL_ID:
    case B_SLOT_GRANT_LABEL:
    case B_SLOT_CLIENT_NAME:
    case B_SLOT_CLIENT_VERSION:
    case B_SLOT_CLIENT_ADDRESS: return FIELD_TEXT;
    default: return FIELD_FIXED;
    }
}

static struct field *field_new(struct space *space, uint32_t root, Str key)
{
    struct field *field = ARENA_NEW(space->mem, struct field, 1);
    if (!field || space->field_count == FIELDS_MAX) {
        space->is_full = true;
        return NULL;
    }
    *field = (struct field){
        .kind = kind_of_root(root), .root = root, .key = key, .component = space->field_count
    };
    field->node = node_new(space, (struct node){ .field = field });
    space->fields[space->field_count++] = field;
    return field->node ? field : NULL;
}

static struct field *field_find(struct space *space, uint32_t root, Str key)
{
    for (uint32_t i = 0; i < space->field_count; i++)
        if (space->fields[i]->root == root && str_eq(space->fields[i]->key, key))
            return space->fields[i];
    return field_new(space, root, key);
}

void space_argument(struct space *space, Str key)
{
    (void)field_find(space, B_SLOT_ARGS, key);
}

static void touch(struct lift *l, struct field *field)
{
    struct space_atom *atom = l->atom;
    for (uint32_t i = 0; i < atom->field_count; i++)
        if (atom->fields[i] == field)
            return;
    if (field && atom->field_count < FIELDS_MAX)
        atom->fields[atom->field_count++] = field;
}

static struct sym lift_field(struct lift *l, uint32_t slot)
{
    const struct program *p = l->program;
    const struct b_slot *s = &p->slots[slot];
    Str key = s->count ? program_text(p, p->steps[s->first]) : STR("");
    struct field *field = field_find(l->space, s->root, key);
    struct node *node = field ? field->node : NULL;
    touch(l, field);
    for (uint32_t i = 1; i < s->count; i++)
        node = child(l->space, node, program_text(p, p->steps[s->first + i]), false);
    return (struct sym){ .kind = SYM_NODE, .node = node };
}

/* --------------------------------- terms -------------------------------- */

static void term_take_node(struct term *term, struct node *node)
{
    for (uint32_t i = 0; i < term->node_count; i++)
        if (term->nodes[i] == node)
            return;
    if (node && term->node_count < TERM_NODES_MAX)
        term->nodes[term->node_count++] = node;
}

static void term_take(struct space *space, struct term *term, const struct program *p,
                      const struct sym *from)
{
    if (from->kind == SYM_CONST) {
        if (from->constant->type == B_CONST_STRING)
            *VEC_ADD(space, &term->texts, Str) = program_text(p, from->constant->text);
        return;
    }
    term_take_node(term, from->node);
    for (uint32_t i = 0; from->term && i < from->term->node_count; i++)
        term_take_node(term, from->term->nodes[i]);
    for (uint32_t i = 0; from->term && i < from->term->texts.count; i++)
        *VEC_ADD(space, &term->texts, Str) = VEC_AT(&from->term->texts, Str, i);
    term->domains |= from->term ? from->term->domains : 0;
}

static Str sym_key(struct lift *l, const struct sym *sym)
{
    struct arena *mem = l->space->mem;
    switch (sym->kind) {
    case SYM_CONST: {
        Str text = program_text(l->program, sym->constant->text);
        return arena_printf(mem, "%u:%u:%zu:%.*s", sym->constant->type, sym->constant->truth,
                            text.n, STR_ARG(text));
    }
    case SYM_TERM: return sym->term ? sym->term->key : STR("");
    default:
        return arena_printf(mem, "%d@%p.%d", (int)sym->kind, (void *)sym->node, (int)sym->part);
    }
}

static struct term *term_find(struct lift *l, Str key)
{
    for (struct term *at = l->space->terms; at; at = at->next)
        if (str_eq(at->key, key))
            return at;
    struct term *made = ARENA_NEW(l->space->mem, struct term, 1);
    l->space->is_full |= !made || !key.p;
    if (!made)
        return NULL;
    *made = (struct term){ .key = key, .next = l->space->terms };
    l->space->terms = made;
    l->space->term_count++;
    return made;
}

static void take_piece(struct term *term, const struct program *p, const struct sym *sym)
{
    uint32_t *n = &term->piece_count;
    const struct term *inner = sym->kind == SYM_TERM ? sym->term : NULL;
    if (inner && inner->is_joined && inner != term) {
        for (uint32_t i = 0; i < inner->piece_count && *n < TERM_PIECES_MAX; i++)
            term->pieces[(*n)++] = inner->pieces[i];
        return;
    }
    if (*n == TERM_PIECES_MAX)
        return;
    struct piece piece = { .node = sym->kind == SYM_NODE ? sym->node : NULL };
    if (sym->kind == SYM_CONST)
        piece.text = program_text(p, sym->constant->text);
    term->pieces[(*n)++] = piece;
}

/* The key of such a symbol does not tell it from others. */
static bool is_opaque(const struct sym *sym)
{
    return sym->kind == SYM_TRUTH || sym->kind == SYM_CLOCK || sym->kind == SYM_PART;
}

/* What an instruction computes that has no symbol of its own. */
static struct sym lift_term(struct lift *l, const struct b_insn *in, const struct sym *a,
                            const struct sym *b)
{
    const struct program *p = l->program;
    Str first = sym_key(l, a), second = b ? sym_key(l, b) : STR("");
    bool has_step = in->op == OP_MEMBER || in->op == OP_FIND;
    Str step = has_step ? program_text(p, p->steps[in->c]) : STR("");
    Str key = arena_printf(l->space->mem, "(%u %u %.*s %.*s %.*s)", in->op, has_step ? 0 : in->c,
                           STR_ARG(step), STR_ARG(first), STR_ARG(second));
    bool is_own = in->op == OP_CLI || op_table[in->op].kind == OP_LOOP || is_opaque(a) ||
                  (b && is_opaque(b)); /* means the same nowhere else */
    if (is_own)
        key = arena_printf(l->space->mem, "%.*s%u", STR_ARG(key), l->space->term_count);
    struct term *term = term_find(l, key);
    struct sym made = { .kind = SYM_TERM, .term = term };
    if (!term || term->node_count)
        return made;
    term_take(l->space, term, p, a);
    if (b)
        term_take(l->space, term, p, b);
    if (in->op == OP_DECODE)
        term->domains |= UINT32_C(1) << in->c;
    else if (in->op == OP_CLI)
        term->domains |= UINT32_C(1) << DOMAIN_SHELL;
    term->is_joined = in->op == OP_CONCAT;
    if (term->is_joined && b) {
        take_piece(term, p, a);
        take_piece(term, p, b);
    }
    return made;
}

/* --------------------------------- tests -------------------------------- */

void node_sample(struct space *space, struct node *node, Str json)
{
    if (!node || node->samples.count == NODE_SAMPLES_MAX)
        return;
    for (uint32_t i = 0; i < node->samples.count; i++)
        if (str_eq(VEC_AT(&node->samples, Str, i), json))
            return;
    *VEC_ADD(space, &node->samples, Str) = json;
}

void node_sample_text(struct space *space, struct node *node, Str text)
{
    struct buf json;
    if (!utf8_is_valid(text) || (text.n && memchr(text.p, 0, text.n)))
        return;
    buf_init(&json, BUNDLE_BYTES_MAX);
    json_write_string(&json, text);
    Str copy = arena_copy(space->mem, buf_str(&json));
    buf_free(&json);
    space->is_full |= !copy.p;
    if (copy.p)
        node_sample(space, node, copy);
}

static bool decimal_of_const(const struct program *p, const struct b_const *constant, Decimal *out)
{
    struct number number;
    return constant->type == B_CONST_NUMBER &&
           number_parse(program_text(p, constant->text), &number) && decimal_of(&number, out);
}

/* The condition is not decided by what its fields' values cover. */
static void inexact(struct lift *l)
{
    l->atom->is_exact = false;
}

static void at_node(struct lift *l, const struct node *node)
{
    const struct node *at = node;
    while (at && l->each && at != l->each)
        at = at->parent;
    if (!l->each)
        l->tests_outside = true;
    else if (!at)
        inexact(l);
}

static void note_length(struct lift *l, struct node *node, Decimal bound)
{
    bool fits = bound.scale == 0 && bound.mantissa >= 0 && bound.mantissa <= UINT32_MAX / 2;
    if (fits)
        *VEC_ADD(l->space, &node->lengths, uint32_t) = (uint32_t)bound.mantissa;
    else if (bound.scale)
        inexact(l);
}

/* A node's value, or what is made of it, is compared with a constant. */
static void note_constant(struct lift *l, const struct sym *sym, const struct b_const *constant)
{
    struct node *node = sym->node;
    struct space *space = l->space;
    Str text = program_text(l->program, constant->text);
    Decimal number;
    if (!node) /* memory ended */
        return;
    if (constant->type == B_CONST_BOOL)
        node->has_bool = true;
    if (constant->type == B_CONST_STRING && sym->kind != SYM_LENGTH && sym->kind != SYM_PART)
        *VEC_ADD(space, sym->kind == SYM_LOWER ? &node->lowered : &node->literals, Str) = text;
    if (constant->type != B_CONST_NUMBER || sym->kind == SYM_LOWER)
        return;
    if (!decimal_of_const(l->program, constant, &number)) {
        inexact(l);
        node_sample(space, node, text);
    } else if (sym->kind == SYM_LENGTH) {
        note_length(l, node, number);
    } else if (sym->kind == SYM_PART) {
        *VEC_ADD(space, &node->clock[sym->part], Decimal) = number;
    } else {
        *VEC_ADD(space, &node->numbers, Decimal) = number;
    }
}

static void note_text(struct lift *l, const struct sym *sym, struct text_test test)
{
    test.lowers = sym->kind == SYM_LOWER;
    if (sym->node && (sym->kind == SYM_NODE || sym->kind == SYM_LOWER))
        *VEC_ADD(l->space, &sym->node->tests, struct text_test) = test;
}

static const Str *const_text(struct lift *l, const struct b_const *constant)
{
    Str *text = ARENA_NEW(l->space->mem, Str, 1);
    l->space->is_full |= !text;
    if (text)
        *text = program_text(l->program, constant->text);
    return text;
}

static bool is_simple(const struct sym *sym)
{
    return sym->node && sym->kind <= SYM_LOWER;
}

/* The texts of a set's strings. */
static struct text_test set_texts(struct lift *l, uint32_t set)
{
    struct text_test test = { .kind = TEXT_LITERALS };
    const struct b_const **items = set_elements(l->program, set, l->space->mem);
    Str *texts = ARENA_NEW(l->space->mem, Str, l->program->sets[set].count);
    l->space->is_full |= !items || !texts;
    for (uint32_t i = 0; i < l->program->sets[set].count && items && texts; i++)
        if (items[i]->type == B_CONST_STRING)
            texts[test.count++] = program_text(l->program, items[i]->text);
    test.texts = texts;
    return test;
}

/* Constants around a test that can't be read exactly: one of them may be what it takes. */
static void sample_constant(struct lift *l, struct node *node, const struct b_const *constant)
{
    Decimal number;
    if (constant->type == B_CONST_STRING)
        node_sample_text(l->space, node, program_text(l->program, constant->text));
    else if (decimal_of_const(l->program, constant, &number))
        sample_numbers(l->space, node, number);
    if (constant->type == B_CONST_BOOL)
        node->has_bool = true;
}

static void sample_operand(struct lift *l, struct node *node, const struct b_insn *in,
                           const struct sym *other)
{
    if (!node)
        return;
    if (other && other->kind == SYM_CONST)
        sample_constant(l, node, other->constant);
    if (op_table[in->op].operands != OPERANDS_R_SET)
        return;
    const struct b_const **items = set_elements(l->program, in->c, l->space->mem);
    l->space->is_full |= !items;
    for (uint32_t i = 0; items && i < l->program->sets[in->c].count; i++)
        sample_constant(l, node, items[i]);
}

static const enum text_test_kind text_kind_of_op[OP_COUNT] = {
    [OP_STARTS] = TEXT_STARTS,    [OP_ENDS] = TEXT_ENDS,        [OP_CONTAINS] = TEXT_CONTAINS,
    [OP_PATH_WITHIN] = TEXT_PATH, [OP_HOST_WITHIN] = TEXT_HOST, [OP_EQ] = TEXT_LITERALS,
    [OP_LT] = TEXT_ORDER,         [OP_LE] = TEXT_ORDER,         [OP_HAS_TEXT] = TEXT_CONTAINS,
};

static bool is_text_op(uint32_t op)
{
    return op == OP_EQ || text_kind_of_op[op] != TEXT_LITERALS;
}

/* The test that was added last, as a truth. */
static const struct term_truth *truth_of_test(struct lift *l, struct term *term)
{
    struct term_truth *truth = ARENA_NEW(l->space->mem, struct term_truth, 1);
    l->space->is_full |= !truth;
    if (truth)
        *truth =
            (struct term_truth){ .op = OP_IS_TRUE, .test = term->tests.count - 1, .term = term };
    return truth;
}

enum { TERM_TRUTH_HEIGHT_MAX = 64 };

/* and, or, not of truths of one term. */
static const struct term_truth *truth_of_both(struct lift *l, const struct b_insn *in,
                                              const struct term_truth *a,
                                              const struct term_truth *b)
{
    bool is_pair = in->op != OP_NOT;
    if (in->op == OP_IS_TRUE)
        return a;
    if (!a || (is_pair && (!b || a->term != b->term)))
        return NULL;
    uint32_t height = is_pair && b->height > a->height ? b->height + 1 : a->height + 1;
    struct term_truth *truth = ARENA_NEW(l->space->mem, struct term_truth, 1);
    l->space->is_full |= !truth;
    if (!truth || height > TERM_TRUTH_HEIGHT_MAX)
        return NULL;
    *truth = (struct term_truth){ .op = (enum op)in->op,
                                  .left = a,
                                  .right = is_pair ? b : NULL,
                                  .height = height,
                                  .term = a->term };
    return truth;
}

/* A test of a term; what it can be told from alone is its truth, else NULL. Lists have elements
 * that `contains` looks for, which no class of strings shows. */
static const struct term_truth *test_term(struct lift *l, const struct b_insn *in,
                                          const struct sym *a, const struct sym *b)
{
    bool is_flipped = b && b->kind == SYM_TERM;
    const struct sym *of = is_flipped ? b : a, *by = is_flipped ? a : b;
    struct term *term = of->term;
    inexact(l);
    if (!term)
        return NULL;
    for (uint32_t i = 0; i < term->node_count; i++) {
        sample_operand(l, term->nodes[i], in, by);
    }
    struct term_test test = { .op = (enum op)in->op, .is_flipped = is_flipped };
    bool is_text = by && by->kind == SYM_CONST && by->constant->type == B_CONST_STRING;
    if (is_text && is_text_op(in->op) && (!is_flipped || in->op <= OP_LE))
        test.text = (struct text_test){ .kind = text_kind_of_op[in->op],
                                        .texts = const_text(l, by->constant),
                                        .count = 1 };
    else if (in->op == OP_MATCH)
        test.text = (struct text_test){ .kind = TEXT_DFA, .program = l->program, .dfa = in->c };
    else if (in->op == OP_IN_SET && l->program->sets[in->c].types == 1U << B_CONST_STRING)
        test.text = set_texts(l, in->c);
    else if (!by || by->kind != SYM_CONST || in->op > OP_LE ||
             !decimal_of_const(l->program, by->constant, &test.number))
        return NULL;
    test.is_text = is_text || in->op == OP_MATCH || in->op == OP_IN_SET;
    *VEC_ADD(l->space, &term->tests, struct term_test) = test;
    bool is_alone = !l->each && !l->has_loop && in->op != OP_CONTAINS;
    return is_alone ? truth_of_test(l, term) : NULL;
}

/* Two values of the call against each other. */
static void test_relation(struct lift *l, const struct b_insn *in, const struct sym *a,
                          const struct sym *b)
{
    static const Str both[] = { STR_INIT("\"a\""), STR_INIT("\"b\""), STR_INIT("0"),
                                STR_INIT("1") };
    const struct sym *sides[2] = { a, b ? b : a };
    inexact(l);
    for (uint32_t i = 0; i < 2; i++) {
        struct node *node = sides[i]->node;
        bool is_list =
            i == 1 ? in->op == OP_IN_LIST : in->op == OP_CONTAINS && node && node->is_list;
        if (!node)
            continue;
        struct node *of = is_list ? each_of(l->space, node) : node;
        for (uint32_t k = 0; k < COUNT(both); k++)
            node_sample(l->space, of, both[k]);
        sample_operand(l, node, in, sides[1 - i]);
    }
}

/* A node against constants. False: not that. */
static bool test_pair(struct lift *l, const struct b_insn *in, const struct sym *a,
                      const struct sym *b)
{
    bool is_flipped = a->kind == SYM_CONST;
    const struct sym *of = is_flipped ? b : a, *by = is_flipped ? a : b;
    bool is_part = of->kind == SYM_PART && in->op <= OP_LE;
    if (by->kind != SYM_CONST || (!is_simple(of) && !is_part))
        return false;
    if (in->op == OP_EQ || in->op == OP_LT || in->op == OP_LE) {
        note_constant(l, of, by->constant);
        if (in->op != OP_EQ && by->constant->type == B_CONST_STRING && !is_part)
            note_text(l, of,
                      (struct text_test){
                          .kind = TEXT_ORDER, .texts = const_text(l, by->constant), .count = 1 });
        return true;
    }
    if (in->op == OP_IN_LIST) {
        struct sym element = { .kind = SYM_NODE, .node = each_of(l->space, of->node) };
        if (!is_flipped || of->kind != SYM_NODE || !element.node)
            return false;
        note_constant(l, &element, by->constant);
        return true;
    }
    if (is_flipped || by->constant->type != B_CONST_STRING)
        return false;
    note_text(l, of,
              (struct text_test){ .kind = text_kind_of_op[in->op],
                                  .texts = const_text(l, by->constant),
                                  .count = 1 });
    if (in->op == OP_CONTAINS && of->kind == SYM_NODE) {
        struct sym element = { .kind = SYM_NODE, .node = each_of(l->space, of->node) };
        if (element.node)
            note_constant(l, &element, by->constant);
    }
    return true;
}

static void note_set(struct lift *l, const struct sym *sym, uint32_t set)
{
    const struct b_const **items = set_elements(l->program, set, l->space->mem);
    l->space->is_full |= !items;
    for (uint32_t i = 0; items && sym->node && i < l->program->sets[set].count; i++)
        note_constant(l, sym, items[i]);
}

static void note_nets(struct lift *l, struct node *node, uint32_t index)
{
    const struct b_nets *nets = &l->program->nets[index];
    node->has_nets = true;
    for (uint32_t i = 0; i < nets->count; i++)
        *VEC_ADD(l->space, &node->nets, struct b_net) = l->program->net_ranges[nets->first + i];
}

static struct text_test program_test(const struct lift *l, const struct b_insn *in)
{
    return (struct text_test){ .kind = in->op == OP_MATCH ? TEXT_DFA : TEXT_WORDS,
                               .program = l->program,
                               .dfa = in->c };
}

/* A test of one node by itself. False: not that. */
static bool test_single(struct lift *l, const struct b_insn *in, const struct sym *a)
{
    bool is_part = a->kind == SYM_PART && in->op == OP_IN_SET;
    if (!is_simple(a) && !is_part)
        return false;
    struct sym element;
    switch (in->op) {
    case OP_IS_TRUE: a->node->has_bool = true; return true;
    case OP_HAS:
    case OP_IS_NULL: return true;
    case OP_IN_SET: note_set(l, a, in->c); return true;
    case OP_SUBSET:
        element = (struct sym){ .kind = SYM_NODE, .node = each_of(l->space, a->node) };
        note_set(l, &element, in->c);
        return a->kind == SYM_NODE;
    case OP_MATCH_WORDS:
    case OP_MATCH: note_text(l, a, program_test(l, in)); return true;
    case OP_IN_NETS: note_nets(l, a->node, in->c); return a->kind == SYM_NODE;
    default: return false;
    }
}

static const struct term_truth *lift_test(struct lift *l, const struct b_insn *in)
{
    bool is_pair = op_table[in->op].operands == OPERANDS_RR;
    const struct sym *a = &l->regs[in->b & 0xF], *b = is_pair ? &l->regs[in->b >> 8 & 0xF] : NULL;
    bool is_connective = in->op == OP_AND || in->op == OP_OR || in->op == OP_NOT;
    if (a->kind == SYM_TRUTH && (!b || b->kind == SYM_TRUTH) &&
        (is_connective || in->op == OP_IS_TRUE))
        return truth_of_both(l, in, a->truth, b ? b->truth : NULL);
    at_node(l, a->node ? a->node : b ? b->node : NULL);
    bool is_noted = b ? test_pair(l, in, a, b) : test_single(l, in, a);
    if (is_noted)
        return NULL;
    if (a->kind == SYM_TERM || (b && b->kind == SYM_TERM))
        return test_term(l, in, a, b);
    test_relation(l, in, a, b);
    return NULL;
}

/* ------------------------------ instructions ---------------------------- */

static struct sym lift_else(struct lift *l, const struct b_insn *in)
{
    const struct sym *a = &l->regs[in->b & 0xF], *b = &l->regs[in->b >> 8 & 0xF];
    bool is_same = (in->b & 0xF) == (in->b >> 8 & 0xF);
    if (a->kind == SYM_CONST && !is_same)
        return a->constant->type == B_CONST_NULL ? *b : *a;
    if (is_same || a->kind == SYM_TRUTH ||
        ((is_simple(a) || a->kind == SYM_PART) && b->kind == SYM_CONST))
        return *a;
    return lift_term(l, in, a, b);
}

static struct sym lift_member(struct lift *l, const struct b_insn *in)
{
    static const Str parts[CLOCK_PARTS] = { STR_INIT("time"), STR_INIT("hour"), STR_INIT("date"),
                                            STR_INIT("weekday") };
    const struct sym *of = &l->regs[in->b & 0xF];
    Str key = program_text(l->program, l->program->steps[in->c]);
    if (of->kind == SYM_NODE)
        return (struct sym){ .kind = SYM_NODE, .node = child(l->space, of->node, key, false) };
    struct sym made = { .kind = SYM_PART, .node = of->node };
    for (uint32_t i = 0; i < CLOCK_PARTS && of->kind == SYM_CLOCK; i++) {
        made.part = (enum clock_part)i;
        if (str_eq(key, parts[i]))
            return made;
    }
    return lift_term(l, in, of, NULL);
}

/* One zone can be gone through; with a second one, values are samples. */
static struct sym lift_clock(struct lift *l, uint32_t zone)
{
    struct field *field = field_find(l->space, B_SLOT_NOW, STR(""));
    struct sym made = { .kind = SYM_CLOCK, .node = field ? field->node : NULL };
    uint32_t side = l->program == l->space->model->programs[0] ? 0 : 1;
    touch(l, field);
    if (!made.node)
        return made;
    if (made.node->zone == B_NONE) {
        made.node->zone = zone;
        made.node->zone_side = side;
    } else {
        const struct program *other = l->space->model->programs[made.node->zone_side];
        Str name = program_text(other, other->zones[made.node->zone].name);
        if (!str_eq(name, program_text(l->program, l->program->zones[zone].name)))
            made.node->is_partial = true;
    }
    return made;
}

static struct sym lift_element(struct lift *l, const struct b_insn *in)
{
    const struct sym *of = &l->regs[in->b & 0xF];
    if (of->kind != SYM_NODE)
        return lift_term(l, in, of, NULL);
    inexact(l);
    *VEC_ADD(l->space, &of->node->lengths, uint32_t) = in->c + 1;
    return (struct sym){ .kind = SYM_NODE, .node = each_of(l->space, of->node) };
}

static struct sym lift_value(struct lift *l, const struct b_insn *in)
{
    const struct sym *a = &l->regs[in->b & 0xF];
    bool is_pair = op_table[in->op].operands == OPERANDS_D_RR;
    switch (in->op) {
    case OP_FIELD: return lift_field(l, in->c);
    case OP_CONST: return (struct sym){ .kind = SYM_CONST, .constant = &l->program->consts[in->c] };
    case OP_EMPTY: return (struct sym){ .kind = SYM_TERM, .term = term_find(l, STR("[]")) };
    case OP_ELSE: return lift_else(l, in);
    case OP_MEMBER: return lift_member(l, in);
    case OP_ELEMENT: return lift_element(l, in);
    case OP_CLOCK: return lift_clock(l, in->c);
    case OP_LENGTH:
        if (a->kind == SYM_NODE)
            return (struct sym){ .kind = SYM_LENGTH, .node = a->node };
        break;
    case OP_LOWER:
        if (a->kind == SYM_NODE || a->kind == SYM_LOWER)
            return (struct sym){ .kind = SYM_LOWER, .node = a->node };
        break;
    default: break;
    }
    return lift_term(l, in, a, is_pair ? &l->regs[in->b >> 8 & 0xF] : NULL);
}

static void lift_code(struct lift *l, uint32_t at, uint32_t count, uint32_t depth);

static void lift_loop(struct lift *l, const struct b_insn *in, uint32_t body, uint32_t depth)
{
    const struct sym list = l->regs[in->b & 0xF];
    struct node *outer = l->each;
    bool is_fold = in->op == OP_LOOP_ANY || in->op == OP_LOOP_ALL;
    struct sym element = { .kind = SYM_NODE };
    if (list.kind == SYM_NODE && list.node) {
        at_node(l, list.node);
        l->tests_outside &= outer != NULL || l->has_loop;
        element.node = each_of(l->space, list.node);
    } else {
        element = lift_term(l, &(struct b_insn){ .op = OP_ELEMENT, .c = B_NONE }, &list, NULL);
    }
    if (!is_fold || outer || l->has_loop || list.kind != SYM_NODE)
        inexact(l);
    l->has_loop = true;
    l->each = element.node ? element.node : outer;
    l->regs[in->a] = element;
    lift_code(l, body, in->c, depth + 1);
    l->each = outer;
    struct b_insn term = { .op = in->op, .c = body };
    if (is_fold)
        l->regs[in->a] = (struct sym){ .kind = SYM_TRUTH };
    else
        l->regs[in->a] = lift_term(l, &term, &list, NULL);
}

static void lift_code(struct lift *l, uint32_t at, uint32_t count, uint32_t depth)
{
    ENSURE(depth <= BUNDLE_LOOP_DEPTH_MAX); /* the verifier proved it */
    for (uint32_t i = 0; i < count && !l->space->is_full; i++) {
        const struct b_insn *in = &l->program->code[at + i];
        switch (op_table[in->op].kind) {
        case OP_VALUE: l->regs[in->a] = lift_value(l, in); break;
        case OP_LOOP:
            lift_loop(l, in, at + i + 1, depth);
            i += in->c;
            break;
        case OP_TRUTH:
            l->regs[in->a] = (struct sym){ .kind = SYM_TRUTH, .truth = lift_test(l, in) };
            if (depth == 0 && i + 1 == count)
                l->atom->truth = l->regs[in->a].truth;
            break;
        case OP_BRANCH:
        case OP_END: inexact(l); break;
        }
    }
}

/* Does the code ask for nothing but one group by its name? */
static const struct b_const *asked_group(const struct program *p, const struct b_atom *atom)
{
    const struct b_insn *code = p->code + atom->code;
    const struct b_const *constant = NULL;
    bool reads_groups = false;
    if (atom->code_count != 3)
        return NULL;
    for (uint32_t i = 0; i < 2; i++) {
        if (code[i].op == OP_CONST && p->consts[code[i].c].type == B_CONST_STRING)
            constant = &p->consts[code[i].c];
        reads_groups |=
            code[i].op == OP_FIELD && p->slots[code[i].c].root == B_SLOT_PRINCIPAL_GROUPS;
    }
    bool asks = reads_groups && (code[2].op == OP_IN_LIST || code[2].op == OP_CONTAINS);
    return asks ? constant : NULL;
}

bool space_reads_groups(const struct program *p, const struct b_atom *atom)
{
    if (asked_group(p, atom))
        return false;
    for (uint32_t i = 0; i < atom->code_count; i++) {
        const struct b_insn *in = &p->code[atom->code + i];
        if (in->op == OP_FIELD && p->slots[in->c].root == B_SLOT_PRINCIPAL_GROUPS)
            return true;
    }
    return false;
}

void space_lift(struct space *space, struct space_atom *atom)
{
    const struct b_atom *a = model_atom_at(space->model, atom->atom);
    struct lift l = { .space = space,
                      .atom = atom,
                      .program = atom_program(space->model, atom->atom) };
    const struct b_const *group = asked_group(l.program, a);
    atom->is_exact = true;
    if (group && !space->has_whole_groups) {
        touch(&l, field_find(space, GROUP_ROOT, program_text(l.program, group->text)));
        return;
    }
    lift_code(&l, a->code, a->code_count, 0);
    if (l.has_loop && l.tests_outside)
        inexact(&l);
}
