// What the check says of cursor loops: which keys go together, what each kind needs, and claims that
// can be seen to go wrong.

import { describe, expect, test } from "bun:test";
import { compilePlan } from "#core/playbook/compile";
import { parsePlaybook } from "#core/playbook/parse";

const playbook = (loop: string, tool = "{kind: noop}"): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workflow:
- step: start
  loop: ${loop}
  tool: ${tool}
`;

const errors = (loop: string, tool?: string): readonly string[] => {
  const parsed = parsePlaybook(playbook(loop, tool));
  return parsed.ok ? [] : parsed.problems.map(({ message }) => message);
};

const warnings = (loop: string, tool?: string): readonly string[] => {
  const parsed = parsePlaybook(playbook(loop, tool));
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join("\n"));
  return parsed.warnings.map(({ message }) => message);
};

const good =
  "UPDATE q SET f = '{{ __frame_key }}' WHERE id IN (SELECT id FROM q WHERE f IS NULL " +
  "FOR UPDATE SKIP LOCKED LIMIT {{ __frame_max_rows }}) RETURNING *";
const cursor = (claim: string = good): string => `cursor: {kind: postgres, claim: "${claim}"}`;
const spec = "spec: {mode: cursor}";

describe("keys that go together", () => {
  test("a cursor and its mode", () => {
    expect(errors(`{${cursor()}, iterator: row, ${spec}}`)).toEqual([]);
    expect(errors(`{${cursor()}, iterator: row}`)).toEqual([
      "a loop with a cursor needs spec: {mode: cursor}",
    ]);
    expect(errors(`{${cursor()}, iterator: row, spec: {mode: parallel}}`)).toEqual([
      "a loop with a cursor needs spec: {mode: cursor}, found 'parallel'",
    ]);
    expect(errors(`{${cursor()}, iterator: frame, ${spec}}`)).toEqual([
      "'iterator' is 'frame', which is the frame of the row, expected another name",
    ]);
    expect(errors(`{iterator: row, ${spec}}`)).toEqual([
      "loop has no 'cursor', which mode: cursor goes through; write where rows are claimed, " +
        "or another mode",
    ]);
    expect(errors(`{in: [1], ${cursor()}, iterator: row, ${spec}}`)).toEqual([
      "loop has both 'in' and 'cursor', expected one",
    ]);
  });

  test("a frame without a cursor has no effect", () => {
    expect(warnings("{in: [1], iterator: row, spec: {frame: {max_rows: 2}}}")).toEqual([
      "loop.spec key 'frame' has no effect without a cursor",
    ]);
  });

  test("what stands alone is no body", () => {
    const loop = `{${cursor()}, iterator: row, ${spec}}`;
    expect(errors(loop, "{kind: playbook, path: other}")).toEqual([
      "a playbook call can't be the body of a cursor loop; loop over items instead",
    ]);
  });
});

describe("what a cursor needs", () => {
  test("a kind that rows can be claimed of", () => {
    expect(errors(`{cursor: {kind: mysql, claim: x}, iterator: row, ${spec}}`)).toEqual([
      "'kind' is 'mysql', expected postgres, duckdb or nats",
    ]);
    expect(errors(`{cursor: {claim: x}, iterator: row, ${spec}}`)).toEqual([
      "loop.cursor has no 'kind', expected postgres, duckdb or nats",
    ]);
  });
  test("what its kind can't do without", () => {
    expect(errors(`{cursor: {kind: duckdb}, iterator: row, ${spec}}`)).toEqual([
      "duckdb cursor has no 'claim', expected a text",
    ]);
    expect(errors(`{cursor: {kind: nats, stream: s}, iterator: row, ${spec}}`)).toEqual([
      "nats cursor has no 'consumer', expected a text",
    ]);
    expect(errors(`{cursor: {kind: nats}, iterator: row, ${spec}}`)).toEqual([
      "nats cursor has no 'stream' or 'consumer', expected a text",
    ]);
  });
  test("numbers that are numbers, or templates", () => {
    const frame = (text: string): string =>
      `{${cursor()}, iterator: row, spec: {mode: cursor, frame: {${text}}}}`;
    expect(errors(frame("max_rows: '{{ 1 }}', max_seconds: 1.5, process: frame"))).toEqual([]);
    expect(errors(frame("max_rows: 0"))).toEqual([
      "'max_rows' is 0, expected a whole number of at least 1 or a template",
    ]);
    expect(errors(frame("retry_mode: rows"))).toEqual([
      "'retry_mode' is 'rows', expected whole_frame",
    ]);
    expect(warnings(frame("verify_ipc: true"))).toEqual([
      "loop.spec.frame key 'verify_ipc' has no effect; rows are not shared in memory",
    ]);
  });
});

describe("claims that can be seen to go wrong", () => {
  const said = (claim: string): readonly string[] =>
    warnings(`{${cursor(claim)}, iterator: row, ${spec}}`);
  const key = "/* {{ __frame_key }} */";

  test("one that is right draws no word", () => {
    expect(said(good)).toEqual([]);
    expect(said("SELECT * FROM take_jobs('{{ __frame_key }}')")).toEqual([]);
    expect(said("SELECT take_jobs('{{ __frame_key }}')")).toEqual([]);
    expect(said("{{ workload.claim }} {{ __frame_key }}")).toEqual([]);
  });
  test("one that changes nothing", () => {
    expect(said(`SELECT * FROM q -- UPDATE ${key}`)).toEqual([
      "the claim changes nothing: the same rows are claimed again",
    ]);
  });
  test("one that waits for others", () => {
    expect(said(`UPDATE q SET a = 'SKIP LOCKED' ${key} RETURNING *`)).toEqual([
      "the claim has no SKIP LOCKED: claims wait for each other or take rows twice",
    ]);
  });
  test("one that gives no rows back", () => {
    expect(said(`DELETE FROM q FOR UPDATE SKIP LOCKED ${key}`)).toEqual([
      "the claim returns no rows: end it with RETURNING",
    ]);
  });
  test("one that forgets who claimed", () => {
    expect(said(good.replace("{{ __frame_key }}", "x"))).toEqual([
      "the claim does not read __frame_key: rows claimed by a worker that dies before they are " +
        "recorded stay claimed until your SQL takes them back",
    ]);
  });
});

test("everything a cursor may have compiles", () => {
  const parsed = parsePlaybook(
    playbook(
      `{cursor: {kind: nats, url: "{{ u }}", stream: s, consumer: c, subject: "s.>", auth: {a: 1},
        options: {max_iterations: "{{ n }}"}}, iterator: m,
        spec: {mode: cursor, max_in_flight: "{{ w }}", frame: {max_rows: "{{ r }}"}}}`,
    ),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const cursorOf = compilePlan(parsed.document, "d").steps[0]?.loop?.cursor;
  expect(cursorOf?.driver).toBe("nats");
  expect(cursorOf?.fields.map(({ pointer }) => pointer)).toEqual(["/claim/url"]);
  expect(cursorOf?.claim.config).toMatchObject({ stream: "s", consumer: "c", subject: "s.>" });
});
