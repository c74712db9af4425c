// Ends a running statement on the server: from a second connection, since the first one listens
// to nothing until its statement is over.

import { postgresCancelMs } from "#core/model/limits";
import type { Deadline } from "./call-config.ts";
import { cutShort } from "./cut-short.ts";
import type { PostgresPools } from "./postgres-pool.ts";
import type { PostgresTarget } from "./postgres-target.ts";

/** Cancels at most once; a connection on which it did must not be used again. */
export interface Canceller {
  /** Tells which server process to cancel; one that should have been cancelled is at once. */
  aim(backend: number): void;
  /** True once the session is open: from then on statements may have run. */
  isAimed(): boolean;
  cancel(): void;
  wasUsed(): boolean;
  /** The result of `work`, or a rejection if it does not end in time after the cancel. */
  bounded<Result>(work: Promise<Result>): Promise<Result>;
  /** Resolves when no cancel is under way any more. */
  settled(): Promise<void>;
}

export function canceller(
  pools: PostgresPools,
  target: PostgresTarget,
  deadline: Deadline,
): Canceller {
  let backend: number | undefined;
  let wanted = false;
  let cancelling: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const { cut, bounded } = cutShort();
  const cancel = () => {
    if (!wanted) {
      wanted = true;
      timer = setTimeout(() => cut(new Error("cancel timed out")), postgresCancelMs);
    }
    if (backend !== undefined) cancelling ??= cancelBackend(pools, target, backend);
  };
  if (deadline.signal.aborted) cancel();
  deadline.signal.addEventListener("abort", cancel, { once: true });
  return {
    aim: (pid) => {
      backend = pid;
      if (wanted) cancel();
    },
    isAimed: () => backend !== undefined,
    cancel,
    wasUsed: () => wanted,
    bounded,
    settled: async () => {
      deadline.signal.removeEventListener("abort", cancel);
      clearTimeout(timer);
      await cancelling;
    },
  };
}

async function cancelBackend(
  pools: PostgresPools,
  target: PostgresTarget,
  backend: number,
): Promise<void> {
  const cancelled = async () => {
    const client = await pools.connect(target);
    try {
      await client.query("SELECT pg_cancel_backend($1)", [backend]);
    } finally {
      await client.end();
    }
  };
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, postgresCancelMs);
  // A server out of reach cannot be told; closing the call's own connection is all that is left.
  await Promise.race([cancelled().catch(() => undefined), late]);
  clearTimeout(timer);
}
