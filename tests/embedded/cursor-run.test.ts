// A cursor loop as `noetl run` shows it: by the rows that were claimed, since
// nobody knows how many there are.

import { afterAll, expect, test } from "bun:test";
import { noetl, workplace } from "#tests/cli/noetl";

const playbook = (rows: number): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: drain, path: tests/drain}
workflow:
- step: fill
  tool:
    kind: duckdb
    database: queue${rows}.duckdb
    command: "CREATE TABLE jobs AS SELECT range AS id, '' AS frame FROM range(${rows})"
  next: {arcs: [{step: drain}]}
- step: drain
  loop:
    cursor:
      kind: duckdb
      database: queue${rows}.duckdb
      claim: >-
        UPDATE jobs SET frame = '{{ __frame_key }}' WHERE id IN (SELECT id FROM jobs
        WHERE frame IN ('', '{{ __frame_key }}') ORDER BY id LIMIT {{ __frame_max_rows }}) RETURNING id
    iterator: row
    spec: {mode: cursor, frame: {max_rows: 4, max_attempts: 1}}
  tool: {kind: noop, result: "{{ 10 // (row.id - 5) }}"}
`;

const place = workplace({ "few.yaml": playbook(5), "more.yaml": playbook(9) });
afterAll(() => place.remove());

test("a queue that is drained is told by its rows", async () => {
  const { exitCode, err, out } = await noetl(["run", "few.yaml"], { cwd: place.folder });
  const text = err + out;
  expect(text).toContain("step drain entered, rows of a cursor");
  expect(text).toMatch(/step drain completed in .*, 5\/5\n/);
  expect(exitCode).toBe(0);
});

test("rows that failed are counted as rows", async () => {
  const { exitCode, err, out } = await noetl(["run", "more.yaml"], { cwd: place.folder });
  expect(err + out).toMatch(/step drain failed in .*, 9\/9, 1 failed, /);
  expect(exitCode).not.toBe(0);
});
