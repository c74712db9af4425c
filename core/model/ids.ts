// Identities. Snowflakes are 41 bits of milliseconds since 2024-01-01, 10 of machine, 12 of
// sequence; they are decimal strings everywhere but in the database (`bigint`).

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type ExecutionId = Branded<"execution">;
export type EventId = Branded<"event">;
export type CatalogId = Branded<"catalog">;
export type CommandId = Branded<"command">;

export const snowflakeEpochMs = 1_704_067_200_000;
const machineBits = 10n;
const sequenceBits = 12n;
export const snowflakeMachineMax = 1023;
export const snowflakeSequenceMax = 4095;

export interface SnowflakeParts {
  readonly timeMs: number;
  readonly machine: number;
  readonly sequence: number;
}

/** Packs the parts into a decimal string; larger time, then machine, then sequence sorts later. */
export function snowflake(parts: SnowflakeParts): string {
  const time = BigInt(parts.timeMs - snowflakeEpochMs);
  return String(
    (((time << machineBits) | BigInt(parts.machine)) << sequenceBits) | BigInt(parts.sequence),
  );
}

/** The millisecond in which an id was minted. */
export function snowflakeTimeMs(id: string): number {
  return Number(BigInt(id) >> (machineBits + sequenceBits)) + snowflakeEpochMs;
}

const snowflakePattern = /^[1-9][0-9]{0,18}$/;

/** True for text that can be a snowflake: a positive decimal number below 2^63. */
export function isSnowflake(text: string): boolean {
  return snowflakePattern.test(text) && BigInt(text) < 1n << 63n;
}

export const executionId = (text: string): ExecutionId => text as ExecutionId;
export const eventId = (text: string): EventId => text as EventId;
export const catalogId = (text: string): CatalogId => text as CatalogId;

/** A command's id says which tool call of which step it is; it is the same over all attempts. */
export function commandId(
  execution: ExecutionId,
  step: string,
  visit: number,
  iteration?: number,
): CommandId {
  const base = `${execution}:${step}:${visit}`;
  return (iteration === undefined ? base : `${base}:i${iteration}`) as CommandId;
}

/** The id of the command of a job that was put into an execution. */
export function jobCommandId(execution: ExecutionId, node: string, job: number): CommandId {
  return `${execution}:${node}:q${job}` as CommandId;
}

/** The id of a round of a cursor loop; also what its claim may mark rows with. */
export function frameCommandId(
  execution: ExecutionId,
  step: string,
  visit: number,
  frame: number,
): CommandId {
  return `${execution}:${step}:${visit}:f${frame}` as CommandId;
}
