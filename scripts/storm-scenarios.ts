// The scenarios of `bun run storm`: a storm of everything, and single disasters that each prove one
// promise. Each says how long the load goes on, what is done meanwhile, and what may not happen.

import type { StormFaults } from "./storm-faults.ts";
import type { StormHouse } from "./storm-house.ts";
import type { StormMembers } from "./storm-members.ts";
import { schedule } from "./storm-schedule.ts";
import type { FirstCalls } from "./storm-target.ts";

export interface ScenarioSettings {
  readonly seed: number;
  readonly seconds: number;
}

export interface Scene extends ScenarioSettings {
  readonly house: StormHouse;
  readonly members: StormMembers;
  readonly faults: StormFaults;
}

export interface Scenario {
  /** How long the load goes on when nobody says. */
  readonly seconds: number;
  readonly natsStartsLater?: boolean;
  readonly firstCalls?: FirstCalls;
  /** No worker is lost, so that no attempt may be either. */
  readonly burnsNoAttempt?: boolean;
  /** Everything that is done to the house; resolves when all is back. */
  readonly play: (scene: Scene) => Promise<void>;
}

/** Three leases: longer than any worker may be silent. */
const longOutageMs = 45_000;
const warmUpMs = 2_500;
const shortOutageMs = 1_500;
/** Longer than a control plane holds a request back. */
const outageMs = 4_000;
/** Below this length the faults come closer together, so that each kind comes once. */
const shortSeconds = 20;

export const scenarios = {
  storm: { seconds: 60, play: everything },
  calm: { seconds: 3, burnsNoAttempt: true, play: ({ seconds }) => Bun.sleep(seconds * 1_000) },
  "nats-absent": {
    seconds: 8,
    natsStartsLater: true,
    burnsNoAttempt: true,
    play: ({ seconds }) => Bun.sleep(seconds * 1_000),
  },
  "postgres-away": {
    seconds: 55,
    burnsNoAttempt: true,
    // Those before the outage: some end in the middle of it, others go on all the time.
    firstCalls: { calls: 24, msMin: 15_000, msMax: 60_000 },
    play: async ({ faults }) => {
      await Bun.sleep(warmUpMs);
      await single(faults, "postgres_killed", longOutageMs);
    },
  },
  "postgres-killed": {
    seconds: 9,
    burnsNoAttempt: true,
    play: async ({ faults, seconds }) => {
      const untilMs = Date.now() + seconds * 1_000;
      while (Date.now() < untilMs) await single(faults, "postgres_killed", outageMs);
    },
  },
  "workers-killed": {
    seconds: 6,
    play: async ({ faults, members }) => {
      await Bun.sleep(warmUpMs);
      const kind = "worker_killed";
      await Promise.all(
        members.workers.map((_, pick) => faults.inflict({ kind, pick, awayMs: shortOutageMs })),
      );
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;

export type ScenarioName = keyof typeof scenarios;

async function single(faults: StormFaults, kind: "postgres_killed", awayMs: number): Promise<void> {
  await Bun.sleep(warmUpMs);
  await faults.inflict({ kind, pick: 0, awayMs });
}

/** Faults begin when the schedule says so, whether or not the ones before have ended. */
async function everything({ faults, seed, seconds }: Scene): Promise<void> {
  const isShort = seconds < shortSeconds;
  const planned = schedule({
    seed,
    lengthMs: seconds * 1_000,
    gapMs: isShort ? (seconds * 1_000) / 14 : 2_500,
    awayMsMax: isShort ? 1_500 : 5_000,
  });
  const beganMs = Date.now();
  await Promise.all(
    planned.map(async (fault) => {
      await Bun.sleep(Math.max(0, beganMs + fault.atMs - Date.now()));
      const { kind, pick, awayMs } = fault;
      // A worker that has nothing to lose is not worth killing.
      await faults.inflict(kind === "worker_killed" ? { kind, awayMs } : { kind, pick, awayMs });
    }),
  );
}
