// Values behind references: stored by digest under their execution, fetched by reference.

import { Externalizer, type Put } from "#core/engine/externalize";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { resultBytesMax } from "#core/model/limits";
import type { ResultRef } from "#core/model/outcome";
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
    throw new Fault("too_large", `result ${name} has ${ref.meta.bytes} bytes, expected at most ${resultBytesMax}`);
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
    throw new Fault("invalid", `expected a reference that starts with noetl://, found ${ref.slice(0, 80)}`);
  }
  const stored = await context.results.get(ref);
  if (stored === undefined) throw new Fault("not_found", `nothing is stored under ${ref}`);
  return JSON.parse(new TextDecoder().decode(stored.bytes)) as Json;
}

