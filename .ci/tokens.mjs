// What listing the tools costs a conversation: the bytes and o200k tokens of `tools/list` as it leaves over stdio.
// Ends with 1 where that is more than was promised.
//
//     npm install --prefix target/ci-node gpt-tokenizer@3.4.0
//     node .ci/tokens.mjs BINARY target/ci-node

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const MOST = { bytes: 30_000, tokens: 7_200 };

const [binary, modules] = process.argv.slice(2).map((path) => resolve(path));
const { countTokens } = createRequire(`${modules}/`)("gpt-tokenizer/encoding/o200k_base");

const server = spawn(binary, { stdio: ["pipe", "pipe", "inherit"], env: { HOME: process.env.HOME } });
const send = (message) => server.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const clientInfo = { name: "tokens", version: "1" };
send({ id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo } });

for await (const line of createInterface({ input: server.stdout })) {
  const answer = JSON.parse(line);
  if (answer.id === 1) {
    send({ method: "notifications/initialized" });
    send({ id: 2, method: "tools/list" });
  }
  if (answer.id !== 2) continue;
  const sizes = answer.result.tools.map((tool) => [countTokens(JSON.stringify(tool)), tool.name]);
  for (const [tokens, name] of sizes.sort(([a], [b]) => b - a)) console.log(`${String(tokens).padStart(6)} ${name}`);
  const found = { bytes: Buffer.byteLength(line), tokens: countTokens(line) };
  console.log(`${sizes.length} tools: ${found.bytes} bytes, ${found.tokens} tokens`);
  for (const unit of Object.keys(MOST)) {
    if (found[unit] > MOST[unit]) {
      console.error(`tools/list has more than ${MOST[unit]} ${unit}`);
      process.exitCode = 1;
    }
  }
  server.stdin.end();
}
if (server.exitCode) process.exitCode = 1;
