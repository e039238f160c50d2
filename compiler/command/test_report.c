/* SPDX-License-Identifier: Apache-2.0 */
/* test_report.c - results in four spellings. Everything is put together before anything is printed,
 * so that what a reader of JSON or XML gets is one whole document. */
#include "compiler/command/test_report.h"

#include "runtime/json/json.h"

enum { REPORT_BYTES_MAX = 64 << 20 };

void test_report_begin(struct test_report *report, const struct options *options)
{
    *report = (struct test_report){ .options = options };
    buf_init(&report->out, REPORT_BYTES_MAX);
    buf_init(&report->suites, REPORT_BYTES_MAX);
    buf_init(&report->suite, REPORT_BYTES_MAX);
    buf_init(&report->coverage, REPORT_BYTES_MAX);
    if (options->json)
        buf_add(&report->out, STR("{\"tests\":["));
    if (options->tap)
        buf_add(&report->out, STR("TAP version 14\n"));
}

static uint32_t total(const struct test_report *report)
{
    return report->passed + report->failed;
}

/* --------------------------------- XML ---------------------------------- */

/* What XML 1.0 has no way to write becomes U+FFFD. */
static void add_xml(struct buf *out, Str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '&')
            buf_add(out, STR("&amp;"));
        else if (c == '<')
            buf_add(out, STR("&lt;"));
        else if (c == '>')
            buf_add(out, STR("&gt;"));
        else if (c == '"')
            buf_add(out, STR("&quot;"));
        else if (c == '\n')
            buf_add(out, STR("&#10;"));
        else if ((unsigned char)c < ' ' && c != '\t')
            buf_add(out, STR("\xEF\xBF\xBD"));
        else
            buf_add_char(out, c);
    }
}

static void add_seconds(struct buf *out, int64_t micros)
{
    buf_printf(out, " time=\"%lld.%06lld\"", (long long)(micros / 1000000),
               (long long)(micros % 1000000));
}

static void junit_case(struct test_report *report, const struct test_result *result,
                       const char *element)
{
    struct buf *out = &report->suite;
    buf_add(out, STR("    <testcase classname=\""));
    add_xml(out, report->file);
    buf_add(out, STR("\" name=\""));
    add_xml(out, result->name);
    buf_add(out, STR("\" file=\""));
    add_xml(out, result->file);
    buf_printf(out, "\" line=\"%u\"", result->line);
    add_seconds(out, result->micros);
    if (!result->why.p) {
        buf_add(out, STR("/>\n"));
        return;
    }
    buf_printf(out, ">\n      <%s message=\"", element);
    add_xml(out, result->why);
    buf_add(out, STR("\">"));
    add_xml(out, result->file);
    buf_printf(out, ":%u</%s>\n    </testcase>\n", result->line, element);
}

static void junit_suite(struct test_report *report, bool is_broken)
{
    struct buf *out = &report->suites;
    buf_add(out, STR("  <testsuite name=\""));
    add_xml(out, report->file);
    buf_printf(out, "\" tests=\"%u\" failures=\"%u\" errors=\"%u\"", report->suite_count,
               report->suite_failed, is_broken);
    add_seconds(out, report->suite_micros);
    buf_add(out, STR(">\n"));
    buf_add(out, buf_str(&report->suite));
    buf_add(out, STR("  </testsuite>\n"));
}

static enum exit_code junit_write(struct test_report *report)
{
    struct buf out;
    buf_init(&out, REPORT_BYTES_MAX);
    buf_printf(&out,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mcpc\" tests=\"%u\" "
               "failures=\"%u\" errors=\"%u\">\n",
               total(report) + report->broken, report->failed, report->broken);
    buf_add(&out, buf_str(&report->suites));
    buf_add(&out, STR("</testsuites>\n"));
    enum exit_code code = out.is_full ? usage_error("the results are too large")
                                      : write_file(report->options->junit, buf_str(&out));
    buf_free(&out);
    return code;
}

/* ------------------------------ one result ------------------------------ */

static void add_json(struct test_report *report, const struct test_result *result)
{
    struct buf *out = &report->out;
    buf_add(out, total(report) > 1 ? STR(",{\"test\":") : STR("{\"test\":"));
    json_write_string(out, result->name);
    buf_printf(out, ",\"passed\":%s,\"source\":", result->why.p ? "false" : "true");
    json_write_string(out, result->file);
    buf_printf(out, ",\"line\":%u", result->line);
    if (result->why.p) {
        buf_add(out, STR(",\"why\":"));
        json_write_string(out, result->why);
    }
    buf_add_char(out, '}');
}

