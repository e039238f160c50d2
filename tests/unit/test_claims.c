/* SPDX-License-Identifier: Apache-2.0 */
/* test_claims.c - claims of generated policies against brute force: where one is said to hold, no
 * sampled call breaks it; a call that is shown breaks it, as a program of the claim alone says.
 * Then the limits: past each the answer is unknown and names it.
 *
 * "test_claims COUNT SEED" sets the number of policies and the seed.
 */
#include "compiler/command/claims.h"
#include "tests/unit/check.h"
#include "tests/unit/prove_draft.h"
#include "tests/unit/scratch.h"

#include <stdlib.h>

enum { SAMPLES = 800 };

static uint32_t policies = 150;
static uint32_t total[3]; /* by enum claim_answer */

struct trial {
    bool is_exact, is_allow; /* is_allow: the claim is `always allow` */
    struct vm *policy, *claim;
    enum claim_answer answer;
    struct arena mem;
};

/* A call breaks the claim when the policy does not do what it says of it. claim is a program that
 * allows the calls that a claim to allow is about, and denies those of the others. */
static bool breaks(struct trial *t, Str text)
{
    struct call call;
    struct decision by_policy, by_claim;
    Str why;
    arena_reset(&t->mem);
    if (!call_read(text, &t->mem, &call, &why))
        return false;
    vm_decide(t->policy, &call.vm, &by_policy);
    vm_decide(t->claim, &call.vm, &by_claim);
    bool is_allowed = by_policy.verdict == VERDICT_ALLOW;
    bool is_about = (by_claim.verdict == VERDICT_ALLOW) == t->is_allow;
    return is_about && is_allowed != t->is_allow;
}

static void sample(struct trial *t)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    for (uint32_t i = 0; i < SAMPLES && check_ok; i++) {
        make_call(&text, roll(DRAFT_TOOLS));
        CHECK_ROW(!breaks(t, buf_str(&text)), "said to hold: %.*s", STR_ARG(buf_str(&text)));
    }
    buf_free(&text);
}

static void judge(void *user, const struct claim_result *result)
{
    struct trial *t = user;
    t->answer = result->answer;
    total[result->answer]++;
    CHECK_ROW(result->answer != CLAIM_UNKNOWN || !t->is_exact, "unknown, though all is exact");
    if (result->answer == CLAIM_BROKEN)
        CHECK_ROW(breaks(t, result->call), "breaks nothing: %.*s", STR_ARG(result->call));
    else if (result->answer == CLAIM_HOLDS)
        sample(t);
}

static void prove(struct trial *t, Str source)
{
    static struct compilation c;
    struct claim_counts counts = { .held = 0 };
    struct scratch_path file = scratch_path("claims.pol");
    scratch_write(file.text, source);
    compilation_init(&c);
    bool is_good = compilation_check(&c, str_of(file.text)) && claims_prove(&c, judge, t, &counts);
    CHECK_ROW(is_good && counts.held + counts.broken + counts.unknown == 1, "%.*s",
              STR_ARG(source));
    if (!check_ok)
        (void)printf("%.*s", STR_ARG(source));
    compilation_free(&c);
}

static void one_claim(void)
{
    static const char *const words[] = { "never allow", "always deny", "always allow" };
    static struct draft draft;
    char target[TARGET_BYTES], claim[RULE_BYTES], alone[RULE_BYTES * 2];
    struct buf source;
    uint32_t word = roll(3);
    make_draft(&draft);
    make_target(&draft, target);
    struct trial t = { .is_exact = draft.is_exact, .is_allow = word == 2 };
    (void)snprintf(claim, sizeof claim, "%s %s;\n", words[word], target);
    (void)snprintf(alone, sizeof alone, "policy \"alone\";\n%s %s;\n%s",
                   t.is_allow ? "allow" : "deny", target, t.is_allow ? "" : "allow tool \"*\";\n");
    buf_init(&source, 1 << 20);
    draft_write(&draft, "", &source);
    struct program *policy = draft_compile(buf_str(&source), "policy.pol");
    struct program *other = draft_compile(str_of(alone), "alone.pol");
    if (!policy || !other)
        return;
    arena_init(&t.mem, 1 << 24);
    CHECK(vm_open(policy, &t.policy) == ST_OK && vm_open(other, &t.claim) == ST_OK);
    draft_write(&draft, claim, &source);
    prove(&t, buf_str(&source));
    vm_close(t.policy);
    vm_close(t.claim);
    program_release(policy);
    program_release(other);
    arena_reset(&t.mem);
    buf_free(&source);
}

