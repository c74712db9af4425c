// Entries of a playbook's keychain as shapes (language reference §6); what each kind needs of them
// is in keychain-kinds.ts.

import { keychainKinds, keychainScopeNames, secretProviderNames } from "./keychain-kinds.ts";
import {
  either,
  type Field,
  flag,
  name,
  oneOf,
  type RecordShape,
  type Shape,
  templated,
  templatedData,
  templatedMap,
} from "./shape.ts";

const kind = oneOf(...Object.keys(keychainKinds));
const textOrMap: Shape = either(templated, templatedMap);
const textOrList: Shape = { is: "list", items: templated, orSingle: true };
const field = (shape: Shape, says: string): Field => ({ shape, says });

export const keychainEntry: RecordShape = {
  is: "record",
  noun: "keychain entry",
  others: "warn",
  fields: {
    name: { shape: name, required: true, says: "Seen as keychain.NAME." },
    kind: field(kind, "How it is resolved."),
    type: field(kind, "The same as kind."),
    desc: field(templated, "What it is for."),
    scope: field(
      oneOf(...Object.keys(keychainScopeNames)),
      "Who has the same value: an execution, its tree (shared), or all of this playbook's version (global, default).",
    ),
    ttl_seconds: field(
      { is: "number", whole: true, min: 1, orTemplate: true },
      "How long it is kept (default: what the provider says, else a day, an hour where local).",
    ),
    auto_renew: field(flag, "Whether it is fetched anew before its time runs out."),
    map: field(
      templatedMap,
      "Fields of the entry: by name a path into the secret, or without ref a secret of its own.",
    ),
    data: field(templatedData, "The fields (static), or what is sent (oauth2)."),
    value: field(templated, "The field value (static, bearer)."),
    token: field(templated, "The field token (static, bearer)."),
    credential: field(textOrMap, "The alias of the credential that is read or used."),
    auth: field(textOrMap, "The same as credential; to a provider: how it is spoken to."),
    provider: field(oneOf(...Object.keys(secretProviderNames)), "Who has the secret."),
    ref: field(templated, "The secret's name at its provider, or the credential's alias."),
    secret_name: field(templated, "The same as ref."),
    version: field(either(templated, { is: "number" }), "The secret's version (default newest)."),
    project_id: field(templated, "The project of Google Cloud that has the secret."),
    region: field(templated, "The region that the provider is asked in."),
    vault_url: field(templated, "The vault's address (azure, vault)."),
    namespace: field(templated, "The namespace that has the secret (vault, kubernetes)."),
    residency: field(
      oneOf("none", "advisory", "strict"),
      "Whether the region must be one of the allowed ones: strict refuses others.",
    ),
    allowed_regions: field(textOrList, "Regions that the secret may be read in."),
    no_broker_fallback: {
      shape: flag,
      ignored: "only the control plane speaks to providers",
      says: "No effect.",
    },
    endpoint: field(templated, "Where a token is asked for (oauth2)."),
    method: field(templated, "POST unless given (oauth2)."),
    headers: field(templatedMap, "Headers of that request (oauth2)."),
    target_audience: field(templated, "Whom the token is for (google_id_token)."),
    scopes: field(textOrList, "What the token may be used for (google_oauth and the like)."),
    service_account_secret: field(templated, "The secret that has the service account's key."),
    service_account_credential: field(templated, "The credential that has it."),
  },
};
