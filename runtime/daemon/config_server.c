/* SPDX-License-Identifier: Apache-2.0 */
/* config_server.c - the "servers" of the configuration: what may be started or called, and how.
 *
 * A command's environment is built here and now from what the operator allowed, so that nothing
 * of the gateway's own environment reaches a server by accident.
 */
#include "runtime/daemon/address.h"
#include "runtime/daemon/config_reader.h"

#include <stdlib.h>

enum { ALIAS_MAX = 64 };

static bool is_alias_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

const char *config_alias_problem(Str alias)
{
    static const char problem[] = "a server's alias is 1-64 of a-z, 0-9, _ and -, begins with a "
                                  "letter or digit and has no \"__\"";
    if (alias.n == 0 || alias.n > ALIAS_MAX || !is_alias_start(alias.p[0]))
        return problem;
    for (size_t i = 0; i < alias.n; i++) {
        if (!is_alias_start(alias.p[i]) && alias.p[i] != '_' && alias.p[i] != '-')
            return problem;
    }
    return str_contains(alias, STR("__")) ? problem : NULL;
}

static const char *variable_problem(Str name)
{
    static const char problem[] = "must be a variable's name: letters, digits and _, no digit "
                                  "first";
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return problem;
    }
    return name.n ? NULL : problem;
}

static void add_variable(struct config_reader *reader, struct server_spec *spec, Str name,
                         Str value)
{
    Str text = arena_printf(reader->mem, "%.*s=%.*s", STR_ARG(name), STR_ARG(value));
    if (!text.p)
        reader->is_spent = true;
    else
        spec->env[spec->env_count++] = text;
}

static bool has_variable(const struct server_spec *spec, Str name)
{
    for (size_t i = 0; i < spec->env_count; i++) {
        if (str_starts(spec->env[i], name) && spec->env[i].p[name.n] == '=')
            return true;
    }
    return false;
}

/* Takes a variable over from our own environment, unless it is unset or told otherwise. */
static void inherit(struct config_reader *reader, struct server_spec *spec, Str name)
{
    Str copy = config_copy(reader, name); /* getenv wants a NUL */
    const char *value = copy.n ? getenv(copy.p) : NULL;
    if (value && !has_variable(spec, name))
        add_variable(reader, spec, name, str_of(value));
}

static size_t count_words(Str text)
{
    size_t count = 0;
    while (text.n) {
        (void)str_cut(&text, ' ');
        count++;
    }
    return count;
}

static void inherit_listed(struct config_reader *reader, struct server_spec *spec, uint32_t list)
{
    const struct json_doc *doc = &reader->doc;
    for (uint32_t i = json_first(doc, list); i != JSON_NONE; i = json_after(doc, list, i)) {
        Str name = json_text(json_at(doc, i));
        const char *problem = variable_problem(name);
        if (problem)
            config_complain(reader, config_at(reader, i), "%s", problem);
        else
            inherit(reader, spec, name);
    }
}

static void read_env(struct config_reader *reader, uint32_t server, struct server_spec *spec)
{
    const struct json_doc *doc = &reader->doc;
    uint32_t env = config_member(reader, server, STR("env"), CONFIG_MAP);
    uint32_t list = config_member(reader, server, STR("inherit_env"), CONFIG_STRINGS);
    Str usual = config_fallback(STR("servers.*.inherit_env"));
    size_t room = env == JSON_NONE ? 0 : json_at(doc, env)->count;
    room += list == JSON_NONE ? count_words(usual) : json_at(doc, list)->count;
    spec->env = ARENA_NEW(reader->mem, Str, room);
    if (!spec->env) {
        reader->is_spent = true;
        return;
    }
    for (uint32_t i = env ? json_first(doc, env) : JSON_NONE; i != JSON_NONE;
         i = json_after(doc, env, i)) {
        const struct json_node *node = json_at(doc, i);
        if (node->type != JSON_STRING)
            continue;
        if (variable_problem(json_key(node)))
            config_complain(reader, node->raw, "%s", variable_problem(json_key(node)));
        add_variable(reader, spec, json_key(node), json_text(node));
    }
    if (list != JSON_NONE)
        inherit_listed(reader, spec, list);
    while (list == JSON_NONE && usual.n)
        inherit(reader, spec, str_cut(&usual, ' '));
}

