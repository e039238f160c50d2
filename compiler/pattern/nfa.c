/* SPDX-License-Identifier: Apache-2.0 */
/* nfa.c - builds the nondeterministic automaton backwards, each piece knowing what comes next.
 *
 * Counted repeats are expanded here; the parsers have bounded how far. A class becomes a graph of
 * byte ranges by adding its sequences in order and freezing what the next one can no longer
 * change, with equal tails shared.
 */
#include "compiler/pattern/nfa.h"

enum { NONE = INT32_MAX, SHARED_SLOTS = 64, BYTES = 256 };

/* The nodes along the last sequence that was added, still open to more arcs. */
struct class_graph {
    struct nfa *nfa;
    uint32_t first_node;
    struct utf8_sequence last;
    struct nfa_arc arcs[UTF8_BYTES_MAX][BYTES];
    uint32_t arc_count[UTF8_BYTES_MAX];
    uint16_t shared[SHARED_SLOTS]; /* 1 + a frozen node by the hash of its arcs; may forget */
};

void nfa_init(struct nfa *nfa, struct arena *mem)
{
    *nfa = (struct nfa){ .mem = mem };
}

static bool same_arcs(const struct nfa_arc *a, const struct nfa_arc *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (a[i].lo != b[i].lo || a[i].hi != b[i].hi || a[i].to != b[i].to)
            return false;
    }
    return true;
}

static uint32_t hash_arcs(const struct nfa_arc *arcs, uint32_t count)
{
    uint32_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = (hash ^ arcs[i].lo ^ (uint32_t)arcs[i].hi << 8 ^ (uint32_t)arcs[i].to << 16) *
               0x9E3779B1U;
    return hash >> 16;
}

static bool push_arc(struct nfa *nfa, struct nfa_arc arc)
{
    struct nfa_arc *arcs =
        array_grow(nfa->mem, nfa->arcs, &nfa->arc_room, nfa->arc_count, sizeof *arcs);
    if (!arcs)
        return false;
    nfa->arcs = arcs;
    nfa->arcs[nfa->arc_count++] = arc;
    return true;
}

/* A new node with the arcs of one level; its number within the class, NONE on failure. */
static uint32_t push_node(struct class_graph *graph, const struct nfa_arc *arcs, uint32_t count)
{
    struct nfa *nfa = graph->nfa;
    if (nfa->node_count >= NFA_NODES_MAX || nfa->node_count - graph->first_node >= NFA_ARC_END)
        return NONE;
    struct nfa_node *nodes =
        array_grow(nfa->mem, nfa->nodes, &nfa->node_room, nfa->node_count, sizeof *nodes);
    if (!nodes)
        return NONE;
    nfa->nodes = nodes;
    nodes[nfa->node_count] = (struct nfa_node){ .first_arc = nfa->arc_count, .arc_count = count };
    for (uint32_t i = 0; i < count; i++) {
        if (!push_arc(nfa, arcs[i]))
            return NONE;
    }
    return nfa->node_count++ - graph->first_node;
}

/* Ends a level: a node with its arcs, one made earlier if it can be remembered. */
static uint32_t freeze(struct class_graph *graph, uint32_t level)
{
    struct nfa *nfa = graph->nfa;
    const struct nfa_arc *arcs = graph->arcs[level];
    uint32_t count = graph->arc_count[level];
    graph->arc_count[level] = 0;
    uint16_t *slot = &graph->shared[hash_arcs(arcs, count) % SHARED_SLOTS];
    if (*slot) {
        uint32_t local = *slot - 1U;
        const struct nfa_node *node = &nfa->nodes[graph->first_node + local];
        if (node->arc_count == count && same_arcs(nfa->arcs + node->first_arc, arcs, count))
            return local;
    }
    uint32_t local = push_node(graph, arcs, count);
    if (local != NONE)
        *slot = (uint16_t)(local + 1);
    return local;
}

static void level_arc(struct class_graph *graph, uint32_t level, uint16_t to)
{
    struct nfa_arc arc = { .lo = graph->last.lo[level], .hi = graph->last.hi[level], .to = to };
    uint32_t count = graph->arc_count[level];
    struct nfa_arc *before = count ? &graph->arcs[level][count - 1] : NULL;
    if (before && before->to == to && before->hi + 1 == arc.lo) {
        before->hi = arc.hi;
        return;
    }
    ENSURE(count < BYTES);
    graph->arcs[level][count] = arc;
    graph->arc_count[level]++;
}

/* Freezes the last sequence from its end down to depth, which gets its arc and stays open. */
static bool flush(struct class_graph *graph, uint32_t depth)
{
    uint32_t to = NFA_ARC_END;
    for (uint32_t level = graph->last.count; level-- > depth;) {
        level_arc(graph, level, (uint16_t)to);
        if (level == depth)
            break;
        to = freeze(graph, level);
        if (to == NONE)
            return false;
    }
    return true;
}

