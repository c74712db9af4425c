// The worker: commands come with the replies to settles and from claims, run in slots, and leave
// as outcomes. The bus only says when to look, and once a second the worker looks by itself.

import { toolAbortGraceMs, workerTickMs } from "#core/model/limits";
import type { Bus, HintSubscription, Subscription } from "#core/ports/bus";
import type { Clock } from "#core/ports/clock";
import type { ControlPlane } from "#core/ports/control-plane";
import type { RuntimeLoad } from "#core/ports/runtime-registry";
import { allCancelled, commandsCancelled } from "#core/wire/subjects";
import type { ToolPolicy } from "#worker/tools/tool";
import { type Claims, claims } from "./claims.ts";
import { type Conditions, conditions } from "./conditions.ts";
import { type Leases, leases } from "./lease.ts";
import type { ToolRegistry } from "./registry.ts";
import type { WorkerLog, WorkerServices } from "./services.ts";
import { type Settler, settler } from "./settler.ts";
import { type Slots, slotTable } from "./slots.ts";
import { fileSpool, memorySpool, type Spool } from "./spool.ts";
import { type Standby, standingBy } from "./standby.ts";
import { templateCache } from "./template-cache.ts";

export interface WorkerOptions {
  readonly control: ControlPlane;
  /** Without one the worker finds new work once a second. */
  readonly bus?: Bus;
  readonly clock: Clock;
  /** Not closed by the worker: several may share one. */
  readonly tools: ToolRegistry;
  readonly workerId: string;
  readonly pools: readonly string[];
  /** What the worker has, for commands that ask for it. */
  readonly labels?: readonly string[];
  /** Commands that may run at the same time. */
  readonly slots: number;
  /** Where outcomes outlive the worker that can't be reported; without one they don't. */
  readonly spoolDirectory?: string;
  /** The same, kept by other means than files of a folder. */
  readonly spool?: Spool;
  readonly policy: ToolPolicy;
  readonly log?: WorkerLog;
  /** Runs it in a later turn of the event loop; the runtime's own by default. */
  readonly defer?: (run: () => void) => void;
  /** From 0 to 1, for the waits before a request is made again; the runtime's own by default. */
  readonly random?: () => number;
}

export interface Worker {
  /**
   * Takes nothing new, lets what runs finish within the grace, gives the rest back and reports
   * what there is; what can't be reported stays in the spool.
   */
  stop(options: { readonly graceMs: number }): Promise<void>;
  /** Commands that hold a slot. */
  running(): number;
  /** How busy it is, for lists and for people. */
  load(): RuntimeLoad;
  /** Resolves when nothing runs, nothing is unreported and no request is under way. */
  idle(): Promise<void>;
}

interface Parts {
  readonly services: WorkerServices;
  readonly slots: Slots;
  readonly outcomes: Settler;
  readonly claiming: Claims;
  readonly standby: Standby;
  readonly renewals: Leases;
  readonly state: Conditions;
  readonly ending: AbortController;
  /** One for each pool; filled once all the parts are there. */
  readonly hinting: HintSubscription[];
}

/** Starts a worker, which runs until it is stopped. */
export function startWorker(options: WorkerOptions): Worker {
  const parts = assemble(options);
  const { slots, outcomes, state, hinting } = parts;
  hinting.push(...takeHints(options, parts));
  const subscriptions = [...hinting, ...hearCancellations(options, parts)];
  let isOpen = false;
  let stopped: Promise<void> | undefined;
  void outcomes.open().then(() => {
    isOpen = true;
    state.changed();
  });
  void keepTicking(parts);
  return {
    stop: ({ graceMs }) => {
      stopped ??= stop(parts, subscriptions, graceMs);
      return stopped;
    },
    running: () => slots.held(),
    load: () => {
      const running = slots.held();
      const free = Math.max(options.slots - running, 0);
      return { running, free, waiting: outcomes.waiting() };
    },
    idle: () => state.met(() => isOpen && isQuiet(parts) && slots.promised() === 0),
  };
}

