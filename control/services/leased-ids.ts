// Ids of a replica: minted with a machine id that is leased from the database. A replica that can't
// renew its lease in time, a stalled one above all, mints nothing until it holds an id again: two
// processes never mint with one machine id.

import { Fault } from "#core/model/fault";
import type { EventId } from "#core/model/ids";
import { clockSkewMsMax, machineLeaseMs } from "#core/model/limits";
import type { Clock, IdMint } from "#core/ports/clock";
import type { RuntimeRegistry } from "#core/ports/runtime-registry";

export interface LeasedIdsOptions {
  readonly registry: Pick<RuntimeRegistry, "leaseMachineId" | "renewMachineId" | "returnMachineId">;
  readonly clock: Pick<Clock, "nowMs">;
  /** The process's own; no other process has it. */
  readonly name: string;
  /** A mint that uses this machine id. */
  readonly mint: (machineId: number) => IdMint;
}

export interface LeasedIds {
  /** @throws (from its calls) Fault `unavailable` while no machine id is surely held. */
  readonly ids: IdMint;
  machineId(): number;
  /** Holds on to the machine id, or takes another when it was lost. */
  renew(): Promise<void>;
  /** Nothing is minted from here on. */
  giveBack(): Promise<void>;
}

interface Held {
  readonly machineId: number;
  readonly mint: IdMint;
  /** When the lease was asked for: the database granted it later than that. */
  readonly sinceMs: number;
}

/** Takes a machine id. @throws Fault `unavailable` when there is none, or no database. */
export async function leasedIds(options: LeasedIdsOptions): Promise<LeasedIds> {
  const { registry, clock, name, mint } = options;
  /** The largest id given out, by whichever machine id. */
  let last: EventId | undefined;

  const take = async (): Promise<Held> => {
    const sinceMs = clock.nowMs();
    const machineId = await registry.leaseMachineId(name);
    const fresh = mint(machineId);
    // Ids go on growing where the mint before it had got ahead of the clock.
    if (last !== undefined) fresh.eventId(last);
    return { machineId, mint: fresh, sinceMs };
  };

  let held: Held | undefined = await take();
  let lastMachineId = held.machineId;

  /** A clock set back to long before the lease can't tell how old the lease is. */
  const minting = (): IdMint => {
    const nowMs = clock.nowMs();
    const isHeld =
      held !== undefined &&
      nowMs >= held.sinceMs - clockSkewMsMax &&
      nowMs < held.sinceMs + machineLeaseMs;
    if (held !== undefined && isHeld) return held.mint;
    throw new Fault("unavailable", `replica ${name} holds no machine id, and mints no ids`);
  };

  const given = <Id extends string>(id: Id): Id => {
    // All of them are numbers of one kind; only the brands differ.
    last = id as string as EventId;
    return id;
  };

  return {
    ids: {
      executionId: () => given(minting().executionId()),
      eventId: (after) => given(minting().eventId(after)),
      catalogId: () => given(minting().catalogId()),
    },
    machineId: () => lastMachineId,
    renew: async () => {
      const sinceMs = clock.nowMs();
      const before = held;
      if (before !== undefined && (await registry.renewMachineId(name, before.machineId))) {
        held = { ...before, sinceMs };
        return;
      }
      held = undefined;
      held = await take();
      lastMachineId = held.machineId;
    },
    giveBack: async () => {
      held = undefined;
      await registry.returnMachineId(name);
    },
  };
}
