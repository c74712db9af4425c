// Holds the artifact tool to its promises: values by reference, failures of kind result.

import { expect, test } from "bun:test";

import { toolContext } from "#tests/tools/context";
import { failureOf } from "#tests/tools/outcome-of";
import { artifactTool } from "#worker/tools/artifact";

const tool = artifactTool();
const ref = "noetl://execution/1/result/rows/2";

test("a stored value is fetched by its reference, under each name of the field", async () => {
  const context = toolContext({ results: { [ref]: { rows: [1, 2] } } });
  for (const config of [
    { input: { result_ref: ref } },
    { args: { ref } },
    { result_ref: ref },
    { uri: ref },
    { action: "get", ref },
    { ref: { kind: "result_ref", ref, store: "db" } },
  ]) {
    expect(await tool.run(config, context)).toEqual({ status: "ok", data: { rows: [1, 2] } });
  }
});

test("what put stores is what get fetches", async () => {
  const context = toolContext();
  const put = await tool.run({ action: "put", name: "report", data: [1, { a: null }] }, context);
  expect(put.data).toMatchObject({ kind: "result_ref" });
  expect([...context.stored.values()]).toEqual([[1, { a: null }]]);
  const get = await tool.run({ result_ref: put.data ?? null }, context);
  expect(get).toEqual({ status: "ok", data: [1, { a: null }] });
});

test("put stores null when told to, and refuses to store nothing", async () => {
  const context = toolContext();
  await tool.run({ action: "put", name: "empty", data: null }, context);
  expect([...context.stored.values()]).toEqual([null]);
  expect(await failureOf(tool, { action: "put", name: "x" }, context)).toEqual({
    kind: "config",
    message: "data: expected a value to store, found nothing",
    retryable: false,
  });
});

test("a reference that leads nowhere is a failure of kind result", async () => {
  const context = toolContext();
  expect((await failureOf(tool, { ref }, context)).kind).toBe("result");
  const other = await failureOf(tool, { ref: "https://example.org/x" }, context);
  expect(other).toMatchObject({ kind: "result", message: "ref: expected a noetl:// reference" });
});

test("an error of the store becomes a failure of kind result, without the store's words", async () => {
  const context = toolContext({
    resolveResult: async () => {
      throw new Error("password=secret");
    },
  });
  const failure = await failureOf(tool, { ref }, context);
  expect(failure.kind).toBe("result");
  expect(failure.message).not.toContain("secret");
});

test("a bad action, a missing reference and a reference of the wrong shape name their field", async () => {
  const context = toolContext();
  const messages: string[] = [];
  for (const config of [{ action: "drop" }, {}, { ref: 5 }]) {
    const failure = await failureOf(tool, config, context);
    expect(failure.kind).toBe("config");
    messages.push(failure.message);
  }
  expect(messages).toEqual([
    'action: expected get or put, found "drop"',
    "result_ref: expected a reference, found nothing",
    "ref: expected a reference, found a number",
  ]);
});
