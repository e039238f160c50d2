/* SPDX-License-Identifier: Apache-2.0 */
/* config_oauth.c - what the configuration says about logging in to servers.
 *
 * Only where secrets lie is read here, never a secret: the gateway's process reads this file too.
 */
#include "runtime/daemon/address.h"
#include "runtime/daemon/config_reader.h"

#define CALLBACK_PATH "/oauth/callback"

static Str text_of(const struct config_reader *reader, uint32_t object, Str key)
{
    uint32_t member =
        object == JSON_NONE ? JSON_NONE : config_member(reader, object, key, CONFIG_STRING);
    if (member == JSON_NONE)
        return (Str){ 0 };
    return json_text(json_at(&reader->doc, member));
}

static uint32_t at_of(const struct config_reader *reader, uint32_t object, Str key)
{
    return config_at(reader, json_member(&reader->doc, object, key));
}

static bool flag_of(const struct config_reader *reader, uint32_t object, Str key)
{
    uint32_t member =
        object == JSON_NONE ? JSON_NONE : config_member(reader, object, key, CONFIG_BOOL);
    return member != JSON_NONE && json_at(&reader->doc, member)->type == JSON_TRUE;
}

/* A copy; empty when absent. */
static Str copy_of(struct config_reader *reader, uint32_t object, Str key)
{
    Str text = text_of(reader, object, key);
    return text.n ? config_copy(reader, text) : STR("");
}

/* One of two words; the first when absent. True: the second. */
static bool is_second(struct config_reader *reader, uint32_t object, Str key, const Str words[2])
{
    Str text = text_of(reader, object, key);
    if (!text.p || str_eq(text, words[0]))
        return false;
    if (str_eq(text, words[1]))
        return true;
    config_complain(reader, at_of(reader, object, key), "must be \"%.*s\" or \"%.*s\"",
                    STR_ARG(words[0]), STR_ARG(words[1]));
    return false;
}

static void read_url(struct config_reader *reader, uint32_t object, Str key, Str *out)
{
    Str text = text_of(reader, object, key);
    *out = STR("");
    if (!text.p)
        return;
    const char *problem = address_url_problem(text);
    if (problem)
        config_complain(reader, at_of(reader, object, key), "%s", problem);
    *out = config_copy(reader, text);
}

static void read_path(struct config_reader *reader, uint32_t object, Str key, Str *out)
{
    Str text = text_of(reader, object, key);
    *out = text.n ? config_absolute(reader, text) : STR("");
}

static void read_method(struct config_reader *reader, uint32_t object, struct oauth_settings *out)
{
    Str key = STR("token_endpoint_auth_method"), text = text_of(reader, object, key);
    if (!text.p)
        return;
    out->has_method = client_auth_read(text, &out->method);
    if (!out->has_method)
        config_complain(reader, at_of(reader, object, key),
                        "must be \"none\", \"client_secret_basic\", \"client_secret_post\" or "
                        "\"private_key_jwt\"");
}

static void read_scopes(struct config_reader *reader, uint32_t object, struct oauth_settings *out)
{
    Str *items = NULL;
    size_t count = 0;
    uint32_t list = config_member(reader, object, STR("scopes"), CONFIG_STRINGS);
    config_strings(reader, list, NULL, &items, &count);
    out->has_scopes = list != JSON_NONE;
    for (size_t i = 0; i < count; i++) {
        if (!scope_add(&out->scopes, items[i]))
            config_complain(reader, config_at(reader, list),
                            "must hold at most %d scopes, without spaces", SCOPES_MAX);
    }
}

static void read_extras(struct config_reader *reader, uint32_t object, struct oauth_settings *out)
{
    const struct json_doc *doc = &reader->doc;
    uint32_t map = config_member(reader, object, STR("authorize_parameters"), CONFIG_MAP);
    if (map == JSON_NONE)
        return;
    for (uint32_t i = json_first(doc, map); i != JSON_NONE; i = json_after(doc, map, i)) {
        Str name = json_key(json_at(doc, i));
        if (json_at(doc, i)->type != JSON_STRING)
            continue;
        if (!request_extra_is_free(name)) {
            config_complain(reader, config_at(reader, i), "is a parameter of the gateway's own");
            continue;
        }
        if (out->quirks.extra_count == REQUEST_EXTRAS_MAX) {
            config_complain(reader, config_at(reader, map), "has more than %d parameters",
                            REQUEST_EXTRAS_MAX);
            return;
        }
        out->quirks.extras[out->quirks.extra_count++] =
            (struct request_extra){ .name = config_copy(reader, name),
                                    .value = config_copy(reader, json_text(json_at(doc, i))) };
    }
}

static void read_quirks(struct config_reader *reader, uint32_t object, struct oauth_settings *out)
{
    static const Str separators[] = { STR_INIT("space"), STR_INIT("comma") };
    Str parameter = copy_of(reader, object, STR("resource_parameter"));
    out->quirks.has_commas = is_second(reader, object, STR("scope_separator"), separators);
    out->quirks.omit_resource = str_eq(parameter, STR("none"));
    if (!out->quirks.omit_resource && !str_eq(parameter, STR("resource")))
        out->quirks.resource_name = parameter;
    read_extras(reader, object, out);
}

static void check_client(struct config_reader *reader, uint32_t object,
                         const struct oauth_settings *out)
{
    int ways = (out->secret_file.n > 0) + (out->secret_variable.n > 0) + (out->key_file.n > 0);
    if (ways > 1)
        config_complain(reader, config_at(reader, object),
                        "has more than one of client_secret_file, client_secret_env and "
                        "client_key_file");
    if (ways && !out->client_id.n)
        config_complain(reader, config_at(reader, object), "has a secret but no client_id");
    if (out->is_machine && !out->client_id.n)
        config_complain(reader, config_at(reader, object),
                        "needs client_id for client_credentials");
}

