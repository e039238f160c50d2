/* SPDX-License-Identifier: Apache-2.0 */
/* cli.c - a command line of the common style. Without knowing the program nobody can tell whether
 * `--profile prod` is a switch and a word or a flag and its value: the policy names the flags that
 * take one, and every other flag must stand by itself or write --flag=value. */
#include "runtime/domain/cli.h"

#include "runtime/domain/words.h"
#include "runtime/json/json_build.h"

enum { FLAGS_MAX = 256 };

struct flag {
    Str name, value; /* value.p NULL: a switch */
};

struct line {
    const Str *argv;
    size_t count;
    const Str *value_flags;
    size_t value_flag_count;
    struct flag flags[FLAGS_MAX];
    size_t flag_count;
};

static bool takes_value(const struct line *line, Str flag)
{
    for (size_t i = 0; i < line->value_flag_count; i++)
        if (str_eq(line->value_flags[i], flag))
            return true;
    return false;
}

/* A flag given twice has two readings: the first counts, or the last. */
static bool add_flag(struct line *line, Str name, Str value)
{
    for (size_t i = 0; i < line->flag_count; i++)
        if (str_eq(line->flags[i].name, name))
            return false;
    if (line->flag_count == FLAGS_MAX)
        return false;
    line->flags[line->flag_count++] = (struct flag){ .name = name, .value = value };
    return true;
}

static bool is_flag(Str word)
{
    return word.n > 1 && word.p[0] == '-';
}

/* -abc may be three switches or -a with the value bc; -1 may be a number. */
static bool is_certain_flag(Str name)
{
    bool is_long = name.n > 2 && name.p[1] == '-';
    bool is_digit = name.p[1] >= '0' && name.p[1] <= '9';
    return is_long ? name.p[2] != '-' && name.p[2] != '='
                   : name.n == 2 && !is_digit && name.p[1] != '-';
}

/* Takes the flag at argv[*at], and its value when it has one. */
static bool read_flag(struct line *line, size_t *at)
{
    Str word = line->argv[*at];
    const char *equals = memchr(word.p, '=', word.n);
    size_t split = equals ? (size_t)(equals - word.p) : word.n;
    Str name = str_sub(word, 0, split), none = { .p = NULL, .n = 0 };
    if (!equals && takes_value(line, name)) {
        if (*at + 1 == line->count)
            return false;
        ++*at;
        return add_flag(line, name, line->argv[*at]);
    }
    if (!is_certain_flag(name))
        return false;
    return add_flag(line, name, equals ? str_sub(word, split + 1, word.n) : none);
}

static bool build_line(struct line *line, struct json_build *build)
{
    bool is_plain = false; /* behind "--" */
    json_build_key(build, STR("words"));
    json_build_begin(build, JSON_ARRAY);
    for (size_t i = 1; i < line->count; i++) {
        Str word = line->argv[i];
        if (!is_plain && str_eq(word, STR("--")))
            is_plain = true;
        else if (is_plain || !is_flag(word))
            json_build_string(build, word);
        else if (!read_flag(line, &i))
            return false;
    }
    json_build_end(build);
    json_build_key(build, STR("flags"));
    json_build_begin(build, JSON_OBJECT);
    for (size_t i = 0; i < line->flag_count; i++) {
        json_build_key(build, line->flags[i].name);
        if (line->flags[i].value.p)
            json_build_string(build, line->flags[i].value);
        else
            json_build_bool(build, true);
    }
    json_build_end(build);
    return true;
}

bool cli_read_argv(const Str *argv, size_t count, const Str *value_flags, size_t value_flag_count,
                   struct arena *mem, struct json_doc *out)
{
    struct json_build build;
    struct line *line = ARENA_NEW(mem, struct line, 1);
    if (!line || count == 0 || argv[0].n == 0 || is_flag(argv[0]))
        return false;
    *line = (struct line){ .argv = argv,
                           .count = count,
                           .value_flags = value_flags,
                           .value_flag_count = value_flag_count };
    json_build_init(&build, mem);
    json_build_begin(&build, JSON_OBJECT);
    json_build_key(&build, STR("program"));
    json_build_string(&build, argv[0]);
    json_build_key(&build, STR("argv"));
    json_build_begin(&build, JSON_ARRAY);
    for (size_t i = 0; i < count; i++)
        json_build_string(&build, argv[i]);
    json_build_end(&build);
    if (!build_line(line, &build))
        return false;
    json_build_end(&build);
    return json_build_finish(&build, out);
}

bool cli_read(Str text, const Str *value_flags, size_t value_flag_count, struct arena *mem,
              struct json_doc *out)
{
    struct words words;
    if (!words_read(text, mem, &words))
        return false;
    Str *argv = ARENA_NEW(mem, Str, words.count);
    if (!argv)
        return false;
    for (size_t i = 0; i < words.count; i++) {
        if (words.items[i].is_operator)
            return false;
        argv[i] = words.items[i].text;
    }
    return cli_read_argv(argv, words.count, value_flags, value_flag_count, mem, out);
}
