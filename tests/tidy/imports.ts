// Owns the reading of imports: which module a file names, where, and whether for its types only.
import { lineAt, type SourceFile } from "./source.ts";

export type Import = {
  readonly specifier: string;
  readonly line: number;
  /** True when nothing of the module exists at run time. */
  readonly typeOnly: boolean;
};

const importPattern =
  /(?<![\w$.])(?:(?:import|export)\s+(type\s)?[^;"'()]*?\bfrom\s*|import\s*\(?\s*)["']/g;
const namedTypes = /^\{\s*(?:type\s+[\w$]+(?:\s+as\s+[\w$]+)?\s*,?\s*)+\}$/;

/** Every static and dynamic import, and every re-export, in the order they stand. */
export function importsOf(file: SourceFile): readonly Import[] {
  const found: Import[] = [];
  for (const match of file.code.matchAll(importPattern)) {
    const start = match.index + match[0].length;
    const literal = file.strings.find((piece) => piece.start === start);
    if (literal === undefined) continue;
    const clause = /^(?:import|export)\s+([\s\S]*?)\s*from/.exec(match[0])?.[1] ?? "";
    found.push({
      specifier: literal.text,
      line: lineAt(file.text, start),
      typeOnly: match[1] !== undefined || namedTypes.test(clause),
    });
  }
  return found;
}

/**
 * The path, relative to the root, that a specifier names in the repository; undefined for packages.
 * Aliases are those of package.json: `#core/model/event` is core/model/event.ts.
 */
export function resolveImport(fromPath: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return `${specifier.slice(1)}.ts`;
  if (!specifier.startsWith(".")) return undefined;
  const segments = fromPath.split("/").slice(0, -1);
  for (const segment of specifier.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== ".") segments.push(segment);
  }
  return segments.join("/");
}

/** The package a bare specifier belongs to, such as `@scope/name` of `@scope/name/part`. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith(".") || specifier.startsWith("#")) return undefined;
  if (specifier.startsWith("node:") || specifier.startsWith("bun:")) return specifier;
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}
