// Bugs that the simulator must find, put between the production code and its ports. Nothing of
// this is in the product: each is a wrapper with one thing wrong.

import type { Fetch } from "#control/app";
import type { WorkerCommand } from "#core/model/command";
import { Fault } from "#core/model/fault";
import { executionId } from "#core/model/ids";
import type { Bus } from "#core/ports/bus";
import type { ControlPlane, SettleVerdict } from "#core/ports/control-plane";
import type { AppendVerdict, EventLog, Head, Transition } from "#core/ports/event-log";
import type { Stores } from "#core/ports/stores";
import { executionUpdate } from "#core/wire/subjects";
import type { Process } from "./process.ts";
import type { StoreRecord } from "./record.ts";
import type { Timeline } from "./timeline.ts";

export interface Surroundings {
  readonly owner: Process;
  readonly bus: Bus;
  readonly record: StoreRecord;
  readonly time: Timeline;
}

export interface PlantedBug {
  /** The stores of one replica. */
  readonly stores?: (stores: Stores, around: Surroundings) => Stores;
  /** What a replica answers. */
  readonly fetch?: (fetch: Fetch, request: Request) => Promise<Response>;
  /** The control plane as a worker sees it. */
  readonly control?: (control: ControlPlane) => ControlPlane;
}

const logOf = (change: (log: EventLog, around: Surroundings) => Partial<EventLog>) => ({
  stores: (stores: Stores, around: Surroundings): Stores => ({
    ...stores,
    log: { ...stores.log, ...change(stores.log, around) },
  }),
});

/** Leases never run out. */
const lostSweep = logOf(() => ({ expire: async () => [] }));

/** Messages go out before it is known whether there is anything to tell. */
const publishBeforeCommit = logOf((log, { bus }) => ({
  append: (transitions) => {
    for (const { row, events } of transitions) {
      for (const { event, text } of events) {
        bus.publish(executionUpdate(row.executionId, event.type), text);
      }
    }
    return log.append(transitions);
  },
}));

/** The first event of a transition is stored by itself; the rest follows if nothing comes between. */
const splitAppend = logOf((log, { owner, time }) => {
  const one = async (transition: Transition): Promise<AppendVerdict> => {
    const [first, ...rest] = transition.events;
    if (first === undefined || rest.length === 0)
      return (await log.append([transition]))[0] ?? "conflict";
    const head: Transition = { ...transition, events: [first], settled: [], issued: [] };
    const [verdict] = await log.append([head]);
    if (verdict === undefined || verdict === "conflict") return "conflict";
    await new Promise<void>((resolve) => time.after(50, resolve));
    if (!owner.alive()) throw new Fault("unavailable", "the connection was lost");
    const expectedHead = transition.expectedHead + 1;
    const [second] = await log.append([{ ...transition, expectedHead, events: rest }]);
    return second ?? "conflict";
  };
  return { append: (transitions) => Promise.all(transitions.map(one)) };
});

/** A replica believes the head that it saw last. */
const staleHead = logOf((log) => {
  const heads = new Map<string, Head>();
  return {
    append: async (transitions) => {
      const verdicts = await log.append(transitions);
      for (const [index, { row, events }] of transitions.entries()) {
        const last = events.at(-1);
        if (verdicts[index] === "conflict" || last === undefined) heads.delete(row.executionId);
        else heads.set(row.executionId, { seq: last.event.seq, digest: last.digest, row });
      }
      return verdicts;
    },
    head: async (id) => heads.get(id) ?? log.head(id),
  };
});

/** An outcome counts for whatever attempt is open. */
function unfenced(): PlantedBug {
  let record: StoreRecord | undefined;
  const openAttempt = (commandId: string): number | undefined => {
    const id = executionId(commandId.slice(0, commandId.indexOf(":")));
    for (const command of record?.states.get(id)?.commands.values() ?? []) {
      if (command.commandId === commandId) return command.attempt;
    }
    return undefined;
  };
  return {
    stores: (stores, around) => {
      record = around.record;
      return stores;
    },
    fetch: async (fetch, request) => {
      if (!request.url.endsWith("/api/commands/settle")) return fetch(request);
      const body = (await request.json()) as {
        outcomes: { command_id: string; attempt: number }[];
      };
      for (const outcome of body.outcomes) {
        outcome.attempt = openAttempt(outcome.command_id) ?? outcome.attempt;
      }
      const { method, headers, url } = request;
      return fetch(new Request(url, { method, headers, body: JSON.stringify(body) }));
    },
  };
}

/** A settle whose answer got lost is taken for one that arrived. */
const notSentAgain: PlantedBug = {
  control: (control) => ({
    ...control,
    settle: async (settle, signal) => {
      try {
        return await control.settle(settle, signal);
      } catch (thrown) {
        if (!(thrown instanceof Fault) || !thrown.retryable) throw thrown;
        const verdicts = settle.outcomes.map((): SettleVerdict => "accepted");
        return { verdicts, commands: [] };
      }
    },
  }),
};

/** A worker doesn't hear that a command is to run with nothing beside it. */
const neverAlone: PlantedBug = {
  control: (control) => {
    const deaf = (commands: readonly WorkerCommand[]): readonly WorkerCommand[] =>
      commands.map(({ alone: _unheard, ...command }) => command);
    return {
      ...control,
      claim: async (work, signal) => deaf(await control.claim(work, signal)),
      settle: async (settle, signal) => {
        const settled = await control.settle(settle, signal);
        return { ...settled, commands: deaf(settled.commands) };
      },
    };
  },
};

export const plantedBugs: Readonly<Record<string, () => PlantedBug>> = {
  "lost sweep": () => lostSweep,
  "missing fence": unfenced,
  "publish before commit": () => publishBeforeCommit,
  "non-atomic append": () => splitAppend,
  "stale negative answer": () => staleHead,
  "settle not sent again": () => notSentAgain,
  "never alone": () => neverAlone,
};
