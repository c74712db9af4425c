// Routes of the feed.

import type { Elysia } from "elysia";
import type { ControlContext } from "#control/services/context";
import { envelopes } from "#control/services/event-envelope";
import { type FeedRequest, feedFrames, readFeed } from "#control/services/feed-reading";
import { Fault } from "#core/model/fault";
import { feedExecutionsMax } from "#core/model/limits";
import { api, pageSize } from "#core/wire/api";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";
import { eventStream, framedBody, wantsStream } from "./stream.ts";
import { tenantSeen } from "./tenant-seen.ts";

export function feedRoutes(app: Elysia, context: ControlContext): void {
  const reader = { context, wrap: envelopes(context.log) };
  mount(app, api.feedExecutions, async ({ query }, http) => {
    const request = requestOf(query, http);
    if (!wantsStream(http)) {
      return readFeed(reader, request, { waitMs: query.wait_ms ?? 0, givenUp: http.signal });
    }
    const closing = new AbortController();
    return eventStream(framedBody(await feedFrames(reader, request, closing.signal), closing));
  });
  mount(app, api.feedStatus, async () => {
    const { feed, cursors } = context;
    const [identity, end, lag, roles] = await Promise.all([
      feed.identity(),
      feed.end(),
      feed.lag(),
      cursors.list(),
    ]);
    return {
      cluster_id: identity.clusterId,
      timeline: identity.timeline,
      end,
      lag_ms: lag.lagMs,
      ...(lag.holder === undefined ? {} : { held_by: lag.holder }),
      // What consumers of the outbox have under way is theirs, and long.
      roles: roles.filter(({ name }) => !name.startsWith("outbox:")),
    };
  });
}

interface FeedQueryText {
  readonly after?: string;
  readonly ids?: readonly string[];
  readonly types?: readonly string[];
  readonly limit?: number;
}

/** A browser that lost its stream names the last `id` it saw in a header. */
function requestOf({ after, ids, types, limit }: FeedQueryText, http: Request): FeedRequest {
  if (ids !== undefined && ids.length > feedExecutionsMax) {
    throw new Fault(
      "too_large",
      `expected at most ${feedExecutionsMax} executions, found ${ids.length}`,
    );
  }
  const from = http.headers.get("last-event-id") ?? after;
  const tenant = tenantSeen(http);
  return {
    limit: pageSize(limit),
    ...(tenant === undefined ? {} : { tenant }),
    ...(from === undefined || from === "" ? {} : { after: from }),
    ...(ids === undefined ? {} : { executionIds: ids.map(parseExecutionId) }),
    ...(types === undefined ? {} : { types }),
  };
}
