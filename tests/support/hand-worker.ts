// A worker driven by hand: it claims when the test says so, and reports what the test says.

import type { ApiClient } from "#core/adapters/api-client";
import { httpControl } from "#core/adapters/http-control";
import type { WorkerCommand } from "#core/model/command";
import type { Json } from "#core/model/json";
import type { Outcome } from "#core/model/outcome";
import type { Settled } from "#core/ports/control-plane";

export interface HandWorker {
  readonly name: string;
  claim(want?: number): Promise<readonly WorkerCommand[]>;
  /** Claims as one that holds nothing, so that suspects are for it. */
  claimIdle(want?: number): Promise<readonly WorkerCommand[]>;
  /** Reports outcomes; `want` is how many commands it would take next, none by default. */
  settle(outcomes: readonly Outcome[], want?: number): Promise<Settled>;
  /** Reports outcomes, after which it holds nothing. */
  settleIdle(outcomes: readonly Outcome[], want?: number): Promise<Settled>;
  /** Claims and settles every command with what `answer` gives until nothing is left to claim. */
  drain(answer?: (command: WorkerCommand) => Json): Promise<number>;
}

export function handWorker(
  client: ApiClient,
  name = "w1",
  pools: readonly string[] = ["default"],
  labels: readonly string[] = [],
): HandWorker {
  const control = httpControl(client);
  const self = { worker: name, pools, labels };
  const claim = (want = 16) => control.claim({ ...self, want });
  const settle = (outcomes: readonly Outcome[], want = 0) =>
    control.settle({ ...self, want, outcomes });
  return {
    name,
    claim,
    claimIdle: (want = 16) => control.claim({ ...self, want, idle: true }),
    settle,
    settleIdle: (outcomes, want = 16) => control.settle({ ...self, want, outcomes, idle: true }),
    drain: async (answer = () => null) => {
      let count = 0;
      let commands = await claim(256);
      while (commands.length > 0) {
        count += commands.length;
        const outcomes = commands.map((command) => done(command, answer(command)));
        commands = (await settle(outcomes, 256)).commands;
      }
      return count;
    },
  };
}

type Named = Pick<WorkerCommand, "command_id" | "attempt">;

export function done({ command_id, attempt }: Named, data: Json = null): Outcome {
  return { command_id, attempt, output: { status: "ok", data }, duration_ms: 1 };
}

export function failed({ command_id, attempt }: Named, message = "it broke"): Outcome {
  const error = { kind: "test", message, retryable: false };
  return { command_id, attempt, output: { status: "error", error }, duration_ms: 1 };
}

/** The only one of a list. */
export function only<Value>(values: readonly Value[]): Value {
  const [value] = values;
  if (value === undefined || values.length > 1) {
    throw new Error(`expected one, found ${values.length}`);
  }
  return value;
}
