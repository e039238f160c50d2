/* SPDX-License-Identifier: Apache-2.0 */
/* revision.h - the protocol revisions that both sides of the gateway speak, and the keys of the
 * per-request envelope that came with 2026-07-28. */
#ifndef RUNTIME_GATEWAY_REVISION_H
#define RUNTIME_GATEWAY_REVISION_H

#include "runtime/base/str.h"

/* The stateless revision. */
#define REVISION_MODERN STR("2026-07-28")
/* The newest revision with a handshake: what we ask for upstream and fall back to downstream. */
#define REVISION_LEGACY STR("2025-11-25")

#define META_VERSION      STR("io.modelcontextprotocol/protocolVersion")
#define META_CAPABILITIES STR("io.modelcontextprotocol/clientCapabilities")
#define META_CLIENT_INFO  STR("io.modelcontextprotocol/clientInfo")
#define META_LOG_LEVEL    STR("io.modelcontextprotocol/logLevel")
#define META_SERVER_INFO  STR("io.modelcontextprotocol/serverInfo")

/* The revision with a handshake of that name, from static memory; {NULL, 0} when it is none. */
Str revision_legacy(Str name);

/* What a server answers to `initialize`: the revision asked for, or its own latest. */
Str revision_negotiate(Str asked);

#endif
