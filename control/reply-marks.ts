// What every reply of a replica says about the cluster: the epoch of the map of shards, and which
// database it works on. A request that was meant for another database is refused before it is read.

import type { Membership } from "#control/services/membership";
import { Fault } from "#core/model/fault";
import { clusterHeader, epochHeader } from "#core/wire/headers";
import { problemBody, statusOf } from "#core/wire/problem";
import type { Fetch } from "./app.ts";

export interface ReplyMarks {
  readonly membership?: Membership | undefined;
  /** Undefined as long as it isn't known. */
  readonly identity?: (() => string | undefined) | undefined;
}

/** The app with its replies marked; the app itself where there is nothing to say. */
export function marked(fetch: Fetch, { membership, identity }: ReplyMarks): Fetch {
  if (membership === undefined && identity === undefined) return fetch;
  return async (request) => {
    const cluster = identity?.();
    const meant = request.headers.get(clusterHeader);
    const isStray = meant !== null && cluster !== undefined && meant !== cluster;
    const response = isStray ? strayAnswer() : await fetch(request);
    if (membership !== undefined) response.headers.set(epochHeader, membership.view().epoch);
    if (cluster !== undefined) response.headers.set(clusterHeader, cluster);
    return response;
  };
}

function strayAnswer(): Response {
  const message = "expected a request for this cluster, found one that was meant for another";
  const fault = new Fault("conflict", message);
  return Response.json(problemBody(fault), { status: statusOf(fault.code) });
}
