// The places that the settings name, each with the role that tells it of the log.

import type { Role } from "#control/roles/lease";
import { endpointEmbedding, wordEmbedding } from "#control/search/embedding";
import { executionIndex } from "#control/search/index-executions";
import { qdrant } from "#control/search/qdrant";
import { type ExecutionSearch, executionSearch } from "#control/search/search";
import type { Sha256 } from "#core/model/codec";
import { metricsPushMs } from "#core/model/export-limits";
import { Fault, messageOf } from "#core/model/fault";
import type { Clock } from "#core/ports/clock";
import type { EventLog } from "#core/ports/event-log";
import type { Metrics } from "#core/ports/metrics";
import { metricsBody } from "#core/wire/otlp";
import { askOver } from "./ask.ts";
import { clickhouse } from "./clickhouse.ts";
import { type ExporterOptions, type ExporterPorts, exportRole } from "./exporter.ts";
import { otlpTraces } from "./otlp-traces.ts";
import type { ExportSettings } from "./settings.ts";
import type { ExportSink } from "./sink.ts";
import { victoriaLogs } from "./victorialogs.ts";
import { victoriaMetrics } from "./victoriametrics.ts";

export interface ExportRolesOptions extends Pick<ExporterOptions, "owner" | "report" | "share"> {
  readonly sha256: Sha256;
}

/** A role for each place whose address is set. */
export function exportRoles(
  ports: ExporterPorts,
  settings: Partial<ExportSettings>,
  options: ExportRolesOptions,
): readonly Role[] {
  const { sha256, ...common } = options;
  const { NOETL_EXPORT_FROM: from = "begin" } = settings;
  return sinksOf(settings, ports.log, sha256).map((sink) =>
    exportRole(ports, sink, { ...common, from }),
  );
}

export function sinksOf(
  settings: Partial<ExportSettings>,
  log: Pick<EventLog, "events">,
  sha256: Sha256,
): readonly ExportSink[] {
  const {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    NOETL_TRACES: traces = "on",
    NOETL_CLICKHOUSE_URL: clickhouseUrl,
    NOETL_CLICKHOUSE_DATABASE: database = "observability",
    NOETL_VICTORIAMETRICS_URL: metricsUrl,
    NOETL_VICTORIALOGS_URL: logsUrl,
  } = settings;
  const parts = searchParts(settings);
  return [
    ...(endpoint === undefined || traces === "off"
      ? []
      : [otlpTraces(log, { endpoint, ...collectorOf(settings), sha256 })]),
    ...(clickhouseUrl === undefined ? [] : [clickhouse({ url: clickhouseUrl, database })]),
    ...(metricsUrl === undefined ? [] : [victoriaMetrics(metricsUrl)]),
    ...(logsUrl === undefined ? [] : [victoriaLogs(logsUrl)]),
    ...(parts === undefined ? [] : [executionIndex(log, { ...parts, sha256 })]),
  ];
}

/** The search over what is kept in Qdrant; undefined where none is set. */
export function searchOf(settings: Partial<ExportSettings>): ExecutionSearch | undefined {
  const parts = searchParts(settings);
  return parts === undefined ? undefined : executionSearch(parts.qdrant, parts.embedding);
}

function searchParts(settings: Partial<ExportSettings>) {
  const {
    NOETL_QDRANT_URL: url,
    NOETL_QDRANT_KEY: key,
    NOETL_QDRANT_COLLECTION: collection = "noetl_executions",
    NOETL_EMBEDDING_URL: embeddingUrl,
    NOETL_EMBEDDING_KEY: embeddingKey,
    NOETL_EMBEDDING_MODEL: model,
  } = settings;
  if (url === undefined) return undefined;
  const given = {
    ...(embeddingKey === undefined ? {} : { key: embeddingKey }),
    ...(model === undefined ? {} : { model }),
  };
  return {
    qdrant: qdrant({ url, collection, ...(key === undefined ? {} : { key }) }),
    embedding:
      embeddingUrl === undefined
        ? wordEmbedding()
        : endpointEmbedding({ url: embeddingUrl, ...given }),
  };
}

function collectorOf(settings: Partial<ExportSettings>) {
  const { OTEL_EXPORTER_OTLP_HEADERS: given = "", OTEL_SERVICE_NAME: serviceName = "noetl" } =
    settings;
  const pairs = given.split(",").flatMap((part) => {
    const at = part.indexOf("=");
    const name = part.slice(0, Math.max(at, 0)).trim();
    return name === "" ? [] : [[name, decoded(part.slice(at + 1).trim())] as const];
  });
  return { serviceName, headers: Object.fromEntries(pairs) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Fault(
      "invalid",
      "OTEL_EXPORTER_OTLP_HEADERS: expected values encoded as in addresses",
    );
  }
}

export interface MetricsPush {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly report: (message: string) => void;
  /** This process, unlike any other. */
  readonly owner: string;
}

/** Sends this process's numbers to the collector every few seconds; a push that fails is not made up for. */
export function metricsPush(
  settings: Partial<ExportSettings>,
  { metrics, clock, report, owner }: MetricsPush,
): Role | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = settings;
  if (endpoint === undefined) return undefined;
  const { headers, serviceName } = collectorOf(settings);
  const resource = { "service.name": serviceName, "service.instance.id": owner };
  const startMs = clock.nowMs();
  const stopping = new AbortController();
  const ask = askOver({ signal: stopping.signal });
  const push = async (): Promise<void> => {
    const { status } = await ask({
      method: "POST",
      url: `${endpoint.replace(/\/+$/, "")}/v1/metrics`,
      headers: { "content-type": "application/json", ...headers },
      body: metricsBody(metrics.snapshot(), { startMs, nowMs: clock.nowMs(), resource }),
    });
    if (status >= 300)
      throw new Fault("unavailable", `the collector answered with status ${status}`);
  };
  const run = async (): Promise<void> => {
    for (let hasFailed = false; !stopping.signal.aborted; ) {
      await clock.sleep(metricsPushMs, stopping.signal);
      if (stopping.signal.aborted) return;
      await push().then(
        () => {
          hasFailed = false;
        },
        (thrown: unknown) => {
          if (!hasFailed && !stopping.signal.aborted) report(`metrics push: ${messageOf(thrown)}`);
          hasFailed = true;
        },
      );
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
