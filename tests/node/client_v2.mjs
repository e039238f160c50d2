// SPDX-License-Identifier: Apache-2.0
// The client half of the SDK's second line, which speaks both eras of the protocol.
export { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
export { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
