// How two operations on commands under a rule are led past each other, and all in which what comes
// of it is not what some order of the two would have given.
import {
  arrangePlaces,
  countPlaces,
  doPlaces,
  type PlaceAct,
  type Places,
  placesAfter,
  type Situation,
  start,
} from "./places.ts";
import type { Stage } from "./sessions.ts";

type Pair = readonly [PlaceAct, PlaceAct];

const textOf = (said: readonly string[], { ready, leased, expired, most }: Places): string =>
  `${said.join(" | ")}: ${ready} ready, ${leased} leased, ${expired} expired, at most ${most}`;

/** In one order or the other; who passes by takes nothing. */
function possible([first, second]: Pair, at: Situation, isOpen: boolean): readonly string[] {
  const [one, after] = placesAfter(first, at);
  const [two, end] = placesAfter(second, after);
  const found = [textOf([one, two], end)];
  if (!isOpen) return found;
  const [early, before] = placesAfter(second, at);
  const [late, last] = placesAfter(first, before);
  found.push(textOf([late, early], last));
  if (second === "claim" || second === "sweep") found.push(textOf([one, "0"], after));
  return found;
}

/** One after the other, or the second while the first is open, which commits or dies. */
async function met(
  { a, b, watch, isWaiting }: Stage,
  pair: Pair,
  most: number | undefined,
  way: "after" | "commits" | "dies",
): Promise<readonly string[]> {
  const part = await arrangePlaces(watch, most);
  const failed = (thrown: unknown): string => String(thrown);
  if (way !== "after") await a.begin();
  const one = await doPlaces(pair[0], a.stores, part, "w1").catch(failed);
  const other = doPlaces(pair[1], b.stores, part, "w2").catch(failed);
  if (way !== "after") {
    await isWaiting(b, other);
    await (way === "commits" ? a.commit() : a.rollback());
  }
  const two = await other;
  const { places, faults } = await countPlaces(watch);
  const where = `at most ${most}, ${way}`;
  const [alone, left] = placesAfter(pair[1], start(most));
  const dead = [textOf([one, alone], left), textOf([one, "0"], start(most))];
  const may = way === "dies" ? dead : possible(pair, start(most), way === "commits");
  const is = textOf([one, two], places);
  const wrong = faults.map((fault) => `${where}: ${fault}`);
  return may.includes(is)
    ? wrong
    : [...wrong, `${where}: found ${is}; expected ${may.join("; or ")}`];
}

/** Everything in which a meeting of these two is as in no order, under any maximum. */
export async function placeDifferences(on: Stage, pair: Pair): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const most of [undefined, 1, 2]) {
    for (const way of ["after", "commits", "dies"] as const) {
      const found = await met(on, pair, most, way);
      wrong.push(...found.map((difference) => `${pair[1]}, ${difference}`));
    }
  }
  return wrong;
}
