// The numbers of a worker: what it asked for and was given, what came of it, and how busy it is.

import type { Clock } from "#core/ports/clock";
import type { ControlPlane } from "#core/ports/control-plane";
import type { Metrics } from "#core/ports/metrics";
import type { RuntimeLoad } from "#core/ports/runtime-registry";

export interface WorkerNumbers {
  /** The same control plane, with what passes counted. */
  counted<Control extends ControlPlane>(control: Control): Control;
  /** As Prometheus reads them. */
  text(): string;
}

export interface WorkerNumbersOptions {
  readonly metrics: Metrics;
  readonly clock: Pick<Clock, "nowMs">;
  readonly version: string;
  readonly load: () => RuntimeLoad;
}

export function workerNumbers(options: WorkerNumbersOptions): WorkerNumbers {
  const { metrics, clock, version, load } = options;
  metrics
    .gauge("noetl_info", "What this process is.", ["version", "name"])
    .set(1, { version, name: "noetl-worker" });
  const busy = metrics.gauge("noetl_worker_concurrent_dispatches", "Commands that are running.");
  const free = metrics.gauge("noetl_worker_free_slots", "Commands that it could take besides.");
  const waiting = metrics.gauge("noetl_worker_unreported", "Outcomes that wait to be reported.");
  const claims = claimNumbers(metrics, clock);
  const settles = settleNumbers(metrics, clock);
  return {
    counted: (control) => ({
      ...control,
      claim: claims.claim(control),
      standby: claims.standby(control),
      settle: settles(control),
    }),
    text: () => {
      const now = load();
      busy.set(now.running);
      free.set(now.free);
      waiting.set(now.waiting);
      return metrics.text();
    },
  };
}

function claimNumbers(metrics: Metrics, clock: Pick<Clock, "nowMs">) {
  const pulls = metrics.counter("noetl_worker_pulls_total", "Requests for work.", ["outcome"]);
  const seconds = metrics.histogram(
    "noetl_worker_pull_duration_seconds",
    "Time of such a request.",
  );
  const given = metrics.counter(
    "noetl_worker_claim_succeeded_total",
    "Commands that it was given.",
  );
  const failed = metrics.counter(
    "noetl_worker_claim_failed_total",
    "Requests for work that failed.",
  );
  const claim =
    (control: ControlPlane): ControlPlane["claim"] =>
    async (work, signal) => {
      const beganMs = clock.nowMs();
      try {
        const commands = await control.claim(work, signal);
        pulls.add(1, { outcome: commands.length === 0 ? "empty" : "given" });
        given.add(commands.length);
        return commands;
      } catch (thrown) {
        pulls.add(1, { outcome: "failed" });
        failed.add(1);
        throw thrown;
      } finally {
        seconds.observe((clock.nowMs() - beganMs) / 1_000);
      }
    };
  const standby =
    (control: ControlPlane): ControlPlane["standby"] =>
    async (work, signal) => {
      const answer = await control.standby(work, signal);
      given.add(answer.commands.length);
      return answer;
    };
  return { claim, standby };
}

function settleNumbers(metrics: Metrics, clock: Pick<Clock, "nowMs">) {
  const ran = metrics.histogram("noetl_worker_dispatch_duration_seconds", "Time of a command.", [
    "status",
  ]);
  const errors = metrics.counter("noetl_worker_dispatch_errors_total", "Commands that failed.", [
    "kind",
  ]);
  const seconds = metrics.histogram(
    "noetl_worker_event_emit_duration_seconds",
    "Time of a report of outcomes.",
  );
  const failed = metrics.counter("noetl_worker_event_emit_failed_total", "Reports that failed.");
  const retries = metrics.counter(
    "noetl_worker_event_emit_retries_total",
    "Outcomes that are to be reported again.",
  );
  const given = metrics.counter(
    "noetl_worker_claim_succeeded_total",
    "Commands that it was given.",
  );
  return (control: ControlPlane): ControlPlane["settle"] =>
    async (settle, signal) => {
      const beganMs = clock.nowMs();
      try {
        const settled = await control.settle(settle, signal);
        given.add(settled.commands.length);
        for (const [at, { output, duration_ms }] of settle.outcomes.entries()) {
          if (settled.verdicts[at] === "retry") {
            retries.add(1);
            continue;
          }
          ran.observe(duration_ms / 1_000, { status: output.status });
          if (output.status === "error") errors.add(1, { kind: output.error?.kind ?? "unknown" });
        }
        return settled;
      } catch (thrown) {
        failed.add(1);
        throw thrown;
      } finally {
        seconds.observe((clock.nowMs() - beganMs) / 1_000);
      }
    };
}
