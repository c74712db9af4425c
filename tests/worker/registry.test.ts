// Proves that tools are made when they are needed, once, and ended with the registry.

import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { echoTool } from "#tests/worker/commands";
import { builtinTools, toolRegistry } from "#worker/registry";
import { ToolFailure } from "#worker/tools/tool";

test("a tool is loaded once, also when many ask at the same time, and is then at hand", async () => {
  let loads = 0;
  const registry = toolRegistry({
    echo: async () => {
      loads += 1;
      return echoTool("echo");
    },
  });
  const [one, two] = await Promise.all([registry.get("echo"), registry.get("echo")]);

  expect(one).toBe(two);
  expect(loads).toBe(1);
  expect(registry.get("echo")).toBe(one);
});

test("a kind that no tool has is a config failure, names of prototypes too", () => {
  const registry = builtinTools();
  for (const kind of ["quantum", "constructor", "__proto__"]) {
    expect(() => registry.get(kind)).toThrow(ToolFailure);
    expect(() => registry.get(kind)).toThrow(`no tool of kind ${kind}`);
  }
});

test("a tool that could not be loaded is tried again", async () => {
  let loads = 0;
  const registry = toolRegistry({
    echo: async () => {
      loads += 1;
      if (loads === 1) throw new Error("not there yet");
      return echoTool("echo");
    },
  });

  expect(registry.get("echo")).rejects.toThrow("not there yet");
  expect((await registry.get("echo")).kind).toBe("echo");
});

test("close ends what was used, and one tool's trouble does not spare the others", async () => {
  const ended: string[] = [];
  const closing = (kind: string) => async () => ({
    ...echoTool(kind),
    close: async () => {
      ended.push(kind);
      if (kind === "a") throw new Error("stuck");
    },
  });
  const registry = toolRegistry({ a: closing("a"), b: closing("b"), unused: closing("unused") });
  await registry.get("a");
  await registry.get("b");
  await registry.close();

  expect(ended.sort()).toEqual(["a", "b"]);
});

test("every built-in kind answers under its name", async () => {
  const registry = builtinTools();
  const kinds = ["noop", "artifact", "python", "javascript", "shell", "http", "postgres", "duckdb"];
  const tools = await Promise.all(kinds.map((kind) => registry.get(kind)));
  await registry.close();

  expect(tools.map(({ kind }) => kind)).toEqual(kinds);
});

test("using one tool loads no other", async () => {
  // A process of its own: the modules that other tests have loaded stay loaded.
  const code = `
    const { builtinTools } = await import("#worker/registry");
    await builtinTools().get("noop");
    const loaded = Object.keys(require.cache).filter((path) => path.includes("/worker/tools/"));
    process.stdout.write(JSON.stringify(loaded.map((path) => path.replace(/.*\\//, ""))));
  `;
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const child = Bun.spawn([process.execPath, "-e", code], { cwd: root, stdout: "pipe" });
  const loaded = JSON.parse(await new Response(child.stdout).text()) as string[];

  expect(loaded).toContain("noop.ts");
  expect(loaded).not.toContain("duckdb.ts");
  expect(loaded).not.toContain("python.ts");
});
