// A client of `docket mcp`, written with the official SDK: claims the task that waits, has the model do it, submits the
// answer, and waits until the run is over. Run as: node client.mjs DOCKET PROJECT MODEL KEY
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [docket, project, model, key] = process.argv.slice(2);

function require(condition, message) {
  if (!condition) throw new Error(message);
}

async function call(client, name, input) {
  const answer = await client.callTool({ name, arguments: input });
  const text = JSON.stringify(answer.content);
  require(!answer.isError, `${name} failed: ${text}`);
  require(answer.structuredContent, `${name} has no structured content: ${text}`);
  return answer.structuredContent;
}

const client = new Client({ name: "docket-agents-check", version: "1.0.0" });
await client.connect(
  new StdioClientTransport({ command: docket, args: ["mcp", "--project", project], env: { ...process.env }, stderr: "inherit" }),
);
const { tools } = await client.listTools();
for (const name of ["task_next", "task_submit", "status"]) {
  require(tools.some((tool) => tool.name === name), `there is no tool ${name}`);
}
const { task } = await call(client, "task_next", {});
require(task, "no task waits");
require((await call(client, "task_next", {})).task === null, "the task was handed out twice");

const asked = await fetch(`${model}/task`, {
  method: "POST",
  headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
  body: JSON.stringify({ prompt: task.prompt, schema: task.schema }),
});
const { answer } = await asked.json();
const bad = await client.callTool({
  name: "task_submit",
  arguments: { run: task.run, stage: task.stage, claim: task.claim, result: { summary: "fits nothing" } },
});
require(bad.isError, "an answer that does not fit was taken");
await call(client, "task_submit", { run: task.run, stage: task.stage, claim: task.claim, result: JSON.parse(answer) });

let status = "";
for (let round = 0; round < 20 && !["completed", "failed"].includes(status); round += 1) {
  ({ status } = await call(client, "status", { run: task.run, wait_seconds: 20 }));
}
require(status === "completed", `the run is ${status}`);
await client.close();
