// token(alias) in fields of tools: it reaches what the tool calls and nothing else, and it is as
// new as the attempt.

import { describe, expect, test } from "bun:test";
import type { TaskSpec } from "#core/model/command";
import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import type { CredentialRecord } from "#core/ports/control-plane";
import { startHouse } from "#tests/support/embedded";
import { header, problemsOf, warningsOf, withTool } from "#tests/unit/core/playbook/playbook-text";
import {
  command,
  failed,
  ok,
  outcomeOf,
  quietControl,
  rule,
  scriptedTool,
  task,
  tool,
} from "#tests/worker/commands";
import type { Tool } from "#worker/tools/tool";

const credentials: Readonly<Record<string, JsonObject>> = {
  api: { token: "tok-of-api-1" },
  old: { access_token: "tok-of-old-2" },
  bearer: { bearer_token: "tok-of-bearer-3", id_token: "never-this" },
  google: { id_token: "tok-of-google-4", token: "" },
  basic: { username: "ada", password: "hunter2" },
  list: { token: ["tok-in-a-list"] },
};

/** A control plane that gives those credentials, and what it was asked for. */
function keeper(given: Readonly<Record<string, JsonObject>> = credentials) {
  const asked: string[] = [];
  const control = quietControl({
    credential: async (_worker, _command, alias): Promise<CredentialRecord> => {
      asked.push(alias);
      const data = given[alias];
      if (data === undefined) throw new Fault("not_found", `no credential ${alias}`);
      return { name: alias, type: "bearer", data };
    },
  });
  return { asked, control };
}

async function configOf(of: TaskSpec, scope: JsonObject = {}) {
  const { asked, control } = keeper();
  const seen = scriptedTool(ok(null));
  const outcome = await outcomeOf(command([of], { scope }), [seen], { control });
  return { config: seen.calls[0]?.config, asked, outcome };
}

describe("a field with a token", () => {
  test("gives the tool the first of the credential's tokens", async () => {
    const holes = {
      a: "Bearer {{ token('api') }}",
      b: "{{ token('old') }}",
      c: "{{ token('bearer') }}",
      d: "{{ token('google') }}",
    };
    const { config, asked } = await configOf(task("call", { holes }));
    expect(config).toEqual({
      a: "Bearer tok-of-api-1",
      b: "tok-of-old-2",
      c: "tok-of-bearer-3",
      d: "tok-of-google-4",
    });
    expect(asked).toEqual(["api", "old", "bearer", "google"]);
  });

  test("asks once for an alias, however often and from where it is named", async () => {
    const holes = {
      "input.t": "{{ token('api') }}",
      a: "{{ t }}",
      b: "{{ token(which) }}{{ token('api') | length }}",
    };
    const { config, asked } = await configOf(task("call", { holes }), { which: "api" });
    expect(config).toEqual({
      input: { t: "tok-of-api-1" },
      a: "tok-of-api-1",
      b: "tok-of-api-112",
    });
    expect(asked).toEqual(["api"]);
  });

  test("asks for nothing in a branch that is not taken", async () => {
    const { config, asked } = await configOf(
      task("call", { holes: { a: "{{ token('api') if secured else 'none' }}" } }),
    );
    expect(config).toEqual({ a: "none" });
    expect(asked).toEqual([]);
  });

  test("leaves a value that is called token what it is", async () => {
    const holes = { a: "{{ token }}", b: "{{ token ~ token('api') }}" };
    const { config } = await configOf(task("call", { holes }), { token: "mine" });
    expect(config).toEqual({ a: "mine", b: "minetok-of-api-1" });
  });

  test("may name sixteen credentials and no more", async () => {
    const many = Array.from({ length: 17 }, (_, index) => `alias-${index}`);
    const given = Object.fromEntries(many.map((alias) => [alias, { token: `tok-${alias}` }]));
    const run = async (count: number) => {
      const { asked, control } = keeper(given);
      const seen = scriptedTool(ok(null));
      const text = many.slice(0, count).map((alias) => `{{ token('${alias}') }}`);
      const holes = { a: text.join(" ") };
      const { output } = await outcomeOf(command([task("call", { holes })]), [seen], { control });
      return { asked: asked.length, calls: seen.calls.length, error: output.error };
    };
    expect(await run(16)).toEqual({ asked: 16, calls: 1, error: undefined });
    expect(await run(17)).toMatchObject({
      asked: 16,
      calls: 0,
      error: { kind: "credential", message: expect.stringContaining("more than 16 credentials") },
    });
  });

  test.each([
    ["{{ token('nope') }}", "credential", "credential nope could not be read"],
    ["{{ token('basic') }}", "credential", "credential basic of type bearer has no token"],
    ["{{ token('list') }}", "credential", "credential list of type bearer has no token"],
    ["{{ token('') }}", "template", "takes the alias of a credential"],
    ["{{ token(['api']) }}", "template", "takes the alias of a credential, found a list"],
    ["{{ token(missing) }}", "template", "takes the alias of a credential, found undefined"],
  ])("fails the task before its tool is called: %s", async (text, kind, message) => {
    const { config, outcome } = await configOf(task("call", { holes: { a: text } }));
    expect(config).toBeUndefined();
    expect(outcome.output.error).toMatchObject({ kind, retryable: false });
    expect(outcome.output.error?.message).toContain(message);
    expect(outcome.output.error?.message).not.toContain("hunter2");
  });

  test("fails for another time where the control plane can't be reached", async () => {
    const control = quietControl({
      credential: () => Promise.reject(new Error("connection lost")),
    });
    const of = command([task("call", { holes: { a: "{{ token('api') }}" } })]);
    const { output } = await outcomeOf(of, undefined, { control });
    expect(output.error).toMatchObject({ kind: "credential", retryable: true });
  });
});

