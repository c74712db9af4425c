// What a mock gives, with its templates filled from the call: input, config, step, visit, item and
// call. Each mock is compiled once.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import type { MockDocument } from "#core/playbook/test-document";
import { type CompiledValue, compileValue, renderValue } from "#core/playbook/value";
import type { ToolCall } from "./test-calls.ts";

export interface RenderedCall {
  readonly call: ToolCall;
  /** The tool's fields, rendered. */
  readonly config: JsonObject;
  /** Which call of the mock it is, from 1. */
  readonly count: number;
  readonly nowMs: number;
}

/** @throws (from the function it gives) TemplateRuntimeError. */
export function mockRenderer() {
  const compiled = new Map<MockDocument, CompiledValue>();
  return (mock: MockDocument, source: Json, of: RenderedCall): Json => {
    const known = compiled.get(mock) ?? compileValue(source);
    compiled.set(mock, known);
    const names = namesOf(of);
    const scope = { get: (name: string) => names.get(name) };
    // Templates make JSON of JSON; only "nothing" has no word there.
    return (renderValue(known, scope, { nowMs: of.nowMs }) ?? null) as Json;
  };
}

function namesOf({ call, config, count }: RenderedCall): ReadonlyMap<string, Json> {
  const given = isJsonObject(config.input) ? config.input : {};
  // A whole sub-playbook is given its workload.
  const input = call.task === undefined ? given.workload : given;
  return new Map<string, Json>([
    ["input", isJsonObject(input) ? input : {}],
    ["config", config],
    ["step", call.step],
    ["visit", call.visit ?? null],
    ["item", call.item ?? null],
    ["call", count],
  ]);
}
