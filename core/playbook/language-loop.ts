// What the language says of loops (language reference §1.6): the items or the cursor they come from,
// their name, and how many are worked on at once. Which keys go together is for check-cursor.ts.

import {
  dataMap,
  either,
  type Field,
  oneOf,
  type RecordShape,
  type Shape,
  templated,
  templatedData,
  templatedMap,
} from "./shape.ts";

const count: Shape = { is: "number", whole: true, min: 1, orTemplate: true };
const seconds: Shape = { is: "number", min: 1, orTemplate: true };

function says(shape: Shape, text: string): Field {
  return { shape, says: text };
}

const credential = either(templated, templatedMap);

const cursor: RecordShape = {
  is: "record",
  noun: "loop.cursor",
  others: "warn",
  older: { query: "claim", sql: "claim" },
  fields: {
    kind: {
      shape: oneOf("postgres", "duckdb", "nats"),
      required: true,
      says: "Where the rows are claimed: a table of a database, or a stream of messages.",
    },
    claim: says(templated, "The SQL that claims rows and returns them (postgres, duckdb)."),
    auth: says(credential, "The credential's alias, or a map that describes how to authenticate."),
    credential: says(credential, "The same as auth."),
    connection_string: says(templated, "Address of the database (postgres)."),
    host: says(templated, "The server (postgres)."),
    port: says(either(templated, { is: "number", whole: true, min: 1 }), "Its port (postgres)."),
    user: says(templated, "The user (postgres, nats)."),
    password: says(templated, "The password; better a credential (postgres, nats)."),
    database: says(templated, "The database's name, or its file (postgres, duckdb)."),
    db_path: says(templated, "The database's file (duckdb)."),
    schema: says(templated, "The schema that names without one belong to (postgres)."),
    pool: says(templatedData, "Settings of the connection pool (postgres)."),
    url: says(templated, "Address of the server (nats)."),
    token: says(templated, "A token to log in with; better a credential (nats)."),
    stream: says(templated, "The stream to take messages from (nats)."),
    consumer: says(templated, "The durable consumer's name; made where there is none (nats)."),
    subject: says(templated, "What a consumer that is made is to filter by (nats)."),
    options: {
      says: "How far the loop goes.",
      shape: {
        is: "record",
        noun: "cursor options",
        others: "warn",
        fields: {
          max_iterations: says(count, "Claims of one visit of the step (default 100,000)."),
        },
      },
    },
  },
};

const frame: RecordShape = {
  is: "record",
  noun: "loop.spec.frame",
  others: "refuse",
  fields: {
    max_rows: says(count, "Rows that one claim may give (default 1)."),
    max_seconds: says(seconds, "Seconds one claim may take (default 30)."),
    max_bytes: says(count, "Bytes that the rows of one claim may weigh (default 64 MiB)."),
    lease_seconds: says(seconds, "For the claim, as __frame_lease_seconds (default 120)."),
    heartbeat_seconds: says(seconds, "How often fetched messages are held on to (default 30)."),
    row_concurrency: says(count, "Rows of a frame that are worked on at once (default 1)."),
    process: {
      shape: oneOf("row", "frame"),
      says: "Whether the body runs once for each row (default) or once for the whole frame.",
    },
    max_attempts: says(count, "Times that a frame with failed rows runs in all (default 3)."),
    retry_mode: {
      shape: oneOf("whole_frame"),
      says: "What runs again when rows failed: all rows of the frame.",
    },
    verify_ipc: {
      shape: { is: "flag", orTemplate: true },
      ignored: "rows are not shared in memory",
      says: "Accepted, without effect.",
    },
  },
};

export const loop: RecordShape = {
  is: "record",
  noun: "loop",
  others: "refuse",
  older: {
    mode: "loop.spec.mode",
    max_in_flight: "loop.spec.max_in_flight",
    items: "in",
    collection: "in",
    element: "iterator",
    enumerate: "_index in the body",
  },
  fields: {
    in: {
      shape: templatedData,
      mayBeEmpty: true,
      says: "The items: a list, or what one is made of: a map, a text, a whole number, a template.",
    },
    cursor: {
      shape: cursor,
      says: "Where the rows are claimed that the loop goes through, instead of items.",
    },
    iterator: {
      shape: {
        is: "text",
        templates: "none",
        pattern: {
          source: "^[\\p{L}_][\\p{L}\\p{N}_]*$",
          says: "a name of letters, digits and _",
        },
      },
      required: true,
      says: "The name under which the body sees its item (also iter.NAME).",
    },
    spec: {
      says: "How the items run.",
      shape: {
        is: "record",
        noun: "loop.spec",
        others: "refuse",
        fields: {
          mode: {
            shape: oneOf("sequential", "parallel", "cursor"),
            says: "One item after the other (default), several at once, or rows of a cursor.",
          },
          max_in_flight: {
            shape: { is: "number", whole: true, min: 1, orTemplate: true },
            says:
              "How many items run at once in parallel mode, and how many frames of a cursor; " +
              "a whole number or a template.",
          },
          frame: { shape: frame, says: "What one claim of a cursor takes, and how it is run." },
          policy: { shape: dataMap, says: "Accepted for older playbooks, without effect." },
        },
      },
    },
  },
};
