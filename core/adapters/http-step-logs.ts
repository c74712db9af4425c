// Sends what tools print to a control plane over HTTP: any replica will do, so one that does not
// answer is left for the next.

import { Fault } from "#core/model/fault";
import { controlRequestMs } from "#core/model/limits";
import type { StepLogSink } from "#core/ports/step-logs";
import type { ApiClient } from "./api-client.ts";

/**
 * @param sender the name that the lines are known by: another one for each life of a worker.
 * @param clients one for each replica.
 */
export function httpStepLogs(clients: readonly ApiClient[], sender: string): StepLogSink {
  let turn = 0;
  return {
    send: async (lines, signal) => {
      const client = clients[turn % clients.length];
      if (client === undefined) throw new Fault("unavailable", "no control plane is known");
      const body = {
        worker: sender,
        lines: lines.map(({ executionId, commandId, timeMs, ...line }) => ({
          ...line,
          execution_id: executionId,
          command_id: commandId,
          time: timeMs,
        })),
      };
      const ending = AbortSignal.any([signal, AbortSignal.timeout(controlRequestMs)]);
      try {
        await client.sendLogs({ body }, ending);
      } catch (thrown) {
        turn += 1;
        throw thrown;
      }
    },
  };
}