static void generated(void)
{
    for (uint32_t i = 0; i < policies && check_ok; i++)
        one_claim();
    CHECK(total[CLAIM_HOLDS] > policies / 20 && total[CLAIM_BROKEN] > policies / 20);
}

/* --------------------------------- limits -------------------------------- */

struct wanted {
    enum claim_answer answer;
    enum prove_doubt doubt;
};

static void check_wanted(void *user, const struct claim_result *result)
{
    const struct wanted *wanted = user;
    CHECK_ROW(result->answer == wanted->answer, "line %u: answer %d, not %d",
              result->claim->span.lo, (int)result->answer, (int)wanted->answer);
    if (wanted->answer == CLAIM_UNKNOWN && result->doubt_count)
        CHECK_ROW(result->doubts[0].doubt == wanted->doubt, "%s, not %s",
                  doubt_table[result->doubts[0].doubt].word, doubt_table[wanted->doubt].word);
}

static void check_source(Str source, struct wanted wanted)
{
    static struct compilation c;
    struct claim_counts counts = { .held = 0 };
    struct scratch_path file = scratch_path("limit.pol");
    scratch_write(file.text, source);
    compilation_init(&c);
    CHECK(compilation_check(&c, str_of(file.text)) &&
          claims_prove(&c, check_wanted, &wanted, &counts));
    if (!check_ok)
        (void)printf("%.*s\n", STR_ARG(str_sub(source, 0, source.n < 400 ? source.n : 400)));
    compilation_free(&c);
}

static void too_many_fields(void)
{
    struct buf source;
    buf_init(&source, 1 << 20);
    buf_printf(&source, "policy \"wide\";\nallow tool \"t\" when args.a0 == 1");
    for (int i = 1; i < 130; i++)
        buf_printf(&source, " and args.a%d == 1", i);
    buf_printf(&source, ";\nnever allow tool \"t\" when args.a0 == 2;\n");
    check_source(buf_str(&source), (struct wanted){ CLAIM_UNKNOWN, DOUBT_SPACE });
    buf_free(&source);
}

/* Pairs that exclude each other, each through two fields of which not all values are tried. */
static void too_many_steps(void)
{
    struct buf source;
    buf_init(&source, 1 << 20);
    buf_printf(&source,
               "policy \"deep\";\nallow tool \"t\" when (args.x0 == args.y0 or args.z0 == 1)");
    for (int i = 1; i < 24; i++)
        buf_printf(&source, " and (args.x%d == args.y%d or args.z%d == 1)", i, i, i);
    buf_printf(&source, ";\ndeny tool \"t\" when args.x0 == args.y0");
    for (int i = 1; i < 24; i++)
        buf_printf(&source, " and args.x%d == args.y%d or args.z%d == 1", i, i, i);
    buf_printf(&source, ";\nnever allow tool \"t\" when args.z0 == 2 and args.z0 == 3;\n");
    check_source(buf_str(&source), (struct wanted){ CLAIM_HOLDS, DOUBT_NONE });
    buf_free(&source);
}

