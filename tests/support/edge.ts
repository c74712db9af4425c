// The built control plane of the edge on the runtimes it is made for, as processes of their own:
// the real Deno and the real workerd, each on a free port of the loopback address.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { repositoryRoot } from "#scripts/install";

export interface EdgeProcess {
  readonly url: string;
  /** Runs the cron call now, where the runtime lets a test do so. */
  readonly cron: (() => Promise<void>) | undefined;
  /** What the process wrote so far. */
  output(): string;
  stop(): Promise<void>;
}

export type EdgeVariables = Readonly<Record<string, string>>;

export interface EdgeRuntime {
  readonly name: string;
  /** The file of the build that it runs. */
  readonly build: "control" | "controlDeno";
  start(module: string, variables: EdgeVariables): Promise<EdgeProcess>;
}

/** A program that a package of this machine's kind brings along. */
function installed(pattern: string): string {
  const [found] = new Bun.Glob(pattern).scanSync({
    cwd: join(repositoryRoot, "node_modules"),
    absolute: true,
  });
  if (found === undefined) throw new Error(`node_modules has no ${pattern} for this machine`);
  return found;
}

interface Started {
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly output: () => string;
  /** The first match in what it writes. */
  match(pattern: RegExp): Promise<string>;
}

function spawn(command: readonly string[], env: EdgeVariables): Started {
  const child = Bun.spawn([...command], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let output = "";
  let tell = (): void => {};
  const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      output += decoder.decode(bytes, { stream: true });
      tell();
    }
  };
  void read(child.stdout);
  void read(child.stderr);
  return {
    child,
    output: () => output,
    match: (pattern) =>
      new Promise((resolve, reject) => {
        tell = () => {
          const found = pattern.exec(output)?.[1];
          if (found !== undefined) resolve(found);
        };
        tell();
        void child.exited.then((code) =>
          reject(new Error(`${basename(command[0] ?? "")} ended with ${code}: ${output}`)),
        );
      }),
  };
}

async function ended({ child }: Started, folder: string): Promise<void> {
  child.kill();
  await child.exited;
  await rm(folder, { recursive: true, force: true });
}

export const denoRuntime: EdgeRuntime = {
  name: "Deno",
  build: "controlDeno",
  start: async (module, variables) => {
    const folder = await mkdtemp(join(tmpdir(), "noetl-deno-"));
    const deno = spawn(
      [
        ...[installed("@deno/*/deno"), "serve", "--host=127.0.0.1", "--port=0", "--no-config"],
        ...["--no-remote", "--no-npm", "--no-prompt", "--allow-net", "--allow-env", module],
      ],
      { ...variables, DENO_DIR: folder, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    );
    const port = await deno.match(/127\.0\.0\.1:(\d+)/);
    return {
      url: `http://127.0.0.1:${port}`,
      cron: undefined,
      output: deno.output,
      stop: () => ended(deno, folder),
    };
  },
};

/** Calls the cron handler of the module under test: the platform does that by its own clock. */
const cronModule = `export default { fetch: async (request, { edge }) => {
  const { outcome } = await edge.scheduled({ cron: "* * * * *" });
  return new Response(outcome);
} };`;

/** What is deployed is what is tested: the runtime is asked to behave as on this date. */
interface Deployment {
  readonly compatibility_date: string;
  readonly compatibility_flags: readonly string[];
}

async function workerdConfig(module: string, variables: EdgeVariables): Promise<string> {
  const file = join(repositoryRoot, "deploy/edge/control/wrangler.jsonc");
  const deployment = (await Bun.file(file).json()) as Deployment;
  const text = (value: string): string => JSON.stringify(value);
  const bindings = Object.entries(variables).map(
    ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`,
  );
  const date = `compatibilityDate = ${text(deployment.compatibility_date)}`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    (name = "cron", worker = .cron),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [
    (name = "edge", address = "127.0.0.1:0", http = (), service = "edge"),
    (name = "cron", address = "127.0.0.1:0", http = (), service = "cron"),
  ],
);
const edge :Workerd.Worker = (
  modules = [(name = "control.js", esModule = embed ${text(`/${basename(module)}`)})],
  ${date}, compatibilityFlags = ${JSON.stringify(deployment.compatibility_flags)},
  bindings = [${bindings.join(", ")}],
);
const cron :Workerd.Worker = (
  modules = [(name = "cron.js", esModule = ${text(cronModule)})],
  ${date}, compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = [(name = "edge", service = "edge")],
);
`;
}

export const workerdRuntime: EdgeRuntime = {
  name: "workerd",
  build: "control",
  start: async (module, variables) => {
    const folder = await mkdtemp(join(tmpdir(), "noetl-workerd-"));
    const config = join(folder, "config.capnp");
    await Bun.write(config, await workerdConfig(module, variables));
    const workerd = spawn(
      [
        ...[installed("@cloudflare/workerd-*/bin/workerd"), "serve", config, "--experimental"],
        ...[`--import-path=${dirname(module)}`, "--control-fd=1"],
      ],
      {},
    );
    const portOf = (socket: string): Promise<string> =>
      workerd.match(new RegExp(`"socket":"${socket}","port":(\\d+)`));
    const [port, cronPort] = [await portOf("edge"), await portOf("cron")];
    return {
      url: `http://127.0.0.1:${port}`,
      cron: async () => {
        const reply = await fetch(`http://127.0.0.1:${cronPort}/`);
        const outcome = await reply.text();
        if (outcome !== "ok") throw new Error(`the cron call ended with ${outcome}`);
      },
      output: workerd.output,
      stop: () => ended(workerd, folder),
    };
  },
};
