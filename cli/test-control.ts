// The services of a control plane, and that plane as a worker sees it, without the HTTP between them:
// a test starts sooner by what loading it takes. Values are told as JSON all the same, so that
// neither side ever holds what the other one has.

import { readSecret, resolveKeychain } from "#control/keychain/resolve";
import type { ControlContext, ControlPorts } from "#control/services/context";
import {
  claimCommands,
  releaseLeases,
  renewLeases,
  requireLease,
  settleOutcomes,
  standbyFor,
} from "#control/services/dispatch";
import { Executions } from "#control/services/executions";
import { Plans } from "#control/services/plans";
import { fetchResult, storeResult } from "#control/services/results";
import { sweeper } from "#control/services/sweep";
import { Fault } from "#core/model/fault";
import { stateCacheEntriesMax } from "#core/model/limits";
import type { ControlPlane } from "#core/ports/control-plane";
import { parseJsonExactly } from "#core/wire/problem";

export interface TestControl {
  readonly executions: Executions;
  readonly plane: ControlPlane;
  /** Requests under way, and how often one began or ended; whoever stands by makes none. */
  activity(): { readonly requests: number; readonly count: number };
  stop(): Promise<void>;
}

export function testControl(ports: ControlPorts): TestControl {
  const report = (): void => {};
  const context: ControlContext = { ...ports, plans: new Plans(ports.catalog), report };
  const executions: Executions = new Executions(context, {
    onCross: () => sweep.kick(),
    statesMax: stateCacheEntriesMax,
  });
  const sweep = sweeper(() => executions, { report, workersAreNew: true });
  sweep.kick();
  const { counted, activity } = counter();
  return {
    executions,
    plane: planeOf(executions, counted),
    activity,
    stop: () => {
      executions.standby.close();
      return sweep.stop();
    },
  };
}

type Counted = <Answer>(ask: () => Promise<Answer>) => Promise<Answer>;

function counter() {
  let requests = 0;
  let count = 0;
  const counted: Counted = async (ask) => {
    requests += 1;
    count += 1;
    try {
      return await ask();
    } finally {
      requests -= 1;
      count += 1;
    }
  };
  return { counted, activity: () => ({ requests, count }) };
}

/** What comes out at the other end of a request. */
function told<Value>(value: Value): Value {
  // Requests and answers are JSON, spelled as types.
  return parseJsonExactly(JSON.stringify(value)) as Value;
}

function planeOf(executions: Executions, counted: Counted): ControlPlane {
  const { context } = executions;
  return {
    claim: (work) => counted(async () => told(await claimCommands(executions, told(work)))),
    standby: async (work, signal) => {
      const ending = signal ?? new AbortController().signal;
      const answer = await standbyFor(executions, told(work), ending);
      if (!ending.aborted || answer.commands.length === 0) return told(answer);
      // Nobody hears of them any more.
      await releaseLeases(
        executions,
        work.worker,
        answer.commands.map(({ command_id: commandId, attempt }) => ({ commandId, attempt })),
      );
      return { commands: [] };
    },
    settle: (settle) => counted(async () => told(await settleOutcomes(executions, told(settle)))),
    renew: (worker, leases) => counted(() => renewLeases(executions, worker, leases)),
    release: (worker, leases) => counted(() => releaseLeases(executions, worker, leases)),
    putResult: (id, name, value) =>
      counted(async () => told(await storeResult(context, id, name, told(value)))),
    resolveResult: (ref) => counted(() => fetchResult(context, ref)),
    credential: (worker, commandId, alias) =>
      counted(async () => {
        await requireLease(executions, worker, commandId);
        const credential = await context.credentials(alias);
        if (credential !== undefined) return told(credential);
        throw new Fault("not_found", `credential ${alias} does not exist`);
      }),
    keychain: (worker, commandId, name) =>
      counted(async () => {
        await requireLease(executions, worker, commandId);
        return told(await resolveKeychain(executions, { commandId, name }));
      }),
    secret: (worker, commandId, wanted) =>
      counted(async () => {
        await requireLease(executions, worker, commandId);
        return (await readSecret(executions, { commandId, ...told(wanted) })).keys;
      }),
    callbackToken: async () => {
      throw new Fault("unavailable", "nothing outside of a test may answer its calls");
    },
  };
}
