// The `noetl` command as its users start it: a process of its own, in a folder of its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repositoryRoot } from "#scripts/install";

/** A folder that is gone with `remove`, with the files a test puts there. */
export interface Workplace {
  readonly folder: string;
  path(name: string): string;
  write(name: string, text: string): string;
  remove(): void;
}

export function workplace(files: Readonly<Record<string, string>> = {}): Workplace {
  const folder = mkdtempSync(join(tmpdir(), "noetl-cli-"));
  const place: Workplace = {
    folder,
    path: (name) => join(folder, name),
    write: (name, text) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  for (const [name, text] of Object.entries(files)) place.write(name, text);
  return place;
}

export interface Ended {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly pid: number;
  /** What standard output has said so far. */
  out(): string;
  /** Resolves when standard output matches; rejects when the process has ended without. */
  says(pattern: RegExp): Promise<void>;
  signal(name: "SIGINT" | "SIGTERM" | "SIGKILL"): void;
  readonly ended: Promise<Ended>;
}

export interface StartOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What is started, relative to the root; the command line by default. */
  readonly script?: string;
  /** Started in place of a script: a program and its first arguments. */
  readonly program?: readonly string[];
}

/** Settings of the machine that runs the tests stay out of them. */
const inherited = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(?:NOETL_|DATABASE_URL$|NATS_URL$|NO_COLOR$|FORCE_COLOR$)/.test(name),
  ),
);

/** Starts `noetl argv…`. */
export function startNoetl(argv: readonly string[], options: StartOptions): Running {
  const { cwd, env = {}, script = "scripts/noetl.ts" } = options;
  const { program = [process.execPath, join(repositoryRoot, script)] } = options;
  const child = Bun.spawn([...program, ...argv], {
    cwd,
    // Contexts of whoever runs the tests stay out of them too.
    env: { ...inherited, NOETL_CONFIG_HOME: cwd, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let out = "";
  const listeners = new Set<() => void>();
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of child.stdout) {
      out += decoder.decode(bytes, { stream: true });
      for (const listener of listeners) listener();
    }
  })();
  const errors = new Response(child.stderr).text();
  const ended = (async (): Promise<Ended> => {
    await reading;
    return { exitCode: await child.exited, out, err: await errors };
  })();
  const says = async (pattern: RegExp): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const listener = () => (pattern.test(out) ? resolve() : undefined);
    listeners.add(listener);
    listener();
    const early = ended.then(({ exitCode, err }) => {
      if (!pattern.test(out)) throw new Error(`ended with ${exitCode}: ${out}${err}`);
    });
    await Promise.race([promise, early]);
    listeners.delete(listener);
  };
  return { pid: child.pid, out: () => out, says, signal: (name) => child.kill(name), ended };
}

/** Runs `noetl argv…` to its end. */
export function noetl(argv: readonly string[], options: StartOptions): Promise<Ended> {
  return startNoetl(argv, options).ended;
}
