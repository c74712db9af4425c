// One control plane over its ports: services, sweep and HTTP app, the same in every shape.

import type { Access, Observe } from "#control/access/admission";
import { requestObserver } from "#control/export/control-metrics";
import type { ControlContext, ControlPorts } from "#control/services/context";
import { Executions } from "#control/services/executions";
import { type Membership, soleMember } from "#control/services/membership";
import { Plans } from "#control/services/plans";
import { type Sweeper, sweeper } from "#control/services/sweep";
import type { Principal } from "#core/model/access";
import type { ExecutionId } from "#core/model/ids";
import { stateCacheEntriesMax } from "#core/model/limits";
import type { Fetch } from "./app.ts";
import { controlApp } from "./app.ts";
import { marked } from "./reply-marks.ts";

export interface Control {
  readonly fetch: Fetch;
  /** Answers as if all requests came from this one: for what runs in the same process. */
  fetchAs(principal: Principal): Fetch;
  /** Why somebody is not let in who asks for a socket that carries requests. */
  refusal(request: Request): Promise<Response | undefined>;
  readonly executions: Executions;
  readonly sweep: Sweeper;
  /** Does what the requests so far have left for later, where nothing runs by itself. */
  finish(): Promise<void>;
  /** Ends the sweep; the ports are the caller's to close. */
  stop(): Promise<void>;
}

export interface ControlOptions {
  /** Finds out who asks. */
  readonly access: Access;
  readonly report: (message: string) => void;
  /** Told of each answer of a route. */
  readonly observe?: Observe;
  readonly documentation?: Parameters<typeof controlApp>[0]["documentation"];
  /** Every worker starts with this process, as in the embedded shape: none is waited for. */
  readonly workersAreNew?: boolean;
  /** Executions whose state is kept in memory. */
  readonly statesMax?: number;
  /** Events of an execution after which its state is written down. */
  readonly snapshotEvents?: number;
  /** False where nothing may run between requests: no sweep is started, and `finish` is called. */
  readonly resident?: boolean;
  /** The pool of steps that name none, by the kind of their tool. */
  readonly toolPools?: ReadonlyMap<string, string>;
  /** Parsed playbooks, which several control planes of one process may share. */
  readonly plans?: Plans;
  /** The replicas over one database; without it this control plane is alone. */
  readonly membership?: Membership;
  /** Which database this is, told with every reply so that workers notice another one. */
  readonly identity?: () => string | undefined;
}

/** Starts the sweep and gives the app; nothing listens on a socket yet. */
export function startControl(ports: ControlPorts, options: ControlOptions): Control {
  const { report, documentation, statesMax = stateCacheEntriesMax } = options;
  const { toolPools = new Map() } = options;
  const { plans = new Plans(ports.catalog, { toolPools }) } = options;
  const context: ControlContext = { ...ports, plans, report };
  const { workersAreNew = false, resident = true } = options;
  const sweep = sweeper(() => executions, { report, workersAreNew });
  let hasCrossed = false;
  const onCross = (): void => {
    if (resident) sweep.kick();
    else hasCrossed = true;
  };
  const finish = async (): Promise<void> => {
    await executions.idle();
    while (hasCrossed) {
      hasCrossed = false;
      await sweep.sweepOnce();
      await executions.idle();
    }
  };
  const { membership = soleMember() } = options;
  const owns = (id: ExecutionId): boolean => membership.owns(id);
  const executions = new Executions(context, {
    ...{ onCross, statesMax, owns },
    ...(options.snapshotEvents === undefined ? {} : { snapshotEvents: options.snapshotEvents }),
  });
  const { metrics } = ports;
  const { observe = metrics === undefined ? undefined : requestObserver(metrics) } = options;
  const app = controlApp({
    executions,
    report,
    membership,
    access: options.access,
    ...(observe === undefined ? {} : { observe }),
    ...(documentation === undefined ? {} : { documentation }),
  });
  const fetch = marked(app.fetch, options);
  const fetchAs = (principal: Principal): Fetch => marked(app.fetchAs(principal), options);
  if (resident) sweep.kick();
  // Where nothing may run between requests, none can be kept open for another.
  if (!resident) executions.standby.close();
  const stop = (): Promise<void> => {
    executions.standby.close();
    return sweep.stop();
  };
  return { fetch, fetchAs, refusal: app.refusal, executions, sweep, finish, stop };
}
