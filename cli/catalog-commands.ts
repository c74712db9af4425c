// `noetl register` and `noetl catalog`: playbooks into the catalog of a control plane, and what
// it has.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ApiClient } from "#core/adapters/api-client";
import { isJsonObject } from "#core/model/json";
import { pageSizeMax } from "#core/model/limits";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitFailed, exitOk, exitUsage } from "./exit-codes.ts";
import { given, wholeNumber } from "./given.ts";
import { readPlaybookFile } from "./playbook-files.ts";
import { printed } from "./printed.ts";
import { neededServer, type Server } from "./server.ts";
import { tableLines } from "./table.ts";
import { isTestName } from "./test-name.ts";
import { readText } from "./text-file.ts";

/** `register [playbook] FILE… | -d DIR`: everything that is fit is registered, the rest told. */
export async function register(args: Arguments): Promise<number> {
  if (args.operands[0] === "credential") {
    const { registerCredentials } = await import("./credential-commands.ts");
    return registerCredentials(args, filesNamed(args, credentialPattern));
  }
  const files = filesNamed(args, playbookPattern);
  const server = await neededServer(args);
  let code = exitOk;
  const done: Registered[] = [];
  for (const file of files) {
    const registered = await registerFile(server, file);
    if (registered === undefined) code = exitUsage;
    else done.push(registered);
  }
  printed(args, { registered: done }, () =>
    done.map(({ file, path, version, created }) => {
      return `${file}: ${path} version ${version}${created ? "" : ", unchanged"}`;
    }),
  );
  return code;
}

const playbookPattern = "**/*.{yaml,yml}";
const credentialPattern = "**/*.{yaml,yml,json}";

interface Registered {
  readonly file: string;
  readonly path: string;
  readonly version: number;
  readonly created: boolean;
}

/** Files by their names, and those of folders that fit the pattern. */
function filesNamed(args: Arguments, pattern: string): readonly string[] {
  const [first, ...rest] = args.operands;
  const named = first === "playbook" || first === "credential" ? rest : args.operands;
  const directories = args.list("directory");
  const files = [
    ...named,
    ...args.list("file"),
    ...directories.flatMap((directory) => filesIn(directory, pattern)),
  ];
  if (files.length > 0) return files;
  throw new UsageError(
    directories.length === 0
      ? "expected files, or -d with a folder of them"
      : `no *.yaml in ${directories.join(", ")}`,
  );
}

function filesIn(directory: string, pattern: string): readonly string[] {
  if (!existsSync(directory)) throw new UsageError(`${directory}: no such folder`);
  const names = [...new Bun.Glob(pattern).scanSync(directory)];
  const playbooks = names.filter((name) => !isTestName(name));
  return playbooks.sort().map((name) => join(directory, name));
}

async function registerFile({ client }: Server, file: string): Promise<Registered | undefined> {
  const content = await otherKind(file);
  if (content !== undefined) {
    const { path, version, created } = await client.registerCatalog({ body: { content } });
    return { file, path, version, created };
  }
  const reading = readPlaybookFile(file);
  for (const line of reading.ok ? reading.warnings : reading.problems) console.error(line);
  if (!reading.ok) return undefined;
  const { playbook } = reading;
  const answer = await client.registerCatalog({ body: { content: playbook.content } });
  const { path, version, created } = answer;
  return { file, path, version, created };
}

/** The text of a document that is no playbook: the server knows what is wrong with it. */
async function otherKind(file: string): Promise<string | undefined> {
  const read = await readText(file);
  if (!("text" in read)) return undefined;
  try {
    const document: unknown = Bun.YAML.parse(read.text);
    const kind = isJsonObject(document) ? document["kind"] : undefined;
    if (typeof kind !== "string" || /^(?:playbook|agent)s?$/i.test(kind)) return undefined;
    return read.text;
  } catch {
    return undefined;
  }
}

type Entries = Awaited<ReturnType<ApiClient["listCatalog"]>>["entries"];

/**
 * `catalog list [TYPE]`: the newest version of each path, all pages unless there is a limit.
 * @param type only of this type: `playbook`, `tool`, also in the plural.
 */
export async function listCatalog(args: Arguments, type?: string): Promise<number> {
  const limit = wholeNumber(args, "limit") ?? Number.POSITIVE_INFINITY;
  const filter = given({
    resource_type: type,
    path: args.text("path"),
    prefix: args.text("prefix"),
    include_archived: args.has("archived") ? true : undefined,
  });
  const { client } = await neededServer(args);
  const entries: Entries[number][] = [];
  for (let after = args.text("after") ?? null; entries.length < limit; ) {
    const size = Math.min(pageSizeMax, limit - entries.length);
    const from = after === null ? {} : { after };
    const page: Awaited<ReturnType<typeof client.listCatalog>> = await client.listCatalog({
      body: { ...filter, ...from, limit: size },
    });
    entries.push(...page.entries);
    after = page.next_after;
    if (after === null) break;
  }
  return printed(args, { entries }, () => entryLines(entries));
}

function entryLines(entries: Entries): readonly string[] {
  return tableLines(
    ["PATH", "VERSION", "KIND", "REGISTERED"],
    entries.map((entry) => [entry.path, String(entry.version), entry.kind, entry.created_at]),
  );
}

/** The text as it was registered, for a file or another program. */
export async function getResource(args: Arguments): Promise<number> {
  const [path = ""] = args.operands;
  const { client } = await neededServer(args);
  const body = { path, ...given({ version: wholeNumber(args, "version") }) };
  const entry = await client.catalogResource({ body });
  if (args.has("json")) console.log(JSON.stringify(entry, null, 2));
  else process.stdout.write(entry.content ?? "");
  return entry.content === undefined ? exitFailed : exitOk;
}
