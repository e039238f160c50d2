/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - reference tables printed from the lists that the programs are made of; docs/ holds their
 * output, and `make check-docs` proves that it is current. */
#include "compiler/command/command.h"
#include "compiler/prove/prove.h"
#include "runtime/vm/vm.h"

#include <stdio.h>

static const char *operand_words(enum op_operands operands)
{
    switch (operands) {
    case OPERANDS_NONE: return "";
    case OPERANDS_D: return "a register";
    case OPERANDS_D_SLOT: return "a register, c slot";
    case OPERANDS_D_CONST: return "a register, c constant";
    case OPERANDS_D_RR: return "a register, b two registers";
    case OPERANDS_D_R: return "a register, b register";
    case OPERANDS_R: return "b register";
    case OPERANDS_RR: return "b two registers";
    case OPERANDS_R_SET: return "b register, c set";
    case OPERANDS_D_R_STEP: return "a register, b register, c step";
    case OPERANDS_D_R_NUMBER: return "a register, b register, c number";
    case OPERANDS_D_R_DOMAIN: return "a register, b register, c domain function";
    case OPERANDS_D_R_SET: return "a register, b register, c set";
    case OPERANDS_D_ZONE: return "a register, c zone";
    case OPERANDS_R_NETS: return "a register, b register, c nets";
    case OPERANDS_LOOP: return "a element and result, b list and body's register, c body";
    case OPERANDS_R_DFA: return "b register, c automaton";
    case OPERANDS_R_TRIE: return "b register, c words";
    case OPERANDS_R_NFA: return "b register, c positions";
    case OPERANDS_TEST: return "a mask, b skip, c atom";
    case OPERANDS_SKIP: return "b skip";
    }
    return "";
}

static void print_opcodes(void)
{
    static const char *const kinds[] = { "value", "loop", "truth", "branch", "end" };
    printf("## Instructions\n\n| number | name | kind | operands | what it does |\n"
           "| --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < OP_COUNT; i++)
        printf("| %d | `%s` | %s | %s | %s |\n", i, op_table[i].name, kinds[op_table[i].kind],
               operand_words(op_table[i].operands), op_table[i].doc);
}

static void print_sections(void)
{
    static const char *const docs[] = {
#define SECTION(NAME, name, type, doc) [SECTION_##NAME] = (doc),
#include "runtime/bundle/section.def"
#undef SECTION
    };
    printf("\n## Sections\n\n| number | name | bytes of an element | what it holds |\n"
           "| --- | --- | --- | --- |\n");
    for (int i = 0; i < SECTION_COUNT; i++)
        printf("| %d | `%s` | %u | %s |\n", i, section_names[i], section_element_bytes[i], docs[i]);
}

static void print_causes(void)
{
    printf("\n## Causes of a verdict\n\n| word | meaning |\n| --- | --- |\n");
#define CAUSE(name, word, doc) printf("| `%s` | %s |\n", word, doc);
#include "runtime/vm/cause.def"
#undef CAUSE
}

static void print_diagnostics(void)
{
    enum { ERROR, WARNING };
    printf("| code | severity | text | what it means |\n| --- | --- | --- | --- |\n");
#define DIAG(name, number, severity, text)                                                         \
    printf("| %c%d | %s | `%s` | %s |\n", (severity) == ERROR ? 'E' : 'W', number,                 \
           (severity) == ERROR ? "error" : "warning", text, diag_explanation(DIAG_##name));
#include "compiler/source/diag.def"
#undef DIAG
}

static void print_doubts(void)
{
    printf("| `why` | what it means |\n| --- | --- |\n");
    for (size_t i = 1; i < DOUBT_COUNT; i++)
        printf("| `%s` | %s |\n", doubt_table[i].word, doubt_table[i].text);
}

static void print_commands(void)
{
    static const struct {
        const char *name, *value, *doc;
        unsigned bit;
    } rows[] = {
#define OPTION(NAME, spelling, kind, member, value, doc) { spelling, value, doc, TAKES_##NAME },
#include "compiler/command/option.def"
#undef OPTION
    };
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_table[i];
        printf("### mcpc %s\n\n```sh\nmcpc %s %s\n```\n\n%s\n\n", command->name, command->name,
               command->usage, command->summary);
        if (command->takes)
            printf("| option | what it does |\n| --- | --- |\n");
        for (size_t k = 0; k < COUNT(rows); k++) {
            if (command->takes & rows[k].bit)
                printf("| `%s%s%s` | %s |\n", rows[k].name, rows[k].value[0] ? " " : "",
                       rows[k].value, rows[k].doc);
        }
        printf(command->takes && i + 1 < command_count ? "\n" : "");
    }
}

static bool print_explanation(Str code)
{
    enum diag_id id;
    if (!diag_find(code, &id))
        return false;
    bool is_error = diag_severity(id) == SEVERITY_ERROR;
    printf("%c%u: %s\n\n%s\n", is_error ? 'E' : 'W', diag_number(id),
           is_error ? "an error" : "a warning", diag_explanation(id));
    if (!is_error)
        printf("\nA warning is accepted by a comment before the statement:\n"
               "    // mcpc: allow W%u \"the reason\"\n",
               diag_number(id));
    return true;
}

static void print_kinds(void)
{
    static const char *const args[] = { "`params.arguments`", "all of `params`" };
    static const char *const names[] = { "", "`params.name`", "`params.uri`",
                                         "`params.ref.name` or `params.ref.uri`",
                                         "`params.mode`: `\"form\"`, `\"url\"`" };
    printf("| kind | what it is | method | name | `args` |\n| --- | --- | --- | --- | --- |\n");
#define KIND(NAME, word, names, noun, doc)
#define LIST(KIND, method, member, key, is_template)
#define METHOD(KIND, method, name, where, way)                                                     \
    printf("| `%s` | %s | `%s` | %s | %s |\n", kind_table[KIND_##KIND].word.p,                     \
           kind_table[KIND_##KIND].doc, method, names[PLACE_##name], args[ARGS_##where]);
#include "runtime/bundle/kind.def"
#undef KIND
#undef METHOD
#undef LIST
}

bool help_topic(Str topic)
{
    if (str_eq(topic, STR("kinds"))) {
        print_kinds();
        return true;
    }
    if (str_eq(topic, STR("doubts"))) {
        print_doubts();
        return true;
    }
    if (str_eq(topic, STR("commands"))) {
        print_commands();
        return true;
    }
    if (str_eq(topic, STR("bytecode"))) {
        print_opcodes();
        print_sections();
        print_causes();
        return true;
    }
    if (str_eq(topic, STR("diagnostics"))) {
        print_diagnostics();
        return true;
    }
    return print_explanation(topic);
}
