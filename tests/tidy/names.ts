// Owns the naming of files and declarations: kebab-case files, no drawers for leftovers, no suffix
// that says nothing.
import { type Finding, lineAt, type SourceFile, type TextFile } from "./source.ts";

const drawers: ReadonlySet<string> = new Set(
  "util utils helper helpers lib common manager misc shared".split(" "),
);
const fileForm = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*\.tsx?$/;
const emptySuffix =
  /\b(?:class|interface|type|const|let|function)\s+(\w+(?:Impl|Manager|Utils?|Helpers?))\b/g;
const prefixed = /\b(?:interface|type)\s+(I[A-Z][a-z]\w*)/g;

/** A drawer collects what nobody named; the name of the thing is the place for it. */
export function fileNameRule({ path }: TextFile): readonly Finding[] {
  const finding = (message: string) => [{ path, line: 1, rule: "file name", message }];
  const segments = path.split("/");
  const stem = (segments.at(-1) ?? "").replace(/\..*$/, "");
  const words = [...segments.slice(0, -1), stem].flatMap((segment) => segment.split("-"));
  const drawer = words.find((word) => drawers.has(word));
  if (drawer !== undefined) return finding(`found "${drawer}"; name it after what it owns`);
  if (segments.slice(0, -1).includes("types") || stem === "types") {
    return finding('found "types"; a type lives with what makes it, under its own name');
  }
  if (!/\.tsx?$/.test(path) || fileForm.test(segments.at(-1) ?? "")) return [];
  return finding(`found ${segments.at(-1)}; write it in kebab-case`);
}

/** A suffix or prefix that tells the kind of a thing tells nothing about the thing. */
export function identifierRule(file: SourceFile): readonly Finding[] {
  const found = [...file.code.matchAll(emptySuffix), ...file.code.matchAll(prefixed)];
  return found.map((match) => ({
    path: file.path,
    line: lineAt(file.text, match.index),
    rule: "identifier",
    message: `found ${match[1]}; name it after what it does or holds`,
  }));
}

/** Every file opens with what it owns and what it refuses, for the reader who arrives by search. */
export function purposeRule({ path, text }: SourceFile): readonly Finding[] {
  const opening = text.startsWith("#!") ? text.slice(text.indexOf("\n") + 1) : text;
  if (/^\/[/*]/.test(opening)) return [];
  const message = "found no opening comment; say in one to five lines what this file owns";
  return [{ path, line: 1, rule: "purpose", message }];
}
