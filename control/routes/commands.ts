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
import {
  assembled,
  claimCommandById,
  commandView,
  openCommand,
} from "#control/services/wire/command-by-id";
import { claimAgainSeconds } from "#core/model/api-limits";
import type { WorkerCommand } from "#core/model/command";
import { Fault } from "#core/model/fault";
import type { CommandId } from "#core/model/ids";
import { claimCommandsMax, settleOutcomesMax } from "#core/model/limits";
import type { Outcome } from "#core/model/outcome";
import type { LeaseRef } from "#core/ports/event-log";
import { api } from "#core/wire/api";
import { refusedFor } from "./answer-with.ts";
import { commandSecretRoutes } from "./command-secrets.ts";
import { mount } from "./mount.ts";
import { resultRoutes } from "./results.ts";

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
  byIdRoutes(app, executions);
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

function byIdRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.getCommand, async ({ params, query }) => {
    const row = await openCommand(executions, askedFor(params.event_id, query.execution_id));
    const { event_id: _, ...view } = commandView(row, await assembled(executions, row));
    return view;
  });
  mount(app, api.claimCommand, async ({ params, query, body }) => {
    try {
      const asked = askedFor(params.event_id, query.execution_id);
      const worker = body.worker_id;
      const { row, command } = await claimCommandById(executions, { ...asked, worker });
      return { status: "ok" as const, ...commandView(row, command) };
    } catch (thrown) {
      const isTaken = thrown instanceof Fault && isActiveClaim(thrown);
      if (isTaken) return refusedFor(thrown, claimAgainSeconds);
      throw thrown;
    }
  });
}

const askedFor = (text: string, executionId: string | undefined) => ({
  id: text,
  ...(executionId === undefined ? {} : { executionId }),
});

function isActiveClaim({ code, details }: Fault): boolean {
  const isMap = typeof details === "object" && details !== null && "code" in details;
  return code === "conflict" && isMap && details.code === "active_claim";
}
