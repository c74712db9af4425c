// What goes wrong in a storm, and when: a list that follows from the seed alone.

import { stormRandom } from "./storm-random.ts";

export const faultKinds = [
  "worker_killed",
  "worker_drained",
  "control_killed",
  "control_stopped",
  "postgres_killed",
  "nats_killed",
  "stream_deleted",
  "workers_cut_off",
  "database_cut_off",
] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface PlannedFault {
  readonly kind: FaultKind;
  /** After the beginning of the load. */
  readonly atMs: number;
  /** Which of several it hits, as a number to be divided by how many there are. */
  readonly pick: number;
  /** How long it stays away. */
  readonly awayMs: number;
}

export interface SchedulePlan {
  readonly seed: number;
  /** Faults fall into this time, from the beginning on. */
  readonly lengthMs: number;
  /** Mean time between two. */
  readonly gapMs: number;
  readonly awayMsMax: number;
}

/** Before the first fault there is something to hit. */
const calmMs = 2_000;
const awayMsMin = 300;
const picks = 1_000_000;

/** Every kind comes once, in an order of its own, before any kind comes again. */
export function schedule({ seed, lengthMs, gapMs, awayMsMax }: SchedulePlan): PlannedFault[] {
  const random = stormRandom(seed);
  const planned: PlannedFault[] = [];
  let kinds: readonly FaultKind[] = [];
  for (let atMs = calmMs; atMs < lengthMs; atMs += random.between(gapMs / 2, gapMs * 1.5)) {
    if (kinds.length === 0) kinds = random.shuffled(faultKinds);
    const [kind, ...rest] = kinds;
    kinds = rest;
    if (kind === undefined) continue;
    const awayMs = Math.round(random.between(awayMsMin, awayMsMax));
    planned.push({ kind, atMs: Math.round(atMs), pick: random.int(picks), awayMs });
  }
  return planned;
}
