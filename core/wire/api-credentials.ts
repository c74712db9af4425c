// Routes of sealed credentials. What is secret of one goes in, and comes out again only where it is
// asked for by name, by somebody who may, or sealed to a worker.

import { type } from "arktype";
import { route } from "./route.ts";
import { countText, map, name, someName, strings, tenantName } from "./shapes.ts";

const nothing = "null";
const tags = strings.or("string");

/** Who may use a credential; a list that is absent leaves that open within the tenant. */
const allow = type({
  "tenants?": someName.array(),
  /** Patterns of paths: `*` for a part between slashes or some of it, `**` for any number of parts. */
  "playbooks?": someName.array(),
  "pools?": someName.array(),
});

const fields = {
  id: "string",
  name: "string",
  type: "string",
  tenant: "string",
  meta: map,
  tags: strings,
  description: "string | null",
  allow,
  /** Counts changes from 1. */
  revision: "number",
  /** The id of the master key that it is sealed by. */
  key_id: "string",
  created_at: "string",
  updated_at: "string",
} as const;

const params = type({ ref: someName });
/** Whoever runs the installation may name another tenant than their own. */
const tenant = { "tenant?": tenantName } as const;

export const credentialsRoutes = {
  putCredential: route(
    "POST /api/credentials",
    {
      summary: "Store a credential, or replace the one of that name",
      description:
        "`data` is sealed before it is stored; the answer doesn't repeat it. " +
        "`credential_type` is another name of `type`. Naming other tenants in `allow` " +
        "takes an administrator of the installation.",
      tag: "credentials",
      access: "admin",
    },
    {
      body: type({
        name: someName,
        "type?": someName,
        "credential_type?": someName,
        data: map,
        "meta?": map.or(nothing),
        "tags?": tags.or(nothing),
        "description?": name.or(nothing),
        "allow?": allow.or(nothing),
        ...tenant,
      }),
      answer: type({ ...fields, created: "boolean" }),
    },
  ),
  listCredentials: route(
    "GET /api/credentials",
    {
      summary: "Credentials by name, without what is secret of them",
      description: "`q` looks in names, descriptions and tags; read on with `after`.",
      tag: "credentials",
      access: "editor",
    },
    {
      query: type({
        "type?": name,
        "q?": name,
        "after?": name,
        "limit?": countText,
        ...tenant,
      }),
      answer: type({
        items: type(fields).array(),
        filter: type({ "type?": "string", "q?": "string" }),
        next_after: "string | null",
      }),
    },
  ),
  getCredential: route(
    "GET /api/credentials/:ref",
    {
      summary: "A credential by name or id; its fields too with `include_data=true`",
      description: "Its fields are for administrators, and every look at them is audited.",
      tag: "credentials",
      access: "viewer",
    },
    {
      params,
      query: type({
        "include_data?": "'true' | 'false' | '1' | '0'",
        /** Accepted from older clients, and of no consequence. */
        "execution_id?": name,
        "parent_execution_id?": name,
        ...tenant,
      }),
      answer: type({ ...fields, "data?": map }),
    },
  ),
  deleteCredential: route(
    "DELETE /api/credentials/:ref",
    {
      summary: "Delete a credential by name or id",
      description: "Commands that ask for it afterwards fail.",
      tag: "credentials",
      access: "admin",
    },
    {
      params,
      query: type(tenant),
      answer: type({ deleted: "true", name: "string", id: "string" }),
    },
  ),
  sealedCredential: route(
    "GET /api/credentials/:ref/sealed",
    {
      summary: "A credential sealed to the key that a worker has registered",
      description:
        "For a worker that has leased a command of the execution which may use the " +
        "credential. `sealed` is a compact JWE (ECDH-ES, A256GCM) whose `apu` is the id " +
        "of that command.",
      tag: "credentials",
      access: "machine",
    },
    {
      params,
      query: type({ worker_id: someName, execution_id: someName }),
      answer: type({ name: "string", type: "string", command_id: "string", sealed: "string" }),
    },
  ),
  rotateCredentials: route(
    "POST /api/credentials/rotate",
    {
      summary: "Seal anew what older master keys have sealed",
      description:
        "Ends when everything is sealed by the first key; other replicas may do the same.",
      tag: "credentials",
      access: "platform",
    },
    {
      answer: type({ current: "string", resealed: "number", left: "number" }),
    },
  ),
  credentialKeys: route(
    "GET /api/credentials-keys",
    {
      summary: "Which master key seals, and how many credentials each has sealed",
      description: "A key with a count of 0 is needed no more.",
      tag: "credentials",
      access: "platform",
    },
    { answer: type({ current: "string", counts: type({ "[string]": "number" }) }) },
  ),
} as const;
