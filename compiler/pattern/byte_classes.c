/* SPDX-License-Identifier: Apache-2.0 */
/* byte_classes.c - first cuts the bytes where any arc begins or ends, then joins the runs whose
 * columns are equal, so that subset construction looks at few symbols, not at 256. */
#include "compiler/pattern/byte_classes.h"

enum { BYTES = 256 };

/* Numbers the runs of bytes between the ends of arcs; how many there are. */
static uint32_t cut_runs(const struct nfa *nfa, uint8_t *run_of)
{
    bool begins[BYTES + 1] = { [0] = true };
    for (uint32_t i = 0; i < nfa->arc_count; i++) {
        begins[nfa->arcs[i].lo] = true;
        begins[nfa->arcs[i].hi + 1] = true;
    }
    uint32_t count = 0;
    for (uint32_t byte = 0; byte < BYTES; byte++) {
        count += begins[byte];
        run_of[byte] = (uint8_t)(count - 1);
    }
    return count;
}

/* steps[node * runs + run]. Hashes the columns on the way. */
static void fill_steps(const struct nfa *nfa, const uint8_t *run_of, uint32_t runs, uint32_t *steps,
                       uint64_t *hashes)
{
    for (uint32_t node = 0; node < nfa->node_count; node++) {
        const struct nfa_node *from = &nfa->nodes[node];
        for (uint32_t i = 0; i < from->arc_count; i++) {
            const struct nfa_arc *arc = &nfa->arcs[from->first_arc + i];
            for (uint32_t run = run_of[arc->lo]; run <= run_of[arc->hi]; run++) {
                steps[(size_t)node * runs + run] = arc->to + 1U;
                hashes[run] =
                    (hashes[run] ^ ((uint64_t)node << 17 | (arc->to + 1U))) * 0x9E3779B97F4A7C15U;
            }
        }
    }
}

static bool same_column(const uint32_t *steps, uint32_t nodes, uint32_t runs, uint32_t a,
                        uint32_t b)
{
    for (uint32_t node = 0; node < nodes; node++) {
        if (steps[(size_t)node * runs + a] != steps[(size_t)node * runs + b])
            return false;
    }
    return true;
}

bool byte_classes_build(const struct nfa *nfa, struct arena *mem, struct byte_classes *out)
{
    uint8_t run_of[BYTES], class_of_run[BYTES];
    uint64_t hashes[BYTES] = { 0 };
    uint32_t runs = cut_runs(nfa, run_of);
    uint32_t *steps = ARENA_NEW(mem, uint32_t, (size_t)nfa->node_count * runs);
    if (!steps)
        return false;
    fill_steps(nfa, run_of, runs, steps, hashes);
    *out = (struct byte_classes){ .steps = steps, .stride = runs };
    for (uint32_t run = 0; run < runs; run++) {
        uint32_t class = 0;
        while (class < out->count &&
               !(hashes[out->column[class]] == hashes[run] &&
                 same_column(steps, nfa->node_count, runs, out->column[class], run)))
            class ++;
        if (class == out->count)
            out->column[out->count++] = (uint8_t)run;
        class_of_run[run] = (uint8_t) class;
    }
    for (uint32_t byte = 0; byte < BYTES; byte++)
        out->class_of[byte] = class_of_run[run_of[byte]];
    return true;
}
