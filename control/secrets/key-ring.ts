// The master keys of an installation: the first one seals, all of them open. They come from a
// setting, or from a file that is looked at again so that keys can change while the process runs.

import { Fault, messageOf } from "#core/model/fault";
import { keyFileLookMs, masterKeysMax } from "#core/model/secret-limits";

export interface MasterKey {
  readonly kid: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

export interface KeyRing {
  /** The key that seals. */
  current(): MasterKey;
  /** One by its id; a ring that comes from a file looks there once more before it has none. */
  find(kid: string): MasterKey | undefined;
}

/** A file as far as its keys go. */
export interface KeyFile {
  /** Changes when the file does; undefined while it can't be looked at. */
  stamp(): string | undefined;
  /** @throws Error when it can't be read. */
  read(): string;
}

export interface KeyRingOptions {
  readonly nowMs: () => number;
  /** Told of a file that is no use any more; the keys before stay. */
  readonly report: (message: string) => void;
}

const entryPattern = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/;

/**
 * The keys in a text, with commas or ends of lines between them; `#` begins a comment line.
 * @param where is named in errors; a key never is.
 * @throws Fault `invalid`.
 */
export function parseKeys(text: string, where: string): readonly [MasterKey, ...MasterKey[]] {
  const entries = text
    .split(/[,\r\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== "" && !part.startsWith("#"));
  const [first, ...others] = entries.map((entry, index) =>
    parsedKey(entry, `${where}: key ${index + 1}`),
  );
  if (first === undefined) throw new Fault("invalid", `${where}: expected at least one key`);
  const keys: readonly [MasterKey, ...MasterKey[]] = [first, ...others];
  if (keys.length > masterKeysMax) {
    throw new Fault("invalid", `${where}: expected at most ${masterKeysMax} keys`);
  }
  const ids = keys.map(({ kid }) => kid);
  const twice = ids.find((kid, index) => ids.indexOf(kid) !== index);
  if (twice !== undefined) throw new Fault("invalid", `${where}: key ${twice} is there twice`);
  return keys;
}

function parsedKey(entry: string, where: string): MasterKey {
  const [, kid, encoded] = entryPattern.exec(entry) ?? [];
  if (kid === undefined || encoded === undefined) {
    throw new Fault("invalid", `${where}: expected id:key, the key 32 bytes in base64`);
  }
  const base64 = encoded.replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(base64.padEnd(44, "=")), (unit) => unit.charCodeAt(0));
  return { kid, bytes };
}

/** Keys that stay as they are. */
export function fixedKeys(text: string): KeyRing {
  const keys = parseKeys(text, "NOETL_MASTER_KEY");
  return { current: () => keys[0], find: (wanted) => keys.find(({ kid }) => kid === wanted) };
}

/**
 * Keys of a file. A changed file counts within seconds, and at once for a key that is not known;
 * one that has become no use is reported, and the keys that were known stay.
 * @throws Fault `invalid` when the file is no use from the start.
 */
export function keysOfFile(file: KeyFile, { nowMs, report }: KeyRingOptions): KeyRing {
  const where = "NOETL_MASTER_KEY_FILE";
  let stamp = file.stamp();
  let keys = parseKeys(textOf(file, where), where);
  let lookedAtMs = nowMs();
  const look = (): void => {
    lookedAtMs = nowMs();
    const found = file.stamp();
    if (found === undefined || found === stamp) return;
    stamp = found;
    try {
      keys = parseKeys(textOf(file, where), where);
    } catch (thrown) {
      report(`${messageOf(thrown)}; the keys read before stay in use`);
    }
  };
  const current = (): MasterKey => {
    if (nowMs() - lookedAtMs >= keyFileLookMs) look();
    return keys[0];
  };
  const known = (wanted: string) => keys.find(({ kid }) => kid === wanted);
  return {
    current,
    find: (wanted) => {
      current();
      const found = known(wanted);
      if (found !== undefined) return found;
      look();
      return known(wanted);
    },
  };
}

function textOf(file: KeyFile, where: string): string {
  try {
    return file.read();
  } catch (thrown) {
    throw new Fault("invalid", `${where}: ${messageOf(thrown)}`);
  }
}
