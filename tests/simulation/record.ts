// What the store really holds, kept beside it: each accepted transition is folded here from its
// texts, so that at any moment everybody else can be held to it. Broken rules of the log itself
// are found as they are stored.

import { evolve } from "#core/engine/evolve";
import { type ExecutionState, initialState, isTerminal } from "#core/engine/state";
import { chainDigest, decodeEvent, genesisDigest } from "#core/model/codec";
import type { Event } from "#core/model/event";
import { messageOf } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { AppendVerdict, Transition } from "#core/ports/event-log";
import type { Stores } from "#core/ports/stores";
import { sha256 } from "#tests/support/engine";

/** A broken rule: which one, and how. */
export class Violation extends Error {
  override readonly name = "Violation";

  constructor(
    readonly rule: string,
    message: string,
  ) {
    super(message);
  }
}

export interface StoreRecord {
  readonly states: ReadonlyMap<ExecutionId, ExecutionState>;
  /** Texts of the events of an execution, by seq from 1. */
  texts(id: ExecutionId): readonly string[];
  /** Ids of the rows there are. */
  readonly rows: ReadonlySet<CommandId>;
  /** Workers that this attempt has been leased to. */
  holders(commandId: string, attempt: number): ReadonlySet<string>;
}

export interface RecordOptions {
  /** Told of each event that was stored, with the state after it. */
  readonly onEvent: (event: Event, state: ExecutionState) => void;
  readonly fail: (violation: Violation) => void;
}

/** No rule on how much may run is ever overshot. */
async function checkRules(log: Stores["log"], fail: RecordOptions["fail"]): Promise<void> {
  for (const { rule, running: count } of await log.rules()) {
    if (rule.maxRunning === undefined || count <= rule.maxRunning) continue;
    fail(new Violation("limit", `${count} run under ${rule.key}, at most ${rule.maxRunning} may`));
  }
}

const attemptKey = (commandId: string, attempt: number): string => `${attempt} ${commandId}`;

/** The stores, and what they hold; nothing between the two can go wrong. */
export function recorded(
  stores: Stores,
  options: RecordOptions,
): { readonly stores: Stores; readonly record: StoreRecord } {
  const states = new Map<ExecutionId, ExecutionState>();
  const texts = new Map<ExecutionId, string[]>();
  const rows = new Set<CommandId>();
  const holders = new Map<string, Set<string>>();

  const hold = (commandId: string, attempt: number, worker: string | undefined): void => {
    if (worker === undefined) return;
    const key = attemptKey(commandId, attempt);
    const known = holders.get(key);
    if (known === undefined) holders.set(key, new Set([worker]));
    else known.add(worker);
  };

  const accept = (transition: Transition, verdict: AppendVerdict): void => {
    const id = transition.row.executionId;
    const state = states.get(id) ?? initialState(id, genesisDigest);
    states.set(id, state);
    const list = texts.get(id) ?? [];
    texts.set(id, list);
    for (const { text, digest } of transition.events) {
      const event = decodeEvent(text);
      const expected = chainDigest(state.digest, text, sha256);
      if (digest !== expected) {
        options.fail(new Violation("digest chain", `event ${event.seq} of ${id} breaks it`));
      }
      try {
        evolve(state, event, text.length);
      } catch (thrown) {
        options.fail(
          new Violation("log", `${event.type} ${event.seq} of ${id}: ${messageOf(thrown)}`),
        );
      }
      state.digest = digest;
      list.push(text);
      options.onEvent(event, state);
    }
    for (const commandId of transition.settled) rows.delete(commandId);
    for (const row of transition.issued) {
      rows.add(row.commandId);
      if (verdict === "accepted") hold(row.commandId, row.attempt, row.lease?.worker);
    }
  };

  const { log } = stores;
  const watched: Stores["log"] = {
    ...log,
    append: async (transitions) => {
      const verdicts = await log.append(transitions);
      for (const [index, transition] of transitions.entries()) {
        const verdict = verdicts[index] ?? "conflict";
        if (verdict !== "conflict") accept(transition, verdict);
      }
      await checkRules(log, options.fail);
      return verdicts;
    },
    claim: async (request) => {
      const claimed = await log.claim(request);
      for (const { commandId, attempt } of claimed) hold(commandId, attempt, request.worker);
      await checkRules(log, options.fail);
      return claimed;
    },
    done: async (commandIds) => {
      await log.done(commandIds);
      for (const commandId of commandIds) rows.delete(commandId);
    },
  };
  return {
    stores: { ...stores, log: watched },
    record: {
      states,
      rows,
      texts: (id) => texts.get(id) ?? [],
      holders: (commandId, attempt) => holders.get(attemptKey(commandId, attempt)) ?? new Set(),
    },
  };
}

/** Executions that have not ended. */
export function running(record: StoreRecord): readonly ExecutionState[] {
  return [...record.states.values()].filter((state) => !isTerminal(state));
}
