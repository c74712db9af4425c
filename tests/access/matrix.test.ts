// Every route of the contract, asked by everybody: nobody, a bad token, each role, a machine, who
// runs the installation; about their own tenant and about another one. What is expected follows from
// the entries of the contract alone.

import { describe, expect, test } from "bun:test";
import { rulesOf } from "#control/access/admission";
import type { ApiClient } from "#core/adapters/api-client";
import { atLeast, isRole, type Role, roles } from "#core/model/access";
import { api } from "#core/wire/api";
import type { Route } from "#core/wire/route";
import { routeCases } from "#tests/control/route-cases";
import { type RouteScene, routeScene } from "#tests/control/route-scene";
import { onMemory, type Shelf } from "#tests/support/control";
import { type Gate, internalToken, openGate } from "./gate.ts";

/** In everything that tenant b has, and in nothing that is asked for. */
const marker = "zq-of-b-alone";
const badToken = `noetl_pat_${"0".repeat(24)}_${"A".repeat(43)}`;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly message: string;
}

type Ask = (
  token: string | undefined,
  scene: RouteScene,
  /** Without what narrows a list down. */
  isWide?: boolean,
) => Promise<Answer>;

interface Houses {
  readonly gate: Gate;
  /** Of tenant a, whose people ask. */
  readonly own: RouteScene;
  readonly foreign: RouteScene;
  readonly tokens: Readonly<Record<Role, string>>;
}

async function openHouses(shelf: Shelf): Promise<Houses> {
  const gate = await openGate(shelf, {
    credentials: [{ name: "db", type: "postgres", data: { user: "ada" } }],
  });
  // A worker that stands by for commands would be answered after seconds.
  gate.world.control.executions.standby.close();
  const of = async (tenant: string) => {
    const tokens: Partial<Record<Role, string>> = {};
    for (const role of roles) tokens[role] = (await gate.member(tenant, role)).token;
    return tokens as Record<Role, string>;
  };
  const scene = (admin: string, tenant: string): Promise<RouteScene> => {
    const [person, machine, platform] = [admin, internalToken, gate.root].map(gate.as);
    return routeScene(
      { person, machine, platform } as Record<"person" | "machine" | "platform", ApiClient>,
      { domain: `${tenant}.org`, workload: tenant === "b" ? { secret: marker } : {} },
    );
  };
  const foreign = await scene((await of("b")).admin, "b");
  const tokens = await of("a");
  return { gate, own: await scene(tokens.admin, "a"), foreign, tokens };
}

function askerOf(gate: Gate, name: keyof typeof api): Ask {
  const entry: Route = api[name];
  const { path, body } = routeCases[name];
  return async (token, { fill }, isWide = false) => {
    const headers = new Headers({ "content-type": "application/json" });
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const hasBody = body !== undefined && entry.method !== "GET";
    const wide = isWide ? path.replace(/\?.*$/, "") : path;
    const text = (): string =>
      isWide ? "{}" : typeof body === "string" ? fill(body) : JSON.stringify(fill(body));
    const init = { method: entry.method, headers, ...(hasBody ? { body: text() } : {}) };
    const response = await gate.world.control.fetch(
      new Request(`http://control${fill(wide)}`, init),
    );
    const answer = await response.text();
    const [, message = ""] = /"message":"((?:[^"\\]|\\.)*)"/.exec(answer) ?? [];
    return { status: response.status, text: answer, message };
  };
}

/** A person's token for one request: some of them revoke what they come with. */
async function freshToken({ gate, tokens }: Houses, role: Role): Promise<string> {
  return (await gate.as(tokens[role]).createToken({ body: { name: "once" } })).token;
}

const isOpen = (entry: Route): boolean =>
  rulesOf(entry).some((rule) => rule === "public" || rule === "link");

/** Whether the contract lets a role in. */
const isRoleLetIn = (entry: Route, role: Role): boolean =>
  isOpen(entry) ||
  rulesOf(entry).some((rule) => rule === "person" || (isRole(rule) && atLeast(role, rule)));

const isMachineLetIn = (entry: Route): boolean =>
  isOpen(entry) || rulesOf(entry).includes("machine");

/** Refused for what one is, whatever is asked for. */
const isRoleRefused = ({ status, message }: Answer): boolean =>
  status === 403 &&
  /^expected (?:role|a machine|an administrator|a person)/.test(message) &&
  !isStricter(message);

