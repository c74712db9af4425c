// Every route, asked what nobody should ask: it answers in the one shape of errors, tells nothing of
// its inside and nothing of another tenant, and the process goes on. Requests are made by chance, of
// a fixed seed and of a fresh one, which is printed where something is found, and can be given again
// by NOETL_FUZZ_SEED.

import { expect, test } from "bun:test";
import { rulesOf } from "#control/access/admission";
import { openapiDocument } from "#control/documentation-spec";
import type { JsonObject } from "#core/model/json";
import { api } from "#core/wire/api";
import type { Route } from "#core/wire/route";
import { type Gate, internalToken, openGate } from "#tests/access/gate";
import { routeCases } from "#tests/control/route-cases";
import { type RouteScene, routeScene } from "#tests/control/route-scene";
import { random } from "#tests/simulation/random";
import { onMemory, onPglite, type Shelf } from "#tests/support/control";
import { type HostileRequest, hostileRequest, type Operation } from "./hostile.ts";

type RouteName = keyof typeof api;

const marker = "zq-of-b-alone";
const fixedSeed = 20_260_101;
const isRead = (name: RouteName): boolean =>
  api[name].method === "GET" || /^(?:list|search)/.test(name);
/** What is only read comes first: later ones leave things that are called by any text. */
const names = (Object.keys(api) as readonly RouteName[]).toSorted(
  (a, b) => Number(isRead(b)) - Number(isRead(a)),
);
const { paths } = openapiDocument("test") as unknown as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation & JsonObject>>>>;
};
const operations = new Map(
  Object.values(paths).flatMap((methods) =>
    Object.values(methods).map((operation) => [operation["operationId"], operation] as const),
  ),
);

interface Houses {
  readonly gate: Gate;
  /** Ids of tenant b that tenant a has called things of its own by. */
  readonly planted: Set<string>;
  readonly own: RouteScene;
  readonly foreign: RouteScene;
}

async function openHouses(shelf: Shelf): Promise<Houses> {
  const gate = await openGate(shelf, {
    credentials: [{ name: "db", type: "postgres", data: { user: "ada" } }],
  });
  // A worker that stands by for commands would be answered after seconds.
  gate.world.control.executions.standby.close();
  const scene = async (tenant: string, workload: JsonObject): Promise<RouteScene> => {
    const { token } = await gate.member(tenant, "admin");
    const [person, machine, platform] = [
      gate.as(token),
      gate.as(internalToken),
      gate.as(gate.root),
    ];
    return routeScene({ person, machine, platform }, { domain: `${tenant}.org`, workload });
  };
  return {
    gate,
    planted: new Set(),
    foreign: await scene("b", { secret: marker }),
    own: await scene("a", {}),
  };
}

/** Asked by who may see all tenants. */
const isOfInstallation = (entry: Route): boolean =>
  rulesOf(entry).every((rule) => rule === "machine" || rule === "platform");

/** Who the route is for: what is refused at the door shows nothing of what is behind it. */
async function tokenFor({ gate }: Houses, entry: Route): Promise<string> {
  if (!isOfInstallation(entry)) return (await gate.member("a", "admin")).token;
  if (rulesOf(entry).includes("machine")) return internalToken;
  return (await gate.as(gate.root).createToken({ body: { name: "once" } })).token;
}

