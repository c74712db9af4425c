// The kinds of keychain entries and what each needs (language reference §6).

/** What resolves an entry. Several names of the older language mean the same. */
export type KeychainKind =
  | "static"
  | "bearer"
  | "oauth2"
  | "secret_manager"
  | "google_id_token"
  | "credential"
  | "google";

/** Every name that a kind goes by. */
export const keychainKinds: Readonly<Record<string, KeychainKind>> = {
  static: "static",
  bearer: "bearer",
  oauth2: "oauth2",
  secret_manager: "secret_manager",
  secrets: "secret_manager",
  google_id_token: "google_id_token",
  credential: "credential",
  credential_ref: "credential",
  google_oauth: "google",
  google_service_account: "google",
  google: "google",
};

/** Of each group of fields an entry of the kind needs one. */
export const keychainNeeds: Readonly<Record<KeychainKind, readonly (readonly string[])[]>> = {
  static: [["data", "map", "value", "token"]],
  bearer: [["token", "value", "credential", "auth", "ref"]],
  oauth2: [["endpoint"]],
  secret_manager: [["ref", "secret_name", "map"]],
  google_id_token: [["target_audience"]],
  credential: [["credential", "ref", "auth"]],
  google: [],
};

/** Kinds that ask nobody for what may run out, so that nothing could renew them. */
export const neverRenewed: ReadonlySet<KeychainKind> = new Set(["static", "bearer"]);

/** Providers of secrets by every name they go by. */
export const secretProviderNames = {
  gcp: "gcp",
  google: "gcp",
  aws: "aws",
  azure: "azure",
  vault: "vault",
  k8s: "kubernetes",
  kubernetes: "kubernetes",
} as const;

export type SecretProvider = (typeof secretProviderNames)[keyof typeof secretProviderNames];

/** The kind that an entry names, or that its fields leave no doubt about; undefined otherwise. */
export function keychainKindOf(entry: Readonly<Record<string, unknown>>): KeychainKind | undefined {
  const named = entry["kind"] ?? entry["type"];
  if (typeof named === "string") {
    return Object.hasOwn(keychainKinds, named) ? keychainKinds[named] : undefined;
  }
  if (entry["provider"] !== undefined) return "secret_manager";
  if (entry["endpoint"] !== undefined) return "oauth2";
  if (entry["data"] !== undefined) return "static";
  return entry["credential"] === undefined ? undefined : "credential";
}

/** The name under which an entry's scope is kept: `catalog` is another word for `global`. */
export const keychainScopeNames = {
  local: "local",
  shared: "shared",
  global: "global",
  catalog: "global",
} as const;
