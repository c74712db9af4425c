// The kinds of documents that the catalog takes: what each must say, and what none may.

import { describe, expect, test } from "bun:test";
import { parseResource } from "#core/playbook/resource";
import { resourceKindNamed } from "#core/playbook/resource-kinds";

const head = (kind: string): string =>
  `apiVersion: noetl.io/v2\nkind: ${kind}\nmetadata: {name: n, path: a/n}\n`;

const good: Readonly<Record<string, string>> = {
  Playbook: "workflow: [{step: s, tool: {kind: noop}}]",
  Agent: "workflow: [{step: s, tool: {kind: noop}}]",
  Mcp: "spec: {endpoint: 'https://mcp.example.org/mcp', credential: c, tools: [{name: t}]}",
  Credential: "spec: {type: postgres, data: {host: '{{ host }}', password: '***'}}",
  Subscription: "spec: {source: nats, dispatch: {playbook: a/b}, stream: s}",
  Tool: "spec: {entry: a/b, input_schema: {type: object, properties: {x: {type: [string, 'null']}}}}",
  Schema: "spec: {schema: {$defs: {a: {type: integer}}, items: {$ref: '#/$defs/a'}}}",
  Memory: "spec: {namespace: notes, ttl_seconds: 60, schema: true}",
};

const problemsOf = (source: string): readonly string[] => {
  const parsed = parseResource(source);
  return parsed.ok ? [] : parsed.problems.map(({ line, message }) => `${line}: ${message}`);
};

test.each(Object.entries(good))("%s is a kind of the catalog", (kind, body) => {
  const parsed = parseResource(head(kind) + body);
  expect(problemsOf(head(kind) + body)).toEqual([]);
  expect(parsed).toMatchObject({ ok: true, kind, metadata: { name: "n", path: "a/n" } });
});

test("kinds are named in any case, alone and in the plural", () => {
  const named = ["playbooks", "AGENT", "mcps", "Memories", " tool ", "notebook", "constructor"];
  expect(named.map(resourceKindNamed)).toEqual([
    ...(["Playbook", "Agent", "Mcp", "Memory", "Tool"] as const),
    ...[undefined, undefined],
  ]);
});

describe("refused with a place", () => {
  const bad: readonly (readonly [string, string, string])[] = [
    ["Mcp", "spec: {tools: []}", "4: Mcp spec has no 'endpoint', expected text"],
    ["Mcp", "spec: {endpoint: 'file:///etc/passwd'}", "4: 'endpoint' is another text, expected an"],
    ["Mcp", "spec: {endpoint: 'https://x', tokn: x}", "4: unknown Mcp spec key 'tokn'"],
    ["Credential", "spec: {type: pg, data: {a: {b: [s3cret]}}}", "4: a value of its own stands"],
    ["Credential", "spec: {type: pg, data: {port: 5432}}", ""],
    ["Subscription", "spec: {source: mail, dispatch: {playbook: p}}", "4: 'source' is 'mail'"],
    ["Tool", "spec: {input_schema: {}}", "4: Tool spec has no 'entry' and no 'module'"],
    ["Tool", "spec: {entry: e, input_schema: {type: text}}", "4: 'type' is text, expected one or"],
    ["Schema", "spec: {schema: {propertys: {}}}", "4: JSON Schema has no keyword 'propertys'"],
    ["Schema", "spec: {schema: {$ref: 'https://x/y'}}", "4: 'https://x/y' is not in this document"],
    ["Schema", "spec: {schema: {$ref: '#/$defs/a'}}", "4: '#/$defs/a' is not in this document"],
    ["Schema", "spec: {schema: {pattern: '('}}", "4: 'pattern' is text, expected a regular"],
    ["Schema", "spec: {schema: {items: [1]}}", "4: '0' is a number, expected a JSON Schema"],
    ["Schema", "spec: {schema: {minLength: -1}}", "4: 'minLength' is a number, expected a whole"],
    ["Memory", "spec: {ttl_seconds: -1}", "4: "],
    ["Memory", "spec: nothing", "4: "],
  ];
  test.each(bad)("%s with %s", (kind, body, problem) => {
    const problems = problemsOf(head(kind) + body);
    if (problem === "") expect(problems).toEqual([]);
    else expect(problems[0]).toStartWith(problem);
  });

  test("another kind, and aliases that grow without end", () => {
    expect(problemsOf(`${head("Notebook")}spec: {}`)[0]).toStartWith("2: 'kind' is 'Notebook'");
    const levels = Array.from({ length: 9 }, (_, n) => {
      const aliases = Array.from({ length: 9 }, () => `*a${n}`).join(", ");
      return `    a${n + 1}: &a${n + 1} [${aliases}]`;
    });
    const bomb = `${head("Schema")}spec:\n  schema: true\n  x:\n    a0: &a0 [x]\n${levels.join("\n")}`;
    expect(problemsOf(bomb)[0]).toContain("aliases counted, expected fewer");
  });
});
