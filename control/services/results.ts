// Values behind references: stored by digest under their execution, fetched by reference.

import { Externalizer, type Put } from "#core/engine/externalize";
import type { Event } from "#core/model/event";
import { Fault } from "#core/model/fault";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { resultBytesMax } from "#core/model/limits";
import type { ResultRef } from "#core/model/outcome";
import { type EventPlace, eventReference, parseEventReference } from "#core/model/references";
import type { ControlContext } from "./context.ts";

/** Stores any value, however small. @throws Fault `too_large`. */
export async function storeResult(
  context: ControlContext,
  id: ExecutionId,
  name: string,
  value: Json,
): Promise<ResultRef> {
  const { ref, text } = new Externalizer(id, context.sha256).put(name, value);
  if (ref.meta.bytes > resultBytesMax) {
    throw new Fault(
      "too_large",
      `result ${name} has ${ref.meta.bytes} bytes, expected at most ${resultBytesMax}`,
    );
  }
  await storePut(context, { ref, text });
  return ref;
}

export async function storePut(
  context: ControlContext,
  put: Pick<Put, "ref" | "text">,
): Promise<void> {
  await context.results.put({
    ref: put.ref.ref,
    bytes: new TextEncoder().encode(put.text),
    mediaType: put.ref.meta.media_type,
  });
}

/** @throws Fault `invalid` for text that is no reference, `not_found` when nothing is there. */
export async function fetchResult(context: ControlContext, ref: string): Promise<Json> {
  if (!ref.startsWith("noetl://")) {
    const found = JSON.stringify(ref.slice(0, 80));
    throw new Fault("invalid", `expected a reference that starts with noetl://, found ${found}`);
  }
  const place = parseEventReference(ref);
  const value = place === undefined ? await stored(context, ref) : await logged(context, place);
  if (value === undefined) throw new Fault("not_found", `nothing is stored under ${ref}`);
  return value;
}

/** Many at once; values of one execution's log are read in passing over it once. */
export async function fetchResults(
  context: ControlContext,
  refs: readonly string[],
): Promise<ReadonlyMap<string, Json>> {
  const found = new Map<string, Json>();
  const inLog = new Map<string, number[]>();
  for (const ref of refs) {
    const place = parseEventReference(ref);
    if (place === undefined) found.set(ref, await fetchResult(context, ref));
    else inLog.set(place.executionId, [...(inLog.get(place.executionId) ?? []), place.seq]);
  }
  for (const [id, seqs] of inLog) await readLog(context, executionId(id), { seqs, found });
  return found;
}

interface LogReading {
  readonly seqs: readonly number[];
  readonly found: Map<string, Json>;
}

const pageEvents = 1_000;

async function readLog(
  context: ControlContext,
  id: ExecutionId,
  { seqs, found }: LogReading,
): Promise<void> {
  const wanted = new Set(seqs);
  let after = Math.min(...seqs) - 1;
  for (const last = Math.max(...seqs); after < last; ) {
    const page = await context.log.events(id, after, Math.min(pageEvents, last - after));
    for (const { event } of page) {
      const data = wanted.has(event.seq) ? dataOf(event) : undefined;
      if (data !== undefined) found.set(eventReference(id, event.seq), data);
    }
    if (page.length === 0) break;
    after += page.length;
  }
  for (const seq of wanted) {
    const ref = eventReference(id, seq);
    if (!found.has(ref)) throw new Fault("not_found", `nothing is stored under ${ref}`);
  }
}

async function stored(context: ControlContext, ref: string): Promise<Json | undefined> {
  const found = await context.results.get(ref);
  if (found === undefined) return undefined;
  return JSON.parse(new TextDecoder().decode(found.bytes)) as Json;
}

async function logged(context: ControlContext, place: EventPlace): Promise<Json | undefined> {
  const [found] = await context.log.events(executionId(place.executionId), place.seq - 1, 1);
  return found === undefined ? undefined : dataOf(found.event);
}

/** The value that a reference to this event stands for. */
export function dataOf(event: Event): Json | undefined {
  switch (event.type) {
    case "call.done":
    case "call.error":
    case "wait.done":
      return event.output.data;
    default:
      return undefined;
  }
}
