// The distributed shape on one machine: control planes and workers as processes of their own, over
// servers that are given. Each process may be stopped, killed and started again by itself.

import { join } from "node:path";
import { repositoryRoot } from "./install.ts";

export interface Member {
  readonly name: string;
  readonly pid: number;
  /** Of a control plane, once it listens. */
  readonly url: string | undefined;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  /** What it wrote to both outputs, newest last, bounded. */
  output(): string;
  /** SIGTERM, and waits until it has ended. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

interface MemberOptions {
  readonly name: string;
  /** What follows `noetl`. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Programs and arguments before `argv`; the checkout's own `noetl` without it. */
  readonly program?: readonly string[];
  /** A line that says that it is ready; the first group, if any, is its address. */
  readonly ready: RegExp;
  /** Told of every line. */
  readonly onLine?: (line: string) => void;
}

const outputLinesMax = 400;
/** Far more than any member needs, whatever it waits for. */
const readyMsMax = 60_000;

const ownProgram: readonly string[] = [process.execPath, join(repositoryRoot, "cli/main.ts")];

/** Starts a process and waits until it is ready. @throws Error with its output when it isn't. */
async function startMember(options: MemberOptions): Promise<Member> {
  const { name, argv, environment, program = ownProgram, ready, onLine } = options;
  const child = Bun.spawn([...endsWithUs(), ...program, ...argv], {
    // Ctrl-C is for whoever started the members; it stops them one after the other.
    detached: true,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const lines: string[] = [];
  const isReady = Promise.withResolvers<string | undefined>();
  const heard = (line: string): void => {
    lines.push(line);
    if (lines.length > outputLinesMax) lines.shift();
    onLine?.(line);
    const match = ready.exec(line);
    if (match !== null) isReady.resolve(match[1]);
  };
  void eachLine(child.stdout, heard);
  void eachLine(child.stderr, heard);
  const exited = child.exited.then((code) => child.signalCode ?? code);
  void exited.then((how) => {
    isReady.reject(
      new Error(`${name} ended with ${how} before it was ready:\n${lines.join("\n")}`),
    );
  });
  const late = setTimeout(() => {
    isReady.reject(new Error(`${name} was not ready in time:\n${lines.join("\n")}`));
    child.kill("SIGKILL");
  }, readyMsMax);
  const url = await isReady.promise.finally(() => clearTimeout(late));
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return {
    name,
    pid: child.pid,
    url,
    exited,
    output: () => lines.join("\n"),
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

/** A member must not outlive whoever started it, however that one ends; Linux can see to it. */
function endsWithUs(): readonly string[] {
  const setpriv = process.platform === "linux" ? Bun.which("setpriv") : null;
  return setpriv === null ? [] : [setpriv, "--pdeathsig", "KILL"];
}

async function eachLine(
  stream: ReadableStream<Uint8Array>,
  heard: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const pieces = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    for (const piece of pieces) heard(piece);
  }
  if (rest !== "") heard(rest);
}

export interface ControlMember {
  readonly name: string;
  readonly databaseUrl: string;
  readonly natsUrl?: string;
  /** 0 for any free port. */
  readonly port?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  readonly program?: readonly string[];
  readonly onLine?: (line: string) => void;
}

/** `noetl control`. */
export function startControlMember(member: ControlMember): Promise<Member> {
  const { name, databaseUrl, natsUrl, port = 0, environment = {}, argv = [] } = member;
  return startMember({
    ...member,
    argv: ["control", ...argv],
    environment: {
      ...environment,
      DATABASE_URL: databaseUrl,
      ...(natsUrl === undefined ? {} : { NATS_URL: natsUrl }),
      NOETL_PORT: String(port),
    },
    ready: /^noetl control .* at (http\S+)/,
    name,
  });
}

export interface WorkerMember {
  readonly name: string;
  readonly serverUrls: readonly string[];
  readonly natsUrl?: string;
  readonly slots: number;
  readonly spoolDirectory: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  readonly program?: readonly string[];
  readonly onLine?: (line: string) => void;
}

/** `noetl worker`. */
export function startWorkerMember(member: WorkerMember): Promise<Member> {
  const { name, serverUrls, natsUrl, slots, spoolDirectory, environment = {}, argv = [] } = member;
  return startMember({
    ...member,
    argv: ["worker", "--slots", String(slots), ...argv],
    environment: {
      ...environment,
      NOETL_SERVER_URL: serverUrls.join(","),
      ...(natsUrl === undefined ? {} : { NATS_URL: natsUrl }),
      NOETL_SPOOL_DIRECTORY: spoolDirectory,
    },
    ready: /^noetl worker .*/,
    name,
  });
}
