// The keychain: what was fetched from providers, or put there by hand, and is kept for a while.

import { type } from "arktype";
import { route } from "./route.ts";
import { count, id, map, name, someName } from "./shapes.ts";

const params = type({ catalog_id: someName, name: someName });
const scope = type("'local' | 'shared' | 'global' | 'catalog'");
const place = { "execution_id?": id, "scope_type?": scope } as const;
const flagText = type("'true' | 'false' | '1' | '0'");

/** What is told of an entry; its fields only where they were asked for. */
const told = {
  status: "'success' | 'not_found' | 'expired'",
  keychain_name: "string",
  catalog_id: "string",
  cache_key: "string",
  scope_type: "string",
  expired: "boolean",
  "credential_type?": "string",
  "cache_type?": "string",
  "expires_at?": "string | null",
  "ttl_seconds?": "number | null",
  "created_at?": "string",
  "accessed_at?": "string | null",
  "access_count?": "number",
  "auto_renew?": "boolean",
  "renew_config?": map.or("null"),
  "execution_id?": "string | null",
} as const;

export const keychainRoutes = {
  getKeychainEntry: route(
    "GET /api/keychain/:catalog_id/:name",
    {
      summary: "What is kept of a keychain entry; its fields too with `include_data=true`",
      description:
        "Answers 200 also where nothing is kept. Fields are for administrators; each look is audited.",
      tag: "keychain",
      access: "editor",
      of: ["catalog params.catalog_id", "execution query.execution_id"],
    },
    {
      params,
      query: type({ ...place, "include_data?": flagText }),
      answer: type({ ...told, "token_data?": map, "data?": map }),
    },
  ),
  putKeychainEntry: route(
    "POST /api/keychain/:catalog_id/:name",
    {
      summary: "Keep the fields of a keychain entry until their time runs out",
      description: "`token_data` is another name of `data`, `expires_in` of `ttl_seconds`.",
      tag: "keychain",
      access: ["admin", "machine"],
      of: ["catalog params.catalog_id", "execution body.execution_id"],
    },
    {
      params,
      body: type({
        "data?": map,
        "token_data?": map,
        "credential_type?": name,
        "cache_type?": "'token' | 'secret'",
        ...place,
        "parent_execution_id?": id.or("null"),
        "ttl_seconds?": count.or("null"),
        "expires_in?": count.or("null"),
        "expires_at?": "string | number | null",
        "auto_renew?": "boolean",
        "renew_config?": map.or("null"),
      }),
      answer: type(told),
    },
  ),
  deleteKeychainEntry: route(
    "DELETE /api/keychain/:catalog_id/:name",
    {
      summary: "Forget what is kept of a keychain entry",
      description: "The next command that reads it has it fetched anew.",
      tag: "keychain",
      access: ["admin", "machine"],
      of: ["catalog params.catalog_id", "execution query.execution_id"],
    },
    {
      params,
      query: type(place),
      answer: type({
        status: "'success' | 'not_found'",
        deleted: "boolean",
        keychain_name: "string",
        catalog_id: "string",
        cache_key: "string",
      }),
    },
  ),
  listKeychainEntries: route(
    "GET /api/keychain/catalog/:catalog_id",
    {
      summary: "What is kept of the keychain of a playbook's version, without any fields",
      tag: "keychain",
      access: "editor",
      of: ["catalog params.catalog_id"],
    },
    {
      params: type({ catalog_id: someName }),
      answer: type({ catalog_id: "string", entries: type(told).array(), count: "number" }),
    },
  ),
  googleToken: route(
    "POST /api/gcp/token",
    {
      summary: "An access token of Google, by a credential or for the machine",
      description:
        "Without a credential it is the token of the machine that the control plane runs on. Every token is audited.",
      tag: "keychain",
      access: "admin",
    },
    {
      body: type({
        "credential?": name.or("null"),
        "credential_id?": name.or("null"),
        "use_metadata?": "boolean | null",
        "scopes?": type("string").or("string[]").or("null"),
      }),
      answer: type({ access_token: "string", token_expiry: "string | null", scopes: "string[]" }),
    },
  ),
} as const;
