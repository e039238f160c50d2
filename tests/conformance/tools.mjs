// SPDX-License-Identifier: Apache-2.0
// The tools, resources and prompts that the conformance suite's scenarios ask for by name, as the
// descriptions of its scenarios word them. One definition serves both eras: what a tool wants to
// know is an input request for a modern client, and the SDK turns it into a request of the server's
// for a legacy one.
import { setTimeout as sleep } from "node:timers/promises";
import { completable, fromJsonSchema, inputRequired, ResourceTemplate, z } from "../node/server_v2.mjs";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";
const STEP_MS = 50; /* between the steps of a tool that tells how far it is */
const RECONNECT_MS = 100; /* from the stream's end to the answer, in the tool that closes it */

const text = (value) => ({ content: [{ type: "text", text: value }] });
const image = { type: "image", data: PNG, mimeType: "image/png" };
const embedded = (uri, mimeType, value) => ({ type: "resource", resource: { uri, mimeType, text: value } });
const none = { inputSchema: z.object({}) };

/** What the client says that it can do, in either era. */
function abilities(server, ctx) {
  return ctx.mcpReq.envelope?.["io.modelcontextprotocol/clientCapabilities"] ?? server.server.getClientCapabilities() ?? {};
}

const form = (message, properties, required) =>
  inputRequired.elicit({ message, requestedSchema: { type: "object", properties, ...(required && { required }) } });
const ask = (prompt, maxTokens) =>
  inputRequired.createMessage({ messages: [{ role: "user", content: { type: "text", text: prompt } }], maxTokens });
const said = (answer) => answer?.content?.text ?? answer?.content?.[0]?.text;

function offerContent(server) {
  const simple = (name, description, content) => server.registerTool(name, { description, ...none }, () => ({ content }));
  simple("test_simple_text", "Says one sentence", text("This is a simple text response for testing.").content);
  simple("test_image_content", "Shows an image", [image]);
  simple("test_audio_content", "Plays a sound", [{ type: "audio", data: WAV, mimeType: "audio/wav" }]);
  simple("test_embedded_resource", "Gives a resource", [
    embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
  ]);
  simple("test_multiple_content_types", "Gives several kinds of content", [
    { type: "text", text: "Multiple content types test:" },
    image,
    embedded("test://mixed-content-resource", "application/json", JSON.stringify({ test: "data", value: 123 })),
  ]);
  server.registerTool("test_error_handling", { description: "Fails", ...none }, () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
}

function offerSteps(server) {
  server.registerTool("test_tool_with_logging", { description: "Logs its steps", ...none }, async (_, ctx) => {
    await ctx.mcpReq.log("info", "Tool execution started");
    await sleep(STEP_MS);
    await ctx.mcpReq.log("info", "Tool processing data");
    await sleep(STEP_MS);
    await ctx.mcpReq.log("info", "Tool execution completed");
    return text("Tool with logging executed successfully");
  });
  server.registerTool("test_logging_tool", { description: "Logs one line", ...none }, async (_, ctx) => {
    await ctx.mcpReq.log("info", "a line of the log");
    return text("logged");
  });
  server.registerTool("test_tool_with_progress", { description: "Tells how far it is", ...none }, async (_, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
      }
      if (progress < 100) await sleep(STEP_MS);
    }
    return text("Tool with progress executed successfully");
  });
  server.registerTool("test_reconnection", { description: "Ends its stream before it answers", ...none }, async (_, ctx) => {
    ctx.http?.closeSSE?.();
    await sleep(RECONNECT_MS);
    return text("Reconnection test completed");
  });
}

