// `noetl import --from URL`: the catalog and the schedules of another NoETL server into this one.
// Credentials don't leave a server: their names are told, so that they can be made anew.

import { importEntriesMax } from "#core/model/cli-limits";
import { Fault, messageOf } from "#core/model/fault";
import { isJsonObject, type JsonObject } from "#core/model/json";
import { parsePlaybook } from "#core/playbook/parse";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";
import {
  entryIn,
  ForeignAnswer,
  type ForeignEntry,
  type ForeignServer,
  foreignServer,
  listIn,
  plainContent,
} from "./foreign-server.ts";
import { given } from "./given.ts";
import { printed } from "./printed.ts";
import { readSecret } from "./secret-input.ts";
import { neededServer, type Server } from "./server.ts";
import { cutLine } from "./terminal-text.ts";

interface Imported {
  readonly path: string;
  readonly version: number;
  readonly status: "registered" | "unchanged" | "fit" | "refused";
  readonly message?: string;
}

interface Importing {
  readonly from: ForeignServer;
  /** Undefined when nothing is to be written. */
  readonly to: Server | undefined;
  readonly problems: string[];
}

/** @returns 1 if something was not taken over. */
export async function importFrom(args: Arguments): Promise<number> {
  const url = args.text("from");
  if (url === undefined) throw new UsageError("expected --from URL");
  const token = args.has("token-stdin")
    ? await readSecret("token of the other server: ")
    : undefined;
  const to = args.has("dry-run") ? undefined : await neededServer(args);
  const importing = { from: foreignServer(url, token), to, problems: [] };
  const catalog = await catalogOf(importing);
  const schedules = await schedulesOf(importing);
  const credentials = await credentialsOf(importing);
  const { problems }: Importing = importing;
  const report = { from: importing.from.url, catalog, schedules, credentials, problems };
  printed(args, report, () => linesOf(report));
  const isAll = problems.length === 0 && catalog.every(({ status }) => status !== "refused");
  return isAll ? exitOk : exitFailed;
}

const columnsMax = 200;

interface Report {
  readonly catalog: readonly Imported[];
  readonly schedules: readonly string[];
  readonly credentials: readonly { readonly name: string; readonly type: string }[];
  readonly problems: readonly string[];
}

function linesOf({ catalog, schedules, credentials, problems }: Report): readonly string[] {
  return [
    ...catalog.map(({ path, version, status, message }) => {
      const why = message === undefined ? "" : `: ${message}`;
      return cutLine(`${path} version ${version}: ${status}${why}`, columnsMax);
    }),
    ...schedules.map((name) =>
      cutLine(`schedule ${name}: disabled, noetl schedule list`, columnsMax),
    ),
    ...problems.map((problem) => cutLine(`problem: ${problem}`, columnsMax)),
    ...(credentials.length === 0 ? [] : ["credentials to add, see noetl credential add:"]),
    ...credentials.map(({ name, type }) => cutLine(`  ${name} (${type})`, columnsMax)),
  ];
}

/** What was answered instead is told of this one, and the next one is asked for. */
async function asked<Value>(
  { problems }: Importing,
  what: string,
  ask: () => Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    if (!(thrown instanceof ForeignAnswer || thrown instanceof Fault)) throw thrown;
    problems.push(`${what}: ${messageOf(thrown)}`);
    return undefined;
  }
}

async function catalogOf(importing: Importing): Promise<readonly Imported[]> {
  const { from, problems } = importing;
  const answer = await asked(importing, "the catalog", () =>
    from.ask("POST", "/api/catalog/list", {}),
  );
  if (answer === undefined) return [];
  const listed = listIn(answer, "entries", "items", "catalog");
  if (listed === undefined) {
    problems.push("the catalog: expected a list of entries, found something else");
    return [];
  }
  if (listed.length > importEntriesMax) {
    problems.push(
      `the catalog: ${listed.length} entries, only the first ${importEntriesMax} taken`,
    );
  }
  const newest = newestOf(listed.slice(0, importEntriesMax), problems);
  const done: Imported[] = [];
  for (const [path, version] of newest) {
    let failed = 0;
    for (let n = 1; n <= version && done.length < importEntriesMax; n++) {
      const one = await importVersion(importing, path, n);
      if (one !== undefined) done.push(one);
      failed = one === undefined ? failed + 1 : 0;
      if (failed === failuresMax) break;
    }
    if (failed === failuresMax) problems.push(`${path}: given up after ${failed} versions`);
  }
  return done;
}

/** Each path with its newest version: a list has that alone, or all of them. */
function newestOf(listed: readonly unknown[], problems: string[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const [index, value] of listed.entries()) {
    const entry = entryIn(value);
    if (entry === undefined) {
      problems.push(`entry ${index + 1} of the catalog: expected one with a path and a version`);
      continue;
    }
    const { path, version = 1 } = entry;
    newest.set(path, Math.max(newest.get(path) ?? 1, Math.min(Math.max(1, version), versionsMax)));
  }
  return newest;
}

