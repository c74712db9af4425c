// Owns the floors of the house: which folder may import which, how an import across folders is
// written, and who may construct an adapter.
import { importsOf, resolveImport } from "./imports.ts";
import type { Finding, SourceFile } from "./source.ts";

/** Folders with their floor, longest first where one holds another. */
const floors: readonly (readonly [prefix: string, floor: number])[] = [
  ["core/model/", 0],
  ["core/playbook/", 1],
  ["core/engine/", 2],
  ["core/ports/", 3],
  ["core/wire/", 3],
  ["core/adapters/", 4],
  ["gateway/", 5],
  ["control/", 5],
  ["worker/", 5],
  ["console/", 5],
  ["cli/", 6],
  ["scripts/", 6],
  ["index.ts", 6],
  ["tests/", 7],
];

/** Leaves beside the house: they reach it through bytes and text, never through an import. */
const outside = ["plugins/", "wit/", "examples/", "deploy/", "docs/"];

/** Folders that package.json gives an alias; an import that leaves its folder uses it. */
const aliased = ["core", "control", "worker", "cli", "scripts", "tests"];

const adapters =
  /^(?:core\/adapters\/|control\/store\/(?:memory|pglite|postgres|neon|bun-sql)(?:-[a-z-]+)?\.ts$)/;
/** What is true of the process itself, for whoever needs to know: there is nothing to construct. */
const facts = /^core\/adapters\/compiled\.ts$/;
const entries = /^(?:index\.ts$|cli\/|scripts\/|tests\/|[a-z]+\/(?:main|edge|deno|platform)\.ts$)/;

/** Folders whose files are adapters themselves, and build on what adapters share. */
const adapterFolders = /^(?:core\/adapters|control\/store)\//;

/** The floor a path stands on, or undefined when it is not part of the house. */
export function floorOf(path: string): number | undefined {
  return floors.find(([prefix]) => path.startsWith(prefix))?.[1];
}

/** Imports go down or stay level, siblings never meet, and leaves import nothing of the house. */
export function floorRule(file: SourceFile): readonly Finding[] {
  const floor = floorOf(file.path);
  const isOutside = outside.some((prefix) => file.path.startsWith(prefix));
  if (floor === undefined && !isOutside) {
    const message = "this folder is on no floor; move the file, or add the folder with a decision";
    return [{ path: file.path, line: 1, rule: "floor", message }];
  }
  return importsOf(file).flatMap(({ specifier, line }) => {
    const target = resolveImport(file.path, specifier);
    const targetFloor = target === undefined ? undefined : floorOf(target);
    if (target === undefined || targetFloor === undefined) return [];
    const finding = (message: string) => [{ path: file.path, line, rule: "floor", message }];
    if (floor === undefined) return finding(`found ${specifier}; a leaf imports nothing of ours`);
    if (targetFloor > floor) {
      return finding(
        `found ${specifier} on floor ${targetFloor} from floor ${floor}; pass it in as an argument`,
      );
    }
    if (floor === 5 && targetFloor === 5 && topFolder(file.path) !== topFolder(target)) {
      return finding(`found ${specifier}; siblings share only what stands below them`);
    }
    return [];
  });
}

/** Across folders an alias without extension, inside a folder `./name.ts`: one way for each. */
export function importFormRule(file: SourceFile): readonly Finding[] {
  return importsOf(file).flatMap(({ specifier, line }) => {
    const finding = (message: string) => [{ path: file.path, line, rule: "import form", message }];
    if (specifier.startsWith("#")) {
      return /\.tsx?$/.test(specifier) ? finding(`found ${specifier}; drop the extension`) : [];
    }
    const target = resolveImport(file.path, specifier);
    if (target === undefined) return [];
    if (!/\.[a-z]+$/.test(specifier)) return finding(`found ${specifier}; name the file with .ts`);
    const sameFolder = folderOf(target) === folderOf(file.path);
    if (sameFolder || !target.endsWith(".ts") || !aliased.includes(topFolder(target))) return [];
    return finding(`found ${specifier}; write #${target.replace(/\.ts$/, "")}`);
  });
}

/** Adapters are constructed by entry files; everything else is handed a port. */
export function adapterRule(file: SourceFile): readonly Finding[] {
  if (entries.test(file.path) || adapterFolders.test(file.path)) return [];
  return importsOf(file).flatMap(({ specifier, line, typeOnly }) => {
    const target = resolveImport(file.path, specifier);
    if (target === undefined || typeOnly || !adapters.test(target) || facts.test(target)) return [];
    const message = `found ${specifier}; take the port as an argument, entry files construct it`;
    return [{ path: file.path, line, rule: "adapter", message }];
  });
}

function topFolder(path: string): string {
  return path.split("/")[0] ?? "";
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}
