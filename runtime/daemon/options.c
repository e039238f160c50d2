/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - a strict reader of options: no abbreviations, no permuting past "--", no option
 * twice, so that a command line means one thing only. */
#include "runtime/daemon/options.h"

#include <stdio.h>

enum { NEAREST_MAX = 2, NAMES_MAX = 16 };

const char *options_nearest(Str word, const char *const *names, size_t count)
{
    const char *found = NULL;
    size_t best = NEAREST_MAX + 1;
    for (size_t i = 0; i < count; i++) {
        size_t distance = str_distance(word, str_of(names[i]), NEAREST_MAX);
        if (distance < best && distance < word.n) {
            best = distance;
            found = names[i];
        }
    }
    return found;
}

static const struct option *find_option(const struct option_set *set, Str name)
{
    const char *names[NAMES_MAX];
    ENSURE(set->count <= NAMES_MAX);
    for (size_t i = 0; i < set->count; i++) {
        names[i] = set->options[i].name;
        if (str_eq(name, str_of(names[i])))
            return &set->options[i];
    }
    const char *near = options_nearest(name, names, set->count);
    (void)fprintf(stderr, "mcpd: unknown option --%.*s", STR_ARG(name));
    (void)fprintf(stderr, near ? ", did you mean --%s?\n" : "%s\n", near ? near : "");
    return NULL;
}

static bool complain(const struct option *option, const char *what)
{
    (void)fprintf(stderr, "mcpd: --%s %s\n", option->name, what);
    return false;
}

static bool set_text(const struct option *option, Str value)
{
    Str *out = option->out;
    if (out->p)
        return complain(option, "is given twice");
    *out = value;
    return true;
}

static bool add_text(const struct option *option, Str value)
{
    struct option_list *list = option->out;
    if (list->count == OPTION_LIST_MAX)
        return complain(option, "is given too often");
    list->items[list->count++] = value;
    return true;
}

/* Reads the option at argv[*at], and its value if that is the next word; *at is the last word
 * used then. */
static bool read_option(const struct option_set *set, int argc, char **argv, int *at)
{
    Str value = str_sub(str_of(argv[*at]), 2, strlen(argv[*at]));
    bool has_value = memchr(value.p, '=', value.n) != NULL;
    Str name = str_cut(&value, '=');
    const struct option *option = find_option(set, name);
    if (!option)
        return false;
    if (option->kind == OPTION_FLAG) {
        *(bool *)option->out = true;
        return has_value ? complain(option, "takes no value") : true;
    }
    if (!has_value && *at + 1 < argc)
        value = str_of(argv[++*at]);
    if (value.n == 0)
        return complain(option, "needs a value");
    return option->kind == OPTION_LIST ? add_text(option, value) : set_text(option, value);
}

bool options_read(const struct option_set *set, int argc, char **argv, struct option_rest *rest)
{
    *rest = (struct option_rest){ .count = 0 };
    ENSURE(set->arguments_max <= COUNT(rest->arguments));
    for (int i = 0; i < argc; i++) {
        Str word = str_of(argv[i]);
        if (str_eq(word, STR("--"))) {
            rest->behind = &argv[i + 1];
            rest->behind_count = (size_t)(argc - i - 1);
            return true;
        }
        if (str_starts(word, STR("--"))) {
            if (!read_option(set, argc, argv, &i))
                return false;
        } else if (rest->count < set->arguments_max && word.n && word.p[0] != '-') {
            rest->arguments[rest->count++] = word;
        } else {
            (void)fprintf(stderr, "mcpd: unexpected argument \"%s\"\n", argv[i]);
            return false;
        }
    }
    return true;
}