static void rows(void)
{
    static const struct {
        const char *text;
        struct wanted wanted;
    } table[] = {
        { "allow tool \"t\" when args.a == args.b; never allow tool \"t\" when args.b == args.c;",
          { CLAIM_BROKEN, DOUBT_NONE } },
        { "allow tool \"t\" when path(args.p) within \"/a/b\"; always deny tool \"t\" unless "
          "path(args.p) within \"/a\";",
          { CLAIM_HOLDS, DOUBT_NONE } },
        { "allow tool \"t\" when path(args.p) within { \"/a/b\", \"/a/c\" }; always deny tool "
          "\"t\" unless path(args.p) within { \"/a\", \"/b\" };",
          { CLAIM_HOLDS, DOUBT_NONE } },
        { "allow tool \"t\" when path(args.p) within \"/ab\"; always deny tool \"t\" unless "
          "path(args.p) within \"/a\";",
          { CLAIM_BROKEN, DOUBT_NONE } },
        { "allow tool \"t\" when url(args.u).host within \"x.org\"; never allow tool \"t\" when "
          "url(args.u).host == \"y.org\";",
          { CLAIM_HOLDS, DOUBT_NONE } },
        { "allow tool \"t\" when args.a + args.b <= 10; never allow tool \"t\" when args.a + "
          "args.b > 20;",
          { CLAIM_HOLDS, DOUBT_NONE } },
        { "allow tool \"t\" when sql(args.q).verbs within { \"select\" }; never allow tool \"t\" "
          "when sql(args.q).verbs contains \"drop\";",
          { CLAIM_UNKNOWN, DOUBT_CONDITION } },
        { "allow tool \"t\" set args.n = 1; never allow tool \"t\" when args.n == 1;",
          { CLAIM_BROKEN, DOUBT_NONE } },
        { "allow tool \"t\" when args.n == 2 set args.n = 1; deny tool \"t\" when args.n == 1; "
          "never allow tool \"t\" when args.n == 2;",
          { CLAIM_UNKNOWN, DOUBT_WITNESS } },
        { "allow tool \"t\" when args.n < 5 set args.m = 1; never allow tool \"t\" when args.n > "
          "5;",
          { CLAIM_HOLDS, DOUBT_NONE } },
        { "allow tool \"t\" set args.n = args.m; always allow tool \"t\" when args.k == 1;",
          { CLAIM_UNKNOWN, DOUBT_REWRITE } },
        { "allow tool \"*\" when call.name starts with \"a\"; never allow tool \"b*\" when "
          "call.name ends with \"c\";",
          { CLAIM_UNKNOWN, DOUBT_FIXED } },
        { "never allow tool \"*\" when args.a == 1;", { CLAIM_HOLDS, DOUBT_NONE } },
        { "allow tool \"t\"; always allow tool \"t\" when args.a.b == 1;",
          { CLAIM_HOLDS, DOUBT_NONE } },
        { "allow resource \"file:///a/**\"; never allow resource \"file:///a/b/**\";",
          { CLAIM_BROKEN, DOUBT_NONE } },
        { "allow logging when args.level == \"info\"; never allow logging when args.level == "
          "\"debug\";",
          { CLAIM_HOLDS, DOUBT_NONE } },
    };
    for (size_t i = 0; i < COUNT(table) && check_ok; i++) {
        char source[1024];
        int n = snprintf(source, sizeof source, "policy \"row\";\n%s\n", table[i].text);
        check_source((Str){ .p = source, .n = (size_t)n }, table[i].wanted);
    }
}

int main(int argc, char **argv)
{
    draft_state = 20261124;
    if (argc > 1)
        policies = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        draft_state = strtoull(argv[2], NULL, 10);
    RUN(generated);
    RUN(rows);
    RUN(too_many_fields);
    RUN(too_many_steps);
    if (argc > 1)
        (void)printf("%u hold, %u broken, %u unknown\n", total[CLAIM_HOLDS], total[CLAIM_BROKEN],
                     total[CLAIM_UNKNOWN]);
    return check_finish();
}
