// Sealing at rest: AES-256-GCM with a master key, as a compact JWE. The place a text belongs to is
// part of what is authenticated, so that a row copied under another name or tenant doesn't open.

import { Fault } from "#core/model/fault";
import { isJsonObject } from "#core/model/json";
import type { SealedFor, Seals } from "#core/ports/seals";
import type { KeyRing, MasterKey } from "./key-ring.ts";

const [alg, enc] = ["dir", "A256GCM"];
const algorithms = { keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: [enc] };
/** Loaded when something is first sealed: most short runs seal nothing. */
const jose = () => import("jose");
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The parts of a sealed text; the second one is empty: the key is not carried. */
export const sealedPattern = /^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

interface Header {
  readonly kid: string;
  readonly bind: string;
}

export function sealsOf(ring: KeyRing): Seals {
  const imported = new WeakMap<MasterKey, CryptoKey>();
  const keyOf = async (key: MasterKey): Promise<CryptoKey> => {
    const made = imported.get(key) ?? (await importedKey(key.bytes));
    imported.set(key, made);
    return made;
  };
  return {
    get current() {
      return ring.current().kid;
    },
    seal: async (text, bound) => {
      const { CompactEncrypt } = await jose();
      const key = ring.current();
      return new CompactEncrypt(encoder.encode(text))
        .setProtectedHeader({ alg, enc, kid: key.kid, bind: placeOf(bound) })
        .encrypt(await keyOf(key));
    },
    open: async (sealed, bound) => {
      const { kid, bind } = headerOf(sealed);
      const key = ring.find(kid);
      if (key === undefined) throw new Fault("unavailable", `key ${kid} is not at hand`);
      if (bind !== placeOf(bound)) throw misplaced(bound);
      const { compactDecrypt } = await jose();
      const opened = await compactDecrypt(sealed, await keyOf(key), algorithms).catch(() => {
        throw misplaced(bound);
      });
      return decoder.decode(opened.plaintext);
    },
    isOld: (sealed) => headerOf(sealed).kid !== ring.current().kid,
  };
}

/** What a text is bound to; the parts before the name have no stroke in them. */
function placeOf({ kind, tenant, name }: SealedFor): string {
  return `${kind}|${tenant}|${name}`;
}

function misplaced({ kind, name }: SealedFor): Fault {
  return new Fault("internal", `${kind} ${name}: the sealed value does not belong here`);
}

/** @throws Fault `internal` for what is no sealed text. */
export function headerOf(sealed: string): Header {
  const header = sealedPattern.test(sealed) ? decoded(sealed) : {};
  const { kid, bind } = header;
  if (typeof kid === "string" && typeof bind === "string") return { kid, bind };
  throw new Fault("internal", "expected a sealed value, found something else");
}

function decoded(sealed: string): Readonly<Record<string, unknown>> {
  try {
    const base64 = (sealed.split(".")[0] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (unit) => unit.charCodeAt(0));
    const header: unknown = JSON.parse(decoder.decode(bytes));
    return isJsonObject(header) ? header : {};
  } catch {
    return {};
  }
}

function importedKey(bytes: Uint8Array): Promise<CryptoKey> {
  const copy = new Uint8Array(bytes);
  return crypto.subtle.importKey("raw", copy, "AES-GCM", false, ["encrypt", "decrypt"]);
}
