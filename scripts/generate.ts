// `bun run generate [--check]`: writes every file that is made from another one, or, with --check,
// says which of them no longer match their source. It owns the comparing, the generators the text.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureDependencies, repositoryRoot } from "./install.ts";

/** One file as its source would make it today: path relative to the root, and its whole text. */
export type GeneratedFile = { readonly path: string; readonly text: string };

/** What each scripts/generate-*.ts exports under the name `generate`. */
export type Generate = () => readonly GeneratedFile[] | Promise<readonly GeneratedFile[]>;

/** Everything the generators make, in a fixed order; two that make the same path are a mistake. */
export async function generatedFiles(): Promise<readonly GeneratedFile[]> {
  const modules = new Bun.Glob("scripts/generate-*.ts").scanSync({ cwd: repositoryRoot });
  const files = new Map<string, GeneratedFile>();
  for (const module of [...modules].sort()) {
    // The folder is read at run time, so the compiler can't know the shape; it is checked here.
    const loaded = (await import(join(repositoryRoot, module))) as { generate?: Generate };
    if (typeof loaded.generate !== "function") {
      throw new Error(`${module}: expected an export called generate, found none`);
    }
    for (const file of await loaded.generate()) {
      if (files.has(file.path)) throw new Error(`${module}: ${file.path} is generated twice`);
      files.set(file.path, file);
    }
  }
  return [...files.values()];
}

/** The files of which the one on disk differs from what its source makes, or does not exist. */
export function outdated(files: readonly GeneratedFile[], root: string): readonly GeneratedFile[] {
  return files.filter(({ path, text }) => {
    const absolute = join(root, path);
    return !existsSync(absolute) || readFileSync(absolute, "utf8") !== text;
  });
}

async function main(argv: readonly string[]): Promise<number> {
  const unknown = argv.filter((argument) => argument !== "--check");
  if (unknown.length > 0) {
    console.error(`expected nothing or --check, found ${JSON.stringify(unknown.join(" "))}`);
    return 2;
  }
  const files = await generatedFiles();
  const stale = outdated(files, repositoryRoot);
  if (argv.includes("--check")) {
    for (const { path } of stale) console.error(`${path}: out of date, run \`bun run generate\``);
    return stale.length === 0 ? 0 : 1;
  }
  for (const { path, text } of stale) {
    mkdirSync(dirname(join(repositoryRoot, path)), { recursive: true });
    writeFileSync(join(repositoryRoot, path), text);
    console.log(`wrote ${path}`);
  }
  if (stale.length === 0) console.log(`${files.length} generated files are up to date`);
  return 0;
}

if (import.meta.main) {
  ensureDependencies();
  process.exitCode = await main(process.argv.slice(2));
}
