// What goes wrong, and when: chosen from the seed alone. Each seed has kinds of its own, so that
// rare pairs meet too, and each kind draws from its own stream: leaving one out changes no other.

import type { Random } from "./random.ts";
import { type Timeline, timelineStartMs } from "./timeline.ts";

export const faultKinds = [
  "hint lost",
  "hint twice",
  "hint late",
  "request lost",
  "reply lost",
  "network slow",
  "commit reply lost",
  "store away",
  "store slow",
  "replica crash",
  "replica pause",
  "replica stop",
  "worker crash",
  "worker pause",
  "worker stop",
  "clock jump",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** How likely a kind befalls one occasion for it. */
const likelihoods: Readonly<Record<FaultKind, readonly [low: number, high: number]>> = {
  "hint lost": [0.1, 1],
  "hint twice": [0.05, 0.5],
  "hint late": [0.05, 0.5],
  "request lost": [0.01, 0.2],
  "reply lost": [0.01, 0.2],
  "network slow": [0.01, 0.2],
  "commit reply lost": [0.01, 0.3],
  "store away": [0.02, 0.06],
  "store slow": [0.01, 0.1],
  "replica crash": [0.002, 0.03],
  "replica pause": [0.01, 0.05],
  "replica stop": [0.01, 0.05],
  "worker crash": [0.003, 0.15],
  "worker pause": [0.02, 0.1],
  "worker stop": [0.02, 0.08],
  "clock jump": [0.02, 0.2],
};

export interface Faults {
  readonly kinds: readonly FaultKind[];
  /** Whether the fault befalls this occasion. */
  happens(kind: FaultKind): boolean;
  /** The stream of a kind, for how long and how much. */
  of(kind: FaultKind): Random;
  isOver(): boolean;
  readonly untilMs: number;
}

export interface FaultOptions {
  readonly chance: Random;
  readonly time: Timeline;
  /** Kinds that are left out whatever the seed says. */
  readonly without: ReadonlySet<FaultKind>;
}

const kindLikelihood = 0.4;

export function faults({ chance, time, without }: FaultOptions): Faults {
  const chosen = faultKinds.filter((kind) => chance.stream(`use ${kind}`).chance(kindLikelihood));
  const kinds = chosen.filter((kind) => !without.has(kind));
  const spanMs = chance.stream("span").between(10_000, 45_000);
  const untilMs = timelineStartMs + (kinds.length === 0 ? 0 : spanMs);
  const streams = new Map(faultKinds.map((kind) => [kind, chance.stream(kind)]));
  const of = (kind: FaultKind): Random => streams.get(kind) ?? chance;
  const strength = new Map(kinds.map((kind) => [kind, of(kind).scale(...likelihoods[kind])]));
  const isOver = (): boolean => time.nowMs() >= untilMs;
  return {
    kinds,
    untilMs,
    of,
    isOver,
    happens: (kind) => {
      const likelihood = strength.get(kind);
      return likelihood !== undefined && !isOver() && of(kind).chance(likelihood);
    },
  };
}
