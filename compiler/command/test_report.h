/* SPDX-License-Identifier: Apache-2.0 */
/* test_report.h - what `mcpc test` prints: for people, as JSON or TAP, and into a JUnit file. */
#ifndef COMPILER_COMMAND_TEST_REPORT_H
#define COMPILER_COMMAND_TEST_REPORT_H

#include "compiler/command/command.h"
#include "compiler/command/coverage.h"

struct test_result {
    Str name, file;
    uint32_t line;
    Str why; /* {NULL, 0}: passed */
    int64_t micros;
};

struct test_report {
    const struct options *options;
    struct buf out;      /* standard output, whole */
    struct buf suites;   /* JUnit: the suites that are complete */
    struct buf suite;    /* the results of the one that is not */
    struct buf coverage; /* of all policies, as --json or people want it */
    Str file;            /* of the suite */
    uint32_t passed, failed, broken;
    uint32_t suite_failed, suite_count;
    int64_t suite_micros;
};

void test_report_begin(struct test_report *report, const struct options *options);
void test_report_suite(struct test_report *report, Str file);
void test_report_add(struct test_report *report, const struct test_result *result);
/* The suite's policy has errors, which have been reported. */
void test_report_broken(struct test_report *report);
void test_report_coverage(struct test_report *report, const struct coverage *coverage);
void test_report_suite_end(struct test_report *report);
/* Prints and writes all, and frees. */
enum exit_code test_report_end(struct test_report *report);

#endif
