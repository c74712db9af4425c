// A role that one process at a time has, of however many could: taken by a lease, kept by renewing
// it, given back when the process stops, taken over when it dies.

import { messageOf } from "#core/model/fault";
import { roleLeaseMs } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import type { CursorHold, CursorStore, HeldCursor } from "#core/ports/cursor-store";

export interface RoleOptions {
  readonly name: string;
  /** This process, unlike any other that there is or was. */
  readonly owner: string;
  readonly cursors: CursorStore;
  readonly clock: Clock;
  /** Told of what went wrong and will be tried again. */
  readonly report: (message: string) => void;
  readonly leaseMs?: number;
}

/**
 * What the role does while this process has it. It returns soon after `ended` has aborted: another
 * process may have the role then. Whatever it writes names the hold.
 */
export type RoleWork = (hold: HeldCursor, ended: AbortSignal) => Promise<void>;

export interface Role {
  /** Resolves when the work has ended and the role has been given back. */
  stop(): Promise<void>;
}

/**
 * How long to rest after work that took so long, so that it gets no more than its share of the
 * time: what a role puts off is done later, while requests are waited for.
 */
export function restMs(tookMs: number, share: number): number {
  return tookMs * (1 / share - 1);
}

/** Renewals and tries to take the role in the time of one lease. */
const looksPerLease = 3;

export function holdRole(options: RoleOptions, work: RoleWork): Role {
  const { name, owner, cursors, clock, report, leaseMs = roleLeaseMs } = options;
  const stopping = new AbortController();
  const pauseMs = leaseMs / looksPerLease;

  const noticed = (thrown: unknown): undefined => {
    report(`role ${name}: ${messageOf(thrown)}`);
  };
  const takeOver = async (): Promise<void> => {
    const askedMs = clock.nowMs();
    const hold = await cursors.take(name, owner, leaseMs).catch(noticed);
    if (hold === undefined) return;
    const lost = new AbortController();
    const ended = AbortSignal.any([lost.signal, stopping.signal]);
    const renewing = keep(hold, { ...options, leaseMs, pauseMs, askedMs, lost, ended });
    await work(hold, ended).catch(noticed);
    const isMine = !lost.signal.aborted;
    lost.abort();
    await renewing;
    if (isMine) await cursors.release(hold).catch(noticed);
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await takeOver();
      await clock.sleep(pauseMs, stopping.signal);
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

interface Keeping extends RoleOptions {
  readonly leaseMs: number;
  readonly pauseMs: number;
  /** When the role was asked for: it is this process's from no later than then. */
  readonly askedMs: number;
  readonly lost: AbortController;
  readonly ended: AbortSignal;
}

/** Renews until the work has ended. A store that is away for a whole lease has given it to another. */
async function keep(hold: CursorHold, options: Keeping): Promise<void> {
  const { name, cursors, clock, report, leaseMs, pauseMs, lost, ended } = options;
  for (let goodUntilMs = options.askedMs + leaseMs; ; ) {
    await clock.sleep(Math.min(pauseMs, goodUntilMs - clock.nowMs()), ended);
    if (ended.aborted) return;
    const askedMs = clock.nowMs();
    const answered = cursors.renew(hold, leaseMs).catch((thrown: unknown) => {
      report(`role ${name}: ${messageOf(thrown)}`);
      return undefined;
    });
    // A store that says nothing may have given the role away by then.
    const late = clock.sleep(goodUntilMs - askedMs, ended).then(() => undefined);
    const renewed = await Promise.race([answered, late]);
    if (ended.aborted) return;
    if (renewed === true) goodUntilMs = askedMs + leaseMs;
    if (renewed === false || clock.nowMs() >= goodUntilMs) {
      report(`role ${name}: lost to another process`);
      lost.abort();
      return;
    }
  }
}
