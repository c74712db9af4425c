// One control plane over its ports: services, sweep and HTTP app, the same in every shape.

import type { ControlContext, ControlPorts } from "#control/services/context";
import { Executions } from "#control/services/executions";
import { Plans } from "#control/services/plans";
import { type Sweeper, sweeper } from "#control/services/sweep";
import { stateCacheEntriesMax } from "#core/model/limits";
import type { Fetch } from "./app.ts";
import { controlApp } from "./app.ts";

export interface Control {
  readonly fetch: Fetch;
  readonly executions: Executions;
  readonly sweep: Sweeper;
  /** Ends the sweep; the ports are the caller's to close. */
  stop(): Promise<void>;
}

export interface ControlOptions {
  readonly report: (message: string) => void;
  readonly documentation?: Parameters<typeof controlApp>[0]["documentation"];
  /** Every worker starts with this process, as in the embedded shape: none is waited for. */
  readonly workersAreNew?: boolean;
  /** Executions whose state is kept in memory. */
  readonly statesMax?: number;
}

/** Starts the sweep and gives the app; nothing listens on a socket yet. */
export function startControl(ports: ControlPorts, options: ControlOptions): Control {
  const { report, documentation, statesMax = stateCacheEntriesMax } = options;
  const context: ControlContext = { ...ports, plans: new Plans(ports.catalog), report };
  const { workersAreNew = false } = options;
  const sweep = sweeper(() => executions, { report, workersAreNew });
  const executions = new Executions(context, { onCross: sweep.kick, statesMax });
  const fetch = controlApp({
    executions,
    report,
    ...(documentation === undefined ? {} : { documentation }),
  });
  sweep.kick();
  return { fetch, executions, sweep, stop: () => sweep.stop() };
}
