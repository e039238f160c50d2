/* SPDX-License-Identifier: Apache-2.0 */
/* verify_code.c - every instruction, before any runs.
 *
 * CODE is covered without gaps by the atoms' code, the rewrites' and then the rules', in order, so
 * that no byte of it means two things. An atom is straight-line but for loops over lists, which
 * nest properly: values, then one truth; a rewrite is the same with a value at its end. A rule
 * branches forward only and its last instruction ends it; so a rule ends after at most as many
 * steps as it has instructions, and an atom after that many for each of BUNDLE_ITERATIONS_MAX
 * iterations.
 */
#include "runtime/bundle/verify.h"
#include "runtime/domain/domain.h"

struct code_check {
    const struct program *program;
    struct bundle_error *error;
    const char *what; /* "atom", "rewrite" or "rule" */
    uint32_t index;
    uint32_t written; /* registers written so far, as bits */
    bool varies;
};

static bool code_fail(const struct code_check *check, uint32_t at, const char *why)
{
    return verify_fail(check->error, "%s %u, instruction %u: %s", check->what, check->index, at,
                       why);
}

static bool is_written(const struct code_check *check, unsigned reg)
{
    return reg < BUNDLE_REGISTERS && (check->written >> reg & 1) != 0;
}

static bool sources_hold(const struct code_check *check, const struct b_insn *in, unsigned sources)
{
    unsigned first = in->b & 0xFF, second = in->b >> 8;
    if (sources == 0)
        return in->b == 0;
    if (sources == 1)
        return second == 0 && is_written(check, first);
    return is_written(check, first) && is_written(check, second);
}

static bool index_holds(const struct code_check *check, const struct b_insn *in,
                        enum section_kind section)
{
    return in->c < check->program->counts[section];
}

static bool index_is_domain(const struct b_insn *in)
{
    return in->c < DOMAIN_COUNT;
}

static bool operands_hold(struct code_check *check, const struct b_insn *in)
{
    if (in->a >= BUNDLE_REGISTERS)
        return false;
    switch (op_table[in->op].operands) {
    case OPERANDS_D: return sources_hold(check, in, 0) && in->c == 0;
    case OPERANDS_D_SLOT:
        if (!sources_hold(check, in, 0) || !index_holds(check, in, SECTION_SLOTS))
            return false;
        check->varies |= slot_root_table[check->program->slots[in->c].root].varies;
        return true;
    case OPERANDS_D_CONST:
        return sources_hold(check, in, 0) && index_holds(check, in, SECTION_CONSTS);
    case OPERANDS_D_ZONE:
        check->varies = true;
        return sources_hold(check, in, 0) && index_holds(check, in, SECTION_ZONES);
    case OPERANDS_D_R:
    case OPERANDS_R: return sources_hold(check, in, 1) && in->c == 0;
    case OPERANDS_D_RR:
    case OPERANDS_RR: return sources_hold(check, in, 2) && in->c == 0;
    case OPERANDS_D_R_SET:
    case OPERANDS_R_SET: return sources_hold(check, in, 1) && index_holds(check, in, SECTION_SETS);
    case OPERANDS_R_DFA: return sources_hold(check, in, 1) && index_holds(check, in, SECTION_DFAS);
    case OPERANDS_R_TRIE:
        return sources_hold(check, in, 1) && index_holds(check, in, SECTION_TRIES);
    case OPERANDS_R_NFA: return sources_hold(check, in, 1) && index_holds(check, in, SECTION_NFAS);
    case OPERANDS_R_NETS: return sources_hold(check, in, 1) && index_holds(check, in, SECTION_NETS);
    case OPERANDS_D_R_STEP:
        return sources_hold(check, in, 1) && index_holds(check, in, SECTION_STEPS);
    case OPERANDS_D_R_NUMBER: return sources_hold(check, in, 1) && in->c <= BUNDLE_ELEMENT_MAX;
    case OPERANDS_D_R_DOMAIN: return sources_hold(check, in, 1) && index_is_domain(in);
    case OPERANDS_LOOP:
    case OPERANDS_NONE:
    case OPERANDS_TEST:
    case OPERANDS_SKIP: break;
    }
    return false;
}

/* A loop whose body is being read. */
struct open_loop {
    uint32_t end;     /* the instruction behind the body */
    uint32_t written; /* registers written before the loop */
    unsigned element, result;
};

struct loops {
    struct open_loop open[BUNDLE_LOOP_DEPTH_MAX];
    uint32_t depth;
};

/* The registers that instructions write, as bits; those past the last one are refused elsewhere. */
static uint32_t writes_of(const struct b_insn *code, uint32_t count)
{
    uint32_t written = 0;
    for (uint32_t i = 0; i < count; i++)
        written |= code[i].a < BUNDLE_REGISTERS ? UINT32_C(1) << code[i].a : 0;
    return written;
}

/* The body lies inside the atom and inside the loop around it, and is not empty. What it writes
 * counts as unwritten where it begins, and again behind it: so nothing is carried from one element
 * to the next, and a register holds what the instruction right above left there, in any iteration.
 * Costs rely on that. */
