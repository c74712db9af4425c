// The worker's own key. It lives in this process and ends with it: what was sealed to it on the way
// here is of no use to anybody else, nor to the next process.

import type { CryptoKey } from "jose";
import { Fault } from "#core/model/fault";
import type { CommandId } from "#core/model/ids";
import { isJsonObject, type JsonObject } from "#core/model/json";
import type { Sealing } from "#core/ports/sealing";

/** Loaded when a key is first asked for: most short runs are given nothing secret. */
const jose = () => import("jose");
const algorithms = {
  keyManagementAlgorithms: ["ECDH-ES"],
  contentEncryptionAlgorithms: ["A256GCM"],
};

interface KeyPair {
  readonly publicKey: JsonObject;
  readonly privateKey: CryptoKey;
}

/** Made when it is first asked for, and once. */
export function sealingKey(): Sealing {
  let pair: Promise<KeyPair> | undefined;
  const made = (): Promise<KeyPair> => {
    pair ??= newKeyPair();
    return pair;
  };
  return {
    publicKey: async () => (await made()).publicKey,
    unseal: async (sealed, commandId) => opened(sealed, (await made()).privateKey, commandId),
  };
}

async function newKeyPair(): Promise<KeyPair> {
  const { exportJWK, generateKeyPair } = await jose();
  const { publicKey, privateKey } = await generateKeyPair("ECDH-ES", { crv: "X25519" });
  const { kty = "", crv = "", x = "" } = await exportJWK(publicKey);
  return { publicKey: { kty, crv, x }, privateKey };
}

async function opened(
  sealed: string,
  privateKey: CryptoKey,
  commandId: CommandId,
): Promise<JsonObject> {
  const value = await decrypted(sealed, privateKey, commandId).catch(() => undefined);
  if (isJsonObject(value)) return value;
  throw new Fault("invalid", `what was sent for command ${commandId} is not sealed to this worker`);
}

async function decrypted(
  sealed: string,
  privateKey: CryptoKey,
  commandId: CommandId,
): Promise<unknown> {
  const { base64url, compactDecrypt } = await jose();
  const { plaintext, protectedHeader } = await compactDecrypt(sealed, privateKey, algorithms);
  // An answer to another command must not stand for one to this.
  if (protectedHeader.apu !== base64url.encode(commandId)) return undefined;
  const value: unknown = JSON.parse(new TextDecoder().decode(plaintext));
  return value;
}
