// The official TypeScript clients, the one of the handshake and the stateless one, over HTTP+SSE and Streamable HTTP.
//
//     remote.mjs BINARY

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

const modules = fileURLToPath(new URL("../target/node/", import.meta.url));
const require = createRequire(join(modules, "package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

async function use(client, transport, what) {
  await client.connect(transport);
  const { tools } = await client.listTools();
  assert.ok(tools.some((tool) => tool.name === "venice_tts"));
  const result = await client.callTool({ name: "venice_tts", arguments: { input: "Hello from Venice." } });
  assert.ok(!result.isError, JSON.stringify(result.content[0]));
  const { resource } = result.content.find((block) => block.type === "resource");
  const { contents } = await client.readResource({ uri: resource.uri });
  assert.equal(contents[0].blob, resource.blob);
  const bytes = Buffer.from(resource.blob, "base64").length;
  await client.close();
  console.log(`${what}: ${tools.length} tools, ${resource.mimeType}, ${bytes} bytes`);
}

const home = mkdtempSync(join(tmpdir(), "venice-mcp-"));
const server = spawn(resolve(process.argv[2]), ["--sandbox", "--http", "127.0.0.1:0"], {
  env: { HOME: home, VENICE_OUTPUT_DIR: home },
  stdio: ["ignore", "inherit", "pipe"],
});
try {
  const [line] = await once(createInterface({ input: server.stderr }), "line");
  const base = line.match(/http:\/\/\S+(?=\/mcp)/)[0];
  const identity = { name: "smoke", version: "1" };
  const { Client } = await load("@modelcontextprotocol/sdk/client/index.js");
  const { SSEClientTransport } = await load("@modelcontextprotocol/sdk/client/sse.js");
  const { StreamableHTTPClientTransport } = await load("@modelcontextprotocol/sdk/client/streamableHttp.js");
  await use(new Client(identity), new SSEClientTransport(new URL(`${base}/sse`)), "sdk 1, HTTP+SSE");
  await use(new Client(identity), new StreamableHTTPClientTransport(new URL(`${base}/mcp`)), "sdk 1, Streamable HTTP");
  const next = await load("@modelcontextprotocol/client");
  await use(new next.Client(identity), new next.SSEClientTransport(new URL(`${base}/sse`)), "client 2, HTTP+SSE");
  await use(
    new next.Client(identity),
    new next.StreamableHTTPClientTransport(new URL(`${base}/mcp`)),
    "client 2, Streamable HTTP",
  );
} finally {
  server.kill();
  const [code] = await once(server, "exit");
  rmSync(home, { recursive: true });
  assert.equal(code, 0);
}
