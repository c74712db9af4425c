// Azure Key Vault: a secret by its name, asked for as an application or as the machine.

import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import {
  formOf,
  formType,
  neededText,
  onceFor,
  type ProviderParts,
  pathOf,
  type ReadSecret,
  textOf,
} from "./provider.ts";

const what = "Azure Key Vault";
const login = "Microsoft's login";
const audience = "https://vault.azure.net";

export function azureSecrets(parts: ProviderParts): ReadSecret {
  const tokens = new WeakMap<JsonObject, Promise<string>>();
  return async ({ ref, version, auth, vaultUrl }) => {
    const vault = (vaultUrl ?? textOf(auth, "vault_url"))?.replace(/\/+$/, "");
    if (vault === undefined) throw new Fault("invalid", `${what}: expected vault_url`);
    const token = await onceFor(tokens, auth, () => accessToken(parts, auth));
    const place = version === undefined || version === "latest" ? ref : `${ref}/${version}`;
    const answer = await parts.ask({
      what,
      url: `${vault}/secrets/${pathOf(what, place)}?api-version=7.4`,
      headers: { authorization: `Bearer ${token}` },
    });
    return { value: neededText(`${what}'s answer`, answer, "value") };
  };
}

async function accessToken(parts: ProviderParts, auth: JsonObject): Promise<string> {
  const given = textOf(auth, "access_token", "token");
  if (given !== undefined) return given;
  const client = textOf(auth, "client_id");
  const answer =
    client === undefined ? await asMachine(parts) : await asApplication(parts, auth, client);
  return neededText(`${login}'s answer`, answer, "access_token");
}

async function asApplication(
  { ask, settings }: ProviderParts,
  auth: JsonObject,
  client: string,
): Promise<JsonObject> {
  const own = settings.NOETL_AZURE_LOGIN_URL;
  const tenant = pathOf(login, neededText(what, auth, "tenant_id", "tenant"));
  return ask({
    what: login,
    url: `${own ?? "https://login.microsoftonline.com"}/${tenant}/oauth2/v2.0/token`,
    trusted: own !== undefined,
    method: "POST",
    headers: formType,
    body: formOf({
      grant_type: "client_credentials",
      client_id: client,
      client_secret: neededText(what, auth, "client_secret"),
      scope: `${audience}/.default`,
    }),
  });
}

async function asMachine({ ask, settings }: ProviderParts): Promise<JsonObject> {
  const base = settings.NOETL_AZURE_METADATA_URL ?? "http://169.254.169.254";
  const resource = encodeURIComponent(audience);
  return ask({
    what: "Azure's metadata server",
    url: `${base}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}`,
    trusted: true,
    headers: { metadata: "true" },
  });
}