/** Versions of one path that may be missing one after the other. */
const failuresMax = 10;

/** A server that says more of one path is not believed. */
const versionsMax = 1_000;

async function importVersion(
  importing: Importing,
  path: string,
  version: number,
): Promise<Imported | undefined> {
  const answer = await asked(importing, `${path} version ${version}`, () =>
    importing.from.ask("POST", "/api/catalog/resource", { path, version }),
  );
  if (answer === undefined) return undefined;
  const entry = entryIn(answer);
  const content = entry?.content;
  if (entry?.path !== path || content === undefined || content === null) {
    importing.problems.push(`${path} version ${version}: expected the entry, found something else`);
    return undefined;
  }
  return register(importing, { ...entry, version, content: plainContent(content) });
}

async function register(
  { to }: Importing,
  entry: ForeignEntry & { readonly version: number; readonly content: string },
): Promise<Imported> {
  const { path, version, content } = entry;
  const kind = entry.kind ?? entry.resource_type ?? "playbook";
  const own = { path, version };
  if (/^playbooks?$/i.test(kind)) {
    const parsed = parsePlaybook(content);
    if (!parsed.ok) return { ...own, status: "refused", message: firstOf(parsed.problems) };
  }
  if (to === undefined) return { ...own, status: "fit" };
  try {
    const body = { content, path, resource_type: kind, ...given({ tenant: to.tenant }) };
    const answer = await to.client.registerCatalog({ body });
    return {
      path,
      version: answer.version,
      status: answer.created ? "registered" : "unchanged",
      ...(answer.version === version ? {} : { message: `it was version ${version} there` }),
    };
  } catch (thrown) {
    if (!(thrown instanceof Fault) || stops.has(thrown.code)) throw thrown;
    return { ...own, status: "refused", message: thrown.message };
  }
}

/** Of whom nothing else would be taken either. */
const stops: ReadonlySet<string> = new Set(["unauthenticated", "forbidden", "unavailable"]);

function firstOf(problems: readonly { readonly message: string; readonly line: number }[]): string {
  const [first] = problems;
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : "";
  return `line ${first?.line ?? 1}: ${first?.message ?? "not fit to run"}${more}`;
}

/** Nothing starts twice: what comes over is switched off. */
async function schedulesOf(importing: Importing): Promise<readonly string[]> {
  const listed = await optionalList(importing, "/api/schedules", ["schedules", "items"]);
  const done: string[] = [];
  for (const value of listed) {
    if (!isJsonObject(value)) continue;
    const body = scheduleBody(value);
    if (body === undefined) {
      importing.problems.push("a schedule: expected one with a name, a path and a time");
      continue;
    }
    const { to } = importing;
    const made = await asked(importing, `schedule ${body.name}`, async () =>
      to === undefined ? body.name : (await to.client.createSchedule({ body })).name,
    );
    if (made !== undefined) done.push(made);
  }
  return done;
}

function scheduleBody(value: JsonObject) {
  const { name, cron, interval_seconds: every, timezone, workload, input_payload: input } = value;
  const path = value["path"] ?? value["playbook_path"];
  if (typeof path !== "string") return undefined;
  if (typeof cron !== "string" && typeof every !== "number") return undefined;
  const given = isJsonObject(workload) ? workload : input;
  return {
    name: typeof name === "string" ? name : path,
    path,
    ...(typeof cron === "string" ? { cron } : {}),
    ...(typeof every === "number" && typeof cron !== "string" ? { interval_seconds: every } : {}),
    ...(typeof timezone === "string" ? { timezone } : {}),
    ...(isJsonObject(given) ? { workload: { ...given } } : {}),
    enabled: false,
  };
}

async function credentialsOf(importing: Importing): Promise<Report["credentials"]> {
  const listed = await optionalList(importing, "/api/credentials", ["items", "credentials"]);
  return listed.flatMap((value) => {
    if (!isJsonObject(value)) return [];
    const { name, type } = value;
    if (typeof name !== "string") return [];
    return [{ name, type: typeof type === "string" ? type : "generic" }];
  });
}

/** A list that not every server has, or shows to everybody. */
async function optionalList(
  { from, problems }: Importing,
  path: string,
  names: readonly string[],
): Promise<readonly unknown[]> {
  try {
    return (listIn(await from.ask("GET", path), ...names) ?? []).slice(0, importEntriesMax);
  } catch (thrown) {
    if (!(thrown instanceof ForeignAnswer)) throw thrown;
    if (thrown.status !== 404) problems.push(`${path}: ${thrown.message}`);
    return [];
  }
}