/** Refused by the handler: more is needed for a part of what was asked for. */
const isStricter = (message: string): boolean => /^expected role admin for /.test(message);

/** A text in these is only looked for: what is another tenant's is not found. */
const filters: ReadonlySet<string> = new Set(["listAudit"]);

/** Ids that the case names, in its path or its body. */
const namesIds = (name: keyof typeof api): boolean => {
  const { path, body } = routeCases[name];
  return /\$[a-z]/.test(path) || /\$[a-z]/.test(JSON.stringify(body ?? ""));
};

onMemory((shelf) => {
  test("every route lets in whom its entry says, and tells nobody of another tenant", async () => {
    const houses = await openHouses(shelf());
    const wrong: string[] = [];
    for (const name of Object.keys(api) as (keyof typeof api)[]) {
      wrong.push(...(await problemsOf(houses, name)));
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  describe("what the matrix rests on", () => {
    test("the scene of the other tenant holds the marker, and its own people see it", async () => {
      const { gate, foreign } = await openHouses(shelf());
      const id = foreign.named["$ended"] ?? "";
      const seen = await gate.as(gate.root).getExecution({ params: { id } });
      expect(JSON.stringify(seen)).toContain(marker);
    });
  });
});

/** Whether an answer about the own tenant has anything of the other one: its data, or an id. */
function isOfForeign({ foreign }: Houses, { text }: Answer): boolean {
  return [marker, "@b.org", ...Object.values(foreign.named)].some((one) => text.includes(one));
}

async function problemsOf(houses: Houses, name: keyof typeof api): Promise<readonly string[]> {
  const { gate, own } = houses;
  const entry: Route = api[name];
  const ask = askerOf(gate, name);
  const wrong: string[] = [];
  const tell = (who: string, expected: string, { status, text }: Answer): void => {
    wrong.push(`${name} by ${who}: expected ${expected}, found ${status} ${text.slice(0, 160)}`);
  };
  const nobody = await ask(undefined, own);
  if (!isOpen(entry) && nobody.status !== 401) tell("nobody", "401", nobody);
  const bad = await ask(badToken, own);
  if (bad.status !== 401) tell("a bad token", "401", bad);
  for (const role of roles) {
    const answer = await ask(await freshToken(houses, role), own);
    if (answer.status === 401 && !isOpen(entry)) tell(role, "not 401", answer);
    // What is open asks for its own token, or for a role in place of it.
    if (!isOpen(entry) && isRoleLetIn(entry, role) === isRoleRefused(answer)) {
      tell(role, isRoleLetIn(entry, role) ? "to be let in" : "403", answer);
    }
    if (isOfForeign(houses, answer)) tell(role, "nothing of tenant b", answer);
    if (entry.method === "GET" || /^(?:list|search)/.test(name)) {
      const wide = await ask(await freshToken(houses, role), own, true);
      if (isOfForeign(houses, wide)) tell(role, "nothing of tenant b without a filter", wide);
    }
    wrong.push(...(await foreignProblems(houses, name, role)));
  }
  const machine = await ask(internalToken, own);
  if (isMachineLetIn(entry) === isRoleRefused(machine)) tell("a machine", "as said", machine);
  if (machine.status === 401 && !isOpen(entry)) tell("a machine", "not 401", machine);
  // It would revoke what the others are asked with.
  if (name === "logout") return wrong;
  const root = await ask(gate.root, own);
  if (root.status === 401 && !isOpen(entry)) tell("the platform", "not 401", root);
  if (isRoleRefused(root)) tell("the platform", "to be let in", root);
  return wrong;
}

async function foreignProblems(
  houses: Houses,
  name: keyof typeof api,
  role: Role,
): Promise<readonly string[]> {
  const { gate, foreign } = houses;
  const entry: Route = api[name];
  if (!namesIds(name)) return [];
  const answer = await askerOf(gate, name)(await freshToken(houses, role), foreign);
  const expected = isRoleLetIn(entry, role) ? 404 : 403;
  const said = `${name} by ${role} of the other tenant's:`;
  if (answer.text.includes(marker)) return [`${said} found its data ${answer.text.slice(0, 200)}`];
  if (isOpen(entry)) return answer.status >= 400 ? [] : [`${said} found ${answer.status}`];
  if (answer.status === expected || filters.has(name)) return [];
  if (answer.status === 403 && isStricter(answer.message)) return [];
  return [`${said} expected ${expected}, found ${answer.status} ${answer.text.slice(0, 160)}`];
}
