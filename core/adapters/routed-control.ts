// The control plane as a worker sees it when there may be several replicas: outcomes go to the
// replica that keeps the execution's state, claims to all of them in turn, and everything to another
// one when a replica is down. Routing is for speed: a wrong one costs a replay.
//
// W1  A request is sent again elsewhere only if doing it twice is doing it once, or if it surely
//     never arrived. A claim whose answer was lost may have leased commands: they run out.
// W2  With one replica nothing is added but two looks at the headers of a reply.

import { Fault } from "#core/model/fault";
import { memberTriesMax } from "#core/model/limits";
import type { ControlPlane, Settle, Settled, SettleVerdict } from "#core/ports/control-plane";
import { type ApiClient, apiClient } from "./api-client.ts";
import {
  ForeignCluster,
  replicaTargets,
  type Target,
  type Targets,
  type TargetsOptions,
} from "./replica-targets.ts";

export type RoutedControlOptions = TargetsOptions;

export interface RoutedControl extends ControlPlane {
  /** The whole API, at whichever replica answers: registration, logs, lists. */
  readonly client: ApiClient;
}

/**
 * A control plane behind one or more addresses; nothing is asked before the first call.
 * @throws (from its calls) what `httpControl` throws; Fault `conflict` when the only replicas that
 * answer work on another database than before.
 */
export function routedControl(options: RoutedControlOptions): RoutedControl {
  const targets = replicaTargets(options);
  let stoodAt: Target | undefined;
  const toOwner = <Answer>(executionId: string, ask: Ask<Answer>): Promise<Answer> =>
    asked(targets.inOrder(targets.ownerOf(executionId)), ask, { isSafe: true });
  const toAny = <Answer>(ask: Ask<Answer>): Promise<Answer> =>
    asked(targets.inOrder(targets.inTurn()), ask, { isSafe: true });
  return {
    claim: (work, signal) => {
      const order = targets.inOrder(targets.inTurn());
      return asked(order, (_control, { claims, patient }) => {
        return (order.length === 1 ? patient : claims).claim(work, signal);
      });
    },
    // One that is cut off has to be dealt with as a claim: what it leased runs out.
    standby: (work, signal) => {
      const order = work.want === 0 ? targets.inOrder(stoodAt) : targets.inOrder(targets.inTurn());
      return asked(order, (_control, target) => {
        stoodAt = target;
        return target.claims.standby(work, signal);
      });
    },
    settle: (settle, signal) => routedSettle(targets, settle, signal),
    // Leases are rows of the database: no replica knows more of them than another.
    renew: (worker, leases) => toAny((control) => control.renew(worker, leases)),
    release: (worker, leases) => toAny((control) => control.release(worker, leases)),
    putResult: (executionId, name, value) =>
      // Large values take their time: nobody is hurried into sending them twice.
      toOwner(executionId, (_control, { patient }) => patient.putResult(executionId, name, value)),
    resolveResult: (ref) => {
      const id = executionInRef(ref);
      const ask: Ask<Awaited<ReturnType<ControlPlane["resolveResult"]>>> = (
        _control,
        { patient },
      ) => patient.resolveResult(ref);
      return id === undefined ? toAny(ask) : toOwner(id, ask);
    },
    credential: (worker, commandId, alias) =>
      toOwner(executionInCommand(commandId), (control) =>
        control.credential(worker, commandId, alias),
      ),
    keychain: (worker, commandId, name) =>
      toOwner(executionInCommand(commandId), (control) =>
        control.keychain(worker, commandId, name),
      ),
    secret: (worker, commandId, wanted) =>
      toOwner(executionInCommand(commandId), (control) =>
        control.secret(worker, commandId, wanted),
      ),
    callbackToken: (worker, commandId) =>
      toOwner(executionInCommand(commandId), (control) => control.callbackToken(worker, commandId)),
    client: anyClient(targets, options),
  };
}

type Ask<Answer> = (control: ControlPlane, target: Target) => Promise<Answer>;

interface Asking {
  /** Doing it twice is doing it once. */
  readonly isSafe?: boolean;
}

/** The answer of the first one that gives one: W1. */
async function asked<Answer>(
  order: readonly Target[],
  ask: Ask<Answer>,
  { isSafe = false }: Asking = {},
): Promise<Answer> {
  const candidates = order.slice(0, memberTriesMax);
  let conflict: Fault | undefined;
  let last: unknown;
  for (const [index, target] of candidates.entries()) {
    const isLast = index === candidates.length - 1;
    try {
      return await ask(isLast ? target.patient : target.brisk, target);
    } catch (thrown) {
      last = thrown;
      // A replica of another cluster refuses what it is asked before it does anything.
      const isForeign = thrown instanceof ForeignCluster;
      if (isForeign) conflict ??= thrown;
      if (!isForeign && !(isSafe ? isPassing(thrown) : isUnsent(thrown))) throw thrown;
    }
  }
  throw conflict ?? last;
}