static void read_client(struct config_reader *reader, uint32_t object, struct oauth_settings *out)
{
    static const Str grants[] = { STR_INIT("authorization_code"), STR_INIT("client_credentials") };
    out->is_machine = is_second(reader, object, STR("grant"), grants);
    read_url(reader, object, STR("issuer"), &out->issuer);
    out->client_id = copy_of(reader, object, STR("client_id"));
    read_path(reader, object, STR("client_secret_file"), &out->secret_file);
    out->secret_variable = copy_of(reader, object, STR("client_secret_env"));
    read_path(reader, object, STR("client_key_file"), &out->key_file);
    out->key_id = copy_of(reader, object, STR("client_key_id"));
    read_url(reader, object, STR("client_metadata_url"), &out->metadata_url);
    read_method(reader, object, out);
    check_client(reader, object, out);
}

static Str default_redirect(struct config_reader *reader, const struct config *config)
{
    Str host = config->listen_host, made;
    bool is_v6 = host.n && memchr(host.p, ':', host.n);
    bool has_tls = config->tls_certificate.n > 0;
    if (config->public_url.n)
        made = arena_printf(reader->mem, "%.*s" CALLBACK_PATH, STR_ARG(config->public_url));
    else
        made = arena_printf(reader->mem, "http%s://%s%.*s%s:%u" CALLBACK_PATH, has_tls ? "s" : "",
                            is_v6 ? "[" : "", STR_ARG(host), is_v6 ? "]" : "", config->listen_port);
    reader->is_spent = reader->is_spent || !made.p;
    return made.p ? made : STR("");
}

static void read_oauth(struct config_reader *reader, uint32_t object, const struct config *config,
                       struct oauth_settings *out)
{
    if (object != JSON_NONE) {
        read_client(reader, object, out);
        read_scopes(reader, object, out);
        read_quirks(reader, object, out);
        read_url(reader, object, STR("resource"), &out->resource);
        read_url(reader, object, STR("redirect_uri"), &out->redirect_uri);
        out->assumes_s256 = flag_of(reader, object, STR("assume_s256"));
        out->allow_private = flag_of(reader, object, STR("allow_private"));
        out->is_development = flag_of(reader, object, STR("development"));
    }
    if (!out->redirect_uri.n)
        out->redirect_uri = default_redirect(reader, config);
}

static void read_server(struct config_reader *reader, uint32_t server, struct server_spec *spec,
                        struct config *config)
{
    static const Str kinds[] = { STR_INIT("shared"), STR_INIT("principal") };
    const struct json_doc *doc = &reader->doc;
    uint32_t oauth = config_member(reader, server, STR("oauth"), CONFIG_OBJECT);
    uint32_t kind = json_member(doc, server, STR("connection"));
    if (spec->transport != SERVER_HTTP) {
        if (oauth != JSON_NONE || kind != JSON_NONE)
            config_complain(reader, config_at(reader, oauth != JSON_NONE ? oauth : kind),
                            "belongs to a server with a url");
        return;
    }
    spec->is_per_principal = is_second(reader, server, STR("connection"), kinds);
    struct oauth_settings *out = &config->keeper.servers[config->keeper.server_count++];
    *out = (struct oauth_settings){ .server = spec->alias,
                                    .url = spec->url,
                                    .is_per_principal = spec->is_per_principal };
    read_oauth(reader, oauth, config, out);
}

static void read_master_key(struct config_reader *reader, struct config *config)
{
    static const Str words[] = { STR_INIT("file"), STR_INIT("env"), STR_INIT("credential") };
    uint32_t member = config_member(reader, 0, STR("master_key"), CONFIG_STRING);
    Str text = member == JSON_NONE ? config_fallback(STR("master_key"))
                                   : json_text(json_at(&reader->doc, member));
    Str word = str_cut(&text, ':');
    size_t i = 0;
    while (i < COUNT(words) && !str_eq(word, words[i]))
        i++;
    if (i == COUNT(words) || !text.n) {
        config_complain(reader, config_at(reader, member),
                        "must be \"file:PATH\", \"env:NAME\" or \"credential:NAME\"");
        return;
    }
    config->keeper.key_source = (enum key_source)i;
    config->keeper.is_key_default = member == JSON_NONE;
    config->keeper.key_name =
        i == KEY_FILE ? config_absolute(reader, text) : config_copy(reader, text);
}

static void read_public_url(struct config_reader *reader, struct config *config)
{
    uint32_t member = config_member(reader, 0, STR("public_url"), CONFIG_STRING);
    config->public_url = STR("");
    if (member == JSON_NONE)
        return;
    Str text = json_text(json_at(&reader->doc, member));
    const char *problem = address_origin_problem(text);
    if (problem)
        config_complain(reader, config_at(reader, member), "%s", problem);
    config->public_url = config_copy(reader, text);
}

void config_read_oauth(struct config_reader *reader, struct config *config)
{
    const struct json_doc *doc = &reader->doc;
    uint32_t map = config_member(reader, 0, STR("servers"), CONFIG_MAP);
    size_t count = 0;
    read_public_url(reader, config);
    read_master_key(reader, config);
    config->keeper.store_path = config->store_path;
    config->keeper.client_name = STR("mcpd");
    config->keeper.servers = ARENA_NEW(reader->mem, struct oauth_settings, config->server_count);
    if (!config->keeper.servers) {
        reader->is_spent = true;
        return;
    }
    if (map == JSON_NONE || config->server_count != json_at(doc, map)->count)
        return;
    for (uint32_t i = json_first(doc, map); i != JSON_NONE; i = json_after(doc, map, i))
        read_server(reader, i, &config->servers[count++], config);
}
