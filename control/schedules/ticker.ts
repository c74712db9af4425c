// Starts what schedules say, when they say it.

import type { RoleOptions } from "#control/roles/lease";
import type { Executions } from "#control/services/executions";

export type TickerOptions = Pick<RoleOptions, "owner" | "report">;

/** Resolves its `stop` when nothing is being started any more. */
export function ticker(_executions: Executions, _options: TickerOptions) {
  return { stop: async () => {} };
}
