// The playbook's text before YAML: its size, characters that no YAML may hold, and where its
// lines begin.

import { playbookBytesMax } from "#core/model/limits";
import type { Findings } from "./problems.ts";

const byteOrderMark = "\uFEFF";
/** What YAML calls non-printable (YAML 1.2 §5.1). */
const control =
  "[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u0084\\u0086-\\u009f\\ufffe\\uffff]";
const halfPair = "[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]";
const forbidden = new RegExp(`${control}|${halfPair}`, "g");

/** True if the text may be read as YAML; what stands in the way is reported. */
export function checkSource(source: string, findings: Findings): boolean {
  const bytes = utf8Bytes(source);
  if (bytes > playbookBytesMax) {
    const message = `the playbook has ${bytes} bytes, expected at most ${playbookBytesMax}`;
    findings.error(undefined, message, { at: "source", offset: 0 });
    return false;
  }
  for (const found of source.matchAll(forbidden)) {
    const code = found[0].charCodeAt(0).toString(16).padStart(4, "0").toUpperCase();
    const message = `character U+${code} is not allowed, expected printable text`;
    findings.error(undefined, message, { at: "source", offset: found.index });
  }
  return findings.errors.length === 0;
}

function utf8Bytes(source: string): number {
  // Every UTF-16 unit takes at most three bytes, so most texts need no count.
  if (source.length * 3 <= playbookBytesMax || source.length > playbookBytesMax) {
    return source.length;
  }
  let bytes = 0;
  for (let index = 0; index < source.length; index++) {
    const unit = source.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800 || (unit >= 0xd800 && unit < 0xe000)) bytes += 2;
    else bytes += 3;
  }
  return bytes;
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Gives the line and column, from 1, of offsets into a text; a byte order mark has no column. */
export function positionsIn(source: string): (offset: number) => Position {
  const starts = [source.startsWith(byteOrderMark) ? 1 : 0];
  for (let at = source.indexOf("\n"); at !== -1; at = source.indexOf("\n", at + 1)) {
    starts.push(at + 1);
  }
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: Math.max(0, offset - (starts[low] ?? 0)) + 1 };
  };
}
