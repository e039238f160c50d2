/* SPDX-License-Identifier: Apache-2.0 */
/* config_listen.c - where clients connect, by what means, and under which names.
 *
 * Tokens are bearer tokens: whoever sees one has it. So an address that other machines reach comes
 * with TLS, or with a setting whose name says that it does not.
 */
#include "runtime/daemon/address.h"
#include "runtime/daemon/config_reader.h"

/* One of the two files of "tls", which must be there. */
static Str read_tls_path(struct config_reader *reader, uint32_t tls, Str key)
{
    uint32_t member = json_member(&reader->doc, tls, key);
    if (member == JSON_NONE)
        config_complain(reader, config_at(reader, tls), "needs \"%.*s\"", STR_ARG(key));
    if (member == JSON_NONE || json_at(&reader->doc, member)->type != JSON_STRING)
        return STR("");
    Str path = json_text(json_at(&reader->doc, member));
    if (config_path_problem(path))
        config_complain(reader, config_at(reader, member), "%s", config_path_problem(path));
    return config_absolute(reader, path);
}

/* What an address that other machines reach must bring. */
static void check_exposed(struct config_reader *reader, uint32_t listen, bool has_tls,
                          const struct listen_address *address, const struct config *config)
{
    uint32_t leave = config_member(reader, 0, STR("listen_without_tls"), CONFIG_BOOL);
    bool is_allowed = leave != JSON_NONE && json_at(&reader->doc, leave)->type == JSON_TRUE;
    if (!has_tls && !is_allowed)
        config_complain(reader, config_at(reader, listen),
                        "is not a loopback address: it needs \"tls\", or \"listen_without_tls\": "
                        "true if a proxy brings TLS");
    if (address->is_wildcard && config->allowed_host_count == 0)
        config_complain(reader, config_at(reader, listen),
                        "is every address of this machine: \"allowed_hosts\" must say by which "
                        "names clients come");
}

void config_read_listen(struct config_reader *reader, struct config *config)
{
    uint32_t member = config_member(reader, 0, STR("listen"), CONFIG_STRING);
    uint32_t tls = config_member(reader, 0, STR("tls"), CONFIG_OBJECT);
    Str text = member == JSON_NONE ? config_fallback(STR("listen"))
                                   : json_text(json_at(&reader->doc, member));
    struct listen_address address = { .is_loopback = true };
    const char *problem = address_listen(text, &address);
    if (problem)
        config_complain(reader, config_at(reader, member), "%s", problem);
    config->listen_host = config_copy(reader, address.host);
    config->listen_port = address.port;
    config_strings(reader, config_member(reader, 0, STR("allowed_hosts"), CONFIG_STRINGS),
                   address_host_problem, &config->allowed_hosts, &config->allowed_host_count);
    config_strings(reader, config_member(reader, 0, STR("allowed_origins"), CONFIG_STRINGS),
                   address_origin_problem, &config->allowed_origins, &config->allowed_origin_count);
    if (tls != JSON_NONE) {
        config->tls_certificate = read_tls_path(reader, tls, STR("certificate"));
        config->tls_key = read_tls_path(reader, tls, STR("key"));
    }
    if (!address.is_loopback)
        check_exposed(reader, member, tls != JSON_NONE, &address, config);
}
