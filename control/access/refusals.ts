// Writes down who was known and not let in where only few are: at most so many a second of one
// person, because whoever asks in a loop is no news.

import { BoundedCache } from "#control/services/bounded-cache";
import type { ControlContext } from "#control/services/context";
import type { Principal } from "#core/model/access";
import { refusalsAuditedPerSecond, refusersKeptMax } from "#core/model/access-limits";
import type { AccessRule, Route } from "#core/wire/route";
import { rulesOf } from "./admission.ts";
import { auditedSoon } from "./audit.ts";

interface Counted {
  readonly second: number;
  readonly count: number;
}

/** Rules that let in few enough for their refusals to be news. */
const narrow: ReadonlySet<AccessRule> = new Set(["editor", "admin", "platform", "machine"]);

export function refusalsAudited(
  context: Pick<ControlContext, "audit" | "report" | "clock">,
): (principal: Principal, entry: Route) => void {
  const counts = new BoundedCache<string, Counted>(refusersKeptMax);
  return (principal, entry) => {
    if (principal.kind !== "person" || !rulesOf(entry).every((rule) => narrow.has(rule))) return;
    const second = Math.floor(context.clock.nowMs() / 1000);
    const known = counts.get(principal.subject);
    const count = known?.second === second ? known.count + 1 : 1;
    counts.set(principal.subject, { second, count });
    if (count > refusalsAuditedPerSecond) return;
    void auditedSoon(context, principal, {
      action: "request.refuse",
      object: `route/${entry.method} ${entry.path}`,
      outcome: "refused",
      about: { role: principal.role },
    });
  };
}
