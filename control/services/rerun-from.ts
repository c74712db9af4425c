// Executions that do others over from one of their steps on: what was known before the step was first
// entered is read off the other log, and is the beginning of the new one.

import { knownBefore } from "#core/engine/resume";
import { resumedInlineBytesMax, resumedValueBytesMax } from "#core/model/api-limits";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import type { ResultRef } from "#core/model/outcome";
import type { Resumed, ResumedStep } from "#core/model/resumed";
import type { Executions } from "./executions.ts";
import { type Started, startExecution } from "./lifecycle.ts";
import { firstEvent, startedLike, workloadOf } from "./reruns.ts";
import { storeResult } from "./results.ts";

export interface RerunFrom {
  readonly step: string;
  /** Laid over the workload that the execution had, key by key. */
  readonly workload: JsonObject;
  /** Who asks, if that was proven. */
  readonly subject?: string | undefined;
}

/**
 * Starts the same version with this step.
 * @throws Fault `not_found` for an unknown execution, `invalid` for a step that the playbook doesn't
 *   have or that was never entered.
 */
export async function rerunFrom(
  executions: Executions,
  id: ExecutionId,
  { step, workload, subject }: RerunFrom,
): Promise<Started> {
  const { context, states } = executions;
  const first = await firstEvent(executions, id);
  const plan = await context.plans.byCatalogId(first.catalog_id);
  if (!plan.byName.has(step)) {
    throw new Fault("invalid", `expected a step of ${first.path}, found ${step.slice(0, 80)}`);
  }
  const entered = await firstEntry(executions, id, step);
  if (entered === undefined) {
    throw new Fault("invalid", `step ${step} of execution ${id} was never entered`);
  }
  const known = knownBefore(await states.replay(id, entered - 1), step);
  const executionId = context.ids.executionId();
  return startExecution(executions, {
    executionId,
    catalogId: first.catalog_id,
    workload: { ...(await workloadOf(executions, first)), ...workload },
    ...startedLike(first, id, subject),
    resumed: await withinEvent(executions, executionId, known),
  });
}

const pageEvents = 1_000;

async function firstEntry(
  { context }: Executions,
  id: ExecutionId,
  step: string,
): Promise<number | undefined> {
  for (let after = 0; ; ) {
    const page = await context.log.events(id, after, pageEvents);
    const found = page.find(({ event }) => event.type === "step.enter" && event.step === step);
    if (found !== undefined) return found.event.seq;
    if (page.length < pageEvents) return undefined;
    after = page.at(-1)?.event.seq ?? after;
  }
}

/** What would make the first event too long is stored for the new execution and referred to. */
async function withinEvent(
  { context }: Executions,
  id: ExecutionId,
  known: Resumed,
): Promise<Resumed> {
  let inlineBytes = 0;
  const large = async (name: string, value: Json): Promise<ResultRef | undefined> => {
    const bytes = JSON.stringify(value).length;
    const fits = inlineBytes + bytes <= resumedInlineBytesMax && bytes <= resumedValueBytesMax;
    if (fits) inlineBytes += bytes;
    return fits ? undefined : storeResult(context, id, name, value);
  };
  const variables: Record<string, Json> = {};
  const references: Record<string, ResultRef> = { ...known.variable_refs };
  for (const [name, value] of Object.entries(known.variables)) {
    const ref = await large(`set.${name}`, value);
    if (ref === undefined) variables[name] = value;
    else references[name] = ref;
  }
  const steps: [string, ResumedStep][] = [];
  for (const [name, step] of Object.entries(known.steps)) {
    steps.push([name, await smallerStep(name, step, large)]);
  }
  return {
    ...known,
    variables,
    ...(Object.keys(references).length === 0 ? {} : { variable_refs: references }),
    steps: Object.fromEntries(steps),
  };
}

async function smallerStep(
  name: string,
  step: ResumedStep,
  large: (name: string, value: Json) => Promise<ResultRef | undefined>,
): Promise<ResumedStep> {
  const { data, tasks, ...output } = step.output;
  const { results, ...rest } = step;
  const ref = data === undefined ? undefined : await large(name, data);
  const tasksRef = tasks === undefined ? undefined : await large(`${name}.tasks`, tasks);
  const list = results === undefined ? undefined : await large(`${name}.results`, [...results]);
  return {
    ...rest,
    output: {
      ...output,
      ...(ref !== undefined ? { ref } : data === undefined ? {} : { data }),
      ...(tasksRef !== undefined ? { tasks_ref: tasksRef } : tasks === undefined ? {} : { tasks }),
    },
    ...(list !== undefined ? { results_ref: list } : results === undefined ? {} : { results }),
  };
}
