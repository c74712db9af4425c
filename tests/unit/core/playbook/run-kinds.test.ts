// What the language says of tools that run something elsewhere: which playbooks are good, which are
// refused, and what to write instead.

import { describe, expect, test } from "bun:test";
import { expectProblem, expectWarning, problemsOf, warningsOf, withTool } from "./playbook-text.ts";

describe("good", () => {
  for (const tool of [
    "{kind: mcp, server: shop, tool: add, arguments: {a: 1}}",
    '{kind: mcp, endpoint: "{{ url }}", method: tools/list}',
    '{kind: agent, framework: noetl, entrypoint: agents/plan, payload: {goal: "{{ g }}"}}',
    "{kind: container, image: etl, command: [sh, -c], args: [ls, 1], env: [{name: A, value: b}]}",
    '{kind: container, image: "{{ image }}", args: "{{ list }}", env: {A: 1}}',
    "{kind: snowflake, auth: sf, commands: [select 1, select 2]}",
    "{kind: snowflake, auth: sf, command_b64: c2VsZWN0IDE=}",
    "{kind: python, script: {uri: s3://box/a.py, source: {type: s3, auth: keys}}}",
  ]) {
    test(`is ${tool}`, () => {
      const source = withTool(tool);
      expect(problemsOf(source)).toEqual([]);
      expect(warningsOf(source)).toEqual([]);
    });
  }
});

describe("refused", () => {
  test("are calls without what their kind needs", () => {
    expectProblem(
      withTool("{kind: mcp, tool: add}"),
      "tool:",
      "mcp tool has no 'endpoint', 'url', 'server_url', 'base_url' or 'server', expected one",
    );
    expect(problemsOf(withTool("{kind: container}"))[0]).toContain("'image'");
    expect(problemsOf(withTool("{kind: snowflake, auth: sf}"))[0]).toContain("'command'");
    expect(problemsOf(withTool("{kind: agent, framework: noetl}"))[0]).toContain("'entrypoint'");
  });

  test("are agents of other frameworks, with where those run", () => {
    expectProblem(
      withTool("{kind: agent, framework: langchain, entrypoint: a}"),
      "langchain",
      "'framework' is 'langchain', expected noetl, which runs a playbook; " +
        "run an agent of another framework in python",
    );
  });

  test("are lists that are none, and runtimes that there are not", () => {
    expectProblem(
      withTool("{kind: container, image: a, args: {b: 1}}"),
      "{b: 1}",
      "'args' is a map, expected a list or a template",
    );
    expect(problemsOf(withTool("{kind: container, image: a, runtime: lxc}"))).toHaveLength(1);
  });

  test("are containers and agents beside other tasks, and rules on them", () => {
    const agent = "{kind: agent, framework: noetl, entrypoint: a}";
    for (const tool of [agent, "{kind: container, image: a}"]) {
      expect(problemsOf(withTool("- {kind: noop}", `- ${tool}`))).toHaveLength(1);
    }
  });

  for (const [kind, instead] of [
    ["rhai", "python or javascript"],
    ["provider", "http against the provider's API, or container"],
    ["result_fetch", "artifact"],
    ["script", "container for a job, or python with script"],
    ["subscription", "nats with operation js_consume"],
    ["gateway", "http"],
    ["snowflake_transfer", "transfer"],
    ["wasm", "javascript, python or container; plug-ins come later"],
  ] as const) {
    test(`is ${kind}, with what to use instead`, () => {
      expectProblem(
        withTool(`{kind: ${kind}}`),
        kind,
        `tool kind '${kind}' is not supported; use ${instead}`,
      );
    });
  }
});

test("fields without effect are warned about", () => {
  expectWarning(
    withTool("{kind: mcp, server: shop, tool: add, protocol_version: 2025-03-26}"),
    "protocol_version",
    "mcp tool key 'protocol_version' has no effect; the version is what both sides agree on",
  );
});
