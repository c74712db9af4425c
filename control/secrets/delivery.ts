// What is secret, on its way to a worker: sealed to the key of that one process, for one command.
// Whatever lies between them sees nothing, keeps nothing that opens later, and can't pass an answer
// off as one to another command.

import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import { sealingKeyCharsMax } from "#core/model/secret-limits";

const encoder = new TextEncoder();

/** 32 bytes in base64url. */
const publicHalf = /^[A-Za-z0-9_-]{43}$/;

/**
 * A compact JWE of the value.
 * @param key the worker's public key: a JSON Web Key of the curve X25519.
 * @param commandId what it is for: it opens for nothing else.
 * @throws Fault `invalid` for a key that is private, of another curve, or none at all.
 */
export async function sealTo(
  key: Readonly<Record<string, unknown>>,
  value: JsonObject,
  commandId: string,
): Promise<string> {
  const { x } = checkedKey(key);
  const { CompactEncrypt, importJWK } = await import("jose");
  const publicKey = await importJWK({ kty: "OKP", crv: "X25519", x }, "ECDH-ES").catch(() => {
    throw new Fault("invalid", "key: expected a public key of the curve X25519");
  });
  return await new CompactEncrypt(encoder.encode(JSON.stringify(value)))
    .setProtectedHeader({ alg: "ECDH-ES", enc: "A256GCM" })
    .setKeyManagementParameters({ apu: encoder.encode(commandId) })
    .encrypt(publicKey)
    .catch(() => {
      // A point of small order: nothing may be sealed to it.
      throw new Fault("invalid", "key: expected a public key of the curve X25519");
    });
}

function checkedKey(key: Readonly<Record<string, unknown>>): { readonly x: string } {
  if (JSON.stringify(key).length > sealingKeyCharsMax) {
    throw new Fault("too_large", `key: expected at most ${sealingKeyCharsMax} characters`);
  }
  if ("d" in key || "k" in key) {
    throw new Fault("invalid", "key: expected the public half alone, found a private key");
  }
  const { kty, crv, x } = key;
  if (kty !== "OKP" || crv !== "X25519" || typeof x !== "string" || !publicHalf.test(x)) {
    throw new Fault("invalid", "key: expected a public key of the curve X25519");
  }
  return { x };
}
