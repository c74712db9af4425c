// The types of credentials, and what each must have to be of any use (language reference §6). What
// is missing is said when one is stored, and not by the step that needs it at night.

import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";

/** Each list names fields of which one must be there. */
type Needs = readonly (readonly string[])[];

const token: Needs = [["token", "access_token", "bearer_token"]];
const s3Keys: Needs = [
  ["access_key_id", "aws_access_key_id", "access_key", "hmac_key_id", "key_id"],
  ["secret_access_key", "aws_secret_access_key", "secret_key", "hmac_secret", "secret"],
];
const postgres: Needs = [["host", "db_host", "connection_string", "dsn", "url"]];

/** Those without needs are kept for what knows how to use them. */
const needsByType: Readonly<Record<string, Needs>> = {
  postgres,
  postgresql: postgres,
  pg: postgres,
  snowflake: [
    ["account", "sf_account"],
    ["user", "sf_user", "username", "sf_username"],
  ],
  bearer: token,
  bearer_token: token,
  api_key: [["api_key", "key", "value", "token"]],
  basic: [["username", "user"]],
  nats: [["url", "nats_url", "servers"]],
  pubsub: [],
  kafka: [],
  oauth2: [],
  google_oauth: [],
  google_id_token: [],
  google_service_account: [],
  gcs_hmac: s3Keys,
  gcs: [],
  s3: s3Keys,
  aws: [],
  azure: [],
  vault: [],
  kubernetes: [],
  auth0: [],
  secret: [],
  generic: [],
};

/** Several programs of one maker, each with fields of its own. */
const families: readonly string[] = ["interactive_brokers"];

/** All of them, for the documentation. */
export const credentialTypes: readonly string[] = [
  ...Object.keys(needsByType),
  ...families.map((family) => `${family}…`),
];

/**
 * The type as it is kept.
 * @throws Fault `invalid` for one that nothing knows, naming those that are known.
 */
export function knownType(given: string): string {
  const type = given.trim().toLowerCase();
  const isKnown =
    Object.hasOwn(needsByType, type) || families.some((family) => type.startsWith(family));
  if (isKnown && type.length <= 64) return type;
  throw new Fault(
    "invalid",
    `type: expected one of ${credentialTypes.join(", ")}; generic takes any fields`,
  );
}

/** @throws Fault `invalid` naming the fields that are missing; never a value. */
export function checkFields(type: string, data: JsonObject): void {
  if (Object.keys(data).length === 0) {
    throw new Fault("invalid", "data: expected at least one field, found none");
  }
  for (const names of needsByType[type] ?? []) {
    const isThere = names.some((name) => Object.hasOwn(data, name) && isSomething(data[name]));
    if (!isThere) throw new Fault("invalid", `data: type ${type} needs ${names.join(" or ")}`);
  }
}

function isSomething(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}
