// Schedules of the tests: a playbook of one step, looks at what is due, and what came of them.

import type { Kept } from "#control/schedules/due";
import { tickRound } from "#control/schedules/round";
import type { Executions } from "#control/services/executions";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { World } from "#tests/support/control";

export type Body = Parameters<World["client"]["createSchedule"]>[0]["body"];

export const path = "t/scheduled";
const playbook = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: scheduled, path: ${path}}
workflow:
- step: only
  tool: {kind: noop}`;

export async function scheduled(world: World, body: Partial<Body> = {}): Promise<string> {
  await world.register(playbook);
  const timing = "cron" in body ? {} : { interval_seconds: 60 };
  const asked = { path, ...timing, ...body };
  return (await world.client.createSchedule({ body: asked })).schedule_id;
}

/** Looks until nothing is due any more. */
export async function look(
  executions: Executions,
  kept: Kept = new Map(),
): Promise<readonly string[]> {
  const reports: string[] = [];
  const report = (message: string): void => void reports.push(message);
  while ((await tickRound(executions, { kept, report })) > 0);
  return reports;
}

export interface Run {
  readonly id: ExecutionId;
  readonly client: string | undefined;
  readonly tick: string | undefined;
}

/** All executions, in the order in which they began. */
export async function runs(world: World): Promise<readonly Run[]> {
  const rows = await world.client.listExecutions({ query: { limit: 1_000 } });
  const found = rows.map(async ({ execution_id }): Promise<Run> => {
    const id = executionId(execution_id);
    const [first] = await world.events(id);
    const origin = first?.type === "playbook.started" ? first.origin : undefined;
    return { id, client: origin?.client_id, tick: origin?.request_id };
  });
  return (await Promise.all(found)).sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
}

export const ticksOf = async (world: World): Promise<readonly (string | undefined)[]> =>
  (await runs(world)).map(({ tick }) => tick).sort();

export const entries = async (
  world: World,
  id: string,
): Promise<readonly (readonly unknown[])[]> => {
  const { ticks } = await world.client.scheduleTicks({ params: { id }, query: { limit: 100 } });
  return ticks.map(({ tick, outcome }) => [tick, outcome]).reverse();
};

export const get = (world: World, id: string) => world.client.getSchedule({ params: { id } });

export const minute = 60_000;

/** The tick that is so many minutes after the moment. */
export const tickAt = (n: number, fromMs: number): string =>
  new Date(fromMs + n * minute).toISOString();
