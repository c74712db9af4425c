// The endpoint of the Model Context Protocol as its own client sees it: tools, calls, resources, and
// what it is asked for in vain.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { apiClient } from "#core/adapters/api-client";
import type { Principal, Role } from "#core/model/access";
import { type House, startHouse } from "#tests/support/embedded";

const playbook = (path: string, exposed: string, tool = "kind: noop") => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${path.split("/").at(-1)}, path: ${path}, description: "About ${path}", exposes_as_mcp: ${exposed}}
workload:
  who: world # ui:description=Whom to greet
  times: 1
workflow:
  - step: start
    tool: {${tool}}
`;
const code = [
  "def main(who, times):",
  "    print('hi', who)",
  "    return {'said': 'hi ' + who, 'times': times}",
].join("\\n");
const input = `{who: "{{ workload.who }}", times: "{{ workload.times }}"}`;
const greeting = `kind: python, code: "${code}", input: ${input}`;

const person = (tenant: string, role: Role): Principal => ({
  ...{ kind: "person", subject: `${role}@${tenant}`, tenant, role },
});

let house: House;
const servers: Bun.Server<undefined>[] = [];
const clients: Client[] = [];

beforeAll(async () => {
  house = await startHouse({
    playbooks: [
      playbook("tools/greet", "true", greeting),
      playbook("tools/hidden", "false"),
      playbook(
        "tools/fails",
        "{name: breaks, description: It breaks}",
        "kind: http, url: 'x://no'",
      ),
      playbook("tools/slow", "{timeout_seconds: 0.2}", "kind: wait, for: callback, key: never"),
    ],
  });
}, 30_000);

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(servers.map((server) => server.stop(true)));
  await house.close();
});

function serve(principal: Principal): string {
  const server = Bun.serve({ port: 0, fetch: house.embedded.fetchAs(principal) });
  servers.push(server);
  return `http://127.0.0.1:${server.port}/mcp`;
}

async function connected(principal: Principal): Promise<Client> {
  const client = new Client({ name: "test", version: "1" });
  // The library's own types are looser than our compiler's.
  const transport = new StreamableHTTPClientTransport(new URL(serve(principal)));
  await client.connect(transport as unknown as Parameters<typeof client.connect>[0]);
  clients.push(client);
  return client;
}

const operator = person("default", "operator");

describe("tools", () => {
  test("are the playbooks that say so, with the schema of their workload", async () => {
    const client = await connected(operator);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["breaks", "tools_greet", "tools_slow"]);
    expect(tools[1]).toMatchObject({
      description: "About tools/greet",
      inputSchema: {
        type: "object",
        properties: {
          who: { type: "string", default: "world", description: "Whom to greet" },
          times: { type: "integer", default: 1 },
        },
      },
    });
    expect(tools[0]?.description).toBe("It breaks");
  });

  test("run with the arguments of the call, and tell of their steps", async () => {
    const client = await connected(operator);
    const told: number[] = [];
    const result = await client.callTool(
      { name: "tools_greet", arguments: { who: "Ada" } },
      undefined,
      { onprogress: ({ progress }) => void told.push(progress) },
    );
    expect(result.structuredContent).toEqual({ said: "hi Ada", times: 1 });
    expect(result.isError ?? false).toBe(false);
    expect(told).toEqual([1]);
    const id = String(result._meta?.["noetl/execution_id"]);
    const [first] = (await house.stores.log.events(id as never, 0, 1)) ?? [];
    expect(first?.event).toMatchObject({
      origin: { client_id: "mcp", subject: "operator@default" },
    });
  });

  test("that fail say why, and those that take longer go on", async () => {
    const client = await connected(operator);
    const failed = await client.callTool({ name: "breaks" });
    expect(failed.isError).toBe(true);
    expect(JSON.stringify(failed.content)).toContain("failed_steps");
    const slow = await client.callTool({ name: "tools_slow" });
    expect(slow.structuredContent).toMatchObject({ status: "running" });
    const [, link] = slow.content as readonly { readonly type: string }[];
    expect(link).toMatchObject({ type: "resource_link" });
  });

  test("are not called by viewers, nor by a name that none has", async () => {
    const viewer = await connected(person("default", "viewer"));
    expect((await viewer.listTools()).tools).toHaveLength(3);
    await expect(viewer.callTool({ name: "tools_greet" })).rejects.toThrow("role operator");
    const client = await connected(operator);
    await expect(client.callTool({ name: "tools_hidden" })).rejects.toThrow("no tool");
  });

  test("may be agents, and vanish when they are put away", async () => {
    const admin = apiClient({
      fetch: house.embedded.fetchAs(person("default", "admin")),
      baseUrl: "http://control",
    });
    const content = playbook("agents/helper", "true").replace("kind: Playbook", "kind: Agent");
    await admin.registerCatalog({ body: { content, resource_type: "agent" } });
    const client = await connected(operator);
    const names = async () => (await client.listTools()).tools.map(({ name }) => name);
    expect(await names()).toContain("agents_helper");
    await admin.deleteCatalog({ body: { path: "agents/helper" } });
    expect(await names()).not.toContain("agents_helper");
    await expect(client.callTool({ name: "agents_helper" })).rejects.toThrow("no tool");
  });

  test("of another tenant are not there", async () => {
    const client = await connected(person("other", "admin"));
    expect((await client.listTools()).tools).toEqual([]);
    await expect(client.callTool({ name: "tools_greet" })).rejects.toThrow("no tool");
  });
});

