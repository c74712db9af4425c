// Playbook files of the command line: read, checked, and those that a playbook needs beside it.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf } from "#core/model/fault";
import type { PlaybookDocument, Problem } from "#core/playbook/document";
import { parsePlaybook } from "#core/playbook/parse";
import { isTestName } from "./test-name.ts";

export interface PlaybookFile {
  readonly file: string;
  /** What is registered. */
  readonly content: string;
  readonly document: PlaybookDocument;
}

export type PlaybookReading =
  | { readonly ok: true; readonly playbook: PlaybookFile; readonly warnings: readonly string[] }
  /** Every problem as `file:line:column: message`. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Files beside a playbook that are looked at for its sub-playbooks. */
const siblingsMax = 200;

export function isPlaybookFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

export function readPlaybookFile(file: string): PlaybookReading {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (thrown) {
    return { ok: false, problems: [`${file}:1:1: can't be read: ${messageOf(thrown)}`] };
  }
  const parsed = parsePlaybook(content);
  const place = ({ line, column, message }: Problem) => `${file}:${line}:${column}: ${message}`;
  const warnings = parsed.warnings.map((problem) => place(problem).replace(": ", ": warning: "));
  if (!parsed.ok) return { ok: false, problems: [...parsed.problems.map(place), ...warnings] };
  return { ok: true, playbook: { file, content, document: parsed.document }, warnings };
}

/** The path a playbook is registered under: its own, else its name. */
export function catalogPath({ metadata }: PlaybookDocument): string {
  return typeof metadata["path"] === "string" ? metadata["path"] : metadata.name;
}

/**
 * Playbooks in the same folder, for one that starts sub-playbooks; none for one that doesn't.
 * Files that are no playbooks are passed over: whoever needs one of them will say that it is missing.
 */
export function neighbours({ file, document }: PlaybookFile): readonly PlaybookFile[] {
  const tools = [...document.workflow, ...(document.workbook ?? [])].flatMap(({ tool }) => tool);
  if (!tools.some(({ kind }) => kind === "playbook" || kind === "agent")) return [];
  const folder = dirname(file);
  return readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name) && !isTestName(name) && name !== basename(file))
    .slice(0, siblingsMax)
    .map((name) => join(folder, name))
    .filter(isPlaybookFile)
    .map(readPlaybookFile)
    .flatMap((reading) => (reading.ok ? [reading.playbook] : []));
}

/** The playbook with another first step; its text is then the canonical form, as JSON. */
export function startingAt(playbook: PlaybookFile, step: string): PlaybookFile {
  const { document } = playbook;
  const { executor = {} } = document;
  const started: PlaybookDocument = {
    ...document,
    executor: { ...executor, spec: { ...executor.spec, entry_step: step } },
  };
  return { ...playbook, document: started, content: JSON.stringify(started) };
}
