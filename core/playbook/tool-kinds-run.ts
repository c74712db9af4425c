// The kinds of tools that run something outside of the worker (language reference §§2.2, 4.10), and
// the kinds that are refused with what to use instead.

import { secretProviderNames } from "./keychain-kinds.ts";
import { oneOf, type Shape, templated, templatedData, templatedMap } from "./shape.ts";
import { field, map, type ToolKind, textOrList, textOrNumber, value } from "./tool-shapes.ts";

const list: Shape = { is: "list", items: templatedData, orTemplate: true };
const listOrMap: Shape = {
  is: "either",
  options: [templatedMap, { is: "list", items: templatedData }, templated],
};

/** A framework of its own is a program, which a step can run; a playbook is what this kind starts. */
const frameworks: Shape = {
  is: "text",
  pattern: {
    source: "^noetl$",
    says: "noetl, which runs a playbook; run an agent of another framework in python",
  },
  templates: "none",
};

export const runKinds: Readonly<Record<string, ToolKind>> = {
  mcp: {
    says: "Asks a server of the Model Context Protocol, mostly to run one of its tools.",
    fields: {
      endpoint: field(templated, "The server's address."),
      url: field(templated, "The same as endpoint."),
      server_url: field(templated, "The same as endpoint."),
      base_url: field(templated, "The same as endpoint."),
      server: field(templated, "The server's name, whose address the worker knows."),
      method: field(templated, "tools/call (default), tools/list, health, or any other request."),
      action: field(templated, "The same as method."),
      tool: field(templated, "The tool to call."),
      arguments: field(map, "The tool's arguments (default input)."),
      params: field(map, "Parameters of the request."),
      headers: field(map, "Headers of every request."),
      protocol_version: {
        shape: templated,
        ignored: "the version is what both sides agree on",
        says: "No effect.",
      },
    },
    needs: [["endpoint", "url", "server_url", "base_url", "server"]],
  },
  agent: {
    says: "Runs a playbook as an agent: its end is data, also when it failed.",
    fields: {
      framework: { shape: frameworks, required: true, says: "noetl." },
      entrypoint: { shape: templated, required: true, says: "The playbook's path in the catalog." },
      entrypoint_mode: {
        shape: templated,
        ignored: "the entrypoint is a playbook",
        says: "No effect.",
      },
      entrypoint_args: {
        shape: value,
        ignored: "a playbook has no constructor; give values under payload",
        says: "No effect.",
      },
      invoke_method: {
        shape: templated,
        ignored: "a playbook has no methods",
        says: "No effect.",
      },
      version: field(textOrNumber, "The playbook's version (default the newest)."),
      payload: field(map, "What it is given; else input, else invoke_kwargs."),
      invoke_kwargs: field(map, "The same as payload."),
      on_failure: {
        shape: oneOf("envelope", "fail"),
        says: "Whether a failed agent is data (envelope, default) or fails the step.",
      },
    },
  },
  container: {
    says: "Runs a container to its end: a job of a cluster, or one of the worker's own machine.",
    fields: {
      image: { shape: templated, required: true, says: "The image." },
      command: field(list, "The program and its first arguments, in place of the image's own."),
      args: field(list, "Arguments, in place of the image's own."),
      env: field(listOrMap, "Variables: a map, or a list of {name, value} or {name, value_from}."),
      resources: field(map, "requests and limits of cpu and memory."),
      runtime: {
        shape: oneOf("kubernetes", "podman", "docker"),
        says: "Where it runs (default what the worker has).",
      },
      namespace: field(templated, "The cluster's namespace."),
      service_account: field(templated, "The account that the job runs as."),
      backoff_limit: field(
        { is: "number", whole: true, min: 0, orTemplate: true },
        "How often the cluster starts it again (default 0).",
      ),
      restart_policy: { shape: oneOf("Never", "OnFailure"), says: "Of the job (default Never)." },
      node_selector: field(map, "Labels of the machines that may run it."),
      tolerations: field(list, "Taints of machines that it may run on all the same."),
      volumes: field(list, "Volumes of the job."),
      volume_mounts: field(list, "Where the volumes are seen in the container."),
    },
  },
  secrets: {
    says: "Has a secret read from its provider; later fields read it as keychain.NAME.FIELD.",
    fields: {
      provider: field(
        oneOf(...Object.keys(secretProviderNames)),
        "Who has the secret (default gcp).",
      ),
      ref: field(templated, "The secret's name at its provider."),
      secret_name: field(templated, "The same as ref."),
      secret_id: field(templated, "The same as ref."),
      secret: field(templated, "The same as ref."),
      version: field(textOrNumber, "Its version (default the newest)."),
      project_id: field(templated, "The project of Google Cloud that has the secret."),
      region: field(templated, "The region that the provider is asked in."),
      vault_url: field(templated, "The vault's address (azure, vault)."),
      namespace: field(templated, "The namespace that has the secret (vault, kubernetes)."),
      residency: field(
        oneOf("none", "advisory", "strict"),
        "Whether the region must be one of the allowed ones.",
      ),
      allowed_regions: field(list, "Regions that the secret may be read in."),
      map: field(map, "Fields of the entry: by name a path into the secret, or a secret each."),
      as: field(templated, "The name that it is read by afterwards (default the step's)."),
    },
    needs: [["ref", "secret_name", "secret_id", "secret", "map"]],
  },
  snowflake: {
    says: "Runs SQL on Snowflake.",
    fields: {
      command: field(templated, "SQL; several statements are separated by semicolons."),
      query: field(templated, "The same as command."),
      commands: field(textOrList, "SQL statements, run in order; the last one gives the result."),
      command_b64: field(templated, "The same as command, in base64."),
      params: field(value, "Values for the statement's parameters, by position."),
      account: field(templated, "The account."),
      host: field(templated, "The account's address, where it is not the usual one."),
      user: field(templated, "The user."),
      password: field(templated, "The password; better a credential."),
      private_key: field(templated, "The user's key in PEM; better a credential."),
      private_key_passphrase: field(templated, "What the key is locked with."),
      warehouse: field(templated, "The warehouse."),
      database: field(templated, "The database."),
      schema: field(templated, "The schema."),
      role: field(templated, "The role."),
    },
    needs: [["command", "query", "commands", "command_b64"]],
  },
};

/** Kinds that the language knows and that stay out, with what to use instead. */
export const refusedKinds: ReadonlyMap<string, string> = new Map([
  ["rhai", "python or javascript"],
  ["provider", "http against the provider's API, or container"],
  ["result_fetch", "artifact"],
  ["script", "container for a job, or python with script"],
  ["subscription", "nats with operation js_consume"],
  ["gateway", "http"],
  ["snowflake_transfer", "transfer"],
  ["wasm", "javascript, python or container; plug-ins come later"],
]);
