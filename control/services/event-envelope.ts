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
export interface About {
  readonly catalogId: CatalogId;
  readonly parentId?: ExecutionId;
  readonly tenant: string;
  readonly organization: string;
  readonly path: string;
  readonly version: number;
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

export type Abouts = (
  entries: readonly FeedEntry[],
) => Promise<ReadonlyMap<ExecutionId, About | undefined>>;

/** Puts entries into envelopes; entries whose execution was removed meanwhile are left out. */
export function envelopes(log: Pick<EventLog, "events">): Envelopes {
  const read = aboutsOf(log);
  return async (entries) => {
    const abouts = await read(entries);
    return entries.flatMap((entry) => {
      const about = abouts.get(entry.event.execution_id);
      return about === undefined ? [] : [envelope(entry, about)];
    });
  };
}

/** What the first events of the entries' executions say; nothing of one that was removed. */
export function aboutsOf(log: Pick<EventLog, "events">): Abouts {
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
    return abouts;
  };
}

/** A log always begins with its start; tests of stores know others. */
function aboutOf(event: Event): About {
  if (event.type !== "playbook.started") {
    const nothing = { catalogId: "0" as CatalogId, path: "", version: 0 };
    return { ...nothing, tenant: nobody, organization: nobody };
  }
  const parentId = event.parent?.execution_id ?? event.origin?.parent;
  return {
    catalogId: event.catalog_id,
    ...(parentId === undefined ? {} : { parentId }),
    tenant: event.tenant ?? nobody,
    organization: nobody,
    path: event.path,
    version: event.version,
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