static void read_command(struct config_reader *reader, uint32_t server, uint32_t command,
                         struct server_spec *spec)
{
    const struct json_doc *doc = &reader->doc;
    spec->transport = SERVER_STDIO;
    config_strings(reader, command, NULL, &spec->argv, &spec->argc);
    if (json_at(doc, command)->count == 0 || json_at(doc, command + 1)->text_n == 0)
        config_complain(reader, config_at(reader, command), "must begin with a program's name");
    uint32_t cwd = config_member(reader, server, STR("cwd"), CONFIG_STRING);
    if (cwd != JSON_NONE && json_at(doc, cwd)->text_n == 0)
        config_complain(reader, config_at(reader, cwd), "must be the path of a folder");
    if (cwd != JSON_NONE)
        spec->cwd = config_absolute(reader, json_text(json_at(doc, cwd)));
    read_env(reader, server, spec);
}

/* Who may vouch for an https: server. What the file holds is looked at when it is used. */
static void read_ca_file(struct config_reader *reader, uint32_t server, struct server_spec *spec)
{
    uint32_t member = config_member(reader, server, STR("ca_file"), CONFIG_STRING);
    if (member == JSON_NONE)
        return;
    Str path = json_text(json_at(&reader->doc, member));
    if (config_path_problem(path))
        config_complain(reader, config_at(reader, member), "%s", config_path_problem(path));
    if (!str_starts(spec->url, STR("https:")))
        config_complain(reader, config_at(reader, member),
                        "belongs to a server with an https: url");
    spec->ca_file = config_absolute(reader, path);
}

static void read_url(struct config_reader *reader, uint32_t server, uint32_t url,
                     struct server_spec *spec)
{
    static const Str command_keys[] = { STR_INIT("cwd"), STR_INIT("env"), STR_INIT("inherit_env") };
    const struct json_node *node = json_at(&reader->doc, url);
    const char *problem = address_url_problem(json_text(node));
    spec->transport = SERVER_HTTP;
    spec->url = config_copy(reader, json_text(node));
    if (problem)
        config_complain(reader, node->raw, "%s", problem);
    for (size_t i = 0; i < COUNT(command_keys); i++) {
        uint32_t member = json_member(&reader->doc, server, command_keys[i]);
        if (member != JSON_NONE)
            config_complain(reader, config_at(reader, member),
                            "belongs to a server with a command, and this one has a url");
    }
}

static void read_era(struct config_reader *reader, uint32_t server, struct server_spec *spec)
{
    static const struct {
        Str name;
        enum server_era era;
    } eras[] = { { STR_INIT("auto"), ERA_AUTO },
                 { STR_INIT("legacy"), ERA_LEGACY },
                 { STR_INIT("modern"), ERA_MODERN } };
    uint32_t member = config_member(reader, server, STR("era"), CONFIG_STRING);
    Str text = member == JSON_NONE ? config_fallback(STR("servers.*.era"))
                                   : json_text(json_at(&reader->doc, member));
    for (size_t i = 0; i < COUNT(eras); i++) {
        if (str_eq(eras[i].name, text)) {
            spec->era = eras[i].era;
            return;
        }
    }
    config_complain(reader, config_at(reader, member),
                    "must be \"auto\", \"legacy\" or \"modern\", not %.*s",
                    STR_ARG(config_echo(reader, member)));
}

static void read_server(struct config_reader *reader, uint32_t server, struct server_spec *spec)
{
    const struct json_doc *doc = &reader->doc;
    Str alias = json_key(json_at(doc, server));
    spec->alias = config_copy(reader, alias);
    if (config_alias_problem(alias))
        config_complain(reader, config_at(reader, server), "%s", config_alias_problem(alias));
    if (json_at(doc, server)->type != JSON_OBJECT)
        return;
    bool has_command = json_member(doc, server, STR("command")) != JSON_NONE;
    bool has_url = json_member(doc, server, STR("url")) != JSON_NONE;
    uint32_t command = config_member(reader, server, STR("command"), CONFIG_STRINGS);
    uint32_t url = config_member(reader, server, STR("url"), CONFIG_STRING);
    if (has_command == has_url)
        config_complain(reader, config_at(reader, server), "needs either \"command\" or \"url\"%s",
                        has_url ? ", not both" : "");
    else if (command != JSON_NONE)
        read_command(reader, server, command, spec);
    else if (url != JSON_NONE)
        read_url(reader, server, url, spec);
    read_ca_file(reader, server, spec);
    read_era(reader, server, spec);
}

void config_read_servers(struct config_reader *reader, struct config *config)
{
    const struct json_doc *doc = &reader->doc;
    uint32_t map = config_member(reader, 0, STR("servers"), CONFIG_MAP);
    if (map == JSON_NONE)
        return;
    config->servers = ARENA_NEW(reader->mem, struct server_spec, json_at(doc, map)->count);
    if (!config->servers) {
        reader->is_spent = true;
        return;
    }
    for (uint32_t i = json_first(doc, map); i != JSON_NONE; i = json_after(doc, map, i))
        read_server(reader, i, &config->servers[config->server_count++]);
}
