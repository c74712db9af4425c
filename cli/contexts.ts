// Owns `contexts.json`: the control planes that a person works with, each with the token that is
// shown to it and to nobody else. The file is the person's alone, and is always written whole.

import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type } from "arktype";
import { contextNameCharsMax } from "#core/model/cli-limits";
import { messageOf } from "#core/model/fault";
import { UsageError } from "./arguments.ts";
import type { Runtime } from "./runtimes.ts";

export interface Context {
  readonly server_url: string;
  readonly token?: string;
  /** Whom requests are about, for who may choose. */
  readonly tenant?: string;
  readonly runtime: Runtime;
}

export interface Contexts {
  readonly current?: string;
  readonly contexts: Readonly<Record<string, Context>>;
}

const contextsShape = type({
  "current?": "string",
  contexts: {
    "[string]": {
      server_url: "string",
      "token?": "string",
      "tenant?": "string",
      runtime: "'auto' | 'local' | 'distributed'",
    },
  },
});

type Environment = Readonly<Record<string, string | undefined>>;

/** The file of this person. */
export function contextsFile(environment: Environment = process.env): string {
  const own = environment["NOETL_CONFIG_HOME"];
  if (own !== undefined && own !== "") return join(own, "contexts.json");
  const shared = environment["XDG_CONFIG_HOME"];
  const base = shared !== undefined && shared !== "" ? shared : join(homedir(), ".config");
  return join(base, "noetl", "contexts.json");
}

/** None where there is no file. @throws UsageError for a file that is not as it is written here. */
export function readContexts(file = contextsFile()): Contexts {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") {
      return { contexts: {} };
    }
    // What is wrong with JSON is told with a piece of it, and that may be a token.
    const why = thrown instanceof SyntaxError ? "not JSON" : messageOf(thrown);
    throw new UsageError(`${file}: can't be read: ${why}`);
  }
  const checked = contextsShape(content);
  if (checked instanceof type.errors) {
    const [first] = checked;
    throw new UsageError(`${file}: not a file of contexts, see ${first?.path.join(".") || "it"}`);
  }
  return checked as Contexts;
}

/** Puts the file in place whole, for its owner alone. */
export function writeContexts(contexts: Contexts, file = contextsFile()): void {
  mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
  const unfinished = `${file}.${process.pid}`;
  try {
    writeFileSync(unfinished, `${JSON.stringify(contexts, null, 2)}\n`, { mode: 0o600 });
    // One that was left by a process of the same number keeps the mode that it had.
    chmodSync(unfinished, 0o600);
    renameSync(unfinished, file);
  } catch (thrown) {
    rmSync(unfinished, { force: true });
    throw new UsageError(`${file}: can't be written: ${messageOf(thrown)}`);
  }
}

/** @throws UsageError for text that can't name a context. */
export function contextName(text: string): string {
  const isName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text) && text.length <= contextNameCharsMax;
  if (isName && text !== "__proto__") return text;
  throw new UsageError(
    `expected a name of letters, digits, ., _ and -, found ${JSON.stringify(text.slice(0, 80))}`,
  );
}

/** @throws UsageError naming those that there are. */
export function contextNamed({ contexts }: Contexts, name: string): Context {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (context !== undefined) return context;
  const names = Object.keys(contexts);
  const known = names.length === 0 ? "there is none, see noetl context add" : names.join(", ");
  throw new UsageError(`no context ${JSON.stringify(name)}: ${known}`);
}

/** For whoever runs files: where the context in force wants them run. */
export function contextRuntime(named: string | undefined): Runtime {
  const { current, contexts } = readContexts();
  const name = named ?? current;
  return name === undefined ? "auto" : contextNamed({ contexts }, name).runtime;
}
