// One life of a tested house's worker: what it sees of time, of the control plane and of the bus.
// Once it is dead nothing of it acts any more, and what it waited for never comes.

import type { WorkerCommand } from "#core/model/command";
import type { CommandId } from "#core/model/ids";
import { workerTickMs } from "#core/model/limits";
import type { Bus, Subscription } from "#core/ports/bus";
import type { Clock } from "#core/ports/clock";
import type { ControlPlane } from "#core/ports/control-plane";

export interface WorkerLife {
  readonly clock: Clock;
  readonly control: ControlPlane;
  readonly bus: Bus;
  isDead(): boolean;
  die(): void;
  /** When the next one is due who sleeps for a reason: the worker's own tick is none. */
  nextMs(): number | undefined;
}

export interface LifeOptions {
  readonly clock: Clock;
  readonly control: ControlPlane;
  readonly bus: Bus;
  /** Told of every command that it is given. */
  readonly onCommand: (command: WorkerCommand) => void;
}

const never = <Value>(): Promise<Value> => new Promise<Value>(() => {});

export function workerLife({ clock, control, bus, onCommand }: LifeOptions): WorkerLife {
  const dying = new AbortController();
  const isDead = (): boolean => dying.signal.aborted;
  const waits = waitingClock(clock, isDead);
  const subscriptions = new Set<Subscription>();
  const kept = <Kept extends Subscription>(subscription: Kept): Kept => {
    subscriptions.add(subscription);
    return subscription;
  };
  const living = async <Value>(ask: () => Promise<Value>): Promise<Value> => {
    if (isDead()) return never();
    try {
      const value = await ask();
      return isDead() ? await never() : value;
    } catch (thrown) {
      if (isDead()) return never();
      throw thrown;
    }
  };
  return {
    clock: waits.clock,
    nextMs: waits.nextMs,
    control: livingControl(control, { living, dying: dying.signal, onCommand }),
    bus: {
      ...bus,
      subscribe: (...given) => kept(bus.subscribe(...given)),
      hints: (...given) => kept(bus.hints(...given)),
    },
    isDead,
    die: () => {
      dying.abort();
      for (const subscription of subscriptions) subscription.close();
    },
  };
}

interface Living {
  readonly living: <Value>(ask: () => Promise<Value>) => Promise<Value>;
  readonly dying: AbortSignal;
  readonly onCommand: (command: WorkerCommand) => void;
}

function livingControl(control: ControlPlane, { living, dying, onCommand }: Living): ControlPlane {
  const noted = <Commands extends readonly WorkerCommand[]>(commands: Commands): Commands => {
    commands.forEach(onCommand);
    return commands;
  };
  const ended = (signal: AbortSignal | undefined): AbortSignal =>
    signal === undefined ? dying : AbortSignal.any([signal, dying]);
  return {
    claim: (work, signal) => living(async () => noted(await control.claim(work, signal))),
    standby: (work, signal) =>
      living(async () => {
        const answer = await control.standby(work, ended(signal));
        noted(answer.commands);
        return answer;
      }),
    settle: (settle, signal) =>
      living(async () => {
        const settled = await control.settle(settle, signal);
        noted(settled.commands);
        return settled;
      }),
    renew: (...given) => living(() => control.renew(...given)),
    release: (...given) => living(() => control.release(...given)),
    putResult: (...given) => living(() => control.putResult(...given)),
    resolveResult: (...given) => living(() => control.resolveResult(...given)),
    credential: (...given) => living(() => control.credential(...given)),
    keychain: (...given) => living(() => control.keychain(...given)),
    secret: (...given) => living(() => control.secret(...given)),
    callbackToken: (...given) => living(() => control.callbackToken(...given)),
  };
}

/** The clock of a life, which knows who of it sleeps for a reason. */
function waitingClock(clock: Clock, isDead: () => boolean) {
  const waits = new Set<{ readonly atMs: number }>();
  let ticking: AbortSignal | undefined;

  const sleep: Clock["sleep"] = async (delayMs, signal) => {
    // A worker sleeps first until its first tick.
    ticking ??= signal;
    const isTick = delayMs === workerTickMs && signal === ticking;
    const wait = { atMs: clock.nowMs() + delayMs };
    if (!isTick && delayMs > 0) waits.add(wait);
    await clock.sleep(delayMs, signal);
    waits.delete(wait);
    if (isDead()) await never();
  };
  const nextMs = (): number | undefined => {
    let first: number | undefined;
    if (isDead()) return undefined;
    for (const { atMs } of waits) if (first === undefined || atMs < first) first = atMs;
    return first;
  };
  return { clock: { nowMs: clock.nowMs, sleep }, nextMs };
}

/** Commands as workers were given them, by id: the last time counts. */
export function commandsGiven() {
  const commands = new Map<CommandId, WorkerCommand>();
  let hasNew = false;
  return {
    note: (command: WorkerCommand): void => {
      commands.set(command.command_id, command);
      hasNew = true;
    },
    get: (id: CommandId): WorkerCommand | undefined => commands.get(id),
    /** Whether any were given since this was asked last. */
    takeNew: (): boolean => {
      const had = hasNew;
      hasNew = false;
      return had;
    },
  };
}
