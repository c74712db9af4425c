// The control plane as the tools of a frame see it: its rows share the credentials that were read
// for it, and one that can't be read just now is waited for, as long as the command has time.

import type { ControlPlane, CredentialRecord } from "#core/ports/control-plane";
import type { CommandRun } from "./command-run.ts";
import { mayHelpLater } from "./failure-of.ts";
import { retryDelayMs } from "./retry-delay.ts";
import type { WorkerServices } from "./services.ts";

/** The services for the claim and the rows of one frame. */
export function frameServices(run: CommandRun, services: WorkerServices): WorkerServices {
  const { control } = services;
  const known = new Map<string, Promise<CredentialRecord>>();
  const credential: ControlPlane["credential"] = (worker, commandId, alias) => {
    const reading =
      known.get(alias) ??
      patiently(run, services, () => control.credential(worker, commandId, alias));
    known.set(alias, reading);
    // A no may be a yes by the time of the next run.
    reading.catch(() => known.delete(alias));
    return reading;
  };
  return {
    ...services,
    control: {
      claim: (work, signal) => control.claim(work, signal),
      standby: (work, signal) => control.standby(work, signal),
      settle: (settle, signal) => control.settle(settle, signal),
      renew: (worker, leases) => control.renew(worker, leases),
      release: (worker, leases) => control.release(worker, leases),
      putResult: (id, name, value) => control.putResult(id, name, value),
      resolveResult: (ref) => patiently(run, services, () => control.resolveResult(ref)),
      credential,
      keychain: (...asked) => patiently(run, services, () => control.keychain(...asked)),
      secret: (...asked) => patiently(run, services, () => control.secret(...asked)),
      callbackToken: (...asked) => patiently(run, services, () => control.callbackToken(...asked)),
    },
  };
}

/** Asks again while the control plane is away; a no is passed on. */
async function patiently<Answer>(
  run: CommandRun,
  { clock, random }: WorkerServices,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  for (let failures = 1; ; failures++) {
    try {
      return await ask();
    } catch (thrown) {
      if (!mayHelpLater(thrown) || run.ended(clock.nowMs()) !== undefined) throw thrown;
      const delayMs = retryDelayMs(failures, random);
      await clock.sleep(Math.min(delayMs, run.deadlineMs - clock.nowMs()), run.signal);
    }
  }
}