describe("resources", () => {
  test("are executions with their events and lines, and versions of the catalog", async () => {
    const run = await house.run("tools/greet", { who: "Grace" });
    const client = await connected(person("default", "viewer"));
    const { resources } = await client.listResources();
    const uri = `noetl://executions/${run.executionId}`;
    expect(resources.map((resource) => resource.uri)).toContain(uri);
    const read = async (of: string) => {
      const [content] = (await client.readResource({ uri: of })).contents;
      return content !== undefined && "text" in content ? content.text : "";
    };
    expect(JSON.parse(await read(uri))).toMatchObject({ status: "COMPLETED" });
    expect(JSON.parse(await read(`${uri}/events`))).toHaveLength(run.events.length);
    await expect(read("noetl://catalog/tools/greet@1")).resolves.toContain("Whom to greet");
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(4);
  });

  test("of another tenant, and those that there aren't, do not exist", async () => {
    const run = await house.run("tools/greet");
    const client = await connected(person("other", "admin"));
    expect((await client.listResources()).resources).toEqual([]);
    for (const uri of [
      `noetl://executions/${run.executionId}`,
      `noetl://executions/${run.executionId}/logs`,
      "noetl://catalog/tools/greet",
      "noetl://catalog/%ZZ",
      "noetl://executions/99999999999999999999",
      "file:///etc/passwd",
    ]) {
      await expect(client.readResource({ uri })).rejects.toThrow("does not exist");
    }
  });
});

describe("messages that are none", () => {
  const post = async (body: string, headers: Record<string, string> = {}) => {
    const accept = "application/json, text/event-stream";
    const response = await fetch(serve(operator), {
      method: "POST",
      body,
      headers: { accept, "content-type": "application/json", ...headers },
    });
    return { status: response.status, text: await response.text() };
  };

  test.each([
    ["no JSON", "{", 400],
    ["no JSON-RPC", '{"a":1}', 400],
    ["a batch of nonsense", "[1,2]", 400],
    ["more than may be", `{"a":"${"x".repeat(5_000_000)}"}`, 413],
  ])("%s is refused", async (_name, body, status) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain("at ");
  });

  test("a method that there isn't is an error of the protocol", async () => {
    const answer = await post('{"jsonrpc":"2.0","id":7,"method":"nothing/here"}');
    expect(answer.text).toContain("-32601");
  });

  test("another protocol version is refused, and a page of another host too", async () => {
    const list = '{"jsonrpc":"2.0","id":7,"method":"tools/list"}';
    expect((await post(list, { "mcp-protocol-version": "1999-01-01" })).status).toBe(400);
    expect((await post(list, { origin: "http://evil.example" })).status).toBe(403);
  });

  test("there is no stream and no session", async () => {
    const url = serve(operator);
    expect((await fetch(url)).status).toBe(405);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(404);
  });
});

test("the older address answers plain JSON for one playbook", async () => {
  const address = serve(operator).replace(/\/mcp$/, "/api/mcp/playbook/tools/greet/jsonrpc");
  const ask = async (method: string, params: object) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 3, method, params });
    return (await fetch(address, { method: "POST", body })).json();
  };
  expect(await ask("tools/list", {})).toMatchObject({
    result: { tools: [{ name: "tools_greet" }] },
  });
  expect(await ask("tools/call", { name: "tools_greet", arguments: { who: "Bo" } })).toMatchObject({
    id: 3,
    result: { structuredContent: { said: "hi Bo" } },
  });
});
