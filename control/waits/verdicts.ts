// What became of an answer, as whoever gave it is told.

import type { AnswerVerdict } from "#control/services/waits";
import { Fault, unreachable } from "#core/model/fault";
import { earlyAnswersMax } from "#core/model/flow-limits";
import type { ExecutionId } from "#core/model/ids";

export type AnswerStatus = "accepted" | "duplicate" | "accepted_stale";

/**
 * @param what is answered: `a callback`, `an approval`.
 * @throws Fault `not_found` for an unknown execution or key, `limited` where no answer is kept any
 * more, `conflict` for a key under which something else is waited for, `forbidden`.
 */
export function answerStatus(verdict: AnswerVerdict, id: ExecutionId, what: string): AnswerStatus {
  switch (verdict) {
    case "accepted":
    case "duplicate":
      return verdict;
    case "ended":
      return "accepted_stale";
    case "unknown":
      throw new Fault("not_found", `execution ${id} does not exist`);
    case "full": {
      const kept = `execution ${id} keeps ${earlyAnswersMax} answers that nobody waits for yet`;
      throw new Fault("limited", `${kept}, expected one that is waited for`);
    }
    case "other":
      throw new Fault("conflict", `what waits under the key is not ${what}`);
    case "absent":
      throw new Fault("not_found", `execution ${id} waits for nothing under the key`);
    case "forbidden":
      throw new Fault("forbidden", "expected somebody whom the step lets give it");
    default:
      return unreachable(verdict);
  }
}
