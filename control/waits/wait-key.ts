// The keys that tokens of waits are signed with: the same in every process of an installation.

import { parseKeys } from "#control/secrets/key-ring";
import { Fault } from "#core/model/fault";

export interface WaitKeySettings {
  readonly NOETL_WAIT_KEY?: string | undefined;
  readonly NOETL_MASTER_KEY?: string | undefined;
  readonly NOETL_MASTER_KEY_FILE?: string | undefined;
}

export interface WaitKeySurroundings {
  readonly sha256: (text: string) => string;
  /** The text of a file of keys. */
  readonly read: (path: string) => string;
}

const keyCharsMin = 32;

/**
 * The keys with commas between them, the one that signs first; undefined where there is nothing to
 * make one of. Of master keys others are made, so that none of them signs anything.
 * @throws Fault `invalid` for keys that are too short.
 */
export function waitKeyOf(
  settings: WaitKeySettings,
  { sha256, read }: WaitKeySurroundings,
): string | undefined {
  const { NOETL_WAIT_KEY: own, NOETL_MASTER_KEY: text, NOETL_MASTER_KEY_FILE: path } = settings;
  if (own !== undefined) return keysIn(own).join();
  const master = text ?? (path === undefined ? undefined : read(path));
  if (master === undefined) return undefined;
  const keys = parseKeys(master, path === undefined ? "NOETL_MASTER_KEY" : "NOETL_MASTER_KEY_FILE");
  return keys.map(({ bytes }) => sha256(`tokens of waits ${bytes.toBase64()}`)).join();
}

function keysIn(text: string): readonly string[] {
  const keys = text.split(",").map((key) => key.trim());
  if (keys.every((key) => key.length >= keyCharsMin)) return keys;
  throw new Fault("invalid", `NOETL_WAIT_KEY: expected keys of at least ${keyCharsMin} characters`);
}
