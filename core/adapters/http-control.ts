// The control plane as a worker sees it, over HTTP. No request is waited for without end: one that
// has no answer in its time counts as lost, over a network and in one process alike.

import type { WorkerCommand } from "#core/model/command";
import { Fault } from "#core/model/fault";
import type { CommandId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { controlRequestMs, renewRequestMs } from "#core/model/limits";
import type { ResultRef } from "#core/model/outcome";
import type {
  ClaimWork,
  ControlPlane,
  CredentialRecord,
  SettleVerdict,
} from "#core/ports/control-plane";
import type { LeaseRef, RenewVerdict } from "#core/ports/event-log";
import type { Sealing } from "#core/ports/sealing";
import type { ApiClient } from "./api-client.ts";

/** Rings once after so many milliseconds, unless it is called off by what it gives back. */
export type Alarm = (delayMs: number, ring: () => void) => () => void;

export interface HttpControlOptions {
  /** Milliseconds one request may take, its answer included; renewals have less. */
  readonly requestMs?: number;
  /** What measures them; the runtime's own timer by default. */
  readonly alarm?: Alarm;
  /** Opens what is secret; without it the worker is given nothing of the kind. */
  readonly sealing?: Sealing;
}

const runtimeAlarm: Alarm = (delayMs, ring) => {
  const timer = setTimeout(ring, delayMs);
  return () => clearTimeout(timer);
};

/** @throws (from its calls) what the client throws, or Fault `timeout`: it may have been done. */
export function httpControl(client: ApiClient, options: HttpControlOptions = {}): ControlPlane {
  const { requestMs = controlRequestMs, alarm = runtimeAlarm } = options;
  const sealing = options.sealing ?? noSealing;
  const within = <Answer>(ask: Ask<Answer>, signal?: AbortSignal): Promise<Answer> =>
    answered(ask, { timeoutMs: requestMs, alarm, signal });
  return {
    claim: async (work, signal) => {
      const body = workBody(work);
      const { commands } = await within((ending) => client.claim({ body }, ending), signal);
      return commands as WorkerCommand[];
    },
    standby: async (work, signal) => {
      const body = workBody(work);
      const answer = await within((ending) => client.standby({ body }, ending), signal);
      const { commands, again_ms: againMs } = answer;
      return {
        commands: commands as WorkerCommand[],
        ...(againMs === undefined ? {} : { againMs }),
      };
    },
    settle: async ({ outcomes, ...work }, signal) => {
      const body = {
        ...workBody(work),
        // Interfaces have no index signature; what is sent is plain JSON all the same.
        outcomes: outcomes as unknown as Parameters<ApiClient["settle"]>[0]["body"]["outcomes"],
      };
      const settled = await within((ending) => client.settle({ body }, ending), signal);
      const { verdicts, commands, ...rest } = settled;
      return {
        ...rest,
        verdicts: verdicts as SettleVerdict[],
        commands: commands as WorkerCommand[],
      };
    },
    renew: async (worker, leases) => {
      const body = { worker, leases: wireLeases(leases) };
      const timeoutMs = Math.min(requestMs, renewRequestMs);
      const { verdicts } = await answered((ending) => client.renew({ body }, ending), {
        timeoutMs,
        alarm,
      });
      return verdicts as RenewVerdict[];
    },
    release: async (worker, leases) => {
      const body = { worker, leases: wireLeases(leases) };
      await within((ending) => client.release({ body }, ending));
    },
    putResult: async (executionId, name, value) => {
      const input = { params: { id: executionId }, body: { name, data: value } };
      const answer = await within((ending) => client.putResult(input, ending));
      return answer.result_ref as unknown as ResultRef;
    },
    resolveResult: async (ref) => {
      const input = { query: { ref } };
      return (await within((ending) => client.resolveResult(input, ending))) as Json;
    },
    credential: async (worker, commandId, alias) => {
      const body = { worker, command_id: commandId, alias, key: await sealing.publicKey() };
      const answer = await within((ending) => client.commandCredential({ body }, ending));
      return recordOf(answer, sealing, commandId);
    },
    keychain: async (worker, commandId, name) => {
      const body = { worker, command_id: commandId, name, key: await sealing.publicKey() };
      const answer = await within((ending) => client.commandKeychain({ body }, ending));
      return recordOf(answer, sealing, commandId);
    },
    secret: async (worker, commandId, { as, ask }) => {
      const body = { worker, command_id: commandId, as, ask };
      return (await within((ending) => client.commandSecret({ body }, ending))).keys;
    },
    callbackToken: async (worker, commandId) => {
      const body = { worker, command_id: commandId };
      return (await within((ending) => client.commandCallback({ body }, ending))).token;
    },
  };
}

type Ask<Answer> = (ending: AbortSignal) => Promise<Answer>;

interface Patience {
  readonly timeoutMs: number;
  readonly alarm: Alarm;
  /** The caller's own; its abort is passed on, and means what it means to the client. */
  readonly signal?: AbortSignal | undefined;
}

/** The answer, or Fault `timeout` when it doesn't come in time, heeded abort or not. */
async function answered<Answer>(ask: Ask<Answer>, patience: Patience): Promise<Answer> {
  const { timeoutMs, alarm, signal } = patience;
  const ending = new AbortController();
  const late = Promise.withResolvers<never>();
  const callOff = alarm(timeoutMs, () => {
    // Told first: what the abort makes of the request is of no interest any more.
    late.reject(new Fault("timeout", `the control plane did not answer within ${timeoutMs} ms`));
    ending.abort();
  });
  const pass = (): void => ending.abort();
  if (signal?.aborted === true) pass();
  signal?.addEventListener("abort", pass, { once: true });
  try {
    return await Promise.race([ask(ending.signal), late.promise]);
  } finally {
    callOff();
    signal?.removeEventListener("abort", pass);
  }
}

async function recordOf(
  { sealed, ...rest }: Awaited<ReturnType<ApiClient["commandCredential"]>>,
  sealing: Sealing,
  commandId: CommandId,
): Promise<CredentialRecord> {
  return { ...rest, data: await sealing.unseal(sealed, commandId) };
}

const noKey = async (): Promise<never> => {
  throw new Fault("invalid", "a worker without a key of its own is given nothing secret");
};
const noSealing: Sealing = { publicKey: noKey, unseal: noKey };

function wireLeases(leases: readonly LeaseRef[]) {
  return leases.map(({ commandId, attempt }) => ({ command_id: commandId, attempt }));
}

/** The contract's lists may be changed by whoever has them: copies are sent. */
function workBody({ pools, labels, ...rest }: ClaimWork) {
  return { ...rest, pools: [...pools], ...(labels === undefined ? {} : { labels: [...labels] }) };
}
