// Versions of playbooks and other resources. A version is never changed, but it may be put away and
// brought back; executions are pinned to one by its id, whatever becomes of it.

import type { CatalogId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";

/** A version without its text. */
export interface CatalogSummary {
  readonly catalogId: CatalogId;
  /** Whose it is: paths of different tenants have nothing to do with each other. */
  readonly tenant: string;
  readonly path: string;
  readonly version: number;
  readonly kind: string;
  /** SHA-256 of the content, hexadecimal. */
  readonly digest: string;
  readonly meta: JsonObject;
  readonly createdAtMs: number;
  /** Since when it is put away: not started, and listed for who asks for such ones alone. */
  readonly archivedAtMs?: number;
  readonly archivedBy?: string;
}

export interface CatalogEntry extends CatalogSummary {
  readonly content: string;
}

export interface NewCatalogEntry {
  readonly catalogId: CatalogId;
  /** Whose it is: paths of different tenants have nothing to do with each other. */
  readonly tenant: string;
  readonly path: string;
  readonly kind: string;
  readonly content: string;
  readonly digest: string;
  readonly meta: JsonObject;
  readonly createdAtMs: number;
  /** What it is found by; its path alone without. */
  readonly found?: FoundBy;
}

/** What an entry says of itself, as lists ask for it. */
export interface FoundBy {
  /** Text in lower case, without NUL. */
  readonly words: string;
  readonly capabilities: readonly string[];
  readonly isAgent: boolean;
  /** A tool for who asks by the Model Context Protocol. */
  readonly isExposed: boolean;
}

export interface Registered {
  readonly entry: CatalogEntry;
  /** False when the newest version of the path has the same content already. */
  readonly created: boolean;
  /** That version was put away, and is back. */
  readonly restored: boolean;
}

export interface CatalogFilter {
  /** Of all tenants without one. */
  readonly tenant?: string;
  readonly kind?: string;
  readonly path?: string;
  /** What paths begin with. */
  readonly prefix?: string;
  /** Texts in lower case that all must be in the entry's words. */
  readonly terms?: readonly string[];
  /** All of these. */
  readonly capabilities?: readonly string[];
  readonly isAgent?: true;
  readonly isExposed?: true;
  /** Also paths of which all is put away. */
  readonly withArchived?: boolean;
  /** Keyset: only paths beyond this one. */
  readonly after?: string;
  readonly limit: number;
}

/** One path of a tenant's, or one version of it. */
export interface CatalogPlace {
  readonly tenant: string;
  readonly path: string;
  readonly version?: number;
}

export type CatalogVersion = Pick<CatalogSummary, "catalogId" | "version">;

export interface CatalogStore {
  /**
   * Stores the next version of the tenant's path; the same digest as the newest one is that version,
   * which is brought back if it was put away.
   */
  register(entry: NewCatalogEntry): Promise<Registered>;
  byId(catalogId: CatalogId): Promise<CatalogEntry | undefined>;
  /** The given version, or the newest that isn't put away, or else the newest. */
  byPath(tenant: string, path: string, version?: number): Promise<CatalogEntry | undefined>;
  /** Newest version of each path that isn't put away, by path and tenant. */
  list(filter: CatalogFilter): Promise<readonly CatalogSummary[]>;
  /** All versions, newest first. @param before keyset: only smaller ones. */
  versions(
    place: Omit<CatalogPlace, "version">,
    page: { readonly before?: number; readonly limit: number },
  ): Promise<readonly CatalogSummary[]>;
  /** The texts of these ids, as far as they are there. */
  contents(ids: readonly CatalogId[]): Promise<ReadonlyMap<CatalogId, string>>;
  /** Puts away one version, or all of them. @returns those that were not put away before. */
  archive(
    place: CatalogPlace,
    by: { readonly who: string; readonly atMs: number },
  ): Promise<readonly CatalogVersion[]>;
  /** Brings back one version, or all of them. @returns those that were put away. */
  restore(place: CatalogPlace): Promise<readonly CatalogVersion[]>;
}
