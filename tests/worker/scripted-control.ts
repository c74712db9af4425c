// A control plane of one test: a queue of commands that are ready, what was reported, and the
// answers that the test wants it to give. It keeps no more promises than the port does.

import type { WorkerCommand } from "#core/model/command";
import { Fault } from "#core/model/fault";
import type { Outcome } from "#core/model/outcome";
import type { ClaimWork, ControlPlane, Settle, SettleVerdict } from "#core/ports/control-plane";
import type { LeaseRef, RenewVerdict } from "#core/ports/event-log";
import { quietControl } from "#tests/worker/commands";

export interface ScriptedControl extends ControlPlane {
  /** Commands that the next claims give out, oldest first. */
  readonly ready: WorkerCommand[];
  /** Outcomes that were taken, in order. */
  readonly reported: Outcome[];
  readonly claims: ClaimWork[];
  readonly settles: Settle[];
  readonly renewals: (readonly LeaseRef[])[];
  readonly released: LeaseRef[];
  /** While it is down every request is lost. */
  down: boolean;
  /** How long a settle takes to be answered, in the clock's time. */
  settleMs: number;
  verdict: (outcome: Outcome) => SettleVerdict;
  /** Refuses the request as a whole. */
  refuses: (settle: Settle) => boolean;
  /** The commands that follow an outcome, handed over with the reply. */
  next: (outcome: Outcome) => WorkerCommand | undefined;
  renewal: (lease: LeaseRef) => RenewVerdict;
}

export function scriptedControl(
  sleep: (delayMs: number) => Promise<void> = async () => {},
): ScriptedControl {
  const reach = (): void => {
    if (control.down) throw new Fault("unavailable", "the control plane is down");
  };
  const control: ScriptedControl = {
    ...quietControl(),
    ready: [],
    reported: [],
    claims: [],
    settles: [],
    renewals: [],
    released: [],
    down: false,
    settleMs: 0,
    verdict: () => "accepted",
    refuses: () => false,
    next: () => undefined,
    renewal: () => "renewed",
    claim: async (work) => {
      control.claims.push(work);
      reach();
      return control.ready.splice(0, work.want);
    },
    settle: async (settle) => {
      control.settles.push(settle);
      await sleep(control.settleMs);
      reach();
      if (control.refuses(settle)) throw new Fault("invalid", "not an outcome");
      const verdicts = settle.outcomes.map((outcome) => control.verdict(outcome));
      const taken = settle.outcomes.filter((_, index) => verdicts[index] === "accepted");
      control.reported.push(...taken);
      const commands = taken.flatMap((outcome) => control.next(outcome) ?? []);
      return { verdicts, commands: commands.slice(0, settle.want) };
    },
    renew: async (_worker, leases) => {
      control.renewals.push(leases);
      reach();
      return leases.map((lease) => control.renewal(lease));
    },
    release: async (_worker, leases) => {
      reach();
      control.released.push(...leases);
    },
  };
  return control;
}
