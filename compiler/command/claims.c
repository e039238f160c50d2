/* SPDX-License-Identifier: Apache-2.0 */
/* claims.c - one comparison a claim. The policy is compiled once more with the claim as a rule, so
 * that names, classes, roles and patterns of a claim mean what they mean in rules; nothing of that
 * reaches a bundle that is written. */
#include "compiler/command/claims.h"

#include "compiler/command/verdict.h"

#define CLAIM_BYTES_MAX ((size_t)1 << 30) /* memory that one claim's compilation may take */

struct proof {
    struct compilation *c;
    struct program *policy, *with; /* with: the claim beside its rules, or alone */
    struct judge judges[2];        /* old and new, as they are compared */
    struct arena mem;              /* of one claim's result */
    struct claim_result *result;
};

/* ------------------------------- programs -------------------------------- */

/* The policy with the claim as a rule; an `always allow` by itself. */
static struct program *claim_program(struct compilation *c, const struct rule *claim)
{
    struct arena mem;
    struct buf bytes;
    struct bundle_error error;
    struct program *program = NULL;
    struct policy policy = *c->policy;
    struct rule rule = *claim;
    rule.next = claim->claim == CLAIM_ALWAYS_ALLOW ? NULL : policy.rules;
    policy.rules = &rule;
    arena_init(&mem, CLAIM_BYTES_MAX);
    buf_init(&bytes, BUNDLE_BYTES_MAX);
    bool is_good = policy_emit(&policy, &c->sources, &mem, &c->diags, &bytes);
    if (is_good && program_load(buf_str(&bytes), &program, &error) != ST_OK) {
        diag_add(&c->diags, DIAG_POLICY_TOO_LARGE, claim->span, error.text);
        program = NULL;
    }
    buf_free(&bytes);
    arena_reset(&mem);
    return program;
}

static bool judge_use(struct judge *judge, struct program *program)
{
    *judge = (struct judge){ .program = program };
    arena_init(&judge->mem, JUDGE_BYTES_MAX);
    return vm_open(program, &judge->vm) == ST_OK;
}

static void judge_leave(struct judge *judge)
{
    vm_close(judge->vm);
    arena_reset(&judge->mem);
}

/* -------------------------------- findings ------------------------------- */

static Str place_of(struct proof *proof, const struct program *p, uint32_t source, uint32_t line)
{
    return arena_printf(&proof->mem, "%.*s:%u", STR_ARG(program_text(p, p->sources[source])), line);
}

static Str kept(struct proof *proof, Str text)
{
    return arena_copy(&proof->mem, text);
}

static void add_doubt(struct proof *proof, const struct prove_finding *finding,
                      enum prove_doubt doubt)
{
    struct claim_result *r = proof->result;
    if (r->doubt_count++ >= CLAIM_DOUBTS_SHOWN)
        return;
    struct claim_doubt *to = &r->doubts[r->doubt_count - 1];
    *to = (struct claim_doubt){ .server = kept(proof, finding->server),
                                .name = kept(proof, finding->name),
                                .kind = finding->kind,
                                .doubt = doubt };
    if (doubt != DOUBT_CONDITION)
        return;
    const struct program *p = proof->judges[finding->side].program;
    const struct b_atom *atom = &p->atoms[finding->atom];
    to->condition = kept(proof, program_text(p, atom->text));
    to->place = place_of(proof, p, atom->source, atom->line);
}

/* The printed call, judged by one side. */
static bool judge_text(struct judge *judge, Str call, struct decision *decision)
{
    Str why;
    if (!judge_take_call(judge, call, &why))
        return false;
    vm_decide(judge->vm, &judge->call.vm, decision);
    return true;
}

