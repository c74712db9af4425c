// Keeps the leases of everything a worker has under way, all in one request, and stops the
// commands that it no longer has. An answer that does not come stops nothing: an outage of the
// control plane burns no attempt.

import { leaseRenewMs } from "#core/model/limits";
import type { LeaseRef } from "#core/ports/event-log";
import type { WorkerServices } from "./services.ts";
import type { Settler } from "./settler.ts";
import type { Slots } from "./slots.ts";

export interface LeasesOptions {
  readonly services: WorkerServices;
  readonly settler: Settler;
  readonly slots: Slots;
}

export interface Leases {
  /** Renews all leases when one of them is due. */
  tick(): void;
}

/** When a lease just received has to be renewed first: with time for two more tries. */
export function firstRenewalMs(leaseMs: number, nowMs: number): number {
  return nowMs + Math.min(leaseRenewMs, Math.floor(leaseMs / 3));
}

export function leases(options: LeasesOptions): Leases {
  const { services, settler, slots } = options;
  const { control, clock, workerId, log } = services;
  let renewing = false;
  let unreportedAtMs = 0;

  const isDue = (): boolean => {
    const nowMs = clock.nowMs();
    for (const run of slots.runs()) if (run.renewAtMs <= nowMs) return true;
    // What is being sent counts too: a request may hang for longer than a lease.
    return !settler.empty() && unreportedAtMs <= nowMs;
  };

  const renew = async (): Promise<void> => {
    const runs = [...slots.runs()];
    const given = runs.map((run) => run.given);
    const unreported = [...settler.unreported()];
    const refs: LeaseRef[] = [...runs.map(({ command }) => command), ...unreported].map(refOf);
    const verdicts = await control.renew(workerId, refs);
    const dueMs = clock.nowMs() + leaseRenewMs;
    unreportedAtMs = dueMs;
    for (const [index, run] of runs.entries()) {
      const verdict = verdicts[index] ?? "renewed";
      if (verdict === "renewed") run.renewAtMs = dueMs;
      else if (run.given === given[index]) slots.discard(run, verdict);
    }
  };

  const tick = (): void => {
    if (renewing || !isDue()) return;
    renewing = true;
    renew()
      .catch((thrown) => log.notice?.("leases could not be renewed", thrown))
      .finally(() => {
        renewing = false;
      });
  };

  return { tick };
}

/** An outcome's command is one that the control plane named: the text is its id. */
export function refOf(of: { readonly command_id: string; readonly attempt: number }): LeaseRef {
  return { commandId: of.command_id as LeaseRef["commandId"], attempt: of.attempt };
}
