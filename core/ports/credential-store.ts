// Credentials as they are kept: sealed by a key that the store never sees, with what may be told of
// them beside. A name is of one tenant's; others use it where it allows them.

import type { JsonObject } from "#core/model/json";

/** Who may use a credential besides; without a list there is no such bound within its tenant. */
export interface CredentialAllow {
  readonly tenants?: readonly string[];
  /** Patterns of paths. */
  readonly playbooks?: readonly string[];
  readonly pools?: readonly string[];
}

export interface NewCredentialRow {
  readonly credentialId: string;
  readonly tenant: string;
  readonly name: string;
  readonly type: string;
  /** The fields, sealed; bound to tenant and name. */
  readonly sealed: string;
  /** Which key it is sealed by. */
  readonly kid: string;
  readonly meta: JsonObject;
  readonly tags: readonly string[];
  readonly description?: string;
  readonly allow: CredentialAllow;
}

export interface CredentialRow extends NewCredentialRow {
  /** Counts its changes from 1. */
  readonly revision: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface CredentialFilter {
  readonly type?: string;
  /** Part of a name, a description or a tag. */
  readonly q?: string;
  /** Keyset: only names after this one. */
  readonly after?: string;
  readonly limit: number;
}

export interface CredentialStore {
  /** Stores, or replaces by tenant and name; one that is replaced keeps its id. */
  put(row: NewCredentialRow): Promise<{ readonly row: CredentialRow; readonly created: boolean }>;
  get(tenant: string, nameOrId: string): Promise<CredentialRow | undefined>;
  /** By name. */
  list(tenant: string, filter: CredentialFilter): Promise<readonly CredentialRow[]>;
  remove(tenant: string, nameOrId: string): Promise<boolean>;
  /** Those of other tenants under this name that allow this tenant. */
  shared(tenant: string, name: string): Promise<readonly CredentialRow[]>;
  /** Some that are sealed by another key than this one, by id; keyset: only ids after the given one. */
  oldKeys(kid: string, limit: number, afterId?: string): Promise<readonly CredentialRow[]>;
  /** Replaces the sealed value unless the row was changed meanwhile. */
  reseal(
    row: Pick<CredentialRow, "credentialId" | "revision" | "sealed" | "kid">,
  ): Promise<boolean>;
  /** How many there are, by the key they are sealed by. */
  countsByKey(): Promise<Readonly<Record<string, number>>>;
}