/* What the tools of revisions with a handshake ask a client. */
function offerQuestions(server) {
  const single = { type: "string", enum: ["option1", "option2", "option3"] };
  const titled = (word) => [1, 2, 3].map((i) => ({ const: `value${i}`, title: `${["First", "Second", "Third"][i - 1]} ${word}` }));
  const defaults = {
    name: { type: "string", default: "John Doe" },
    age: { type: "integer", default: 30 },
    score: { type: "number", default: 95.5 },
    status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
    verified: { type: "boolean", default: true },
  };
  const enums = {
    untitledSingle: single,
    titledSingle: { type: "string", oneOf: titled("Option") },
    legacyEnum: { type: "string", enum: ["opt1", "opt2", "opt3"], enumNames: ["Option One", "Option Two", "Option Three"] },
    untitledMulti: { type: "array", items: single },
    titledMulti: { type: "array", items: { anyOf: titled("Choice") } },
  };
  const person = {
    username: { type: "string", description: "User's response" },
    email: { type: "string", description: "User's email address" },
  };
  const completed = (answer) =>
    text(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
  const elicits = (name, description, inputSchema, make, tell = completed) =>
    server.registerTool(name, { description, inputSchema }, (args, ctx) => {
      const answer = ctx.mcpReq.inputResponses?.answer;
      return answer ? tell(answer) : inputRequired({ inputRequests: { answer: make(args) } });
    });
  elicits("test_elicitation_sep1034_defaults", "Asks with defaults", z.object({}), () => form("Please review", defaults));
  elicits("test_elicitation_sep1330_enums", "Asks for choices", z.object({}), () => form("Please choose", enums));
  elicits(
    "test_elicitation",
    "Asks the person",
    z.object({ message: z.string() }),
    ({ message }) => form(message, person, ["username", "email"]),
    (answer) => text(`User response: action: ${answer.action}, content: ${JSON.stringify(answer.content ?? {})}`),
  );
  elicits(
    "test_sampling",
    "Asks a model",
    z.object({ prompt: z.string() }),
    ({ prompt }) => ask(prompt, 100),
    (answer) => text(`LLM response: ${said(answer)}`),
  );
}

const person = () => form("What is your name?", { name: { type: "string" } }, ["name"]);

/* Tools that need several rounds. state seals what they know between them. */
function offerRounds(server, state) {
  const tool = (name, description, handle) => server.registerTool(name, { description, ...none }, (_, ctx) => handle(ctx, ctx.mcpReq.inputResponses ?? {}));
  const wants = (inputRequests, requestState) => inputRequired({ inputRequests, ...(requestState && { requestState }) });
  const id = "test_input_required_result";
  tool(`${id}_elicitation`, "Asks for a name", (_, got) => {
    const name = got.user_name?.action === "accept" ? got.user_name.content?.name : undefined;
    return typeof name === "string" ? text(`Hello, ${name}!`) : wants({ user_name: person() });
  });
  tool(`${id}_sampling`, "Asks a model", (_, got) =>
    said(got.capital_question) ? text(said(got.capital_question)) : wants({ capital_question: ask("What is the capital of France?", 100) }),
  );
  tool(`${id}_list_roots`, "Asks for folders", (_, got) =>
    got.client_roots?.roots
      ? text(`Roots: ${got.client_roots.roots.map((root) => root.uri).join(", ")}`)
      : wants({ client_roots: inputRequired.listRoots() }),
  );
  tool(`${id}_request_state`, "Keeps state between rounds", async (ctx, got) =>
    got.confirm && ctx.mcpReq.requestState()?.step === "confirm"
      ? text("state-ok")
      : wants({ confirm: form("Please confirm", { ok: { type: "boolean" } }, ["ok"]) }, await state.mint({ step: "confirm" }, ctx)),
  );
  tool(`${id}_tampered_state`, "Refuses state that was changed", async (ctx, got) =>
    got.confirm && ctx.mcpReq.requestState()
      ? text("state-ok")
      : wants({ confirm: form("Please confirm", { ok: { type: "boolean" } }, ["ok"]) }, await state.mint({ step: "seal" }, ctx)),
  );
  tool(`${id}_multiple_inputs`, "Asks three things at once", async (ctx, got) =>
    got.user_name && got.greeting && got.client_roots
      ? text(`${got.user_name.content?.name}: ${said(got.greeting)} (${got.client_roots.roots?.length} roots)`)
      : wants(
          { user_name: person(), greeting: ask("Generate a greeting", 50), client_roots: inputRequired.listRoots() },
          await state.mint({ step: "all" }, ctx),
        ),
  );
  tool(`${id}_multi_round`, "Asks twice", async (ctx, got) => {
    const known = ctx.mcpReq.requestState();
    if (got.step2 && known?.step === 2) return text(`${known.name} likes ${got.step2.content?.color}`);
    if (got.step1 && known?.step === 1) {
      const color = form("Step 2: What is your favorite color?", { color: { type: "string" } }, ["color"]);
      return wants({ step2: color }, await state.mint({ step: 2, name: got.step1.content?.name }, ctx));
    }
    const name = form("Step 1: What is your name?", { name: { type: "string" } }, ["name"]);
    return wants({ step1: name }, await state.mint({ step: 1 }, ctx));
  });
  tool(`${id}_capabilities`, "Asks only what the client can answer", (ctx, got) => {
    if (Object.keys(got).length > 0) return text("answered");
    const can = abilities(server, ctx);
    return wants({
      ...(can.elicitation && { user_name: person() }),
      ...(can.sampling && { question: ask("What is the capital of France?", 100) }),
      ...(can.roots && { client_roots: inputRequired.listRoots() }),
    });
  });
  server.registerTool("test_streaming_elicitation", { description: "Tells how far it is, then asks", ...none }, async (_, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    if (progressToken !== undefined) {
      await ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress: 1 } });
    }
    return ctx.mcpReq.inputResponses?.user_name ? text("answered") : wants({ user_name: person() });
  });
  server.registerTool("test_missing_capability", { description: "Needs sampling", ...none }, (_, ctx) => {
    const answer = ctx.mcpReq.inputResponses?.question;
    return answer ? text(said(answer)) : wants({ question: ask("Anything", 100) });
  });
}

