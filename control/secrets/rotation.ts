// Sealing anew what older keys have sealed. Any number of replicas may be at it, and what is written
// meanwhile stays: a row is replaced only if it is still the one that was opened.

import { messageOf } from "#core/model/fault";
import { resealedAtOnceMax } from "#core/model/secret-limits";
import type { CredentialRow, CredentialStore } from "#core/ports/credential-store";
import type { Seals } from "#core/ports/seals";
import { rowCacheOf } from "./row-cache.ts";
import { headerOf } from "./sealed.ts";

export interface RotationPorts {
  readonly vault: CredentialStore;
  readonly seals: Seals;
  readonly nowMs: () => number;
  /** Told of rows that can't be opened; the others are done. */
  readonly report: (message: string) => void;
}

export interface Rotated {
  readonly current: string;
  readonly resealed: number;
  /** What other keys than the current one have sealed still. */
  readonly left: number;
}

/** From the first row to the last, and again while that helps: others may write with older keys. */
export async function rotateAll(ports: RotationPorts): Promise<Rotated> {
  let resealed = 0;
  for (;;) {
    const done = await oneRound(ports);
    resealed += done;
    const left = await leftBy(ports);
    if (left === 0 || done === 0) return { current: ports.seals.current, resealed, left };
  }
}

async function oneRound(ports: RotationPorts): Promise<number> {
  const step = rotationSteps(ports);
  let resealed = 0;
  for (;;) {
    const { looked, done } = await step();
    if (looked === 0) return resealed;
    resealed += done;
  }
}

interface Step {
  readonly looked: number;
  readonly done: number;
}

/** Each call does one piece of a round; one that has looked at nothing has ended it. */
export function rotationSteps(ports: RotationPorts): () => Promise<Step> {
  const { vault, seals, nowMs, report } = ports;
  let after: string | undefined;
  return async () => {
    const rows = await vault.oldKeys(seals.current, resealedAtOnceMax, after);
    after = rows.at(-1)?.credentialId;
    const failures: string[] = [];
    let done = 0;
    for (const row of rows) {
      const result = await resealed(row, ports);
      if (result === true) done += 1;
      else if (result !== false) failures.push(result);
    }
    const [first] = failures;
    if (first !== undefined) {
      report(`${failures.length} credentials were not sealed anew, the first because ${first}`);
    }
    if (done > 0) rowCacheOf(vault, nowMs).forget();
    return { looked: rows.length, done };
  };
}

/** False for one that was changed meanwhile; a text says why one can't be opened. */
async function resealed(
  row: CredentialRow,
  { vault, seals }: RotationPorts,
): Promise<boolean | string> {
  const { credentialId, revision, tenant, name } = row;
  const place = { kind: "credential", tenant, name } as const;
  let text: string;
  try {
    text = await seals.open(row.sealed, place);
  } catch (thrown) {
    return messageOf(thrown);
  }
  const sealed = await seals.seal(text, place);
  return await vault.reseal({ credentialId, revision, sealed, kid: headerOf(sealed).kid });
}

async function leftBy({ vault, seals }: RotationPorts): Promise<number> {
  const counts = Object.entries(await vault.countsByKey());
  return counts.reduce((sum, [kid, count]) => (kid === seals.current ? sum : sum + count), 0);
}
