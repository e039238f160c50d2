/* SPDX-License-Identifier: Apache-2.0 */
/* test_machine.c - OAuth's state machine: every pair of state and event against a matrix that was
 * written by hand, and what must hold of the table whatever its edges are. */
#include "runtime/oauth/machine.h"
#include "tests/unit/check.h"

enum { STATES = OAUTH_STATE_COUNT, EVENTS = OAUTH_EVENT_COUNT };

/* A row for each state, a letter for each event, both in the order of machine.def; the letter is
 * the state that follows (the key is the row's first character), '.' is a refusal. */
static const struct {
    char key;
    const char *next;
} matrix[STATES] = {
    //       B b A n F C M G R U c S N s D m K T X v
    /* START        */ { 's', "Ri................F." },
    /* RESOURCE     */ { 'R', "..Rii...FF.......FF." },
    /* ISSUER       */ { 'i', "..iFguX.FF.......FF." },
    /* REGISTER     */ { 'g', ".......uFF.......FF." },
    /* USER         */ { 'u', "........F.X......FF." },
    /* EXCHANGE     */ { 'X', ".......SFF.......FF." },
    /* STORE        */ { 'S', "...........DF......." },
    /* DONE         */ { 'D', "...................." },
    /* FAILED       */ { 'F', "...................." },
    /* ACTIVE       */ { 'a', ".............arla..v" },
    /* REFRESH      */ { 'r', ".......klb...a..a..v" },
    /* KEEPING      */ { 'k', "...........awa..a..v" },
    /* UNSAVED      */ { 'w', ".............ak.a..v" },
    /* BACKOFF      */ { 'b', ".............ar.a..v" },
    /* LOGIN_NEEDED */ { 'l', ".............a..a..v" },
    /* REVOKED      */ { 'v', "................a..." },
};

static bool step(enum oauth_state from, size_t event, enum oauth_state *to,
                 enum oauth_action *action)
{
    *to = from;
    return oauth_step(to, (enum oauth_event)event, action);
}

static void test_every_pair(void)
{
    for (size_t s = 0; s < STATES; s++) {
        CHECK_ROW(strlen(matrix[s].next) == EVENTS, "row %zu", s);
        for (size_t e = 0; e < EVENTS; e++) {
            enum oauth_state to = OAUTH_STATE_COUNT;
            enum oauth_action action = OAUTH_ACTION_COUNT;
            bool is_edge = step((enum oauth_state)s, e, &to, &action);
            char want = matrix[s].next[e];
            CHECK_ROW(is_edge == (want != '.'), "state %zu event %zu", s, e);
            CHECK_ROW(!is_edge || matrix[to].key == want, "state %zu event %zu", s, e);
            /* A refusal changes nothing. */
            CHECK_ROW(is_edge || (to == s && action == OAUTH_ACTION_COUNT), "%zu %zu", s, e);
        }
    }
}

static bool is_end(size_t state)
{
    return state == OAUTH_STATE_DONE || state == OAUTH_STATE_FAILED;
}

/* Marks all that can be reached from where a mark is. */
static void spread(bool marks[STATES])
{
    for (size_t round = 0; round < STATES; round++) {
        for (size_t s = 0; s < STATES; s++) {
            for (size_t e = 0; marks[s] && e < EVENTS; e++) {
                enum oauth_state to;
                enum oauth_action action;
                if (step((enum oauth_state)s, e, &to, &action))
                    marks[to] = true;
            }
        }
    }
}

/* The machines don't mix; every state can be reached; no state is a trap. */
static void test_reach(void)
{
    bool login[STATES] = { [OAUTH_STATE_START] = true };
    bool keep[STATES] = { [OAUTH_STATE_ACTIVE] = true };
    spread(login);
    spread(keep);
    for (size_t s = 0; s < STATES; s++) {
        bool is_login = oauth_state_is_login((enum oauth_state)s);
        bool ahead[STATES] = { false };
        ahead[s] = true;
        spread(ahead);
        CHECK_ROW(login[s] == is_login && keep[s] == !is_login, "state %zu", s);
        CHECK_ROW(is_login ? ahead[OAUTH_STATE_FAILED] || is_end(s) : ahead[OAUTH_STATE_ACTIVE],
                  "state %zu", s);
    }
}

/* Tokens are handed out from ACTIVE, and it is entered behind a SAVED, or by taking them from the
 * store. An UNSURE answer leads nowhere where only a user helps, and ends no connection. */
static void test_promises(void)
{
    for (size_t s = 0; s < STATES; s++) {
        for (size_t e = 0; e < EVENTS; e++) {
            enum oauth_state to;
            enum oauth_action action;
            if (!step((enum oauth_state)s, e, &to, &action))
                continue;
            bool is_keep = !oauth_state_is_login((enum oauth_state)s);
            if (to == OAUTH_STATE_ACTIVE)
                CHECK_ROW(action == OAUTH_DO_RELOAD ||
                              (action == OAUTH_DO_HAND_OUT && e == OAUTH_EVENT_SAVED),
                          "state %zu event %zu", s, e);
            CHECK_ROW(action != OAUTH_DO_HAND_OUT || to == OAUTH_STATE_ACTIVE, "%zu %zu", s, e);
            if (is_keep && (e == OAUTH_EVENT_UNSURE || e == OAUTH_EVENT_NOT_SAVED))
                CHECK_ROW(action == OAUTH_DO_WAIT, "state %zu event %zu", s, e);
            CHECK_ROW(to != OAUTH_STATE_REVOKED || action == OAUTH_DO_END, "%zu %zu", s, e);
            CHECK_ROW(to != OAUTH_STATE_LOGIN_NEEDED || action == OAUTH_DO_TELL, "%zu %zu", s, e);
        }
    }
}

/* Random walks, a million steps: a login that is under way can always be cancelled or is being
 * stored, and an action is one that its machine knows. */
static void test_walks(void)
{
    uint64_t seed = 0x9E3779B97F4A7C15u;
    enum oauth_state state = OAUTH_STATE_START;
    for (int i = 0; i < 1000000; i++) {
        enum oauth_action action = OAUTH_ACTION_COUNT;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (oauth_step(&state, (enum oauth_event)((seed >> 33) % EVENTS), &action))
            ENSURE(action < OAUTH_ACTION_COUNT);
        if (is_end((size_t)state))
            state = state == OAUTH_STATE_DONE ? OAUTH_STATE_ACTIVE : OAUTH_STATE_START;
    }
    CHECK(state < OAUTH_STATE_COUNT);
}

static void test_words(void)
{
    for (size_t s = 0; s < STATES; s++) {
        enum oauth_state got = OAUTH_STATE_COUNT;
        CHECK(oauth_state_read(oauth_state_word((enum oauth_state)s), &got) && got == s);
    }
    enum oauth_state got;
    CHECK(!oauth_state_read(STR("ACTIVE"), &got) && !oauth_state_read(STR(""), &got));
}

int main(void)
{
    RUN(test_every_pair);
    RUN(test_reach);
    RUN(test_promises);
    RUN(test_walks);
    RUN(test_words);
    return check_finish();
}
