// Statements that are stopped in the middle, at a row that somebody holds, while others go on; and
// statements that wait for the same rows in different orders.
import { type Act, anyOrder, beginning, passesBy, type Shape } from "./model.ts";
import { arrange, type Part } from "./scene.ts";
import type { Stage } from "./sessions.ts";
import { type Came, came, cleared, doing, standingText } from "./steps.ts";

/** What is held against the first statement, by one who changes nothing. */
export type Held = "command" | "execution" | "liveness";

const holding: Readonly<Record<Held, (part: Part) => readonly [string, readonly string[]]>> = {
  command: ({ commandId }) => [
    "select from noetl.command where command_id = $1::text for update",
    [commandId],
  ],
  execution: ({ executionId }) => [
    "select from noetl.execution where execution_id = $1::text::bigint for update",
    [executionId],
  ],
  liveness: () => ["select from noetl.liveness for update", []],
};

async function hold({ c }: Stage, held: Held, part: Part): Promise<void> {
  const [text, values] = holding[held](part);
  await c.begin();
  await c.sql.query(text, values);
}

/** None of the orders in which the acts could have been done one by one gives this. */
export function impossible(where: string, those: readonly Act[], shape: Shape, found: Came) {
  const possible = anyOrder(those, beginning(shape)).map(
    ({ said, left }) => `${said.join(" | ")}: ${standingText(left)}`,
  );
  const is = `${found.said.join(" | ")}: ${standingText(found.left)}`;
  const faults = found.faults.map((fault) => `${where}: ${fault}`);
  return possible.includes(is)
    ? faults
    : [...faults, `${where}: found ${is}, which no order gives`];
}

export async function two(on: Stage, shape: Shape): Promise<readonly [Part, Part]> {
  await cleared(on);
  const [one, other] = await arrange(on.watch.stores, shape, 2);
  if (one === undefined || other === undefined) throw new Error("expected two commands");
  return [one, other];
}

/**
 * The first act is on two commands and is stopped at one of them; the second act is on the other
 * one alone and goes as far as it can; then the first goes on. Undefined: it was not stopped.
 */
export async function stoppedAt(
  on: Stage,
  held: Held,
  [first, second]: readonly [Act, Act],
  shape: Shape,
): Promise<readonly string[] | undefined> {
  const parts = await two(on, shape);
  await hold(on, held, parts[0]);
  const one = doing(on.a, first, parts, "w1");
  const isStopped = await on.isWaiting(on.a, one);
  // Who takes any row that will do can't be told to take this one.
  const both = passesBy(second);
  const other = doing(on.b, second, both ? parts : [parts[1]], "w2");
  await on.isWaiting(on.b, other);
  await on.c.commit();
  const [mine, theirs] = [await one, await other];
  if (!isStopped) return undefined;
  const said = (n: number): readonly string[] => [
    mine[n] ?? mine[0] ?? "",
    theirs[both ? n : 0] ?? "",
  ];
  const nearSaid = both ? said(0) : mine.slice(0, 1);
  const near = await came(on, parts[0], { waits: undefined, said: nearSaid });
  const far = await came(on, parts[1], { waits: undefined, said: said(1) });
  return [
    ...impossible(`${shape}, at the ${held}`, both ? [first, second] : [first], shape, near),
    ...impossible(`${shape}, beyond the ${held}`, [first, second], shape, far),
  ];
}

/** Both acts are on both commands, named in this order, and wait for the one that is held. */
export async function crossing(
  on: Stage,
  pair: readonly [Act, Act],
  order: { readonly first: "up" | "down"; readonly second: "up" | "down"; readonly held: 0 | 1 },
): Promise<readonly string[]> {
  const up = await two(on, "leased");
  const named = { up, down: up.toReversed() };
  await hold(on, "command", up[order.held]);
  const one = doing(on.a, pair[0], named[order.first], "w1");
  await on.isWaiting(on.a, one);
  const other = doing(on.b, pair[1], named[order.second], "w2");
  await on.isWaiting(on.b, other);
  await on.c.commit();
  const [mine, theirs] = [await one, await other];
  const wrong: string[] = [];
  for (const [n, part] of up.entries()) {
    const at = (way: "up" | "down"): number => (way === "up" ? n : 1 - n);
    const said = [
      mine[at(order.first)] ?? mine[0] ?? "",
      theirs[at(order.second)] ?? theirs[0] ?? "",
    ];
    const found = await came(on, part, { waits: undefined, said });
    const where = `${order.first}, ${order.second}, held ${order.held}, command ${n}`;
    wrong.push(...impossible(where, pair, "leased", found));
  }
  return wrong;
}

/** Three at once: the second and third begin while the first is open, which commits or dies. */
export async function threeAtOnce(
  on: Stage,
  those: readonly [Act, Act, Act],
  shape: Shape,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const ending of ["commits", "dies"] as const) {
    await cleared(on);
    const [part] = await arrange(on.watch.stores, shape);
    if (part === undefined) throw new Error("expected a command");
    await on.a.begin();
    const one = await doing(on.a, those[0], [part], "w1");
    const two = doing(on.b, those[1], [part], "w2");
    await on.isWaiting(on.b, two);
    const three = doing(on.c, those[2], [part], "w3");
    await on.isWaiting(on.c, three);
    await (ending === "commits" ? on.a.commit() : on.a.rollback());
    const found = await came(on, part, {
      waits: undefined,
      said: [...(ending === "commits" ? one : [""]), ...(await two), ...(await three)],
    });
    const [acts, said] =
      ending === "commits" ? [those, found.said] : [those.slice(1), found.said.slice(1)];
    const where = `${shape}, ${those.join(" × ")}, ${ending}`;
    wrong.push(...impossible(where, acts, shape, { ...found, said }));
  }
  return wrong;
}
