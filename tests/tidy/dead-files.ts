// Owns the question whether anything uses a file: an import, a path in a string (a program started
// as a process, a script of package.json), or its being an entry.
import { importsOf, resolveImport } from "./imports.ts";
import type { Finding, SourceFile, TextFile } from "./source.ts";

const entries = [
  /^index\.ts$/,
  /^[a-z]+\/(?:main|edge|deno)\.tsx?$/,
  /^scripts\/generate-[^/]+\.ts$/,
  /^tests\/bench\/.+\.ts$/,
  /\.(?:test\.tsx?|d\.ts)$/,
];

/** Files of the house that nothing reaches; others are the texts that may name one by its path. */
export function deadFileRule(
  files: readonly SourceFile[],
  others: readonly TextFile[],
): readonly Finding[] {
  const imported = new Set(
    files.flatMap((file) =>
      importsOf(file).flatMap(({ specifier }) => {
        const target = resolveImport(file.path, specifier);
        return target === undefined || target === file.path ? [] : [target];
      }),
    ),
  );
  const named = [
    ...files.flatMap(({ path, strings }) => strings.map(({ text }) => ({ path, text }))),
    ...others.filter(({ path }) => path === "package.json" || path.startsWith(".ci/")),
  ];
  return files
    .filter(({ path }) => !entries.some((entry) => entry.test(path)) && !imported.has(path))
    .filter(({ path }) => !named.some((text) => text.path !== path && names(text.text, path)))
    .map(({ path }) => ({
      path,
      line: 1,
      rule: "dead file",
      message: "nothing imports or starts it; use it or delete it",
    }));
}

/** True when text names the path, whole or as `./name.ts` and `../folder/name.ts`. */
function names(text: string, path: string): boolean {
  const file = path.slice(path.lastIndexOf("/") + 1);
  return text.includes(path) || (/^\.{1,2}\//.test(text) && text.endsWith(`/${file}`));
}