/**
 * Each outcome to the replica that keeps its execution's state; one request where that is one. Of
 * several requests none says that the worker is idle: two replicas could each give it a command that
 * is to run alone. Its next claim, or the report of one outcome, says so.
 */
async function routedSettle(
  targets: Targets,
  settle: Settle,
  signal: AbortSignal | undefined,
): Promise<Settled> {
  const groups = groupedByOwner(targets, settle);
  const { idle: _idle, ...busy } = settle;
  const send = ({ target, indexes, want }: Group): Promise<Settled> => {
    const outcomes = indexes.flatMap((index) => settle.outcomes[index] ?? []);
    const order = targets.inOrder(target ?? targets.inTurn());
    return asked(order, (control) => control.settle({ ...busy, outcomes, want }, signal), {
      isSafe: true,
    });
  };
  const [first, ...others] = groups;
  if (first === undefined || others.length === 0) {
    const order = targets.inOrder(first?.target ?? targets.inTurn());
    return asked(order, (control) => control.settle(settle, signal), { isSafe: true });
  }
  return merged(settle, groups, await Promise.allSettled(groups.map(send)));
}

interface Group {
  readonly target: Target | undefined;
  /** Places of its outcomes in the whole request. */
  readonly indexes: readonly number[];
  readonly want: number;
}

function groupedByOwner(targets: Targets, settle: Settle): readonly Group[] {
  const byTarget = new Map<Target | undefined, number[]>();
  for (const [index, outcome] of settle.outcomes.entries()) {
    const target = targets.ownerOf(executionInCommand(outcome.command_id));
    const indexes = byTarget.get(target);
    if (indexes === undefined) byTarget.set(target, [index]);
    else indexes.push(index);
  }
  let left = settle.want;
  let outcomesLeft = settle.outcomes.length;
  return [...byTarget].map(([target, indexes]) => {
    // Each slot is asked for once: a share of what is left, and the last one has the rest.
    const want = Math.floor((left * indexes.length) / outcomesLeft);
    left -= want;
    outcomesLeft -= indexes.length;
    return { target, indexes, want };
  });
}

/**
 * One reply of several. What a replica did not answer is to be reported again; a request that was
 * refused is at fault itself, and the whole is tried anew in pieces: what was recorded counts once.
 */
function merged(
  settle: Settle,
  groups: readonly Group[],
  replies: readonly PromiseSettledResult<Settled>[],
): Settled {
  const failures = replies.flatMap((reply) =>
    reply.status === "rejected" ? [reply.reason as unknown] : [],
  );
  const refusal = failures.find((thrown) => !isPassing(thrown));
  if (refusal !== undefined) throw refusal;
  if (failures.length === replies.length) throw failures[0];
  const verdicts: SettleVerdict[] = settle.outcomes.map(() => "retry");
  const settled = replies.map((reply) => (reply.status === "fulfilled" ? reply.value : undefined));
  for (const [place, group] of groups.entries()) {
    for (const [at, index] of group.indexes.entries()) {
      verdicts[index] = settled[place]?.verdicts[at] ?? "retry";
    }
  }
  const commands = settled.flatMap((reply) => reply?.commands ?? []);
  const quiesce = settled.some((reply) => reply?.quiesce === true);
  return { verdicts, commands, ...(quiesce ? { quiesce } : {}) };
}

/** The API at any replica that answers; only reading is done again elsewhere. */
function anyClient(targets: Targets, { servers: [baseUrl = ""] }: RoutedControlOptions): ApiClient {
  const fetch = (request: Request): Promise<Response> => {
    const order = targets.inOrder(targets.inTurn());
    const isSafe = request.method === "GET";
    const ask = (_control: ControlPlane, target: Target): Promise<Response> =>
      target.fetch(new Request(target.url + request.url.slice(baseUrl.length), request.clone()));
    return asked(order, ask, { isSafe });
  };
  return apiClient({ fetch, baseUrl });
}

/** A command's id begins with its execution's, up to the first colon. */
function executionInCommand(commandId: string): string {
  const id = commandId.slice(0, commandId.indexOf(":"));
  return decimal.test(id) ? id : "0";
}

function executionInRef(ref: string): string | undefined {
  return /^noetl:\/\/execution\/(\d{1,19})\//.exec(ref)?.[1];
}

const decimal = /^\d{1,19}$/;

/** What another try may change; anything else is an answer. */
function isPassing(thrown: unknown): boolean {
  return thrown instanceof Fault ? thrown.retryable : thrown instanceof Error;
}

const unsentCodes: ReadonlySet<unknown> = new Set(["ConnectionRefused", "ECONNREFUSED"]);

/** Nobody listened: the request was not even begun. */
function isUnsent(thrown: unknown): boolean {
  const cause = thrown instanceof Fault ? thrown.cause : thrown;
  return cause instanceof Error && "code" in cause && unsentCodes.has(cause.code);
}