function offerSchemas(server) {
  const address = {
    $anchor: "addressDef",
    type: "object",
    properties: { street: { type: "string" }, city: { type: "string" } },
  };
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    $defs: { address },
    properties: {
      name: { type: "string" },
      address: { $ref: "#/$defs/address" },
      contactMethod: { type: "string", enum: ["phone", "email"] },
      phone: { type: "string" },
      email: { type: "string" },
    },
    allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
    if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
    then: { required: ["phone"] },
    else: { required: ["email"] },
    additionalProperties: false,
  };
  server.registerTool(
    "json_schema_2020_12_tool",
    { description: "Tool with JSON Schema 2020-12 features", inputSchema: fromJsonSchema(schema) },
    () => text("valid"),
  );
  const mirrored = {
    type: "object",
    properties: {
      region: { type: "string", "x-mcp-header": "Region" },
      limit: { type: "integer", "x-mcp-header": "Limit" },
      note: { type: "string" },
    },
    required: ["region"],
  };
  server.registerTool(
    "test_mirrored_arguments",
    { description: "Has arguments that travel as headers, too", inputSchema: fromJsonSchema(mirrored) },
    ({ region }) => text(`region ${region}`),
  );
}

function offerResources(server) {
  const add = (name, uri, mimeType, content) =>
    server.registerResource(name, uri, { title: name, description: `Fixture: ${name}`, mimeType }, () => ({
      contents: [{ uri, mimeType, ...content }],
    }));
  add("static-text", "test://static-text", "text/plain", { text: "This is the content of the static text resource." });
  add("static-binary", "test://static-binary", "image/png", { blob: PNG });
  add("watched-resource", "test://watched-resource", "text/plain", { text: "Watched." });
  server.registerResource(
    "template",
    new ResourceTemplate("test://template/{id}/data", { list: undefined }),
    { description: "Fixture: a template", mimeType: "application/json" },
    (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: "application/json",
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        },
      ],
    }),
  );
  server.server.registerCapabilities({ resources: { subscribe: true, listChanged: true } });
  for (const method of ["resources/subscribe", "resources/unsubscribe"]) {
    server.server.setRequestHandler(method, () => ({}));
  }
}

function offerPrompts(server) {
  const user = (content) => ({ role: "user", content });
  const sentence = (value) => user({ type: "text", text: value });
  server.registerPrompt("test_simple_prompt", { description: "One message" }, () => ({
    messages: [sentence("This is a simple prompt for testing.")],
  }));
  const argument = z.string().describe("A word");
  server.registerPrompt(
    "test_prompt_with_arguments",
    {
      description: "A message with two words in it",
      argsSchema: z.object({ arg1: completable(argument, (value) => ["paris", "park", "party"].filter((w) => w.startsWith(value))), arg2: argument }),
    },
    ({ arg1, arg2 }) => ({ messages: [sentence(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    { description: "A message and a resource", argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        user(embedded(resourceUri, "text/plain", "Embedded resource content for testing.")),
        sentence("Please process the embedded resource above."),
      ],
    }),
  );
  server.registerPrompt("test_prompt_with_image", { description: "A message and an image" }, () => ({
    messages: [user(image), sentence("Please analyze the image above.")],
  }));
  server.registerPrompt("test_input_required_result_prompt", { description: "Asks before it answers" }, (ctx) => {
    const context = ctx.mcpReq.inputResponses?.user_context?.content?.context;
    if (context === undefined) {
      const wanted = form("What context should the prompt use?", { context: { type: "string" } }, ["context"]);
      return inputRequired({ inputRequests: { user_context: wanted } });
    }
    return { messages: [sentence(`In the context of ${context}`)] };
  });
}

/** Gives a server all that the scenarios ask for; changed(what) tells that a list is another now. */
export function offer(server, { state, changed }) {
  offerContent(server);
  offerSteps(server);
  offerQuestions(server);
  offerRounds(server, state);
  offerSchemas(server);
  for (const what of ["tool", "prompt"]) {
    server.registerTool(`test_trigger_${what}_change`, { description: `Says that the ${what}s changed`, ...none }, () => {
      changed(what, server);
      return text("changed");
    });
  }
  offerResources(server);
  offerPrompts(server);
  return server;
}
