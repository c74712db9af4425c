// An event as readers of the whole log get it, from the feed and from the mirror alike: the wire
// envelope with its place, its stream and its tenant. What every event of an execution repeats is
// in its first one.

import type { Event } from "#core/model/event";
import type { CatalogId, ExecutionId } from "#core/model/ids";
import { mirrorExecutionsMax } from "#core/model/limits";
import type { FeedEntry } from "#core/ports/event-feed";
import type { EventLog } from "#core/ports/event-log";
import { BoundedCache } from "./bounded-cache.ts";
import { eventView } from "./views.ts";

/** What the first event says of all. */
interface About {
  readonly catalogId: CatalogId;
  readonly parentId?: ExecutionId;
  readonly tenant: string;
  readonly organization: string;
}

export type FeedEvent = ReturnType<typeof eventView> & {
  readonly position: string;
  readonly tenant_id: string;
  readonly organization_id: string;
  readonly stream_id: string;
  readonly stream_version: number;
};

export type Envelopes = (entries: readonly FeedEntry[]) => Promise<readonly FeedEvent[]>;

const nobody = "default";

/** Puts entries into envelopes; entries whose execution was removed meanwhile are left out. */
export function envelopes(log: Pick<EventLog, "events">): Envelopes {
  const known = new BoundedCache<ExecutionId, About>(mirrorExecutionsMax);
  const learn = async (id: ExecutionId): Promise<About | undefined> => {
    const [first] = await log.events(id, 0, 1);
    return first === undefined ? undefined : aboutOf(first.event);
  };
  return async (entries) => {
    const abouts = new Map<ExecutionId, About | undefined>();
    for (const { event } of entries) {
      const id = event.execution_id;
      if (event.type === "playbook.started") abouts.set(id, aboutOf(event));
      else if (!abouts.has(id)) abouts.set(id, known.get(id));
    }
    const missing = [...abouts].filter(([, about]) => about === undefined);
    await Promise.all(missing.map(async ([id]) => abouts.set(id, await learn(id))));
    for (const [id, about] of abouts) if (about !== undefined) known.set(id, about);
    return entries.flatMap((entry) => {
      const about = abouts.get(entry.event.execution_id);
      return about === undefined ? [] : [envelope(entry, about)];
    });
  };
}

/** A log always begins with its start; tests of stores know others. */
function aboutOf(event: Event): About {
  if (event.type !== "playbook.started") {
    return { catalogId: "0" as CatalogId, tenant: nobody, organization: nobody };
  }
  return {
    catalogId: event.catalog_id,
    ...(event.parent === undefined ? {} : { parentId: event.parent.execution_id }),
    tenant: event.tenant ?? nobody,
    organization: nobody,
  };
}

function envelope(entry: FeedEntry, about: About): FeedEvent {
  const { event, position } = entry;
  return {
    position,
    ...eventView(entry, about),
    tenant_id: about.tenant,
    organization_id: about.organization,
    stream_id: `execution/${event.execution_id}`,
    stream_version: event.seq,
  };
}
