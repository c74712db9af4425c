// HashiCorp Vault: what stands under a path, in engines of version 1 and 2.

import { Fault } from "#core/model/fault";
import { isJsonObject, type JsonObject } from "#core/model/json";
import { accountFile } from "./kubernetes.ts";
import {
  neededText,
  onceFor,
  type ProviderParts,
  pathOf,
  type ReadSecret,
  type SecretAsk,
  secondsOf,
  textOf,
} from "./provider.ts";

const what = "Vault";

interface Address {
  readonly base: string;
  readonly trusted: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** The reference is the path below `/v1/`: `secret/data/app` in an engine of version 2. */
export function vaultSecrets(parts: ProviderParts): ReadSecret {
  const tokens = new WeakMap<JsonObject, Promise<string>>();
  return async (asked) => {
    const address = addressOf(parts, asked);
    const token = await onceFor(tokens, asked.auth, () => tokenFor(parts, address, asked.auth));
    const { version } = asked;
    const query =
      version === undefined || version === "latest"
        ? ""
        : `?version=${encodeURIComponent(version)}`;
    const { data, lease_duration: lease } = await parts.ask({
      what,
      url: `${address.base}/v1/${pathOf(what, asked.ref)}${query}`,
      trusted: address.trusted,
      headers: { ...address.headers, "x-vault-token": token },
    });
    if (!isJsonObject(data)) throw new Fault("invalid", `${what}'s answer: expected data`);
    const inner = data["data"];
    if (isJsonObject(inner) && isJsonObject(data["metadata"])) return { value: inner };
    const expiresInSeconds = secondsOf(lease);
    return { value: data, ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }) };
  };
}

function addressOf({ settings }: ProviderParts, { auth, vaultUrl, namespace }: SecretAsk): Address {
  const own = settings.NOETL_VAULT_URL?.replace(/\/+$/, "");
  const named = (vaultUrl ?? textOf(auth, "vault_url", "url", "address"))?.replace(/\/+$/, "");
  const base = named ?? own;
  if (base === undefined) throw new Fault("invalid", `${what}: expected vault_url`);
  const space = namespace ?? textOf(auth, "namespace");
  return {
    base,
    trusted: base === own,
    headers: space === undefined ? {} : { "x-vault-namespace": space },
  };
}

async function tokenFor(parts: ProviderParts, address: Address, auth: JsonObject): Promise<string> {
  const given = textOf(auth, "token", "vault_token");
  if (given !== undefined) return given;
  const roleId = textOf(auth, "role_id");
  if (roleId !== undefined) {
    const secretId = neededText(what, auth, "secret_id");
    return loggedIn(parts, address, {
      mount: textOf(auth, "mount") ?? "approle",
      body: { role_id: roleId, secret_id: secretId },
    });
  }
  const role = neededText(what, auth, "token", "role_id", "role");
  const jwt = textOf(auth, "jwt") ?? (await accountFile(parts, "token"));
  if (jwt === undefined) throw new Fault("invalid", `${what}: expected jwt, or to run in a pod`);
  const mount = textOf(auth, "mount") ?? "kubernetes";
  return loggedIn(parts, address, { mount, body: { role, jwt } });
}

async function loggedIn(
  { ask }: ProviderParts,
  { base, trusted, headers }: Address,
  { mount, body }: { readonly mount: string; readonly body: JsonObject },
): Promise<string> {
  const { auth } = await ask({
    what: `${what}'s login`,
    url: `${base}/v1/auth/${pathOf(what, mount)}/login`,
    trusted,
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return neededText(`${what}'s answer`, isJsonObject(auth) ? auth : {}, "client_token");
}
