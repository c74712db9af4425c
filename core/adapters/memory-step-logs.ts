// Step logs in memory: the reference implementation of the port, for tests and for runs that keep
// nothing.

import type { ExecutionId } from "#core/model/ids";
import {
  stepLogExecutionBytesMax,
  stepLogKeptMs,
  stepLogLineBytes,
  stepLogPurgedLinesMax,
} from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import type { StepLogFilter, StepLogLine, StepLogs, StoredLogLine } from "#core/ports/step-logs";
import { storableText } from "./transition-check.ts";

interface Kept {
  lines: StoredLogLine[];
  bytes: number;
  positions: number;
  refused: number;
  lastAtMs: number;
}

export interface StepLogBounds {
  /** Of one execution; a line takes the bytes of its text and `stepLogLineBytes`. */
  readonly executionBytesMax?: number;
}

/** Empty step logs. */
export function memoryStepLogs(clock: Clock, bounds: StepLogBounds = {}): StepLogs {
  const { executionBytesMax = stepLogExecutionBytesMax } = bounds;
  const byExecution = new Map<ExecutionId, Kept>();
  const lastSeqs = new Map<string, number>();

  const keptOf = (id: ExecutionId): Kept => {
    const found = byExecution.get(id);
    if (found !== undefined) return found;
    const fresh: Kept = { lines: [], bytes: 0, positions: 0, refused: 0, lastAtMs: 0 };
    byExecution.set(id, fresh);
    return fresh;
  };

  const keep = ({ seq: _, ...line }: StepLogLine): readonly StoredLogLine[] => {
    const kept = keptOf(line.executionId);
    kept.lastAtMs = clock.nowMs();
    const text = storableText(line.text);
    const bytes = Buffer.byteLength(text) + stepLogLineBytes;
    // Cut at one place: no shorter line goes in behind it.
    if (kept.refused > 0 || kept.bytes + bytes > executionBytesMax) {
      kept.refused += 1;
      return [];
    }
    kept.bytes += bytes;
    kept.positions += 1;
    const stored = { ...line, text, position: kept.positions };
    kept.lines.push(stored);
    return [stored];
  };

  return {
    append: async (worker, lines) => {
      const last = lastSeqs.get(worker) ?? 0;
      const fresh = lines.filter(({ seq }) => seq > last);
      lastSeqs.set(worker, fresh.at(-1)?.seq ?? last);
      return fresh.flatMap(keep);
    },
    read: async (executionId, filter) =>
      (byExecution.get(executionId)?.lines ?? [])
        .filter((line) => isWanted(line, filter))
        .slice(0, filter.limit),
    refused: async (executionId) => byExecution.get(executionId)?.refused ?? 0,
    purge: async (keepMs = stepLogKeptMs) => {
      const beforeMs = clock.nowMs() - keepMs;
      let removed = 0;
      for (const [id, kept] of byExecution) {
        if (kept.lastAtMs >= beforeMs) continue;
        removed += kept.lines.splice(0, stepLogPurgedLinesMax - removed).length;
        if (kept.lines.length === 0) byExecution.delete(id);
      }
      return removed;
    },
  };
}

function isWanted(line: StoredLogLine, filter: StepLogFilter): boolean {
  const { step, commandId, attempt, stream, afterPosition } = filter;
  return (
    line.position > afterPosition &&
    (step === undefined || line.step === step) &&
    (commandId === undefined || line.commandId === commandId) &&
    (attempt === undefined || line.attempt === attempt) &&
    (stream === undefined || line.stream === stream)
  );
}
