// Quantities as clusters write them (`500m`, `1Gi`), for runtimes that want numbers.

import type { Json, JsonObject } from "#core/model/json";
import { configFailure, objectField, scalarText } from "./call-config.ts";

const scales: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** `--memory` in bytes and `--cpus`, of `resources: {limits: {memory, cpu}}`; nothing else holds. */
export function resourceFlags(resources: JsonObject | undefined): readonly string[] {
  if (resources === undefined) return [];
  const limits = objectField(resources, "limits")?.value ?? {};
  const memory = quantity(limits.memory, "resources.limits.memory");
  const cpu = quantity(limits.cpu, "resources.limits.cpu");
  return [
    ...(memory === undefined ? [] : ["--memory", String(Math.floor(memory))]),
    ...(cpu === undefined ? [] : ["--cpus", String(Number(cpu.toFixed(3)))]),
  ];
}

function quantity(given: Json | undefined, name: string): number | undefined {
  if (given === undefined || given === null || given === "") return undefined;
  const [, digits = "", unit = ""] =
    /^([0-9]+(?:\.[0-9]+)?(?:[eE][0-9]+)?)([A-Za-z]*)$/.exec(scalarText(given) ?? "") ?? [];
  const scale = Object.hasOwn(scales, unit) ? scales[unit] : undefined;
  const amount = Number(digits) * (scale ?? Number.NaN);
  if (digits !== "" && amount > 0 && Number.isFinite(amount)) return amount;
  throw configFailure(`${name}: expected a quantity like 500m or 1Gi`);
}