static bool graph_add(struct class_graph *graph, const struct utf8_sequence *sequence)
{
    const struct utf8_sequence *last = &graph->last;
    uint32_t same = 0;
    while (same < last->count && same < sequence->count && last->lo[same] == sequence->lo[same] &&
           last->hi[same] == sequence->hi[same])
        same++;
    if (!flush(graph, same))
        return false;
    graph->last = *sequence;
    return true;
}

static bool graph_build(struct class_graph *graph, const struct code_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        struct utf8_ranges ranges;
        struct utf8_sequence sequence;
        utf8_ranges_init(&ranges, set->ranges[i].lo, set->ranges[i].hi);
        while (utf8_ranges_next(&ranges, &sequence)) {
            if (!graph_add(graph, &sequence))
                return false;
        }
    }
    return flush(graph, 0) && push_node(graph, graph->arcs[0], graph->arc_count[0]) != NONE;
}

static uint32_t class_bucket(const struct code_set *set)
{
    uint32_t hash = set->count;
    for (uint32_t i = 0; i < set->count; i++)
        hash = ((hash ^ set->ranges[i].lo) * 0x9E3779B1U ^ set->ranges[i].hi) * 0x85EBCA6BU;
    return (hash >> 16) % NFA_CLASS_BUCKETS;
}

static bool same_set(const struct code_set *a, const struct code_set *b)
{
    return a->count == b->count &&
           memcmp(a->ranges, b->ranges, a->count * sizeof a->ranges[0]) == 0;
}

static uint32_t class_new(struct nfa *nfa, const struct code_set *set, uint32_t *bucket)
{
    struct class_graph graph = { .nfa = nfa, .first_node = nfa->node_count };
    struct nfa_class *classes =
        array_grow(nfa->mem, nfa->classes, &nfa->class_room, nfa->class_count, sizeof *classes);
    if (!classes)
        return 0;
    nfa->classes = classes;
    if (!graph_build(&graph, set))
        return 0;
    struct nfa_class *class = &classes[nfa->class_count++];
    class->set = set;
    class->first_node = graph.first_node;
    class->node_count = nfa->node_count - graph.first_node;
    class->next_in_bucket = *bucket;
    *bucket = nfa->class_count;
    return *bucket;
}

/* 1 + the class of a set, 0 when a limit is met. */
static uint32_t class_of(struct nfa *nfa, const struct code_set *set)
{
    uint32_t *bucket = &nfa->buckets[class_bucket(set)];
    for (uint32_t at = *bucket; at; at = nfa->classes[at - 1].next_in_bucket) {
        if (same_set(nfa->classes[at - 1].set, set))
            return at;
    }
    return class_new(nfa, set, bucket);
}

static uint32_t push_state(struct nfa *nfa, struct nfa_state state)
{
    if (nfa->state_count >= NFA_STATES_MAX)
        return NONE;
    struct nfa_state *states =
        array_grow(nfa->mem, nfa->states, &nfa->state_room, nfa->state_count, sizeof *states);
    if (!states)
        return NONE;
    state.pattern = nfa->pattern_count;
    state.repeat = nfa->repeat;
    nfa->states = states;
    nfa->states[nfa->state_count] = state;
    return nfa->state_count++;
}

static uint32_t push_fork(struct nfa *nfa, uint32_t out, uint32_t other)
{
    return push_state(nfa, (struct nfa_state){ .kind = NFA_FORK, .out = out, .base = other });
}

static uint32_t build_set(struct nfa *nfa, struct pattern_node *node, uint32_t next)
{
    if (node->class_id == 0)
        node->class_id = class_of(nfa, &node->set);
    if (node->class_id == 0)
        return NONE;
    const struct nfa_class *class = &nfa->classes[node->class_id - 1];
    uint32_t base = nfa->state_count, entry = NONE;
    for (uint32_t i = 0; i < class->node_count; i++) {
        entry = push_state(
            nfa, (struct nfa_state){
                     .kind = NFA_STEP, .node = class->first_node + i, .base = base, .out = next });
        if (entry == NONE)
            return NONE;
    }
    return entry;
}

/* Every code point past ASCII is in it. */
static bool is_wide(const struct pattern_node *node)
{
    enum { ASCII_END = 0x80 };
    if (node->kind != PATTERN_SET)
        return false;
    const struct code_range *last = &node->set.ranges[node->set.count - 1];
    return last->lo <= ASCII_END && last->hi == CODE_POINT_MAX;
}

