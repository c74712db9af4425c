// Versions of playbooks and other resources. A version is never changed; executions are pinned
// to one by its id.

import type { CatalogId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";

export interface CatalogEntry {
  readonly catalogId: CatalogId;
  /** Whose it is: paths of different tenants have nothing to do with each other. */
  readonly tenant: string;
  readonly path: string;
  readonly version: number;
  readonly kind: string;
  readonly content: string;
  /** SHA-256 of the content, hexadecimal. */
  readonly digest: string;
  readonly meta: JsonObject;
  readonly createdAtMs: number;
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
}

export interface CatalogStore {
  /** Stores the next version of the tenant's path; the same digest as the newest one is that version. */
  register(
    entry: NewCatalogEntry,
  ): Promise<{ readonly entry: CatalogEntry; readonly created: boolean }>;
  byId(catalogId: CatalogId): Promise<CatalogEntry | undefined>;
  /** The given version, or the newest. */
  byPath(tenant: string, path: string, version?: number): Promise<CatalogEntry | undefined>;
  /** Newest version of each path, by path and tenant; content left out is the caller's choice. */
  list(filter: {
    /** Of all tenants without one. */
    readonly tenant?: string;
    readonly kind?: string;
    readonly path?: string;
    readonly limit: number;
  }): Promise<readonly CatalogEntry[]>;
}
