/* SPDX-License-Identifier: Apache-2.0 */
/* command_test.c - test: the calls that a policy's tests make, judged by the bundle that would be
 * shipped, in the same VM that the gateway runs; and what they leave untested. */
#include "compiler/command/call.h"
#include "compiler/command/command.h"
#include "compiler/command/same_json.h"
#include "compiler/command/test_report.h"
#include "compiler/command/verdict.h"
#include "compiler/command/watch.h"
#include "runtime/base/utc.h"
#include "runtime/base/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* One run of all tests of one policy. */
struct test_run {
    struct compilation *c;
    struct program *program;
    struct vm *vm;
    struct test_report *report;
};

/* When the call is made: as the test says, or now. */
static int64_t test_time(const struct test_call *expected)
{
    int64_t micros;
    if (expected->at.n && utc_parse(expected->at, &micros))
        return micros / 1000000;
    return world_wall_ms() / 1000;
}

/* Is the call forwarded with just what `expect allow set` says put into its arguments? */
static bool is_set(struct test_run *run, const struct test_call *expected, const struct call *call,
                   const struct decision *decision)
{
    struct json_doc set, none;
    struct arena *mem = &run->c->mem;
    if (!expected->set_span.hi || decision->verdict != VERDICT_ALLOW)
        return true;
    if (json_parse(expected->set, &json_limits_default, mem, &set, NULL) != JSON_ERR_NONE ||
        json_parse(STR("{}"), &json_limits_default, mem, &none, NULL) != JSON_ERR_NONE)
        return false;
    const struct json_doc *sent = call->vm.doc ? call->vm.doc : &none;
    return same_with(decision->rewritten ? decision->rewritten : sent, sent, 0, &set);
}

/* What is wrong with the decision, {NULL, 0} when nothing is. */
static Str complaint(struct test_run *run, const struct test_call *expected, struct call *call)
{
    struct decision decision;
    struct buf got;
    call->vm.now = test_time(expected);
    vm_decide(run->vm, &call->vm, &decision);
    bool is_allowed = decision.verdict == VERDICT_ALLOW;
    bool is_right = is_allowed == (expected->expectation == EXPECT_ALLOW) &&
                    str_contains(decision.reason, expected->reason) &&
                    is_set(run, expected, call, &decision);
    if (is_right)
        return (Str){ .p = NULL, .n = 0 };
    buf_init(&got, 65536);
    buf_printf(&got, "expected %s%s%.*s%s, got ", is_allowed ? "deny" : "allow",
               expected->reason.n ? " \"" : "", STR_ARG(expected->reason),
               expected->reason.n ? "\"" : "");
    if (is_allowed == (expected->expectation == EXPECT_ALLOW)) {
        buf_clear(&got);
        if (expected->set_span.hi)
            buf_printf(&got, "expected that it sets %.*s, got ", STR_ARG(expected->set));
        else
            buf_printf(&got, "expected a reason with \"%.*s\", got ", STR_ARG(expected->reason));
    }
    verdict_print(run->program, &call->vm, &decision, &got);
    Str text = arena_copy(&run->c->mem, buf_str(&got));
    buf_free(&got);
    return text.p ? text : STR("out of memory");
}

static Str run_call(struct test_run *run, const struct test_call *expected)
{
    struct call call = { .vm = { .kind = expected->kind,
                                 .name = expected->name,
                                 .method = expected->method_span.hi
                                               ? expected->method
                                               : kind_first_method(expected->kind),
                                 .server = expected->server } };
    Str why = STR("out of memory");
    call.vm.principal = &call.principal;
    if (call.vm.server.n == 0)
        call.vm.server = program_only_server(run->program);
    if (!principal_read(expected->principal, &run->c->mem, &call.principal, &why) ||
        !arguments_read(expected->arguments, &run->c->mem, &call, &why))
        return why;
    return complaint(run, expected, &call);
}

