/* SPDX-License-Identifier: Apache-2.0 */
/* shell.c - a command line as the simple commands that it runs and the operators between them. */
#include "runtime/domain/readers.h"
#include "runtime/domain/words.h"
#include "runtime/json/json_build.h"

/* Words that begin something else than a simple command, and commands that run their arguments as
 * another line or change what later words mean (`-` runs its arguments in zsh): what they do is not
 * in their words. */
static bool is_reserved(Str word)
{
    static const Str words[] = {
        // clang-format off
        STR_INIT("if"), STR_INIT("then"), STR_INIT("else"), STR_INIT("elif"), STR_INIT("fi"),
        STR_INIT("for"), STR_INIT("while"), STR_INIT("until"), STR_INIT("do"), STR_INIT("done"),
        STR_INIT("case"), STR_INIT("esac"), STR_INIT("in"), STR_INIT("function"), STR_INIT("select"),
        STR_INIT("time"), STR_INIT("coproc"), STR_INIT("repeat"), STR_INIT("foreach"), STR_INIT("end"),
        STR_INIT("nocorrect"), STR_INIT("noglob"), STR_INIT("alias"), STR_INIT("eval"),
        STR_INIT("source"), STR_INIT("."), STR_INIT("exec"), STR_INIT("builtin"), STR_INIT("command"),
        STR_INIT("trap"), STR_INIT("set"), STR_INIT("unset"), STR_INIT("export"), STR_INIT("-"),
        STR_INIT("declare"), STR_INIT("typeset"), STR_INIT("local"), STR_INIT("readonly"),
        STR_INIT("integer"), STR_INIT("float"), STR_INIT("let"), STR_INIT("hash"), STR_INIT("enable"),
        STR_INIT("disable"), STR_INIT("emulate"), STR_INIT("setopt"), STR_INIT("unsetopt"),
        STR_INIT("shopt"), STR_INIT("autoload"), STR_INIT("zmodload"), STR_INIT("unalias"),
        // clang-format on
    };
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq(words[i], word))
            return true;
    return false;
}

/* NAME=value before the command; a quote in `NAME=` makes it a word like any other. */
static bool is_assignment(const struct word *word)
{
    size_t i = 0;
    for (; i < word->text.n && word->text.p[i] != '='; i++) {
        char c = word->text.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return i > 0 && i < word->bare_n;
}

/* `A+=b` and `1=b` set variables in some shells and are commands in others. */
static bool is_certain_program(Str word)
{
    return word.n && !memchr(word.p, '=', word.n) && !is_reserved(word);
}

static size_t command_end(const struct words *words, size_t from)
{
    while (from < words->count && !words->items[from].is_operator)
        from++;
    return from;
}

static bool build_command(const struct words *words, size_t from, size_t to,
                          struct json_build *build)
{
    size_t first = from;
    while (first < to && is_assignment(&words->items[first]))
        first++;
    if (first == to || !is_certain_program(words->items[first].text))
        return false;
    json_build_begin(build, JSON_OBJECT);
    json_build_key(build, STR("program"));
    json_build_string(build, words->items[first].text);
    json_build_key(build, STR("argv"));
    json_build_begin(build, JSON_ARRAY);
    for (size_t i = first; i < to; i++)
        json_build_string(build, words->items[i].text);
    json_build_end(build);
    json_build_key(build, STR("assignments"));
    json_build_begin(build, JSON_ARRAY);
    for (size_t i = from; i < first; i++)
        json_build_string(build, words->items[i].text);
    json_build_end(build);
    json_build_end(build);
    return true;
}

static bool is_line_end(const struct word *word)
{
    return word->is_operator && word->text.p[0] == '\n';
}

/* Commands and operators take turns; only `;`, `&` and a line end may end the line. */
static bool build_commands(const struct words *words, struct json_build *build)
{
    size_t at = 0;
    while (at < words->count) {
        size_t end = command_end(words, at);
        if (end == at || !build_command(words, at, end, build))
            return false;
        at = end + 1;
        while (at < words->count && is_line_end(&words->items[at]))
            at++;
        if (end < words->count && at >= words->count &&
            (words->items[end].text.n == 2 || words->items[end].text.p[0] == '|'))
            return false;
    }
    return words->count > 0;
}

bool read_shell(Str text, struct arena *mem, struct json_doc *out)
{
    struct words words;
    struct json_build build;
    if (!words_read(text, mem, &words))
        return false;
    json_build_init(&build, mem);
    json_build_begin(&build, JSON_OBJECT);
    json_build_key(&build, STR("commands"));
    json_build_begin(&build, JSON_ARRAY);
    if (!build_commands(&words, &build))
        return false;
    json_build_end(&build);
    json_build_key(&build, STR("operators"));
    json_build_begin(&build, JSON_ARRAY);
    for (size_t i = 0; i < words.count; i++)
        if (words.items[i].is_operator)
            json_build_string(&build, words.items[i].text);
    json_build_end(&build);
    json_build_end(&build);
    return json_build_finish(&build, out);
}