/* A description ends at '#', where a directive would begin. */
static void add_tap_text(struct buf *out, Str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '#' || c == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, (unsigned char)c < ' ' ? ' ' : c);
    }
}

static void add_tap(struct test_report *report, const struct test_result *result, uint32_t number)
{
    struct buf *out = &report->out;
    buf_printf(out, "%s %u - ", result->why.p ? "not ok" : "ok", number);
    add_tap_text(out, report->file);
    buf_add(out, STR(": "));
    add_tap_text(out, result->name);
    buf_add_char(out, '\n');
    if (!result->why.p)
        return;
    buf_add(out, STR("  ---\n  message: "));
    json_write_string(out, result->why); /* JSON's strings are YAML's */
    buf_add(out, STR("\n  file: "));
    json_write_string(out, result->file);
    buf_printf(out, "\n  line: %u\n  ...\n", result->line);
}

static void add_text(struct test_report *report, const struct test_result *result)
{
    struct buf *out = &report->out;
    buf_printf(out, "%s  %.*s\n", result->why.p ? "FAIL" : "ok  ", STR_ARG(result->name));
    if (result->why.p)
        buf_printf(out, "      %.*s:%u: %.*s%s", STR_ARG(result->file), result->line,
                   STR_ARG(result->why), str_ends(result->why, STR("\n")) ? "" : "\n");
}

void test_report_suite(struct test_report *report, Str file)
{
    report->file = file;
    report->suite_count = report->suite_failed = 0;
    report->suite_micros = 0;
    buf_clear(&report->suite);
}

void test_report_add(struct test_report *report, const struct test_result *result)
{
    bool has_failed = result->why.p != NULL;
    report->passed += !has_failed;
    report->failed += has_failed;
    report->suite_count++;
    report->suite_failed += has_failed;
    report->suite_micros += result->micros;
    junit_case(report, result, "failure");
    if (report->options->json)
        add_json(report, result);
    else if (report->options->tap)
        add_tap(report, result, total(report) + report->broken);
    else
        add_text(report, result);
}

void test_report_broken(struct test_report *report)
{
    struct test_result result = { .name = STR("the policy compiles"),
                                  .file = report->file,
                                  .line = 1,
                                  .why = STR("the policy has errors") };
    report->broken++;
    report->suite_count++;
    junit_case(report, &result, "error");
    if (report->options->tap)
        add_tap(report, &result, total(report) + report->broken);
    junit_suite(report, true);
}

void test_report_suite_end(struct test_report *report)
{
    junit_suite(report, false);
}

void test_report_coverage(struct test_report *report, const struct coverage *coverage)
{
    if (report->options->json)
        coverage_json(coverage, &report->coverage);
    else
        coverage_print(coverage, report->options->tap ? "# " : "", &report->coverage);
}

/* -------------------------------- the end ------------------------------- */

static void add_totals(struct test_report *report)
{
    struct buf *out = &report->out;
    if (report->options->json) {
        buf_printf(out, "],\"passed\":%u,\"failed\":%u", report->passed, report->failed);
        if (report->coverage.n) {
            buf_add(out, STR(",\"coverage\":["));
            buf_add(out, buf_str(&report->coverage));
            buf_add_char(out, ']');
        }
        buf_add(out, STR("}\n"));
        return;
    }
    if (report->options->tap)
        buf_printf(out, "1..%u\n", total(report) + report->broken);
    buf_add(out, buf_str(&report->coverage));
    if (!report->options->tap)
        buf_printf(out, "%u passed, %u failed\n", report->passed, report->failed);
}

enum exit_code test_report_end(struct test_report *report)
{
    add_totals(report);
    bool is_cut = report->out.is_full || report->suites.is_full || report->suite.is_full ||
                  report->coverage.is_full;
    enum exit_code code =
        is_cut ? usage_error("the results are too large") : put_text(buf_str(&report->out));
    if (code == EXIT_OK && report->options->junit.n)
        code = junit_write(report);
    buf_free(&report->out);
    buf_free(&report->suites);
    buf_free(&report->suite);
    buf_free(&report->coverage);
    return code;
}