/* Keeps the shortest call; the policy is `side`. */
static void add_broken(struct proof *proof, const struct prove_finding *finding, uint32_t side,
                       const struct decision *decision)
{
    struct claim_result *r = proof->result;
    const struct program *p = proof->judges[side].program;
    if (r->broken_names++ && r->call.n <= finding->call.n)
        return;
    r->server = kept(proof, finding->server);
    r->name = kept(proof, finding->name);
    r->kind = finding->kind;
    r->call = kept(proof, finding->call);
    r->verdict = decision->verdict == VERDICT_ALLOW ? STR("allow") : STR("deny");
    r->rule = r->place = STR("");
    r->cause = kept(proof, str_of(vm_cause_word(decision->cause)));
    if (decision->rule == B_NONE || decision->cause == CAUSE_DEFAULT)
        return;
    const struct b_rule *rule = &p->rules[decision->rule];
    r->rule = kept(proof, program_text(p, rule->text));
    r->place = place_of(proof, p, rule->source, rule->line);
}

static void take(void *user, const struct prove_finding *finding)
{
    struct proof *proof = user;
    struct decision old, now;
    if (finding->answer == PROVE_UNKNOWN) {
        add_doubt(proof, finding, finding->doubt);
        return;
    }
    bool is_shown = judge_text(&proof->judges[0], finding->call, &old) &&
                    judge_text(&proof->judges[1], finding->call, &now) &&
                    old.verdict != VERDICT_ALLOW && now.verdict == VERDICT_ALLOW;
    bool is_last = proof->judges[1].program == proof->policy;
    if (is_shown)
        add_broken(proof, finding, is_last ? 1 : 0, is_last ? &now : &old);
    else
        add_doubt(proof, finding, DOUBT_WITNESS);
}

/* --------------------------------- claims -------------------------------- */

/* Compares; false: no memory. What breaks a claim is allowed by the second program alone. */
static bool compare(struct proof *proof)
{
    bool is_allow = proof->result->claim->claim == CLAIM_ALWAYS_ALLOW;
    struct program *old = is_allow ? proof->policy : proof->with;
    struct program *now = is_allow ? proof->with : proof->policy;
    struct prove_visitor visitor = { .visit = take, .user = proof, .only_allowed = true };
    bool is_good = judge_use(&proof->judges[0], old);
    is_good =
        judge_use(&proof->judges[1], now) && is_good && prove_compare(old, now, &visitor) == ST_OK;
    judge_leave(&proof->judges[0]);
    judge_leave(&proof->judges[1]);
    return is_good;
}

static bool prove_claim(struct proof *proof, const struct rule *claim, struct claim_result *result)
{
    *result = (struct claim_result){ .claim = claim, .profile = proof->c->profile };
    proof->result = result;
    proof->with = claim_program(proof->c, claim);
    if (!proof->with)
        return false;
    bool is_good = compare(proof);
    program_release(proof->with);
    if (!is_good)
        diag_add(&proof->c->diags, DIAG_NO_MEMORY, claim->span);
    result->answer = result->broken_names  ? CLAIM_BROKEN
                     : result->doubt_count ? CLAIM_UNKNOWN
                                           : CLAIM_HOLDS;
    return is_good;
}

static bool is_chosen(const struct rule *claim)
{
    return !claim->profile || claim->profile->is_chosen;
}

bool claims_prove(struct compilation *c, claim_visit_fn visit, void *user,
                  struct claim_counts *counts)
{
    struct proof proof = { .c = c };
    struct claim_result result;
    if (!c->policy->claims)
        return true;
    if (!compilation_load(c, &proof.policy))
        return false;
    bool is_good = true;
    for (const struct rule *claim = c->policy->claims; claim && is_good; claim = claim->next) {
        if (!is_chosen(claim))
            continue;
        arena_init(&proof.mem, CLAIM_BYTES_MAX);
        is_good = prove_claim(&proof, claim, &result);
        if (is_good)
            visit(user, &result);
        counts->held += is_good && result.answer == CLAIM_HOLDS;
        counts->broken += is_good && result.answer == CLAIM_BROKEN;
        counts->unknown += is_good && result.answer == CLAIM_UNKNOWN;
        arena_reset(&proof.mem);
    }
    program_release(proof.policy);
    return is_good;
}

enum exit_code claims_code(const struct claim_counts *counts, bool allow_unknown)
{
    if (counts->broken)
        return EXIT_FINDINGS;
    return counts->unknown && !allow_unknown ? EXIT_UNKNOWN : EXIT_OK;
}