interface Asked extends HostileRequest {
  readonly name: RouteName;
  readonly token: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const sentMs = 5_000;

async function send({ gate }: Houses, asked: Asked): Promise<Answer> {
  const { name, method, path, body, contentType, token } = asked;
  const headers = {
    authorization: `Bearer ${token}`,
    ...(contentType === "" ? {} : { "content-type": contentType }),
    // The protocol of this one wants to be told; others would answer with a stream.
    ...(api[name].tag === "mcp" ? { accept: "application/json, text/event-stream" } : {}),
  };
  const signal = AbortSignal.timeout(sentMs);
  const init = { method, headers, signal, ...(body === undefined ? {} : { body }) };
  const response = await gate.world.control.fetch(new Request(`http://control${path}`, init));
  return { status: response.status, text: await response.text() };
}

/** Texts of our own source, and of the store's. */
const inside = new RegExp(
  [
    ...["\\.ts:\\d", "/control/", "node_modules", "\\bat (?:async )?[\\w.<>]+ \\(", "SQLSTATE"],
    ...["PGlite", "syntax error at or near", "TypeError", "undefined is not an?\\b", "Cannot read"],
  ].join("|"),
);

function problemOf({ foreign, planted }: Houses, asked: Asked, { status, text }: Answer): string {
  const isOfTenant = !isOfInstallation(api[asked.name]);
  const known = `${decoded(asked.path)} ${asked.body ?? ""}`;
  const isTold = (id: string): boolean =>
    text.includes(id) && !known.includes(id) && !planted.has(id);
  if (status < 400 && asked.method !== "GET") {
    for (const id of Object.values(foreign.named)) if (known.includes(id)) planted.add(id);
  }
  if (status >= 500 && status !== 503 && status !== 504) return `answered ${status}`;
  if (inside.test(text)) return "shows its inside";
  const told =
    isOfTenant && !installationWide.has(asked.name)
      ? [marker, ...Object.values(foreign.named)].find(isTold)
      : undefined;
  if (told !== undefined) return `shows ${told} of tenant b`;
  if (status < 400 || api[asked.name].tag === "mcp") return "";
  const parsed = jsonIn(text) as { error?: { code?: unknown; message?: unknown } } | undefined;
  const isProblem =
    typeof parsed?.error?.code === "string" && typeof parsed.error.message === "string";
  return isProblem ? "" : "refuses in another shape";
}

/** Workers are nobody's tenant's, and here some are called what the requests call them. */
const installationWide: ReadonlySet<RouteName> = new Set(["listWorkers"]);

function decoded(path: string): string {
  return path.replace(/(?:%[0-7][0-9A-F])+/g, decodeURIComponent);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is wrong with the answers of one route to so many requests of a seed. */
async function fuzz(houses: Houses, name: RouteName, { seed, requests }: Chance) {
  const chance = random(seed).stream(name);
  const entry: Route = api[name];
  const { own, foreign, gate } = houses;
  const { path, body } = routeCases[name];
  const target = {
    method: entry.method,
    template: entry.path,
    path: own.fill(path),
    ...(body === undefined ? {} : { body: own.fill(body) as JsonObject }),
    operation: operations.get(name) ?? { parameters: [] },
    foreignIds: Object.values(foreign.named),
  };
  const token = await tokenFor(houses, entry);
  const wrong: string[] = [];
  let isLetIn = false;
  for (let count = 0; count < requests; count++) {
    const asked = { ...hostileRequest(chance, target), name, token };
    const reported = gate.world.reports.length;
    const answer = await send(houses, asked).catch((thrown: unknown) => ({
      status: 599,
      text: String(thrown),
    }));
    if (answer.status !== 401 && answer.status !== 403) isLetIn = true;
    const problem = problemOf(houses, asked, answer);
    if (problem === "") continue;
    const reports = gate.world.reports.slice(reported).join(" ").slice(0, 300);
    const said = `${asked.method} ${asked.path.slice(0, 200)} ${(asked.body ?? "").slice(0, 300)}`;
    wrong.push(
      `${name} ${problem} (seed ${seed}): ${said} → ${answer.text.slice(0, 200)} ${reports}`,
    );
  }
  if (!isLetIn && requests > 9) wrong.push(`${name} lets nobody in: nothing of it has been asked`);
  return wrong;
}

interface Chance {
  readonly seed: number;
  readonly requests: number;
}

async function fuzzAll(shelf: Shelf, chances: readonly Chance[]): Promise<readonly string[]> {
  const houses = await openHouses(shelf);
  const wrong: string[] = [];
  for (const name of names) {
    for (const chance of chances) wrong.push(...(await fuzz(houses, name, chance)));
  }
  const health = await houses.gate.as(undefined).health();
  expect(health.status).toBe("ok");
  return wrong;
}

const givenSeed = Number(Bun.env["NOETL_FUZZ_SEED"] ?? 0);
const freshSeed = givenSeed || crypto.getRandomValues(new Uint32Array(1))[0] || 1;

onMemory((shelf) => {
  test("answers what nobody should ask, and stays what it is", async () => {
    const chances = [
      { seed: fixedSeed, requests: 40 },
      { seed: freshSeed, requests: 10 },
    ];
    expect(await fuzzAll(shelf(), chances)).toEqual([]);
  }, 120_000);
});

onPglite((shelf) => {
  test("answers what nobody should ask, and stays what it is", async () => {
    const chances = [
      { seed: fixedSeed, requests: 4 },
      { seed: freshSeed, requests: 1 },
    ];
    expect(await fuzzAll(shelf(), chances)).toEqual([]);
  }, 120_000);
});