/* A state that any byte of a wide class leads out of: of its ASCII part, or past ASCII. */
static uint32_t build_bytes(struct nfa *nfa, const struct pattern_node *node, uint32_t next)
{
    struct class_graph *graph = ARENA_NEW(nfa->mem, struct class_graph, 1);
    struct nfa_arc arcs[BYTES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->set.count; i++) {
        const struct code_range *range = &node->set.ranges[i];
        bool is_last = i + 1 == node->set.count;
        arcs[count++] = (struct nfa_arc){ .lo = (uint8_t)range->lo,
                                          .hi = is_last ? UINT8_MAX : (uint8_t)range->hi,
                                          .to = NFA_ARC_END };
    }
    if (!graph)
        return NONE;
    *graph = (struct class_graph){ .nfa = nfa, .first_node = nfa->node_count };
    uint32_t at = nfa->node_count;
    if (push_node(graph, arcs, count) == NONE)
        return NONE;
    return push_state(
        nfa,
        (struct nfa_state){ .kind = NFA_STEP, .node = at, .base = nfa->state_count, .out = next });
}

static uint32_t build(struct nfa *nfa, struct pattern_node *node, uint32_t next);

static uint32_t build_concat(struct nfa *nfa, struct pattern_node *node, uint32_t next)
{
    for (struct pattern_node *child = node->last; child; child = child->prev) {
        next = build(nfa, child, next);
        if (next == NONE)
            return NONE;
    }
    return next;
}

static uint32_t build_alternatives(struct nfa *nfa, struct pattern_node *node, uint32_t next)
{
    uint32_t entry = node->has_empty ? next : NONE;
    for (struct pattern_node *child = node->last; child; child = child->prev) {
        uint32_t branch = build(nfa, child, next);
        if (branch == NONE)
            return NONE;
        entry = entry == NONE ? branch : push_fork(nfa, branch, entry);
        if (entry == NONE)
            return NONE;
    }
    return entry;
}

/* The child any number of times, or at least once, then next. */
static uint32_t build_loop(struct nfa *nfa, struct pattern_node *child, bool once, uint32_t next)
{
    uint32_t fork = push_fork(nfa, next, next);
    if (fork == NONE)
        return NONE;
    bool is_bytes = nfa->is_loose && !once && is_wide(child);
    uint32_t body = is_bytes ? build_bytes(nfa, child, fork) : build(nfa, child, fork);
    if (body == NONE)
        return NONE;
    nfa->states[fork].out = body;
    return once ? body : fork;
}

/* min copies, the last of them looping, or followed by max - min copies that may be left out. */
static uint32_t build_copies(struct nfa *nfa, struct pattern_node *node, uint32_t next)
{
    uint32_t end = next, copies = node->min;
    if (node->max == PATTERN_UNBOUNDED) {
        bool is_apart = nfa->is_loose && is_wide(node->last); /* whole code points, then bytes */
        next = build_loop(nfa, node->last, copies > 0 && !is_apart, next);
        copies -= copies > 0 && !is_apart;
    } else {
        for (uint32_t i = node->min; next != NONE && i < node->max; i++) {
            uint32_t body = build(nfa, node->last, next);
            next = body == NONE ? NONE : push_fork(nfa, body, end);
        }
    }
    for (uint32_t i = 0; next != NONE && i < copies; i++)
        next = build(nfa, node->last, next);
    return next;
}

static uint32_t build_repeat(struct nfa *nfa, struct pattern_node *node, uint32_t next)
{
    bool is_counted = node->min > 1 || (node->max > 1 && node->max != PATTERN_UNBOUNDED);
    struct pattern_node *outer = nfa->repeat;
    if (is_counted)
        nfa->repeat = node;
    uint32_t entry = build_copies(nfa, node, next);
    nfa->repeat = outer;
    return entry;
}

static uint32_t build(struct nfa *nfa, struct pattern_node *node, uint32_t next)
{
    switch (node->kind) {
    case PATTERN_EMPTY: return next;
    case PATTERN_SET: return build_set(nfa, node, next);
    case PATTERN_CONCAT: return build_concat(nfa, node, next);
    case PATTERN_ALT: return build_alternatives(nfa, node, next);
    case PATTERN_REPEAT: return build_repeat(nfa, node, next);
    }
    return NONE;
}

bool nfa_add(struct nfa *nfa, struct pattern_node *tree)
{
    uint32_t end = push_state(nfa, (struct nfa_state){ .kind = NFA_END });
    uint32_t entry = end == NONE ? NONE : build(nfa, tree, end);
    if (entry != NONE && nfa->pattern_count > 0)
        entry = push_fork(nfa, entry, nfa->start);
    if (entry == NONE)
        return false;
    nfa->start = entry;
    nfa->pattern_count++;
    return true;
}