static bool loop_begins(struct code_check *check, const struct b_insn *in, uint32_t at,
                        uint32_t count, struct loops *loops)
{
    uint32_t room = (loops->depth ? loops->open[loops->depth - 1].end : count) - at - 1;
    unsigned list = in->b & 0xFF, result = in->b >> 8;
    if (in->a >= BUNDLE_REGISTERS || result >= BUNDLE_REGISTERS || result == in->a ||
        !is_written(check, list) || in->c == 0 || in->c > room ||
        loops->depth == BUNDLE_LOOP_DEPTH_MAX)
        return false;
    loops->open[loops->depth++] = (struct open_loop){
        .end = at + 1 + in->c,
        .written = check->written & ~writes_of(in + 1, in->c),
        .element = in->a,
        .result = result,
    };
    check->written = loops->open[loops->depth - 1].written | UINT32_C(1) << in->a;
    return true;
}

/* Loops that end before instruction at: an empty list runs no body, so what it wrote is forgotten.
 */
static bool loops_end(struct code_check *check, uint32_t at, struct loops *loops)
{
    while (loops->depth && loops->open[loops->depth - 1].end == at) {
        const struct open_loop *loop = &loops->open[--loops->depth];
        if (!is_written(check, loop->result))
            return false;
        check->written = loop->written | UINT32_C(1) << loop->element;
    }
    return true;
}

/* Values, and at the end one instruction of that kind. */
static bool verify_values(struct code_check *check, const struct b_insn *code, uint32_t count,
                          enum op_kind last)
{
    struct loops loops = { .depth = 0 };
    if (count == 0 || count > BUNDLE_ATOM_INSNS_MAX)
        return code_fail(check, 0, "a condition or value has 1 to 256 instructions");
    for (uint32_t i = 0; i < count; i++) {
        enum op_kind kind = code[i].op < OP_COUNT ? op_table[code[i].op].kind : OP_END;
        bool is_last = i + 1 == count;
        if (!loops_end(check, i, &loops))
            return code_fail(check, i, "a loop without a result");
        if (kind == OP_BRANCH || kind == OP_END || (is_last && (kind != last || loops.depth)))
            return code_fail(check, i, "unexpected opcode");
        bool holds = kind == OP_LOOP ? loop_begins(check, &code[i], i, count, &loops)
                                     : operands_hold(check, &code[i]);
        if (!holds)
            return code_fail(check, i, "an operand out of range");
        check->written |= UINT32_C(1) << code[i].a;
    }
    return true;
}

static bool verify_atom(struct code_check *check, const struct b_atom *atom)
{
    const struct b_insn *code = check->program->code + atom->code;
    if (!verify_values(check, code, atom->code_count, OP_TRUTH))
        return false;
    if (atom->flags != (check->varies ? (uint32_t)B_ATOM_VARIES : 0))
        return code_fail(check, 0, "flags do not say what the code reads");
    return true;
}

static bool branch_holds(const struct code_check *check, const struct b_insn *in, uint32_t left)
{
    if (in->b == 0 || in->b >= left)
        return false; /* the target, b + 1 further on, must be an instruction of the rule */
    if (in->op == OP_SKIP)
        return in->a == 0 && in->c == 0;
    return in->a > 0 && in->a < B_MAYBE && index_holds(check, in, SECTION_ATOMS);
}

static bool verify_rule(const struct code_check *check, const struct b_rule *rule)
{
    const struct b_insn *code = check->program->code + rule->code;
    if (rule->code_count == 0 || rule->code_count > BUNDLE_RULE_INSNS_MAX)
        return code_fail(check, 0, "a rule has 1 to 65535 instructions");
    for (uint32_t i = 0; i < rule->code_count; i++) {
        const struct b_insn *in = &code[i];
        enum op_kind kind = in->op < OP_COUNT ? op_table[in->op].kind : OP_VALUE;
        if (kind == OP_END && in->a == 0 && in->b == 0 && in->c == 0)
            continue;
        if (kind != OP_BRANCH)
            return code_fail(check, i, "unexpected opcode");
        if (!branch_holds(check, in, rule->code_count - i - 1))
            return code_fail(check, i, "a jump or an operand out of range");
    }
    if (op_table[code[rule->code_count - 1].op].kind != OP_END)
        return code_fail(check, rule->code_count - 1, "the rule does not end");
    return true;
}

bool verify_code(const struct program *p, struct bundle_error *error)
{
    uint64_t next = 0;
    uint32_t total = p->counts[SECTION_CODE];
    for (uint32_t i = 0; i < p->counts[SECTION_ATOMS]; i++) {
        struct code_check check = { .program = p, .error = error, .what = "atom", .index = i };
        if (!verify_next(&next, p->atoms[i].code, p->atoms[i].code_count, total))
            return code_fail(&check, 0, "code is misplaced");
        if (!verify_atom(&check, &p->atoms[i]))
            return false;
    }
    for (uint32_t i = 0; i < p->counts[SECTION_REWRITES]; i++) {
        const struct b_rewrite *rewrite = &p->rewrites[i];
        struct code_check check = { .program = p, .error = error, .what = "rewrite", .index = i };
        if (!verify_next(&next, rewrite->code, rewrite->code_count, total))
            return code_fail(&check, 0, "code is misplaced");
        if (!verify_values(&check, p->code + rewrite->code, rewrite->code_count, OP_VALUE))
            return false;
    }
    for (uint32_t i = 0; i < p->counts[SECTION_RULES]; i++) {
        struct code_check check = { .program = p, .error = error, .what = "rule", .index = i };
        if (!verify_next(&next, p->rules[i].code, p->rules[i].code_count, total))
            return code_fail(&check, 0, "code is misplaced");
        if (!verify_rule(&check, &p->rules[i]))
            return false;
    }
    return next == total || verify_fail(error, "code: loose instructions");
}
