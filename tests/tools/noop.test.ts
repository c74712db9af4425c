// Holds the noop tool to its two forms of data.

import { expect, test } from "bun:test";

import { toolContext } from "#tests/tools/context";
import { noopTool } from "#worker/tools/noop";

const tool = noopTool();

test("a noop answers with its message", async () => {
  const output = await tool.run({ message: "started" }, toolContext());
  expect(output).toEqual({ status: "ok", data: { status: "ok", message: "started" } });
});

test("a noop without config answers with an empty message", async () => {
  expect((await tool.run({}, toolContext())).data).toEqual({ status: "ok", message: "" });
});

test("the result of a noop is its data, even when it is null or false", async () => {
  for (const result of [{ a: 1 }, [1, 2], 0, false, null, "text"]) {
    expect(await tool.run({ message: "unused", result }, toolContext())).toEqual({
      status: "ok",
      data: result,
    });
  }
});
