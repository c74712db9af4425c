// What decide must be told from outside: time, identities, and values that the state only refers
// to. A fact that isn't at hand stops the decision before it has changed anything.

import type { Sha256 } from "#core/model/codec";
import type { EventId, ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import type { Recorder } from "./record.ts";

/** A playbook version that a sub-playbook step may start; null when there is none. */
export interface CatalogFact {
  readonly catalogId: string;
  readonly path: string;
  readonly version: number;
}

export type Need =
  | { readonly kind: "result"; readonly ref: string }
  | { readonly kind: "catalog"; readonly key: string };

export interface Facts {
  readonly nowMs: number;
  readonly sha256: Sha256;
  eventId(after: EventId | undefined): EventId;
  childId(): ExecutionId;
  /** Fetched values, by reference. */
  readonly results: ReadonlyMap<string, Json>;
  /** Looked-up versions, by `catalogKey`. */
  readonly catalog: ReadonlyMap<string, CatalogFact | null>;
  /** How events are recorded; left out wherever a log is kept. */
  readonly record?: Recorder;
}

/** Thrown inside a decision for facts that aren't at hand; `decide` hands them on as needs. */
export class MissingFacts extends Error {
  override readonly name = "MissingFacts";

  constructor(readonly needs: readonly Need[]) {
    super(`missing ${needs.map(({ kind }) => kind).join(", ")}`);
  }
}

export interface CatalogQuery {
  readonly path?: string;
  readonly version?: number;
  readonly catalogId?: string;
}

export function catalogKey(query: CatalogQuery): string {
  return JSON.stringify([query.catalogId ?? null, query.path ?? null, query.version ?? null]);
}

export function catalogQuery(key: string): CatalogQuery {
  const [catalogId, path, version] = JSON.parse(key) as [
    string | null,
    string | null,
    number | null,
  ];
  return {
    ...(catalogId === null ? {} : { catalogId }),
    ...(path === null ? {} : { path }),
    ...(version === null ? {} : { version }),
  };
}
