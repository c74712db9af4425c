// `noetl register` and `noetl catalog`: playbooks into the catalog of a control plane, and what
// it has.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitFailed, exitOk, exitUsage } from "./exit-codes.ts";
import { readPlaybookFile } from "./playbook-files.ts";
import { neededServer, type Server } from "./server.ts";
import { tableLines } from "./table.ts";
import { isTestName } from "./test-name.ts";

/** `register [playbook] FILE… | -d DIR`: everything that is fit is registered, the rest told. */
export async function register(args: Arguments): Promise<number> {
  const files = playbooksNamed(args);
  const server = await neededServer(args);
  let code = exitOk;
  for (const file of files) {
    const isRegistered = await registerFile(server, file);
    if (!isRegistered) code = exitUsage;
  }
  return code;
}

function playbooksNamed(args: Arguments): readonly string[] {
  const [first, ...rest] = args.operands;
  if (first === "credential") {
    throw new UsageError(
      "credentials are not registered: name a file that has them in NOETL_CREDENTIALS_FILE",
    );
  }
  const named = first === "playbook" ? rest : args.operands;
  const directories = args.list("directory");
  const files = [...named, ...args.list("file"), ...directories.flatMap(playbooksIn)];
  if (files.length > 0) return files;
  throw new UsageError(
    directories.length === 0
      ? "expected playbook files, or -d with a folder of them"
      : `no *.yaml in ${directories.join(", ")}`,
  );
}

function playbooksIn(directory: string): readonly string[] {
  if (!existsSync(directory)) throw new UsageError(`${directory}: no such folder`);
  const names = [...new Bun.Glob("**/*.{yaml,yml}").scanSync(directory)];
  const playbooks = names.filter((name) => !isTestName(name));
  return playbooks.sort().map((name) => join(directory, name));
}

async function registerFile({ client }: Server, file: string): Promise<boolean> {
  const reading = readPlaybookFile(file);
  for (const line of reading.ok ? reading.warnings : reading.problems) console.error(line);
  if (!reading.ok) return false;
  const { content } = reading.playbook;
  const { path, version, created } = await client.registerCatalog({ body: { content } });
  console.log(`${file}: ${path} version ${version}${created ? "" : ", unchanged"}`);
  return true;
}

/** `catalog list | get PATH | register FILE…`. */
export async function catalog(args: Arguments): Promise<number> {
  const [action, ...rest] = args.operands;
  switch (action) {
    case "list":
      return listCatalog(args);
    case "get":
      return getPlaybook(args, rest);
    case "register":
      return register({ ...args, operands: rest });
    default:
      throw new UsageError(
        `expected catalog list, get or register, found ${JSON.stringify(action)}`,
      );
  }
}

async function listCatalog(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const { entries } = await client.listCatalog({ body: { limit: 500 } });
  if (args.has("json")) {
    console.log(JSON.stringify({ entries }, null, 2));
    return exitOk;
  }
  const rows = entries.map(({ path, version, kind, created_at: created }) => [
    path,
    String(version),
    kind,
    created,
  ]);
  for (const line of tableLines(["PATH", "VERSION", "KIND", "REGISTERED"], rows)) console.log(line);
  return exitOk;
}

async function getPlaybook(args: Arguments, operands: readonly string[]): Promise<number> {
  const [path, extra] = operands;
  if (path === undefined || extra !== undefined) throw new UsageError("expected catalog get PATH");
  const version = args.text("version");
  if (version !== undefined && !/^[1-9]\d*$/.test(version)) {
    throw new UsageError(`--version: expected a number from 1, found ${JSON.stringify(version)}`);
  }
  const { client } = await neededServer(args);
  const entry = await client.catalogResource({
    body: { path, ...(version === undefined ? {} : { version: Number(version) }) },
  });
  if (args.has("json")) console.log(JSON.stringify(entry, null, 2));
  else process.stdout.write(entry.content ?? "");
  return entry.content === undefined ? exitFailed : exitOk;
}
