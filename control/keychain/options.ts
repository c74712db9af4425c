// What keychains need of the process they are in: its settings, and ways out of it that a test puts
// in place of the runtime's.

import type { SettingValues } from "#core/model/settings";
import type { KeychainStore } from "#core/ports/keychain-store";
import type { keychainSettings } from "./settings.ts";

export type KeychainSettings = SettingValues<typeof keychainSettings>;

/** As far as providers need it: the runtime's own fits. */
export type OutsideFetch = (
  url: string,
  init: RequestInit & { readonly tls?: { readonly ca: string } },
) => Promise<Response>;

export interface KeychainOptions {
  readonly settings?: Partial<KeychainSettings>;
  readonly fetch?: OutsideFetch;
  /** Where entries are kept while there is no master key: in memory, and without it nowhere. */
  readonly unsealed?: KeychainStore;
  /** Reads a file of this machine; where there is none, what is in files can't be used. */
  readonly readText?: (path: string) => Promise<string>;
}
