// Starting and ending executions, and what is set from outside while they run.

import { isTerminal } from "#core/engine/state";
import { tenantDefault } from "#core/model/dispatch";
import type { Origin, ParentLink, PlaybookStarted } from "#core/model/event";
import { Fault } from "#core/model/fault";
import type { CatalogId, ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import type { Resumed } from "#core/model/resumed";
import type { Executions } from "./executions.ts";
import type { Version } from "./plans.ts";
import type { TransitionBuilder } from "./transition.ts";

export interface StartRequest {
  readonly path?: string;
  readonly catalogId?: CatalogId;
  readonly version?: number;
  /** Laid over the playbook's own workload, key by key. */
  readonly workload: JsonObject;
  readonly origin?: Origin;
  readonly parent?: ParentLink;
  readonly trace?: JsonObject;
  readonly priority?: number;
  readonly tenant?: string;
  /** Where it begins, if not at the playbook's first step. */
  readonly resumed?: Resumed;
  /** A child's id comes from its parent's log. */
  readonly executionId?: ExecutionId;
}

export interface Started {
  readonly executionId: ExecutionId;
  readonly entry: Version;
  readonly commandsGenerated: number;
  /** The execution existed already: nothing was started now. */
  readonly existed: boolean;
}

/** @throws Fault `not_found` when the catalog has no such playbook, `invalid` for a bad one. */
export async function startExecution(
  executions: Executions,
  request: StartRequest,
): Promise<Started> {
  const { context } = executions;
  const { tenant = tenantDefault } = request;
  const entry = await versionOf(executions, request);
  const { plan } = entry;
  const executionId = request.executionId ?? context.ids.executionId();
  const started: PlaybookStarted = {
    type: "playbook.started",
    catalog_id: entry.catalogId,
    path: entry.path,
    version: entry.version,
    plan_digest: entry.digest,
    engine_version: context.engineVersion,
    workload: { ...plan.workload, ...request.workload },
    ...(request.origin === undefined ? {} : { origin: request.origin }),
    ...(request.parent === undefined ? {} : { parent: request.parent }),
    ...(request.trace === undefined ? {} : { trace: request.trace }),
    ...(request.priority === undefined ? {} : { priority: request.priority }),
    ...(tenant === tenantDefault ? {} : { tenant }),
    ...(request.resumed === undefined ? {} : { resumed: request.resumed }),
  };
  let commandsGenerated = 0;
  const existed = await executions.submit(executionId, {
    plan,
    isFirst: true,
    rule: (state) => {
      if (state.started !== undefined) return { answer: true };
      const extend = (builder: TransitionBuilder): void => {
        commandsGenerated = builder.state.commands.size;
      };
      return { answer: false, events: [started], extend };
    },
  });
  return { executionId, entry, commandsGenerated, existed };
}

async function versionOf(executions: Executions, request: StartRequest): Promise<Version> {
  const { tenant = tenantDefault, path, catalogId, version } = request;
  const found = await executions.context.plans.version({ tenant, path, catalogId, version });
  // What another tenant has is told from what isn't there by nothing.
  // A child was there when its parent's log said so, whatever has been put away since.
  const isStarted = request.parent !== undefined;
  if (found?.tenant === tenant && (!found.isArchived || isStarted)) return found;
  const what = catalogId ?? `${path ?? ""}${version === undefined ? "" : ` version ${version}`}`;
  if (found?.tenant === tenant)
    throw new Fault("not_found", `${what} is archived: restore it first`);
  throw new Fault("not_found", `playbook ${what} is not in the catalog`);
}

export type EndVerdict = "ended" | "already" | "unknown";

export interface EndRequest {
  readonly reason?: string;
  readonly by?: string;
  /** Finalize: the end that somebody decided on. */
  readonly finalized?: "completed" | "failed";
  /** False leaves children alone; without it they are cancelled too. */
  readonly cascade?: boolean;
  /** Only if it was started by a step of this one. */
  readonly ofParent?: ExecutionId;
}

/** Cancels or finalizes: terminal at once; children follow by rows of their own. */
export function endExecution(
  executions: Executions,
  id: ExecutionId,
  request: EndRequest,
): Promise<EndVerdict> {
  return executions.submit<EndVerdict>(id, {
    rule: (state) => {
      if (state.started === undefined) return { answer: "unknown" };
      if (isTerminal(state)) return { answer: "already" };
      const { reason, by, finalized, cascade = true, ofParent } = request;
      const parentId = state.started.parent?.execution_id;
      if (ofParent !== undefined && parentId !== ofParent) return { answer: "already" };
      const event = {
        type: "playbook.cancelled" as const,
        ...(reason === undefined ? {} : { reason }),
        ...(by === undefined ? {} : { by }),
        ...(finalized === undefined ? {} : { finalized }),
      };
      const extend = (builder: TransitionBuilder): void => {
        if (!cascade) builder.keepChildren();
      };
      return { answer: "ended", events: [event], extend };
    },
  });
}

/** Sets and removes variables from outside. @throws Fault `not_found`, `conflict` once ended. */
export async function changeVariables(
  executions: Executions,
  id: ExecutionId,
  change: {
    readonly set?: JsonObject;
    readonly removed?: readonly string[];
    readonly sourceStep?: string;
  },
): Promise<void> {
  const verdict = await executions.submit<EndVerdict>(id, {
    rule: (state) => {
      if (state.started === undefined) return { answer: "unknown" };
      if (isTerminal(state)) return { answer: "already" };
      const event = {
        type: "vars.set" as const,
        ...(change.set === undefined ? {} : { set: change.set }),
        ...(change.removed === undefined ? {} : { removed: change.removed }),
        ...(change.sourceStep === undefined ? {} : { source_step: change.sourceStep }),
      };
      return { answer: "ended", events: [event] };
    },
  });
  if (verdict === "unknown") throw new Fault("not_found", `execution ${id} does not exist`);
  if (verdict === "already") throw new Fault("conflict", `execution ${id} has ended`);
}