test("each attempt asks anew, because tokens expire", async () => {
  let given = 0;
  const control = quietControl({
    credential: async (_worker, _command, alias) => ({
      name: alias,
      type: "bearer",
      data: { token: `token-number-${++given}` },
    }),
  });
  const seen = scriptedTool(failed(), ok(null));
  const retrying = task("call", {
    holes: { a: "{{ token('api') }}{{ token('api') }}" },
    rules: [
      rule("retry", { when: "{{ output.status == 'error' }}", delayMs: 0 }),
      rule("continue"),
    ],
  });
  await outcomeOf(command([retrying]), [seen], { control });
  expect(seen.calls.map(({ config }) => config["a"])).toEqual([
    "token-number-1token-number-1",
    "token-number-2token-number-2",
  ]);
});

test("a token is blanked out of outputs, errors, log lines and what is set", async () => {
  const { control } = keeper();
  const lines: string[] = [];
  const leaky: Tool = tool((config, context) => {
    const token = String(config["a"]);
    context.log("stdout", `called with ${token}`);
    return {
      status: "error",
      data: { echo: [token], [token]: btoa(token) },
      error: { kind: "http", message: `refused ${token}`, retryable: false },
    };
  });
  const of = task("call", {
    holes: { a: "{{ token('api') }}" },
    set: { "ctx.seen": "{{ output.data.echo[0] }}" },
    rules: [rule("continue")],
  });
  const log = { line: ({ text }: { readonly text: string }) => void lines.push(text) };
  const outcome = await outcomeOf(command([of]), [leaky], { control, log });
  expect(JSON.stringify([outcome, lines])).not.toContain("tok-of-api-1");
  expect(JSON.stringify([outcome, lines])).not.toContain(btoa("tok-of-api-1"));
  expect(lines).toEqual(["called with ***"]);
  expect(outcome.set).toEqual({ "ctx.seen": "***" });
});

test("a rule or a set that got past the checks is refused by the worker", async () => {
  const { asked, control } = keeper();
  const message = "token() is for fields of tools: a secret must not reach the log";
  const setting = command([task("call", { set: { x: "{{ token('api') }}" } })]);
  expect((await outcomeOf(setting, undefined, { control })).output.error?.message).toBe(message);
  const judging = command([
    task("call", { rules: [rule("continue", { when: "token('api') == 'x'" })] }),
  ]);
  expect((await outcomeOf(judging, undefined, { control })).output.error?.message).toBe(message);
  expect(asked).toEqual([]);
});

describe("in a playbook", () => {
  test("the token reaches the wire and no event", async () => {
    const heard: (string | null)[] = [];
    const server = Bun.serve({
      port: 0,
      fetch: (request) => {
        heard.push(request.headers.get("x-token"));
        return Response.json({ said: request.headers.get("x-token") });
      },
    });
    const house = await startHouse({
      credentials: [{ name: "api", type: "bearer", data: { token: "tok-of-api-1" } }],
      playbooks: [
        `${header.replace("sample", "sample, path: test/token")}workload: {alias: api, url: "${server.url}"}
workflow:
  - step: start
    tool:
      kind: http
      url: "{{ workload.url }}"
      headers: {X-Token: "{{ token(workload.alias) }}"}
`,
      ],
    });
    try {
      const run = await house.run("test/token");
      expect(run.status).toBe("completed");
      expect(heard).toEqual(["tok-of-api-1"]);
      expect(JSON.stringify(run)).not.toContain("tok-of-api-1");
      expect(JSON.stringify(run)).toContain("***");
    } finally {
      await house.close();
      await server.stop(true);
    }
  });

  const refusal = "token() is for fields of tools: a secret must not reach the log";
  const workflow = (step: string): string => `${header}workflow:\n  - ${step}\n`;

  test.each([
    ["a task's set", withTool("kind: noop", "set: {x: \"{{ token('a') }}\"}")],
    [
      "a rule",
      withTool(
        "kind: noop",
        "spec: {policy: {rules: [{when: \"{{ token('a') == 'x' }}\", then: {do: continue}}]}}",
      ),
    ],
    ["a step's set", workflow("{step: start, tool: {kind: noop}, set: {x: \"{{ token('a') }}\"}}")],
    ["a step's guard", workflow("{step: start, when: \"token('a')\", tool: {kind: noop}}")],
    [
      "an arc",
      workflow(
        "{step: start, tool: {kind: noop}, next: {arcs: [{step: end, when: \"token('a')\"}]}}",
      ),
    ],
    [
      "a loop",
      workflow("{step: start, loop: {in: \"{{ token('a') }}\", iterator: x}, tool: {kind: noop}}"),
    ],
    ["a sub-playbook", withTool("kind: playbook", "path: x", "args: {a: \"{{ token('a') }}\"}")],
  ])("%s may not ask for one", (_, source) => {
    expect(problemsOf(source).some((problem) => problem.endsWith(refusal))).toBe(true);
  });

  test("a field of a tool may, at any depth", () => {
    const source = withTool(
      "kind: http",
      "url: x",
      "headers: {a: \"{{ token('a') }}\"}",
      "input: {b: [\"{{ token('b') }}\"]}",
    );
    expect(problemsOf(source)).toEqual([]);
  });

  test("a key that is a template is warned of", () => {
    const source = withTool("kind: http", "url: x", 'headers: {"{{ a }}": b}');
    expect(warningsOf(source).join()).toContain("a key is never rendered");
  });
});
