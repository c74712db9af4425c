// What keychains need every few minutes: entries that have run out go, and those of executions that
// have ended.

import type { Duty } from "#control/roles/system";
import { keychainPurgeRows } from "#core/model/keychain-limits";
import type { Stores } from "#core/ports/stores";

export function keychainDuties({
  keychain,
  log,
}: Pick<Stores, "keychain" | "log">): readonly Duty[] {
  return [
    {
      name: "keychain entries that have run out",
      run: () => keychain.purge(keychainPurgeRows),
    },
    { name: "keychain entries of ended executions", run: () => dropEnded(keychain, log) },
  ];
}

/** Looks at all that entries are bound to, a page at a time; returns how many entries went. */
async function dropEnded(
  keychain: Stores["keychain"],
  log: Pick<Stores["log"], "head">,
): Promise<number> {
  let removed = 0;
  let after = "";
  for (;;) {
    const page = await keychain.executions(after, keychainPurgeRows);
    for (const id of page) {
      const head = await log.head(id);
      if (head?.row.status === "running") continue;
      removed += await keychain.removeOf(id);
    }
    const last = page.at(-1);
    // Whoever comes back looks at all of them again: those that run stay the same.
    if (last === undefined || removed > 0) return removed;
    after = last;
  }
}
