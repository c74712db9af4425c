// A shell in which the commands of one page run, in a copy of the checkout that nothing else uses:
// `noetl`, `bun` and `npx` are the ones of this run, ports are free ones, and `noetl dev` goes on
// in the background until the page is over.
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startExamplesApi } from "#scripts/examples-api";
import { repositoryRoot } from "#scripts/install";

export interface Said {
  readonly exitCode: number;
  /** Standard output and standard error, as a terminal shows them. */
  readonly output: string;
}

export interface Background {
  /** What it has said so far. */
  output(): string;
  /** Resolves when it has said more, or has ended. */
  more(): Promise<void>;
  hasEnded(): boolean;
}

export interface PageShell {
  /** Runs one command to its end, where the one before it left off. */
  run(command: string): Promise<Said>;
  /** Starts a command that lasts until the page is over. */
  start(command: string): Background;
  write(name: string, text: string): void;
  close(): Promise<void>;
}

const devAddress = "127.0.0.1:8082";
const examplesAddress = "127.0.0.1:8099";

/** Settings of the machine that runs the tests stay out of the pages. */
const inherited = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(?:NOETL_|DATABASE_URL$|NATS_URL$|NO_COLOR$|FORCE_COLOR$)/.test(name),
  ),
);

export function openPageShell(): PageShell {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "noetl-docs-")));
  const api = startExamplesApi({ port: 0 });
  const apiAddress = new URL(api.url).host;
  layOut(folder, (text) => text.replaceAll(examplesAddress, apiAddress));
  const place = join(folder, "place");
  writeFileSync(place, join(folder, "noetl-edge"));
  const lasting: ReturnType<typeof background>[] = [];
  const env = { ...inherited, NOETL_PORT: "0", PATH: `${join(folder, "bin")}:${process.env.PATH}` };
  const spawn = (command: string) => {
    const dev = lasting.map(({ said }) => /http:\/\/(\S+)\/api/.exec(said.output())?.[1]);
    const own = command
      .replaceAll(devAddress, dev.find((address) => address !== undefined) ?? devAddress)
      .replaceAll(examplesAddress, apiAddress);
    return Bun.spawn(["bash", "-c", `exec 2>&1; ${own}\ncode=$?; pwd > '${place}'; exit $code`], {
      cwd: readFileSync(place, "utf8").trim(),
      env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
  };
  return {
    run: async (command) => {
      const child = spawn(command);
      const output = await new Response(child.stdout).text();
      return { exitCode: await child.exited, output };
    },
    start: (command) => {
      const started = background(spawn(`exec ${command}`));
      lasting.push(started);
      return started.said;
    },
    write: (name, text) => writeFileSync(join(readFileSync(place, "utf8").trim(), name), text),
    close: async () => {
      await Promise.all(lasting.map(({ stop }) => stop()));
      await api.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A checkout with files of its own where commands write, and the programs that pages call. */
function layOut(folder: string, adapted: (text: string) => string): void {
  const checkout = join(folder, "noetl-edge");
  mkdirSync(checkout);
  for (const name of ["package.json", "bunfig.toml", "scripts", "docs"]) {
    symlinkSync(join(repositoryRoot, name), join(checkout, name));
  }
  cpSync(join(repositoryRoot, "examples"), join(checkout, "examples"), { recursive: true });
  for (const name of new Bun.Glob("*.yaml").scanSync(join(checkout, "examples"))) {
    const file = join(checkout, "examples", name);
    writeFileSync(file, adapted(readFileSync(file, "utf8")));
  }
  const bun = `'${process.execPath}'`;
  mkdirSync(join(folder, "bin"));
  const programs = {
    bun: `exec ${bun} "$@"`,
    noetl: `exec ${bun} '${join(repositoryRoot, "scripts/noetl.ts")}' "$@"`,
    npx: `[ "$1 $2" = "-y bun@1.4.5" ] && shift 2 && exec ${bun} "$@"`,
    ...(Bun.which("curl") === null
      ? { curl: `exec ${bun} '${join(repositoryRoot, "tests/docs/curl.ts")}' "$@"` }
      : {}),
  };
  for (const [name, line] of Object.entries(programs)) {
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${line}\n`);
    chmodSync(join(folder, "bin", name), 0o755);
  }
}

function background(child: Bun.Subprocess<"ignore", "pipe", "inherit">) {
  let output = "";
  let ended = false;
  let next = Promise.withResolvers<void>();
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of child.stdout) {
      output += decoder.decode(bytes, { stream: true });
      next.resolve();
      next = Promise.withResolvers<void>();
    }
    ended = true;
    next.resolve();
  })();
  const said: Background = {
    output: () => output,
    more: () => (ended ? Promise.resolve() : next.promise),
    hasEnded: () => ended,
  };
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await reading;
    await child.exited;
  };
  return { said, stop };
}
