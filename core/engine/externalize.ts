// Values too large to carry in an event are stored by digest and referenced (DESIGN §4): pure,
// so the puts are named here and made by the caller, before the append.

import type { Sha256 } from "#core/model/codec";
import type { ArcTaken, Event, SetValues, StepEnter } from "#core/model/event";
import type { ExecutionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import { inlineBytesMax } from "#core/model/limits";
import type { Output, ResultRef } from "#core/model/outcome";
import { resultReference } from "#core/model/references";
import { summarise } from "#core/model/summary";

export interface Put {
  readonly ref: ResultRef;
  readonly value: Json;
  /** The value encoded as JSON; what the store keeps. */
  readonly text: string;
}

export class Externalizer {
  readonly puts: Put[] = [];

  constructor(
    readonly executionId: ExecutionId,
    readonly sha256: Sha256,
  ) {}

  /** The reference that is to stand for the value, or undefined if it is small enough. */
  refFor(name: string, value: Json | undefined): ResultRef | undefined {
    if (value === undefined || value === null || typeof value !== "object") {
      if (typeof value !== "string" || value.length <= inlineBytesMax) return undefined;
    }
    const text = JSON.stringify(value);
    if (text.length <= inlineBytesMax) return undefined;
    return this.#reference(name, value as Json, text).ref;
  }

  /** The value's reference, whatever its size. */
  put(name: string, value: Json): Put {
    return this.#reference(name, value, JSON.stringify(value));
  }

  #reference(name: string, value: Json, text: string): Put {
    const sha256 = this.sha256(text);
    const ref: ResultRef = {
      kind: "result_ref",
      ref: resultReference(this.executionId, name, sha256),
      store: "db",
      scope: "execution",
      meta: { bytes: utf8Bytes(text), sha256, media_type: "application/json" },
      extracted: summarise(value),
    };
    const put: Put = { ref, value, text };
    this.puts.push(put);
    return put;
  }

  output(name: string, output: Output): Output {
    const ref = this.refFor(name, output.data);
    const tasksRef = this.refFor(`${name}.tasks`, output.tasks);
    const { data, tasks, ...rest } = output;
    return {
      ...rest,
      ...(ref === undefined ? (data === undefined ? {} : { data }) : { ref }),
      ...(tasksRef === undefined
        ? tasks === undefined
          ? {}
          : { tasks }
        : { tasks_ref: tasksRef }),
    };
  }

  set(values: SetValues): SetValues {
    const set: Record<string, Json> = {};
    const refs: Record<string, ResultRef> = { ...values.set_refs };
    for (const [key, value] of Object.entries(values.set ?? {})) {
      const ref = this.refFor(`set.${key}`, value);
      if (ref === undefined) set[key] = value;
      else refs[key] = ref;
    }
    return {
      ...(values.set === undefined ? {} : { set }),
      ...(Object.keys(refs).length === 0 ? {} : { set_refs: refs }),
    };
  }
}

function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

export interface Externalized {
  readonly event: { readonly value: Event; readonly text: string };
  readonly puts: readonly Put[];
}

/** @param text the event as encoded: a short one has no large value, and costs no look. */
export function externalize(event: Event, text: string, sha256: Sha256): Externalized {
  if (text.length <= inlineBytesMax) return { event: { value: event, text }, puts: [] };
  const out = new Externalizer(event.execution_id, sha256);
  const value = replaceLarge(event, out);
  return { event: { value, text }, puts: out.puts };
}

/** Moves `value` out of the event under `<field>_ref`, if it is large. */
function moved<Field extends string>(
  out: Externalizer,
  event: Event,
  move: { readonly field: Field; readonly name: string; readonly value: Json | undefined },
): Event {
  const ref = out.refFor(move.name, move.value);
  if (ref === undefined) return event;
  const rest: Record<string, unknown> = { ...event, [`${move.field}_ref`]: ref };
  delete rest[move.field];
  return rest as unknown as Event;
}

function replaceLarge(event: Event, out: Externalizer): Event {
  switch (event.type) {
    case "playbook.started":
    case "child.started":
      return moved(out, event, { field: "workload", name: "workload", value: event.workload });
    case "command.issued": {
      const value = event.input as JsonObject | undefined;
      return moved(out, event, { field: "input", name: `${event.step}.input`, value });
    }
    case "loop.done":
      return moved(out, event, {
        field: "results",
        name: `${event.step}.results`,
        value: event.results,
      });
    case "playbook.completed":
    case "playbook.failed":
    case "child.done":
      return moved(out, event, { field: "result", name: "result", value: event.result });
    case "step.enter":
      return withoutItems(event, out);
    case "call.done":
    case "call.error":
      return {
        ...withoutSet(event),
        output: out.output("output", event.output),
        ...out.set(event),
      };
    case "wait.done":
      return { ...event, output: out.output("output", event.output) };
    case "event.emitted":
      return moved(out, event, { field: "data", name: event.name, value: event.data });
    case "cursor.claimed":
      return moved(out, event, { field: "rows", name: `${event.step}.rows`, value: event.rows });
    case "step.skipped":
      if (event.taken === undefined) return event;
      return { ...event, taken: takenArcs(event.taken, out) };
    case "step.exit":
      return { ...withoutSet(event), taken: takenArcs(event.taken, out), ...out.set(event) };
    case "vars.set":
      return { ...withoutSet(event), ...out.set(event) };
    default:
      return event;
  }
}

function withoutItems<Entered extends StepEnter>(event: Entered, out: Externalizer): Entered {
  const ref = out.refFor(`${event.step}.items`, event.loop?.items);
  if (ref === undefined || event.loop === undefined) return event;
  const { items: _items, ...loop } = event.loop;
  return { ...event, loop: { ...loop, items_ref: ref } };
}

function takenArcs(taken: readonly ArcTaken[], out: Externalizer): readonly ArcTaken[] {
  return taken.map((arc) => ({ to: arc.to, ...out.set(arc) }));
}

function withoutSet<Values extends SetValues>(event: Values): Omit<Values, "set" | "set_refs"> {
  const { set: _set, set_refs: _refs, ...rest } = event;
  return rest;
}
