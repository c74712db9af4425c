// Playbooks before and after they are rewritten, for tests of `noetl migrate`.

import { expect } from "bun:test";
import { migratePlaybook } from "#core/playbook/migrate";
import { header } from "./playbook-text.ts";

export const playbook = (text: string) => `${header}workflow:\n${text}`;
export const start = "  - step: start\n    tool: {kind: noop}\n";
export const end = "  - step: end\n    tool: {kind: noop}\n";

/** Steps as they are written before and after; nothing is left to do. */
export function expectMigrated(before: string, after: string): void {
  const { text, unresolved } = migratePlaybook(playbook(before));
  expect(text).toBe(playbook(after));
  expect(unresolved).toEqual([]);
  expect(migratePlaybook(text)).toMatchObject({ text, changes: [], unresolved: [] });
}

/** What is left to do, as `line:column: message`. */
export function leftIn(source: string): readonly string[] {
  const { unresolved } = migratePlaybook(source);
  return unresolved.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}
