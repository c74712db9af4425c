// The kinds of tools that move data between systems (language reference §§2.2, 2.4), with the fields
// of each. What all kinds share is in tool-fields.ts.

import { either, type Field, oneOf, type Shape, templated, templatedMap } from "./shape.ts";
import {
  field,
  flag,
  map,
  type ToolKind,
  textOrList,
  textOrMap,
  textOrNumber,
  value,
} from "./tool-shapes.ts";

const count: Shape = either(templated, { is: "number", whole: true, min: 0 });

const nats: ToolKind = {
  says: "Reads and writes keys, objects and streams of NATS JetStream.",
  fields: {
    operation: {
      shape: oneOf(
        "kv_get",
        "kv_put",
        "kv_delete",
        "kv_purge",
        "kv_keys",
        "object_get",
        "object_put",
        "object_delete",
        "object_list",
        "object_info",
        "js_publish",
        "js_consume",
        "js_get_msg",
        "js_stream_info",
      ),
      says: "What to do.",
    },
    url: field(templated, "Address of the server, several with commas between them."),
    user: field(templated, "The user."),
    password: field(templated, "The password; better a credential."),
    token: field(templated, "A token in place of user and password."),
    bucket: field(templated, "The bucket of keys or objects."),
    key: field(templated, "The key."),
    value: field(value, "The value to store; text as it is, all else as JSON."),
    ttl: field(textOrNumber, "Seconds for which a bucket that is made keeps its values."),
    pattern: field(templated, "Which keys, with the wildcards of NATS (default all)."),
    name: field(templated, "The object's name; in a pipeline the task's label, so use key there."),
    data: field(value, "The object's content, or the message's."),
    encoding: { shape: oneOf("utf8", "base64", "json"), says: "How values are read and written." },
    stream: field(templated, "The stream."),
    subject: field(templated, "The subject of a message."),
    headers: field(map, "Headers of a message."),
    seq: field(count, "The number of a message in its stream."),
    last: field(
      either(templated, { is: "flag" }),
      "A subject whose last message is wanted, or true beside subject.",
    ),
    consumer: field(templated, "The durable consumer that messages are taken by."),
    batch: field(count, "How many messages to take at most (default 1, at most 1,000)."),
    timeout_ms: field(textOrNumber, "Milliseconds one request may take (default 5,000)."),
    ack: field(flag, "Whether messages taken are acknowledged (default true)."),
    create: field(flag, "Whether a missing bucket or consumer is made (default false)."),
    revision: field(count, "The revision to read, or the one a write must be over."),
  },
  needs: [["operation"]],
};

const transfer: ToolKind = {
  says: "Copies rows between databases, files and web services.",
  fields: {
    source: field(templatedMap, "Where rows come from: type, and the fields of that kind."),
    target: field(templatedMap, "Where rows go: type, and the fields of that kind."),
    mode: { shape: oneOf("append", "replace", "upsert"), says: "What becomes of rows there." },
    chunk_size: field(count, "Rows of a chunk (default 5,000)."),
    resumable: field(templatedMap, "order_by: the column to go on by after a failure."),
    on_bad_row: {
      shape: oneOf("fail", "skip"),
      says: "What a row does that can't be read (default fail).",
    },
  },
  needs: [["source"], ["target"]],
};

const ducklake: ToolKind = {
  says: "Runs SQL on a DuckLake: tables in files, with their catalog in a database.",
  fields: {
    command: field(templated, "SQL; several statements are separated by semicolons."),
    query: field(templated, "The same as command."),
    commands: field(textOrList, "SQL statements, run in order; the last one gives the result."),
    script: field(textOrMap, "SQL from a script."),
    params: field(value, "Values for the statement's parameters, by position."),
    as_objects: field(flag, "Rows as maps rather than lists."),
    catalog_name: field(templated, "The catalog's name in SQL (default lake)."),
    catalog_connection: field(templated, "The catalog: postgres:…, sqlite:… or a DuckDB file."),
    data_path: field(templated, "The folder of the data files."),
  },
  needs: [["command", "query", "commands", "script"], ["catalog_connection"]],
};

const objectFields: Readonly<Record<string, Field>> = {
  operation: {
    shape: oneOf("put", "get", "head", "list", "delete", "copy"),
    says: "What to do (default put where there is something to store, else get).",
  },
  uri: field(templated, "The object."),
  source: field(templated, "A file, an object or a stored result to take the content from."),
  destination: field(templated, "The object to write."),
  data: field(value, "The content; text as it is, all else as JSON."),
  encoding: { shape: oneOf("utf8", "base64", "json"), says: "How content is read and written." },
  content_type: field(templated, "The content's media type."),
  metadata: field(map, "Names and values kept with the object."),
  prefix: field(templated, "Which objects are listed."),
  delimiter: field(templated, "What ends a folder in names, usually a slash."),
  limit: field(count, "How many objects are listed (default and at most 1,000)."),
  start_after: field(templated, "Where to go on: next of the list before."),
};

const bucketFields: Readonly<Record<string, Field>> = {
  endpoint: field(templated, "The store's address, where it is not the public one."),
  region: field(templated, "The store's region."),
  access_key_id: field(templated, "The key's name; better a credential."),
  secret_access_key: field(templated, "The key's secret; better a credential."),
  session_token: field(templated, "The token of a temporary key."),
};

export const dataKinds: Readonly<Record<string, ToolKind>> = {
  nats,
  transfer,
  ducklake,
  s3: { says: "Objects of a store that speaks S3.", fields: { ...objectFields, ...bucketFields } },
  gcs: {
    says: "Objects of Google Cloud Storage, by HMAC keys.",
    fields: { ...objectFields, ...bucketFields },
  },
  file: { says: "Files within the worker's roots.", fields: objectFields },
};
