// Settings of the control plane's part `export`: each place that the log is told to is on when its
// address is set.

import { type } from "arktype";
import { address, either, type Settings, type SettingValues, text } from "#core/model/settings";

const onOff = either("on", "off");
const identifier = type("/^[A-Za-z_][A-Za-z0-9_]{0,62}$/").describe("a name");

/** Names of headers and their values, as `name=value` with commas between them. */
const headerPairs = type("string").narrow(
  (given, context) =>
    given
      .split(",")
      .every((part) => /^\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+\s*=[\x20-\x7e]*$/.test(part)) ||
    context.mustBe("headers as name=value with commas between them"),
);

export const exportSettings = {
  NOETL_EXPORT_FROM: {
    shape: either("begin", "now"),
    default: "begin",
    text: "Where an export starts that has never run: at the log's beginning, or with what comes from now on.",
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    shape: address,
    text: "A collector of OTLP over HTTP: `http://collector:4318`. It is sent executions as traces, and metrics.",
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    shape: headerPairs,
    secret: true,
    text: "Headers for the collector: `name=value` with commas between them, values encoded as in addresses.",
  },
  OTEL_SERVICE_NAME: {
    shape: text,
    default: "noetl",
    text: "The name under which traces and metrics are sent.",
  },
  NOETL_TRACES: {
    shape: onOff,
    default: "on",
    text: "Whether executions are sent to the collector as traces.",
  },
  NOETL_CLICKHOUSE_URL: {
    shape: address,
    secret: true,
    text: "ClickHouse over HTTP, `http://user:password@host:8123`: events are written to it.",
  },
  NOETL_CLICKHOUSE_DATABASE: {
    shape: identifier,
    default: "observability",
    text: "The database in ClickHouse that the tables are made in.",
  },
  NOETL_VICTORIAMETRICS_URL: {
    shape: address,
    secret: true,
    text: "VictoriaMetrics: `http://host:8428`. Counts and durations of steps and executions are written to it.",
  },
  NOETL_VICTORIALOGS_URL: {
    shape: address,
    secret: true,
    text: "VictoriaLogs: `http://host:9428`. Events are written to it as log lines, without their data.",
  },
  NOETL_QDRANT_URL: {
    shape: address,
    secret: true,
    text: "Qdrant: `http://host:6333`. Ended executions are kept in it for the search.",
  },
  NOETL_QDRANT_KEY: { shape: text, secret: true, text: "What Qdrant wants as `api-key`." },
  NOETL_QDRANT_COLLECTION: {
    shape: identifier,
    default: "noetl_executions",
    text: "The collection in Qdrant that executions are kept in.",
  },
  NOETL_EMBEDDING_URL: {
    shape: address,
    text: "Turns texts into vectors, `https://host/v1/embeddings`; without it the search goes by words.",
  },
  NOETL_EMBEDDING_KEY: {
    shape: text,
    secret: true,
    text: "What that endpoint is shown as a bearer token.",
  },
  NOETL_EMBEDDING_MODEL: { shape: text, text: "The model that the endpoint is asked for." },
} as const satisfies Settings;

export type ExportSettings = SettingValues<typeof exportSettings>;
