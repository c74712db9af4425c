// The roles of one control process: what goes on beside answering requests. Each is held by one
// process at a time, whichever of those that have it; the others stand by.

import type { ControlRole } from "#control/config";
import { ticker } from "#control/schedules/ticker";
import type { ControlPorts } from "#control/services/context";
import type { Executions } from "#control/services/executions";
import { waitIndexer } from "#control/waits/index-role";
import { eventBatchesPurgedMax, eventBatchKeptMs } from "#core/model/api-limits";
import { roleShareBesideApi } from "#core/model/limits";
import { requestKeysPurgedMax } from "#core/model/request-limits";
import type { EventMirror } from "#core/ports/event-mirror";
import type { Role } from "./lease.ts";
import { projector } from "./projector.ts";
import { publisher } from "./publisher.ts";
import { type Duty, systemRole } from "./system.ts";

export interface RolesOptions {
  readonly roles: readonly ControlRole[];
  /** This process, unlike any other. */
  readonly owner: string;
  readonly report: (message: string) => void;
  /** Executions are kept for so many days after their end; undefined keeps them for ever. */
  readonly retentionDays?: number;
  /** Where the log is mirrored to; without one nothing is published. Closed with the roles. */
  readonly mirror?: EventMirror;
  /** What the store needs besides, every few minutes. */
  readonly duties?: readonly Duty[];
  /** What schedules start their playbooks with; without it none is started. */
  readonly executions?: Executions;
  /** Other roles of this process, stopped with these. */
  readonly beside?: readonly Role[];
}

/** Starts those that were asked for; `api` and `sweeper` are the control plane's own. */
export function startRoles(ports: ControlPorts, options: RolesOptions): Role {
  const { roles, owner, report, mirror, retentionDays } = options;
  // Requests come first where there are any; a process without them has all its time for its roles.
  const share = roles.includes("api") ? roleShareBesideApi : 1;
  const common = { owner, report, share };
  const started: Role[] = [...(options.beside ?? [])];
  if (roles.includes("publisher") && mirror !== undefined) {
    started.push(publisher({ ...ports, mirror }, common));
  }
  if (roles.includes("projector")) started.push(projector(ports, common));
  if (roles.includes("scheduler")) {
    const purge: Duty = { name: "step logs", run: () => ports.stepLogs.purge() };
    const keys: Duty = {
      name: "request keys",
      run: () => ports.requestKeys.purge(requestKeysPurgedMax),
    };
    const batches: Duty = {
      name: "batches of events",
      run: () => ports.eventBatches.purge(eventBatchKeptMs, eventBatchesPurgedMax),
    };
    const duties = [purge, keys, batches, ...(options.duties ?? [])];
    const days = retentionDays === undefined ? {} : { retentionDays };
    started.push(systemRole(ports, { ...common, duties, ...days }));
    if (options.executions !== undefined) {
      started.push(ticker(options.executions, common), waitIndexer(options.executions, common));
    }
  }
  return {
    stop: async () => {
      await Promise.all(started.map((role) => role.stop()));
      await mirror?.close();
    },
  };
}
