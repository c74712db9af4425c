// Ended executions as points of the search: what is said of each is its path, how it ended, its
// steps, its errors and how long it took; never what it worked on.

import { askOver } from "#control/export/ask";
import type { Ask, ExportedEvent, ExportSink } from "#control/export/sink";
import type { Sha256 } from "#core/model/codec";
import { type Event, type ExecutionStatus, terminalStatus } from "#core/model/event";
import {
  embeddingCharsMax,
  exportLogPageMax,
  exportMessageCharsMax,
} from "#core/model/export-limits";
import type { ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import type { EventLog } from "#core/ports/event-log";
import type { Embedding } from "./embedding.ts";
import type { Qdrant } from "./qdrant.ts";

export interface IndexOptions {
  readonly qdrant: Qdrant;
  readonly embedding: Embedding;
  readonly sha256: Sha256;
}

/** Events of one execution that are looked at; what comes after says little that is new. */
const eventsMax = 5_000;
/** Vectors of a request. */
const vectorsCharsMax = 64_000_000;

export function executionIndex(log: Pick<EventLog, "events">, options: IndexOptions): ExportSink {
  const { qdrant, embedding, sha256 } = options;
  const asking = (signal?: AbortSignal): Ask =>
    askOver({ answerCharsMax: vectorsCharsMax, ...(signal === undefined ? {} : { signal }) });
  return {
    name: "search",
    place: `${qdrant.place} ${embedding.model}`,
    prepare: async (ask) => {
      const [vector = []] = await embedding.vectors(["noetl"], asking());
      await qdrant.ensure(ask, vector.length);
    },
    begin: (_state, ended) => ({
      items: async (events) => {
        const summaries: Summary[] = [];
        for (const told of events) {
          const status = terminalStatus(told.event);
          if (status !== undefined) summaries.push(await summaryOf(log, told, status));
        }
        const texts = summaries.map(textOf);
        const vectors = texts.length === 0 ? [] : await embedding.vectors(texts, asking(ended));
        return summaries.map((summary, at) => {
          const id = pointId(summary.payload["execution_id"] as string, sha256);
          return JSON.stringify({ id, vector: vectors[at], payload: summary.payload });
        });
      },
    }),
    request: (items) => qdrant.upsert(items),
  };
}

/** The same for an execution whenever it is told: a point that is written twice is one. */
function pointId(id: string, sha256: Sha256): string {
  const hex = sha256(`noetl execution ${id}`);
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`];
  return [...parts, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}

interface Summary {
  readonly payload: JsonObject;
  readonly steps: readonly string[];
  readonly errors: readonly string[];
  readonly seconds: number;
}

async function summaryOf(
  log: Pick<EventLog, "events">,
  { event, tenant, path, version }: ExportedEvent,
  status: Exclude<ExecutionStatus, "running">,
): Promise<Summary> {
  const steps = new Set<string>();
  const failed = new Set<string>();
  const errors = new Set<string>();
  let startedMs = event.time;
  for await (const each of eventsOf(log, event.execution_id)) {
    if (each.seq === 1) startedMs = each.time;
    if (each.type === "step.enter") steps.add(each.step);
    if (each.type === "step.exit" && each.status === "failed") failed.add(each.step);
    const message = messageIn(each);
    if (message !== undefined && errors.size < 20) errors.add(message);
  }
  const error = event.type === "playbook.failed" ? event.error.message : undefined;
  return {
    payload: {
      execution_id: event.execution_id,
      tenant,
      path,
      version,
      status,
      started_at: new Date(startedMs).toISOString(),
      ended_at: new Date(event.time).toISOString(),
      failed_steps: [...failed].slice(0, 100),
      error: error === undefined ? null : cut(error),
    },
    steps: [...steps],
    errors: [...errors],
    seconds: Math.max(0, event.time - startedMs) / 1_000,
  };
}

async function* eventsOf(
  log: Pick<EventLog, "events">,
  id: ExecutionId,
): AsyncGenerator<Event, void> {
  for (let after = 0; after < eventsMax; ) {
    const page = await log.events(id, after, exportLogPageMax);
    for (const { event } of page) yield event;
    if (page.length < exportLogPageMax) return;
    after += page.length;
  }
}

function messageIn(event: Event): string | undefined {
  if ("error" in event && event.error !== undefined) return cut(event.error.message);
  if (event.type !== "call.error") return undefined;
  const { error } = event.output;
  return error === undefined ? undefined : cut(`${error.kind} ${error.message}`);
}

function textOf({ payload, steps, errors, seconds }: Summary): string {
  const failed = payload["failed_steps"] as readonly string[];
  const parts = [
    `playbook ${payload["path"]}`,
    `status ${payload["status"]}`,
    failed.length === 0 ? "" : `failed steps ${failed.join(", ")}`,
    ...errors.map((error) => `error ${error}`),
    `steps ${steps.join(", ")}`,
    `took ${seconds.toFixed(1)} seconds`,
  ];
  return parts
    .filter((part) => part !== "")
    .join("\n")
    .slice(0, embeddingCharsMax)
    .toWellFormed();
}

const cut = (text: string): string => text.slice(0, exportMessageCharsMax).toWellFormed();
