// Collects what is wrong with a playbook while it is read, as places inside the document. Lines
// and columns are worked out afterwards, and only if there is something to say.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { hintCellsMax, playbookProblemsMax } from "#core/model/limits";
import { didYouMean } from "#core/playbook/template/suggest";
import type { DocumentPath } from "./document.ts";

/** A path that costs one small object per level; it becomes a list only for a finding. */
export interface Trail {
  readonly parent: Trail | undefined;
  readonly key: string | number;
}

/**
 * Where a finding points:
 * - `key`: at the key that leads to the path, or at the item of a list
 * - `value`: at the value that stands there
 * - `text`: `offset` UTF-16 units into the text that stands there
 * - `source`: `offset` UTF-16 units into the source
 */
export type Place =
  | { readonly at: "key" }
  | { readonly at: "value" }
  | { readonly at: "text"; readonly offset: number }
  | { readonly at: "source"; readonly offset: number };

export interface Finding {
  readonly message: string;
  readonly severity: "error" | "warning";
  readonly path: DocumentPath;
  readonly place: Place;
}

const atKey: Place = { at: "key" };
const atValue: Place = { at: "value" };

export class Findings {
  readonly errors: Finding[] = [];
  readonly warnings: Finding[] = [];
  /** Errors beyond the limit: counted, not kept. */
  unlisted = 0;
  #hintCells = 0;

  error(trail: Trail | undefined, message: string, place: Place = atValue): void {
    if (this.errors.length >= playbookProblemsMax) this.unlisted++;
    else this.errors.push({ message, severity: "error", path: pathOf(trail), place });
  }

  /** An error about a key rather than about what stands behind it. */
  keyError(trail: Trail | undefined, message: string): void {
    this.error(trail, message, atKey);
  }

  warn(trail: Trail | undefined, message: string, place: Place = atKey): void {
    if (this.warnings.length >= playbookProblemsMax) return;
    this.warnings.push({ message, severity: "warning", path: pathOf(trail), place });
  }

  /** Takes over what another reading found, each at the path that `pathIn` gives its own. */
  adopt(other: Findings, pathIn: (path: DocumentPath) => DocumentPath): void {
    for (const finding of other.errors) {
      if (this.errors.length >= playbookProblemsMax) this.unlisted++;
      else this.errors.push({ ...finding, path: pathIn(finding.path) });
    }
    this.unlisted += other.unlisted;
    for (const finding of other.warnings) {
      if (this.warnings.length >= playbookProblemsMax) return;
      this.warnings.push({ ...finding, path: pathIn(finding.path) });
    }
  }

  /** ", did you mean 'x'?" or nothing; nothing too when hints have cost enough. */
  hint(name: string, known: readonly string[]): string {
    if (this.#hintCells > hintCellsMax) return "";
    for (const candidate of known) this.#hintCells += name.length * candidate.length;
    return this.#hintCells > hintCellsMax ? "" : didYouMean(name, known);
  }
}

export function pathOf(trail: Trail | undefined): DocumentPath {
  const path: (string | number)[] = [];
  for (let at = trail; at !== undefined; at = at.parent) path.push(at.key);
  return path.reverse();
}

/** What a value is, for "found …": its kind, and the value itself where that is short and plain. */
export function kindOf(value: unknown): string {
  if (value === null) return "empty";
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "text";
  if (typeof value === "number") return "a number";
  if (typeof value === "boolean") return String(value);
  return "a map";
}

/** A name as it stands in messages: quoted, cut, without line ends. */
export function quoted(name: string): string {
  const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name;
  return `'${shown.replace(/[\u0000-\u001f\u007f]/g, "?")}'`;
}

/** Looks at the maps of a list; what is none is reported as such elsewhere. */
export function eachMap(
  value: Json | undefined,
  trail: Trail,
  look: (item: JsonObject, place: Trail) => void,
): void {
  if (!Array.isArray(value)) return;
  for (let key = 0; key < value.length; key++) {
    const item: unknown = value[key];
    if (isJsonObject(item)) look(item, { parent: trail, key });
  }
}
