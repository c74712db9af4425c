// The compiled binary for the tests: built once for all of them into a temporary folder, and
// started where it can't see the checkout that it was built from.

import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "#scripts/install";
import { type Ended, noetl, type Running, startNoetl } from "#tests/cli/noetl";

/** Of this process: files of tests that run in it share the build. */
const folder = join(tmpdir(), `noetl-binary-${process.pid}`);
const program = join(folder, "noetl");

/** Building and the first start, which makes a database, take seconds on a busy machine. */
export const binaryTestMs = 60_000;

let building: Promise<string> | undefined;

/** Where the binary is, after it has been built. @throws Error with what the build said. */
export function builtBinary(): Promise<string> {
  building ??= existsSync(program) ? Promise.resolve(program) : build();
  return building;
}

async function build(): Promise<string> {
  mkdirSync(folder, { recursive: true });
  removedWithUs();
  const { exitCode, err } = await buildBinary(program);
  if (exitCode !== 0) throw new Error(`the build ended with ${exitCode}:\n${err}`);
  return program;
}

/**
 * The runner ends without telling, but whoever reads from it notices, however it ends. A group of
 * its own keeps the reader from ending with the runner.
 */
function removedWithUs(): void {
  const remove = 'cat > /dev/null; rm -rf "$1"';
  const options = { stdin: "pipe", stdout: "ignore", detached: true } as const;
  const reader = Bun.spawn(["sh", "-c", remove, "sh", folder], options);
  reader.unref();
  // What nobody refers to is collected, and its pipe closed.
  process.once("exit", () => reader.stdin.end());
}

/** `bun run build --outfile FILE` in a checkout. */
export function buildBinary(outfile: string, checkout: string = repositoryRoot): Promise<Ended> {
  const script = [process.execPath, join(checkout, "scripts/build.ts")];
  return noetl(["--outfile", outfile], { cwd: checkout, program: script });
}

/** Puts an empty folder over the checkout, for the program alone; then goes where it works. */
const hide = 'mount --bind "$1" "$2" && cd "$3" && shift 3 && exec "$@"';

/**
 * What stands before a program so that it works in `cwd` and finds nothing of the checkout: an
 * empty folder is mounted over it. Only root may; for others the program is just far away.
 */
export function withoutCheckout(cwd: string): readonly string[] {
  if (!canHide) return ["env", "-C", cwd];
  const empty = join(folder, "empty");
  mkdirSync(empty, { recursive: true });
  return ["unshare", "--mount", "sh", "-c", hide, "sh", empty, repositoryRoot, cwd];
}

/** Whether the tests may mount; where they may not, no test needs it to pass. */
export const canHide: boolean =
  Bun.which("unshare") !== null &&
  Bun.spawnSync(["unshare", "--mount", "true"], { stdout: "ignore", stderr: "ignore" }).exitCode ===
    0;

export interface BinaryOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `noetl argv…` of the binary, out of sight of the checkout. */
export async function startBinary(
  argv: readonly string[],
  options: BinaryOptions,
): Promise<Running> {
  const own = [...withoutCheckout(options.cwd), await builtBinary()];
  return startNoetl(argv, { ...options, program: own });
}

/** Runs it to its end. */
export async function runBinary(argv: readonly string[], options: BinaryOptions): Promise<Ended> {
  return (await startBinary(argv, options)).ended;
}
