// A token as its holder has it: what it is, its id, and the secret that only its digest is kept of.

import type { Sha256 } from "#core/model/codec";
import type { AccessToken } from "#core/ports/access-store";

export interface TokenText {
  readonly text: string;
  readonly tokenId: string;
  /** SHA-256 of the whole text, hexadecimal. */
  readonly digest: string;
}

const idBytes = 12;
const secretBytes = 32;

const prefixes = { personal: "pat", session: "ses" } as const;

/** A new token, of which nobody can guess the next. */
export function mintToken(kind: AccessToken["kind"], sha256: Sha256): TokenText {
  const tokenId = hex(random(idBytes));
  const text = `noetl_${prefixes[kind]}_${tokenId}_${base64url(random(secretBytes))}`;
  return { text, tokenId, digest: sha256(text) };
}

/** An id for a person: as hard to guess, though it is no secret. */
export function mintUserId(): string {
  return `u${hex(random(idBytes))}`;
}

const tokenPattern = /^noetl_(?:pat|ses)_([0-9a-f]{24})_[A-Za-z0-9_-]{43}$/;

/** The id that a token names; undefined for what is no token of ours. */
export function tokenIdOf(text: string): string | undefined {
  return tokenPattern.exec(text)?.[1];
}

/** Compares two digests in a time that doesn't depend on where they differ. */
export function isSameDigest(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let at = 0; at < left.length; at++) difference |= left.charCodeAt(at) ^ right.charCodeAt(at);
  return difference === 0;
}

function random(bytes: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(bytes));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
