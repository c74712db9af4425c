// The `noetl` command inside the test's own process: what it prints is caught, what it reads of the
// environment is the test's. For commands that ask a server; those that are a process have their own.

import { spyOn } from "bun:test";
import { main } from "#cli/main";
import type { Ended } from "./noetl.ts";

/** One at a time: standard output and the environment are the process's. */
export async function runHere(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Ended> {
  const kept = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (/^(?:NOETL_|DATABASE_URL$|NATS_URL$)/.test(name)) delete process.env[name];
  }
  Object.assign(process.env, environment);
  const [out, err]: [string[], string[]] = [[], []];
  const log = spyOn(console, "log").mockImplementation((...said) => void out.push(said.join(" ")));
  const error = spyOn(console, "error").mockImplementation(
    (...said) => void err.push(said.join(" ")),
  );
  const write = spyOn(process.stdout, "write").mockImplementation((text) => {
    out.push(String(text).replace(/\n$/, ""));
    return true;
  });
  try {
    const exitCode = await main(argv);
    const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
    return { exitCode, out: text(out), err: text(err) };
  } finally {
    for (const spy of [log, error, write]) spy.mockRestore();
    for (const name of Object.keys(environment)) delete process.env[name];
    Object.assign(process.env, kept);
  }
}