function assemble(options: WorkerOptions): Parts {
  const { control, clock, tools, policy, workerId, pools, labels = [], log = {} } = options;
  const { defer = (run) => void setImmediate(run), random = Math.random } = options;
  const templates = templateCache();
  const named = { workerId, labels };
  const services = { control, clock, tools, policy, ...named, templates, log, defer, random };
  const ending = new AbortController();
  const { spoolDirectory, spool } = options;
  const outcomes = settler({
    services,
    pools,
    spool: spool ?? (spoolDirectory === undefined ? memorySpool() : fileSpool(spoolDirectory)),
    ending: ending.signal,
    take: () => slots.take(),
    idle: () => slots.idle(),
    onQuiesce: () => {
      slots.quiesce();
      standby.end();
    },
    onReply: (commands, wanted) => slots.received(commands, wanted),
  });
  const onChange = (): void => state.changed();
  const slots = slotTable({ services, slots: options.slots, outcomes, onChange });
  const claiming = claims({
    ...{ services, pools, slots, ending: ending.signal },
    onFull: () => standby.end(),
  });
  const standby = standingBy({
    ...{ services, pools, slots, ending: ending.signal },
    onNothing: () => claiming.look(),
  });
  const renewals = leases({ services, settler: outcomes, slots });
  const onTurn = (): void => {
    // Before what promises all the slots that are free.
    if (!claiming.due()) standby.begin();
    outcomes.pump();
    // What is done is told before anything new is asked for.
    if (!outcomes.due()) claiming.pump();
    if (hinting.length === 0 || claiming.room() === 0) return;
    for (const subscription of hinting) subscription.wake();
  };
  const hinting: HintSubscription[] = [];
  const state = conditions({ clock, defer, onTurn });
  return { services, slots, outcomes, claiming, standby, renewals, state, ending, hinting };
}

function takeHints({ bus, pools }: WorkerOptions, parts: Parts): readonly HintSubscription[] {
  const { claiming, state } = parts;
  if (bus === undefined) return [];
  const take = (): boolean => {
    const isOfUse = claiming.hinted();
    if (isOfUse) state.changed();
    return isOfUse;
  };
  return pools.map((pool) => bus.hints(pool, { room: () => claiming.room(), take }));
}

function hearCancellations({ bus }: WorkerOptions, parts: Parts): readonly Subscription[] {
  const { slots } = parts;
  if (bus === undefined) return [];
  /** A cancelled execution has ended: nothing waits for any of its commands. */
  const cancelled = (subject: string): void => {
    for (const run of [...slots.runs()]) {
      if (commandsCancelled(run.command.execution_id) === subject) slots.discard(run, "gone");
    }
  };
  return [bus.subscribe(allCancelled, ({ subject }) => cancelled(subject))];
}

/** One timer for everything that only time brings about. */
async function keepTicking(parts: Parts): Promise<void> {
  const { services, slots, claiming, renewals, state, ending } = parts;
  for (;;) {
    await services.clock.sleep(workerTickMs, ending.signal);
    if (ending.signal.aborted) return;
    slots.tick();
    renewals.tick();
    claiming.look();
    state.changed();
  }
}

async function stop(
  parts: Parts,
  subscriptions: readonly Subscription[],
  graceMs: number,
): Promise<void> {
  const { services, slots, outcomes, state, ending } = parts;
  const { control, workerId, log } = services;
  slots.close();
  parts.standby.end();
  for (const subscription of subscriptions) subscription.close();
  await state.metWithin(() => isQuiet(parts), graceMs);
  slots.drain();
  await state.metWithin(() => slots.held() === 0, toolAbortGraceMs);
  const returned = slots.abandon();
  if (returned.length > 0) {
    await control.release(workerId, returned).catch((thrown) => {
      log.notice?.(`${returned.length} leases could not be given back`, thrown);
    });
  }
  await state.metWithin(() => isQuiet(parts), toolAbortGraceMs);
  ending.abort();
  await outcomes.close();
}

function isQuiet({ slots, outcomes }: Parts): boolean {
  return slots.held() === 0 && outcomes.empty();
}
