/* SPDX-License-Identifier: Apache-2.0 */
/* coverage.c - points that tests can reach, from a bundle's tables and a trace of its decisions.
 *
 * Tables hold a rule or a condition more than once when the compiler has unfolded it (over the
 * arguments of a role, say); in the source it is one, so what stands at one place counts as one.
 */
#include "compiler/command/coverage.h"

#include "runtime/json/json.h"

#include <stdlib.h>

enum status coverage_open(struct coverage *coverage, const struct program *program)
{
    const uint32_t *counts = program->counts;
    *coverage = (struct coverage){ .program = program };
    coverage->trace.rules = calloc((size_t)counts[SECTION_RULES] + 1, 1);
    coverage->trace.atoms = calloc((size_t)counts[SECTION_ATOMS] + 1, 1);
    coverage->trace.branches = calloc((size_t)counts[SECTION_CODE] + 1, 1);
    if (coverage->trace.rules && coverage->trace.atoms && coverage->trace.branches)
        return ST_OK;
    coverage_close(coverage);
    return ST_NO_MEMORY;
}

void coverage_close(struct coverage *coverage)
{
    free(coverage->trace.rules);
    free(coverage->trace.atoms);
    free(coverage->trace.branches);
    *coverage = (struct coverage){ .program = NULL };
}

/* A point that tests can reach, or have not reached. */
struct point {
    uint32_t source, line, column;
    Str text;
    uint32_t wanted, seen; /* bits */
};
enum { SEEN_FIRST = 1, SEEN_SECOND = 2 };

static int compare_points(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return str_cmp(x->text, y->text);
}

/* Sorts, and joins what stands at one place; returns how many are left. */
static uint32_t join_points(struct point *points, uint32_t count)
{
    uint32_t kept = 0;
    if (count)
        qsort(points, count, sizeof *points, compare_points);
    for (uint32_t i = 0; i < count; i++) {
        if (kept && compare_points(&points[kept - 1], &points[i]) == 0) {
            points[kept - 1].wanted |= points[i].wanted;
            points[kept - 1].seen |= points[i].seen;
        } else {
            points[kept++] = points[i];
        }
    }
    return kept;
}

static struct point rule_point(const struct coverage *coverage, uint32_t i)
{
    const struct b_rule *rule = &coverage->program->rules[i];
    bool has_condition = rule->code_count > 1;
    return (struct point){ .source = rule->source,
                           .line = rule->line,
                           .column = rule->column,
                           .text = program_text(coverage->program, rule->text),
                           .wanted = VM_SEEN_YES | (has_condition ? VM_SEEN_NO : 0U),
                           .seen = coverage->trace.rules[i] };
}

static struct point atom_point(const struct coverage *coverage, uint32_t i)
{
    const struct b_atom *atom = &coverage->program->atoms[i];
    return (struct point){ .source = atom->source,
                           .line = atom->line,
                           .column = atom->column,
                           .text = program_text(coverage->program, atom->text),
                           .wanted = B_TRUE | B_FALSE,
                           .seen = coverage->trace.atoms[i] };
}

/* Of the instruction at, in a rule: where its condition stands. Not joined: a branch is one way
 * through one rule. */
static struct point branch_point(const struct coverage *coverage, uint32_t rule, uint32_t at)
{
    const struct program *p = coverage->program;
    const struct b_insn *in = &p->code[at];
    uint32_t seen = coverage->trace.branches[at];
    if (in->op == OP_SKIP_UNLESS) /* skipped means that the mask did not hold */
        seen = (seen & VM_SEEN_YES ? (uint32_t)SEEN_SECOND : 0U) |
               (seen & VM_SEEN_NO ? (uint32_t)SEEN_FIRST : 0U);
    return (struct point){ .source = p->rules[rule].source,
                           .line = p->atoms[in->c].source == p->rules[rule].source &&
                                           p->atoms[in->c].line >= p->rules[rule].line
                                       ? p->atoms[in->c].line
                                       : p->rules[rule].line,
                           .column = in->a, /* kept for the wording */
                           .text = program_text(p, p->atoms[in->c].text),
                           .wanted = SEEN_FIRST | SEEN_SECOND,
                           .seen = seen };
}

enum aspect { ASPECT_RULE, ASPECT_CONDITION, ASPECT_BRANCH };

/* All points of one kind; NULL without memory. */
static struct point *collect(const struct coverage *coverage, enum aspect aspect, uint32_t *count)
{
    const struct program *p = coverage->program;
    uint32_t rules = p->counts[SECTION_RULES], atoms = p->counts[SECTION_ATOMS];
    uint32_t room = aspect == ASPECT_RULE        ? rules
                    : aspect == ASPECT_CONDITION ? atoms
                                                 : p->counts[SECTION_CODE];
    struct point *points = calloc((size_t)room + 1, sizeof *points);
    uint32_t n = 0;
    *count = 0;
    if (!points)
        return NULL;
    for (uint32_t i = 0; aspect == ASPECT_CONDITION && i < atoms; i++)
        points[n++] = atom_point(coverage, i);
    for (uint32_t i = 0; aspect != ASPECT_CONDITION && i < rules; i++) {
        if (aspect == ASPECT_RULE) {
            points[n++] = rule_point(coverage, i);
            continue;
        }
        for (uint32_t k = 0; k < p->rules[i].code_count && n < room; k++) {
            uint8_t op = p->code[p->rules[i].code + k].op;
            if (op == OP_SKIP_IF || op == OP_SKIP_UNLESS)
                points[n++] = branch_point(coverage, i, p->rules[i].code + k);
        }
    }
    *count = aspect == ASPECT_BRANCH ? n : join_points(points, n);
    return points;
}

