// SPDX-License-Identifier: Apache-2.0
// The server half of the SDK's first line: sessions, nothing newer than 2025-11-25.
export { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
export { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
export { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
export { z } from "zod";
