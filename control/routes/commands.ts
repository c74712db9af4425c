// Routes for workers: commands out, outcomes and results in.

import type { Elysia } from "elysia";
import {
  claimCommands,
  releaseLeases,
  renewLeases,
  settleOutcomes,
  standbyFor,
} from "#control/services/dispatch";
import type { Executions } from "#control/services/executions";
import { fetchResult, storeResult } from "#control/services/results";
import type { WorkerCommand } from "#core/model/command";
import { Fault } from "#core/model/fault";
import type { CommandId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { claimCommandsMax, settleOutcomesMax } from "#core/model/limits";
import type { Outcome } from "#core/model/outcome";
import type { LeaseRef } from "#core/ports/event-log";
import { api } from "#core/wire/api";
import { commandSecretRoutes } from "./command-secrets.ts";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

interface WireLease {
  readonly command_id: string;
  readonly attempt: number;
}

function leasesOf(wire: readonly WireLease[]): readonly LeaseRef[] {
  if (wire.length > claimCommandsMax) throw tooMany("leases", wire.length, claimCommandsMax);
  return wire.map(({ command_id, attempt }) => ({ commandId: command_id as CommandId, attempt }));
}

function tooMany(what: string, found: number, most: number): Fault {
  return new Fault("too_large", `expected at most ${most} ${what} in a request, found ${found}`);
}

interface Reply {
  readonly worker: string;
  readonly commands: readonly WorkerCommand[];
  /** Aborted when the worker no longer listens. */
  readonly signal: AbortSignal;
}

/**
 * A request that an outage has held up outlives the worker's patience: what it leases in the end
 * would be heard of by nobody for a whole lease, and be suspect after it.
 */
async function giveBackUnheard(
  executions: Executions,
  { worker, commands, signal }: Reply,
): Promise<void> {
  if (!signal.aborted || commands.length === 0) return;
  const leases = commands.map(({ command_id, attempt }) => ({
    commandId: command_id,
    attempt,
  }));
  await releaseLeases(executions, worker, leases);
  // They wait in line now, before whatever is made next.
  for (const { pool, alone } of commands) executions.lines.note(pool, alone === true);
}

export function commandRoutes(app: Elysia, executions: Executions): void {
  workRoutes(app, executions);
  leaseRoutes(app, executions);
  resultRoutes(app, executions);
  commandSecretRoutes(app, executions);
}

function workRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.claim, async ({ body }, { signal }) => {
    const commands = await claimCommands(executions, body);
    await giveBackUnheard(executions, { worker: body.worker, commands, signal });
    return { commands: [...commands] };
  });
  mount(app, api.standby, async ({ body }, { signal }) => {
    const answer = await standbyFor(executions, body, signal);
    const { commands, againMs } = answer;
    await giveBackUnheard(executions, { worker: body.worker, commands, signal });
    return { commands: [...commands], ...(againMs === undefined ? {} : { again_ms: againMs }) };
  });
  mount(app, api.settle, async ({ body }, { signal }) => {
    const { outcomes, ...work } = body;
    if (outcomes.length > settleOutcomesMax) {
      throw tooMany("outcomes", outcomes.length, settleOutcomesMax);
    }
    const settled = await settleOutcomes(executions, {
      ...work,
      // The schema holds the fields that decide; the rest of an output is data.
      outcomes: outcomes as unknown as readonly Outcome[],
    });
    await giveBackUnheard(executions, { worker: work.worker, signal, ...settled });
    return {
      verdicts: [...settled.verdicts],
      commands: [...settled.commands],
      ...(settled.quiesce === true ? { quiesce: true } : {}),
    };
  });
}

function leaseRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.renew, async ({ body }) => ({
    verdicts: [...(await renewLeases(executions, body.worker, leasesOf(body.leases)))],
  }));
  mount(app, api.release, async ({ body }) => {
    await releaseLeases(executions, body.worker, leasesOf(body.leases));
    return { released: body.leases.length };
  });
}

function resultRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.putResult, async ({ params, body }) => {
    const id = parseExecutionId(params.id);
    if ((await executions.context.log.head(id)) === undefined) {
      throw new Fault("not_found", `execution ${id} does not exist`);
    }
    const ref = await storeResult(executions.context, id, body.name, body.data as Json);
    const { store, scope, meta } = ref;
    const { bytes, sha256 = "" } = meta;
    return { ref: ref.ref, store, scope, bytes, sha256, result_ref: { ...ref } };
  });
  mount(app, api.resolveResult, ({ query }) => fetchResult(executions.context, query.ref));
}
