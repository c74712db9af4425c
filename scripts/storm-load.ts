// The steady load of a storm: starts one run after the other, whatever happens. A start whose outcome
// is unknown is looked up by the run's own key before it is tried again, so that each run is started
// and can be missed.

import { decodeEvent } from "#core/model/codec";
import type { Event } from "#core/model/event";
import { Fault } from "#core/model/fault";
import type { StormHouse } from "./storm-house.ts";
import { type Shape, shapes } from "./storm-playbooks.ts";

export interface Run {
  /** Unique to the run, and part of its workload. */
  readonly key: string;
  readonly n: number;
  readonly shape: Shape;
  /** Once it is known. */
  id: string | undefined;
  /** Starts whose outcome was unknown. */
  unknown: number;
}

export interface Load {
  readonly runs: readonly Run[];
  /** Starts nothing new, and resolves when every start has come to an end. */
  end(): Promise<void>;
  /** Gives up what is being started: the house is closed. */
  stop(): void;
}

export interface LoadOptions {
  readonly house: StormHouse;
  readonly everyMs: number;
  /** How long a single start may be tried. */
  readonly patienceMs: number;
}

const againMs = 200;
const listed = 200;

export function startLoad({ house, everyMs, patienceMs }: LoadOptions): Load {
  const runs: Run[] = [];
  const starts = new Set<Promise<void>>();
  const ending = new AbortController();
  const next = (): void => {
    const n = runs.length;
    const shape = shapes[n % shapes.length];
    if (shape === undefined) return;
    const run: Run = { key: `run-${n}`, n, shape, id: undefined, unknown: 0 };
    runs.push(run);
    const patience = { untilMs: Date.now() + patienceMs, known: idsOf, signal: ending.signal };
    const start = started(house, run, patience);
    starts.add(start);
    void start.finally(() => starts.delete(start));
  };
  const idsOf = (): ReadonlySet<string> => new Set(runs.flatMap(({ id }) => id ?? []));
  next();
  const timer = setInterval(next, everyMs);
  return {
    runs,
    end: async () => {
      clearInterval(timer);
      await Promise.all(starts);
    },
    stop: () => {
      clearInterval(timer);
      ending.abort();
    },
  };
}

interface Patience {
  readonly untilMs: number;
  readonly signal: AbortSignal;
  /** Executions that belong to runs already. */
  readonly known: () => ReadonlySet<string>;
}

/** Starts the run; one that could not be started in time stays without an id, and is lost. */
async function started(house: StormHouse, run: Run, patience: Patience): Promise<void> {
  const { shape, n, key } = run;
  const payload = { n, run: key, base: house.target.url };
  const { signal: ending, untilMs } = patience;
  while (run.id === undefined && Date.now() < untilMs && !ending.aborted) {
    try {
      const body = { path: shape.path, payload };
      const answer = await house.call((client, signal) => client.execute({ body }, signal));
      run.id = answer.execution_id;
    } catch (thrown) {
      await Bun.sleep(againMs);
      if (isUnsent(thrown)) continue;
      run.unknown += 1;
      run.id = await found(house, run, patience).catch(() => undefined);
    }
  }
}

/** The execution that an unheard answer spoke of, if there is one. */
async function found(
  house: StormHouse,
  { shape: { path }, key }: Run,
  { untilMs, known }: Patience,
): Promise<string | undefined> {
  const query = { path, limit: listed };
  const rows = await house.answered(
    (client, signal) => client.listExecutions({ query }, signal),
    untilMs,
  );
  const others = known();
  for (const { execution_id: id } of rows) {
    if (others.has(id)) continue;
    const first = await house.answered(
      (client, signal) => client.executionLog({ params: { id }, query: { limit: 1 } }, signal),
      untilMs,
    );
    if (runKeyOf(decodeEvent(first.lines[0]?.text ?? "")) === key) return id;
  }
  return undefined;
}

/** The key in the event that a log begins with; undefined for executions of other origin. */
export function runKeyOf(first: Event | undefined): string | undefined {
  if (first?.type !== "playbook.started" || first.parent !== undefined) return undefined;
  const run = first.workload?.["run"];
  return typeof run === "string" ? run : undefined;
}

const unsentCodes: ReadonlySet<unknown> = new Set(["ConnectionRefused", "ECONNREFUSED"]);

/** Nobody listened: the request was not even begun. */
function isUnsent(thrown: unknown): boolean {
  const cause = thrown instanceof Fault ? thrown.cause : thrown;
  return cause instanceof Error && "code" in cause && unsentCodes.has(cause.code);
}
