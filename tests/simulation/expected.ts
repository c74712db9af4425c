// How executions end when nothing goes wrong: by playbook and workload, from a world without faults.

import { running, type StoreRecord } from "./record.ts";

export interface Ending {
  readonly status: string;
  /** The result and the failed steps as text, with ids taken out. */
  readonly result: string;
}

/** What tells executions apart that may end in different ways. */
export function wishKey(record: StoreRecord, id: Parameters<StoreRecord["texts"]>[0]): string {
  const first = JSON.parse(record.texts(id)[0] ?? "{}") as {
    readonly path?: string;
    readonly workload?: unknown;
  };
  return `${first.path} ${JSON.stringify(first.workload ?? {})}`;
}

const anyId = /\b\d{15,20}\b/g;

/** How an execution has ended. */
export function endingOf(record: StoreRecord, id: Parameters<StoreRecord["texts"]>[0]): Ending {
  const status = record.states.get(id)?.status ?? "unknown";
  const last = JSON.parse(record.texts(id).at(-1) ?? "{}") as {
    readonly result?: unknown;
    readonly result_ref?: { readonly meta?: { readonly sha256?: string } };
    readonly failed_steps?: readonly string[];
  };
  const { result = null, result_ref: ref, failed_steps: failed = [] } = last;
  const shown = ref === undefined ? result : (ref.meta?.sha256 ?? "reference");
  const text = JSON.stringify({ shown, failed: [...failed].sort() });
  return { status, result: text.replace(anyId, "#") };
}

/** The endings of a world in which everything has ended. */
export function endings(record: StoreRecord): ReadonlyMap<string, Ending> {
  const open = running(record);
  if (open.length > 0) throw new Error(`expected all to have ended, found ${open.length} running`);
  return new Map(
    [...record.states.keys()].map((id) => [wishKey(record, id), endingOf(record, id)]),
  );
}
