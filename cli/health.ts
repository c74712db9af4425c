// `noetl health`: whether the process beside this one is well, for containers that ask every few
// seconds. A control plane answers on its port, a worker on its health port.

import { controlSettings } from "#control/config";
import { readSettings } from "#core/adapters/configuration";
import { messageOf } from "#core/model/fault";
import { workerSettings } from "#worker/config";
import type { Arguments } from "./arguments.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";

const answerMs = 2_000;

/** @returns 0 as soon as one of the addresses says that it is well. */
export async function health({ operands }: Arguments): Promise<number> {
  const addresses = operands.length > 0 ? operands.map(withPath) : ownAddresses();
  const problems: string[] = [];
  for (const address of addresses) {
    const problem = await problemOf(address);
    if (problem === undefined) return exitOk;
    problems.push(`${address}: ${problem}`);
  }
  for (const problem of problems) console.error(problem);
  return exitFailed;
}

/** The address of a control plane alone will do. */
function withPath(address: string): string {
  const isBare = URL.canParse(address) && new URL(address).pathname === "/";
  return isBare ? new URL("/api/health", address).href : address;
}

function ownAddresses(): readonly string[] {
  const { NOETL_PORT: port } = readSettings(controlSettings).values;
  const { NOETL_HEALTH_PORT: healthPort } = readSettings(workerSettings).values;
  return [
    `http://127.0.0.1:${port}/api/health`,
    ...(healthPort === undefined ? [] : [`http://127.0.0.1:${healthPort}/healthz`]),
  ];
}

async function problemOf(address: string): Promise<string | undefined> {
  try {
    const { status } = await fetch(address, { signal: AbortSignal.timeout(answerMs) });
    return status === 200 ? undefined : `answered ${status}`;
  } catch (thrown) {
    return messageOf(thrown);
  }
}