static uint32_t bits(uint32_t mask)
{
    return (mask & 1) + (mask >> 1 & 1);
}

static struct coverage_count count_aspect(const struct coverage *coverage, enum aspect aspect)
{
    struct coverage_count counted = { 0, 0 };
    uint32_t count;
    struct point *points = collect(coverage, aspect, &count);
    for (uint32_t i = 0; i < count; i++) {
        counted.total += bits(points[i].wanted);
        counted.reached += bits(points[i].wanted & points[i].seen);
    }
    free(points);
    return counted;
}

void coverage_count(struct coverage *coverage)
{
    coverage->rules = count_aspect(coverage, ASPECT_RULE);
    coverage->conditions = count_aspect(coverage, ASPECT_CONDITION);
    coverage->branches = count_aspect(coverage, ASPECT_BRANCH);
}

static double percent(struct coverage_count count)
{
    return count.total ? 100.0 * count.reached / count.total : 100.0;
}

double coverage_percent(const struct coverage *coverage)
{
    double least = percent(coverage->rules), conditions = percent(coverage->conditions),
           branches = percent(coverage->branches);
    least = conditions < least ? conditions : least;
    return branches < least ? branches : least;
}

/* ------------------------------- in words ------------------------------- */

static const char *mask_words(uint32_t mask, bool holds)
{
    static const char *const words[] = {
        "", "true", "false", "known", "unknown", "true or unknown", "false or unknown", "anything"
    };
    return words[(holds ? mask : ~mask) & B_MAYBE];
}

/* What was not reached of a point: way is SEEN_FIRST, SEEN_SECOND or both. */
static void add_missing(enum aspect aspect, const struct point *point, uint32_t way,
                        struct buf *out)
{
    static const char *const words[][4] = {
        [ASPECT_RULE] = { "", "rule never acts", "rule always acts", "rule never judged" },
        [ASPECT_CONDITION] = { "", "condition never true", "condition never false",
                               "condition never judged" },
    };
    if (aspect != ASPECT_BRANCH)
        buf_printf(out, "%s", words[aspect][way]);
    else if (way == (SEEN_FIRST | SEEN_SECOND))
        buf_printf(out, "branch never reached");
    else
        buf_printf(out, "branch never taken, condition %s",
                   mask_words(point->column, way == SEEN_FIRST));
}

typedef void (*missing_fn)(const struct coverage *coverage, enum aspect aspect,
                           const struct point *point, uint32_t way, const char *prefix,
                           struct buf *out);

static void each_missing(const struct coverage *coverage, missing_fn add, const char *prefix,
                         struct buf *out)
{
    for (enum aspect aspect = ASPECT_RULE; aspect <= ASPECT_BRANCH; aspect++) {
        uint32_t count;
        struct point *points = collect(coverage, aspect, &count);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t way = points[i].wanted & ~points[i].seen;
            if (way)
                add(coverage, aspect, &points[i], way, prefix, out);
        }
        free(points);
    }
}

static void print_missing(const struct coverage *coverage, enum aspect aspect,
                          const struct point *point, uint32_t way, const char *prefix,
                          struct buf *out)
{
    const struct program *p = coverage->program;
    buf_printf(out, "%s  %.*s:%u: ", prefix, STR_ARG(program_text(p, p->sources[point->source])),
               point->line);
    add_missing(aspect, point, way, out);
    buf_printf(out, ": %.*s\n", STR_ARG(point->text));
}

static void print_count(const char *prefix, const char *what, struct coverage_count count,
                        struct buf *out)
{
    buf_printf(out, "%s  %-10s %5u of %5u  %5.1f%%\n", prefix, what, count.reached, count.total,
               percent(count));
}

void coverage_print(const struct coverage *coverage, const char *prefix, struct buf *out)
{
    Str name = program_name(coverage->program);
    buf_printf(out, "%scoverage of \"%.*s\"\n", prefix, STR_ARG(name));
    print_count(prefix, "rules", coverage->rules, out);
    print_count(prefix, "conditions", coverage->conditions, out);
    print_count(prefix, "branches", coverage->branches, out);
    each_missing(coverage, print_missing, prefix, out);
}

static void json_missing(const struct coverage *coverage, enum aspect aspect,
                         const struct point *point, uint32_t way, const char *prefix,
                         struct buf *out)
{
    (void)prefix;
    const struct program *p = coverage->program;
    bool is_first = out->p[out->n - 1] == '[';
    buf_add(out, is_first ? STR("{\"source\":") : STR(",{\"source\":"));
    json_write_string(out, program_text(p, p->sources[point->source]));
    buf_printf(out, ",\"line\":%u,\"what\":\"", point->line);
    add_missing(aspect, point, way, out);
    buf_add(out, STR("\",\"text\":"));
    json_write_string(out, point->text);
    buf_add_char(out, '}');
}

static void json_count(const char *what, struct coverage_count count, struct buf *out)
{
    buf_printf(out, ",\"%s\":{\"reached\":%u,\"total\":%u}", what, count.reached, count.total);
}

void coverage_json(const struct coverage *coverage, struct buf *out)
{
    buf_add(out, out->n ? STR(",{\"policy\":") : STR("{\"policy\":"));
    json_write_string(out, program_name(coverage->program));
    json_count("rules", coverage->rules, out);
    json_count("conditions", coverage->conditions, out);
    json_count("branches", coverage->branches, out);
    buf_add(out, STR(",\"missing\":["));
    each_missing(coverage, json_missing, "", out);
    buf_add(out, STR("]}"));
}
