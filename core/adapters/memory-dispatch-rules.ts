// The rules of the memory event log. What runs under a rule is counted from the rows themselves
// whenever a claim asks, so nothing is ever left counted that doesn't run.

import { burstOf, type DispatchRule, ruleKeys } from "#core/model/dispatch";
import { ruleHoldersMax } from "#core/model/limits";
import type { RuleState } from "#core/ports/dispatch-rules";
import type { Gate, MemoryRow } from "./memory-ready-queue.ts";

export interface MemoryRules {
  rules(keys: readonly string[] | undefined): readonly RuleState[];
  put(rule: DispatchRule): void;
  remove(key: string): boolean;
  /** Whether any rule speaks of the row. */
  speaksOf(row: Pick<MemoryRow["row"], "pool" | "terms">): boolean;
  /** What one claim may take; lives as long as the claim. */
  gate(): Gate;
}

interface Kept {
  rule: DispatchRule;
  /** Starts that were left at that time. */
  tokens: number;
  atMs: number;
}

const open: Gate = () => true;

/** @param leased the rows that are leased now. */
export function memoryRules(nowMs: () => number, leased: () => Iterable<MemoryRow>): MemoryRules {
  const kept = new Map<string, Kept>();

  const tokensNow = ({ rule, tokens, atMs }: Kept): number => {
    const gained = (Math.max(0, nowMs() - atMs) / 1_000) * (rule.perSecond ?? 0);
    return Math.min(burstOf(rule), tokens + gained);
  };

  const keysOf = ({ pool, terms }: Pick<MemoryRow["row"], "pool" | "terms">): readonly string[] =>
    ruleKeys(pool, terms).filter((key) => kept.has(key));

  const holdersOf = (key: string): readonly MemoryRow[] =>
    [...leased()]
      .filter(({ row }) => row.kind === "tool" && keysOf(row).includes(key))
      .sort((a, b) => a.leasedAtMs - b.leasedAtMs || a.position - b.position);

  const stateOf = (key: string, held: Kept): RuleState => {
    const { rule } = held;
    const holders = rule.maxRunning === undefined ? [] : holdersOf(key);
    const missing = 1 - tokensNow(held);
    return {
      rule: rule.perSecond === undefined ? rule : { ...rule, burst: burstOf(rule) },
      running: holders.length,
      holders: holders.slice(0, ruleHoldersMax).map(({ row, worker, leasedAtMs }) => ({
        commandId: row.commandId,
        worker: worker ?? "",
        heldMs: nowMs() - leasedAtMs,
      })),
      ...(rule.perSecond === undefined
        ? {}
        : { nextStartMs: Math.max(0, Math.ceil((missing * 1_000) / rule.perSecond)) }),
    };
  };

  return {
    rules: (keys) =>
      [...kept]
        .filter(([key]) => keys === undefined || keys.includes(key))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, held]) => stateOf(key, held)),

    put: (rule) => {
      const before = kept.get(rule.key);
      const left = before?.rule.perSecond === undefined ? burstOf(rule) : tokensNow(before);
      kept.set(rule.key, { rule, tokens: Math.min(burstOf(rule), left), atMs: nowMs() });
    },
    remove: (key) => kept.delete(key),
    speaksOf: (row) => kept.size > 0 && keysOf(row).length > 0,

    gate: () => {
      if (kept.size === 0) return open;
      const running = new Map<string, number>();
      const count = (row: MemoryRow["row"]): void => {
        for (const key of keysOf(row)) running.set(key, (running.get(key) ?? 0) + 1);
      };
      for (const { row } of leased()) if (row.kind === "tool") count(row);
      return ({ row }) => {
        const rules = keysOf(row).flatMap((key) => kept.get(key) ?? []);
        const isLet = rules.every((held) => {
          const { key, maxRunning, perSecond } = held.rule;
          if ((running.get(key) ?? 0) >= (maxRunning ?? Number.POSITIVE_INFINITY)) return false;
          return perSecond === undefined || tokensNow(held) >= 1;
        });
        if (!isLet) return false;
        count(row);
        for (const held of rules) {
          if (held.rule.perSecond === undefined) continue;
          held.tokens = tokensNow(held) - 1;
          held.atMs = nowMs();
        }
        return true;
      };
    },
  };
}
