// Counts and durations of what the log says, as series of VictoriaMetrics. What has been counted is
// kept with the position, so that a count only ever grows, whichever process goes on with it.

import { type Event, terminalStatus } from "#core/model/event";
import { exportSeriesMax } from "#core/model/export-limits";
import { isJsonObject, type Json } from "#core/model/json";
import { flatEvent } from "./flat-event.ts";
import { type Conversion, type ExportedEvent, type ExportSink, placeOf } from "./sink.ts";

/** Between two samples of a series, where there is more than one to tell. */
const sampleMs = 15_000;

interface Counts {
  readonly series: Map<string, number>;
  /** Of the last sample: samples never go back in time, whatever the events' order. */
  timeMs: number;
}

export function victoriaMetrics(url: string): ExportSink {
  return {
    name: "victoriametrics",
    place: placeOf(url),
    begin: (state) => counting(countsOf(state)),
    request: (items) => ({
      method: "POST",
      url: `${url.replace(/\/+$/, "")}/api/v1/import/prometheus`,
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      body: `${items.join("\n")}\n`,
    }),
  };
}

function counting(counts: Counts): Conversion {
  const lines = (events: readonly ExportedEvent[]): readonly string[] => {
    const told: string[] = [];
    const touched = new Set<string>();
    const tell = (): void => {
      for (const name of touched) told.push(`${name} ${counts.series.get(name)} ${counts.timeMs}`);
      touched.clear();
    };
    for (const each of events) {
      const timeMs = Math.max(counts.timeMs, each.event.time);
      if (Math.floor(timeMs / sampleMs) > Math.floor(counts.timeMs / sampleMs)) tell();
      counts.timeMs = timeMs;
      for (const [name, by] of countedBy(each)) touched.add(add(counts, name, by));
    }
    tell();
    return told;
  };
  return {
    items: async (events) => lines(events),
    state: () => ({ timeMs: counts.timeMs, series: Object.fromEntries(counts.series) }),
  };
}

/** Returns the name that it was counted under. */
function add({ series }: Counts, name: string, by: number): string {
  const isRoom = series.has(name) || series.size < exportSeriesMax;
  const own = isRoom ? name : `${name.slice(0, name.indexOf("{"))}{tenant="other"}`;
  series.set(own, (series.get(own) ?? 0) + by);
  return own;
}

function countedBy(told: ExportedEvent): readonly (readonly [series: string, by: number])[] {
  const { type, status, tenant, path, step, durationSeconds } = flatEvent(told);
  const ended = terminalStatus(told.event);
  const perStep = { tenant, path, step, status };
  return [
    [seriesName("noetl_log_events_total", { tenant, event_type: type, status }), 1],
    ...(ended === undefined
      ? []
      : ([
          [seriesName("noetl_log_executions_total", { tenant, path, status: ended }), 1],
        ] as const)),
    ...(isSettled(told.event)
      ? ([
          [seriesName("noetl_log_call_seconds_sum", perStep), durationSeconds],
          [seriesName("noetl_log_call_seconds_count", perStep), 1],
        ] as const)
      : []),
  ];
}

const isSettled = ({ type }: Event): boolean => type === "call.done" || type === "call.error";

function seriesName(name: string, labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return `${name}{${parts.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function countsOf(state: Json | undefined): Counts {
  const given = isJsonObject(state) ? state : {};
  const { timeMs, series } = given;
  const entries = Object.entries(isJsonObject(series) ? series : {});
  return {
    timeMs: typeof timeMs === "number" ? timeMs : 0,
    series: new Map(entries.flatMap(([name, value]) => [[name, Number(value)] as const])),
  };
}
