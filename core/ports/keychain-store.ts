// Keychain entries that were resolved: sealed values with the time they are good for. Of any number
// that want one which isn't there, one fetches it and the others wait.

import type { JsonObject } from "#core/model/json";

export interface KeychainRow {
  /** Of one tenant's, and of what its scope says; made by the keychain. */
  readonly cacheKey: string;
  readonly tenant: string;
  readonly name: string;
  readonly catalogId?: string;
  readonly scope: "local" | "shared" | "global";
  readonly executionId?: string;
  readonly rootExecutionId?: string;
  readonly kind: string;
  readonly cacheType: "token" | "secret";
  readonly sealed: string;
  /** Which key it is sealed by. */
  readonly kid: string;
  readonly expiresAtMs?: number;
  readonly renewAtMs?: number;
  readonly autoRenew: boolean;
  /** How to renew it: names and addresses alone. */
  readonly renew?: JsonObject;
}

/** `yours`: fetch it, and say so when done; `wait`: somebody else is at it. */
export type KeychainBegin = "yours" | "wait" | { readonly row: KeychainRow };

export interface KeychainStore {
  /** One that is still good. */
  get(cacheKey: string): Promise<KeychainRow | undefined>;
  /** In one statement: what is there and good, or the right to fetch it for so long. */
  begin(cacheKey: string, owner: string, holdMs: number): Promise<KeychainBegin>;
  /** Stores what was fetched; false when the right to do so has gone to another. */
  finish(owner: string, row: KeychainRow): Promise<boolean>;
  /** Gives the right to fetch back. */
  fail(cacheKey: string, owner: string): Promise<void>;
  put(row: KeychainRow): Promise<void>;
  remove(cacheKey: string): Promise<boolean>;
  /** By name. */
  ofCatalog(catalogId: string): Promise<readonly KeychainRow[]>;
  /** Notes that it was read. */
  touch(cacheKey: string): Promise<void>;
  /** Removes what is good no more, at most so many; returns how many. */
  purge(limit: number): Promise<number>;
}
