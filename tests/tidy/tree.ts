// Owns the reading of the repository: every text file that is tracked, or new and not ignored.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TextFile } from "./source.ts";

const textEndings = /\.(?:tsx?|mts|js|mjs|sql|md|json|ya?ml|toml|sh|html|css|wit|lock)$/;
const textNames = /(?:^|\/)(?:\.ci\/run|LICENSE|Dockerfile|\.gitignore|\.editorconfig)$/;
const ignored = /(?:^|\/)(?:node_modules|\.git|\.noetl|dist)\//;

/** The text files below root, paths sorted and relative to it. */
export function readTree(root: string): readonly TextFile[] {
  const paths = (pathsFromGit(root) ?? pathsFromFolder(root)).filter(
    (path) => textEndings.test(path) || textNames.test(path),
  );
  return [...new Set(paths)]
    .sort()
    .filter((path) => existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

function pathsFromGit(root: string): readonly string[] | undefined {
  if (Bun.which("git") === null || !existsSync(join(root, ".git"))) return undefined;
  const command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const listed = Bun.spawnSync(command, { cwd: root, stdin: "ignore", stderr: "ignore" });
  return listed.exitCode === 0 ? listed.stdout.toString().split("\0") : undefined;
}

/** An unpacked archive has no git; the folders that are never ours are left out by name. */
function pathsFromFolder(root: string): readonly string[] {
  const paths = new Bun.Glob("**/*").scanSync({ cwd: root, dot: true });
  return [...paths].filter((path) => !ignored.test(path));
}
