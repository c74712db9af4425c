// The documents of the catalog that are no playbooks, as shapes: a header like theirs, and a `spec`
// of its own for each kind. What no shape can say is in resource.ts.

import type { resourceKinds } from "./resource-kinds.ts";
import {
  data,
  dataMap,
  type Field,
  flag,
  listOf,
  name,
  oneOf,
  type RecordShape,
  text,
} from "./shape.ts";

const textList = { is: "list", items: text, orSingle: true } as const;
const seconds = { is: "number", min: 0 } as const;

const metadata: RecordShape = {
  is: "record",
  noun: "metadata",
  others: "keep",
  fields: {
    name: { shape: name, required: true, says: "Its name." },
    path: { shape: text, says: "Its place in the catalog." },
    title: { shape: text, says: "What people call it." },
    description: { shape: text, says: "What it is for." },
    tags: { shape: textList, says: "Words to find it by." },
    capabilities: { shape: textList, says: "What it can do, for agents that look for it." },
    labels: { shape: dataMap, says: "Keys and values of your own." },
  },
};

export type PlainKind = Exclude<(typeof resourceKinds)[number], "Playbook" | "Agent">;

interface SpecPart {
  readonly fields: Readonly<Record<string, Field>>;
  readonly others: RecordShape["others"];
}

const specs: Readonly<Record<PlainKind, SpecPart>> = {
  Mcp: {
    others: "refuse",
    fields: {
      endpoint: { shape: text, required: true, says: "Where the server is: http or https." },
      transport: { shape: oneOf("streamable_http", "sse"), says: "How it is spoken to." },
      credential: { shape: text, says: "The alias of the credential that it wants." },
      headers: { shape: dataMap, says: "Headers of each request; never a secret." },
      tools: { shape: listOf(data), says: "The tools that it has, as far as is known." },
      timeout_seconds: { shape: seconds, says: "How long a call may take." },
    },
  },
  Credential: {
    others: "refuse",
    fields: {
      type: { shape: text, required: true, says: "What kind of credential: postgres, bearer, …" },
      data: { shape: dataMap, says: "The fields that it has: templates or *** for values." },
      scope: { shape: text, says: "Who it is for." },
    },
  },
  Subscription: {
    others: "keep",
    fields: {
      source: {
        shape: oneOf("nats", "pubsub", "kafka", "webhook"),
        required: true,
        says: "Where messages come from.",
      },
      dispatch: {
        shape: {
          is: "record",
          noun: "dispatch",
          others: "keep",
          fields: {
            playbook: { shape: text, required: true, says: "The path of what a message starts." },
          },
        },
        required: true,
        says: "What happens with each message.",
      },
    },
  },
  Tool: {
    others: "refuse",
    fields: {
      description: { shape: text, says: "What it does." },
      input_schema: { shape: data, required: true, says: "What it takes, as JSON Schema." },
      output_schema: { shape: data, says: "What it gives, as JSON Schema." },
      entry: { shape: text, says: "The path of the playbook that does it." },
      module: { shape: text, says: "The digest of the module that does it." },
    },
  },
  Schema: {
    others: "refuse",
    fields: {
      schema: { shape: data, required: true, says: "A JSON Schema." },
      strict: { shape: flag, says: "Whether keys that it doesn't name are refused." },
    },
  },
  Memory: {
    others: "refuse",
    fields: {
      namespace: { shape: text, required: true, says: "What its entries are kept under." },
      ttl_seconds: { shape: seconds, says: "How long an entry is kept." },
      schema: { shape: data, says: "What an entry looks like, as JSON Schema." },
    },
  },
};

/** The whole document of a kind. */
export function resourceShape(kind: PlainKind): RecordShape {
  const spec: RecordShape = { is: "record", noun: `${kind} spec`, ...specs[kind] };
  return {
    is: "record",
    noun: kind,
    others: "refuse",
    fields: {
      apiVersion: {
        shape: oneOf("noetl.io/v1", "noetl.io/v2", "noetl.io/v10"),
        says: "noetl.io/v2.",
      },
      // Any case is taken, and has been told apart before.
      kind: { shape: text, required: true, says: "What the document is." },
      metadata: { shape: metadata, required: true, says: "What it is called, and is found by." },
      spec: { shape: spec, required: true, says: "What it is." },
    },
  };
}
