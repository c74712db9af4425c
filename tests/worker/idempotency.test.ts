// Proves that a call keeps its key over retries, re-issues and workers, and that no other call
// has it.

import { expect, test } from "bun:test";
import { command, failed, ok, outcomeOf, rule, scriptedTool, task } from "#tests/worker/commands";
import { idempotencyKey } from "#worker/idempotency";

const keysOf = (tool: ReturnType<typeof scriptedTool>): readonly string[] =>
  tool.calls.map(({ context }) => context.idempotencyKey);

test("the key is SHA-256, hexadecimal, of what names the call", () => {
  const key = idempotencyKey(command([]), { label: "fetch", ordinal: 0 });
  const text = '["478775660589088776","work",1,null,"fetch",0]';

  expect(key).toBe(new Bun.CryptoHasher("sha256").update(text).digest("hex"));
});

test("a retry keeps the key, a jump back changes it", async () => {
  const recorded = scriptedTool(failed(), ok(1), failed(), ok(2));
  await outcomeOf(
    command([
      task("first", { rules: [rule("retry", { when: "output.status == 'error'" })] }),
      task("second", {
        kind: "other",
        rules: [rule("jump", { when: "not ctx.again", to: "first", set: { "ctx.again": true } })],
      }),
    ]),
    [recorded, { ...scriptedTool(), kind: "other" }],
  );

  const [first, retried, jumped, jumpedRetried] = keysOf(recorded);
  expect(recorded.calls.length).toBe(4);
  expect(retried).toBe(first);
  expect(jumped).not.toBe(first);
  expect(jumpedRetried).toBe(jumped);
});

test("a new attempt and another worker make the same keys again", async () => {
  const recorded = scriptedTool();
  const tasks = [task("a"), task("b")];
  await outcomeOf(command(tasks, { attempt: 1 }), [recorded]);
  await outcomeOf(command(tasks, { attempt: 2 }), [recorded], { workerId: "worker-2" });

  const [a, b, againA, againB] = keysOf(recorded);
  expect([againA, againB]).toEqual([a, b]);
  expect(a).not.toBe(b);
});

test("execution, step, visit, iteration, label and ordinal each make another key", () => {
  const iteration = (index: number) => ({ iterator: "x", item: 1, index, total: 3 });
  const base = { label: "a", ordinal: 0 };
  const keys = [
    idempotencyKey(command([]), base),
    idempotencyKey(command([], { execution: "478775660589088777" }), base),
    idempotencyKey(command([], { step: "other" }), base),
    idempotencyKey(command([], { visit: 2 }), base),
    idempotencyKey(command([], { iteration: iteration(0) }), base),
    idempotencyKey(command([], { iteration: iteration(1) }), base),
    idempotencyKey(command([]), { label: "b", ordinal: 0 }),
    idempotencyKey(command([]), { label: "a", ordinal: 1 }),
  ];

  expect(new Set(keys).size).toBe(keys.length);
});

test("names with separators in them do not run into each other", () => {
  const one = idempotencyKey(command([], { step: 'a",1,null,"b' }), { label: "c", ordinal: 0 });
  const other = idempotencyKey(command([], { step: "a" }), {
    label: 'b",1,null,"c',
    ordinal: 0,
  });

  expect(one).not.toBe(other);
});
