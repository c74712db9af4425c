// Keychain entries that were resolved: sealed values with the time they are good for. Of any number
// that want one which isn't there, one fetches it and the others wait.

import type { ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";

export type KeychainScope = "local" | "shared" | "global";

export interface KeychainRow {
  /** Of one tenant's, and of what its scope says; made by the keychain. */
  readonly cacheKey: string;
  readonly tenant: string;
  readonly name: string;
  readonly catalogId?: string;
  readonly scope: KeychainScope;
  /** Of scope `local`. */
  readonly executionId?: ExecutionId;
  /** Of scope `shared`. */
  readonly rootExecutionId?: ExecutionId;
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

/** What is told of a row beside what it holds. */
export interface StoredKeychainRow extends KeychainRow {
  /** Its time has run out: it is kept only until the next purge. */
  readonly expired: boolean;
  readonly createdAtMs: number;
  readonly accessedAtMs?: number;
  readonly accessCount: number;
}

/** `yours`: fetch it, and say so when done; `wait`: somebody else is at it. */
export type KeychainBegin = "yours" | "wait" | { readonly row: StoredKeychainRow };

export interface KeychainStore {
  /** Whether it is still good or not. */
  get(cacheKey: string): Promise<StoredKeychainRow | undefined>;
  /**
   * In one statement: the right to fetch it for so long, where there is none, where its time has run
   * out or it is due to be renewed, and nobody else has the right; else what is there and good.
   */
  begin(cacheKey: string, owner: string, holdMs: number): Promise<KeychainBegin>;
  /** Stores what was fetched; false when the right to do so has gone to another. */
  finish(owner: string, row: KeychainRow): Promise<boolean>;
  /** Gives the right to fetch back. */
  fail(cacheKey: string, owner: string): Promise<void>;
  /** Stores, whoever is fetching: what that one brings is not stored any more. */
  put(row: KeychainRow): Promise<void>;
  remove(cacheKey: string): Promise<boolean>;
  /** By name, and those of a name by key. */
  ofCatalog(catalogId: string): Promise<readonly StoredKeychainRow[]>;
  /** Notes that it was read so many times. */
  touch(cacheKey: string, times: number): Promise<void>;
  /** Removes what is good no more, at most so many; returns how many. */
  purge(limit: number): Promise<number>;
  /** Executions that rows are bound to by their scope: by id, after this one, at most so many. */
  executions(after: string, limit: number): Promise<readonly ExecutionId[]>;
  /** Removes what is bound to the execution; returns how many. */
  removeOf(executionId: ExecutionId): Promise<number>;
}