static int64_t now_micros(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void run_test(struct test_run *run, const struct test *test)
{
    int64_t began = now_micros();
    struct test_result result = { .name = test->name };
    const struct test_call *call = test->calls;
    for (; call; call = call->next) {
        result.why = run_call(run, call);
        if (result.why.p)
            break;
    }
    uint32_t column;
    Span span = call ? call->expect_span : test->span;
    const struct source *source = &run->c->sources.items[span.source];
    source_position(source, span.lo, &result.line, &column);
    result.file = source->path;
    result.micros = now_micros() - began;
    test_report_add(run->report, &result);
}

static bool wants_coverage(const struct options *options)
{
    return options->coverage || options->coverage_min.n > 0;
}

/* Runs the tests of a policy that compiles. */
static enum exit_code run_tests(struct test_run *run, double floor)
{
    const struct options *options = run->report->options;
    struct coverage coverage = { .program = NULL };
    enum exit_code code = EXIT_OK;
    if (vm_open(run->program, &run->vm) != ST_OK || coverage_open(&coverage, run->program) != ST_OK)
        return usage_error("out of memory");
    vm_set_trace(run->vm, &coverage.trace);
    for (const struct test *t = run->c->policy->tests; t; t = t->next)
        if (!t->profile || str_eq(t->profile->name, run->c->profile))
            run_test(run, t);
    coverage_count(&coverage);
    if (wants_coverage(options))
        test_report_coverage(run->report, &coverage);
    if (coverage_percent(&coverage) < floor) {
        (void)fprintf(stderr, "mcpc: %.*s: coverage is %.1f%%, below %.*s%%\n",
                      STR_ARG(run->report->file), coverage_percent(&coverage),
                      STR_ARG(options->coverage_min));
        code = EXIT_TESTS;
    }
    coverage_close(&coverage);
    return code;
}

static Str folder_of(Str path)
{
    size_t n = path.n;
    while (n > 0 && path.p[n - 1] != '/')
        n--;
    return str_sub(path, 0, n);
}

/* Everything that the policy was made of; a server's files are named from where it is declared. */
static void watch_sources(struct watch *watch, const struct compilation *c, Str path)
{
    watch_add(watch, STR(""), path);
    if (c->params_path.n)
        watch_add(watch, STR(""), c->params_path);
    for (uint32_t i = 0; i < c->sources.count; i++)
        watch_add(watch, STR(""), c->sources.items[i].path);
    for (const struct server_decl *s = c->policy ? c->policy->servers : NULL; s; s = s->next) {
        Str folder = folder_of(c->sources.items[s->span.source].path);
        if (s->tools_path.n)
            watch_add(watch, folder, s->tools_path);
        if (s->classes_path.n)
            watch_add(watch, folder, s->classes_path);
    }
}

/* The tests of one profile, or of a policy without: a suite of its own. */
static enum exit_code test_profile(struct compilation *c, Str path, struct test_report *report,
                                   double floor)
{
    struct test_run run = { .c = c, .report = report };
    Str title = c->profile.n
                    ? arena_printf(&c->mem, "%.*s [%.*s]", STR_ARG(path), STR_ARG(c->profile))
                    : path;
    test_report_suite(report, title.p ? title : path);
    bool is_good = c->diags.errors == 0 && compilation_load(c, &run.program);
    enum exit_code code = is_good ? run_tests(&run, floor) : failure_code(c);
    if (is_good)
        test_report_suite_end(report);
    else
        test_report_broken(report);
    vm_close(run.vm);
    program_release(run.program);
    return code;
}

static enum exit_code test_file(Str path, struct test_report *report, double floor,
                                struct watch *watch)
{
    struct compilation c;
    struct options as_text = *report->options;
    Str names[PROFILES_MAX] = { { .p = NULL, .n = 0 } };
    uint32_t failed = report->failed, count = 1;
    enum exit_code worst = EXIT_OK;
    compilation_init(&c);
    c.params_path = report->options->params;
    c.profile = report->options->profile;
    if (compilation_check(&c, path))
        count = compilation_profiles(&c, names);
    for (uint32_t i = 0; i < count; i++) {
        c.profile = names[i];
        enum exit_code code = test_profile(&c, path, report, floor);
        worst = code > worst ? code : worst;
    }
    as_text.json = false; /* standard output holds one document: the results */
    report_diags(&c, &as_text);
    if (watch)
        watch_sources(watch, &c, path);
    compilation_free(&c);
    return worst == EXIT_OK && report->failed > failed ? EXIT_TESTS : worst;
}

static enum exit_code test_files(const struct options *options, double floor, struct watch *watch)
{
    struct test_report report;
    enum exit_code worst = EXIT_OK;
    test_report_begin(&report, options);
    for (int i = 0; i < options->file_count; i++) {
        enum exit_code code = test_file(options->files[i], &report, floor, watch);
        worst = code > worst ? code : worst;
    }
    enum exit_code code = test_report_end(&report);
    return code == EXIT_OK ? worst : code;
}

/* "0" to "100", with decimals. */
static bool read_percent(Str text, double *out)
{
    bool is_number = text.n > 0 && text.n < 16;
    for (size_t i = 0; i < text.n; i++)
        is_number = is_number && ((text.p[i] >= '0' && text.p[i] <= '9') || text.p[i] == '.');
    char *end = NULL;
    *out = is_number ? strtod(text.p, &end) : 0;
    return is_number && end == text.p + text.n && *out <= 100;
}

static NORETURN void test_forever(const struct options *options, double floor)
{
    static struct watch watch;
    for (;;) {
        (void)test_files(options, floor, &watch);
        (void)fputs("mcpc: waiting for a change; Ctrl-C ends\n", stderr);
        watch_wait(&watch);
        watch_clear(&watch);
    }
}

enum exit_code mcpc_test(const struct options *options)
{
    double floor = 0;
    if (options->coverage_min.n && !read_percent(options->coverage_min, &floor))
        return usage_error("--coverage-min takes a percentage from 0 to 100, not \"%.*s\"",
                           STR_ARG(options->coverage_min));
    if (options->watch)
        test_forever(options, floor);
    return test_files(options, floor, NULL);
}
