// What a place is that the log is told to: how events become what it takes, and how that is sent.

import type { Event } from "#core/model/event";
import type { Json } from "#core/model/json";

/** An event, with what every event of an execution would repeat. */
export interface ExportedEvent {
  readonly position: string;
  readonly event: Event;
  readonly tenant: string;
  readonly path: string;
  readonly version: number;
}

/** One request; `items` are part of its body. */
export interface ExportRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A place's answer, as far as anybody looks at it. */
export interface ExportAnswer {
  readonly status: number;
  /** The beginning of its body. */
  readonly text: string;
  /** How long it asks to be left alone. */
  readonly retryAfterMs?: number;
}

/**
 * Asks a place for something, once.
 * @throws Fault `unavailable` when there was no whole answer.
 */
export type Ask = (request: ExportRequest) => Promise<ExportAnswer>;

/** Turns the log into what the place takes, event after event in the order of the feed. */
export interface Conversion {
  /**
   * Each item is a text that can be sent with any others or alone. The same events make the same
   * items, whenever they are asked for.
   */
  items(events: readonly ExportedEvent[]): Promise<readonly string[]>;
  /** What must be known to go on after these events; kept with the position. */
  state?(): Json;
}

/** An address as far as it says which place it is. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname.replace(/\/+$/, "")}`;
}

export interface ExportSink {
  /** What its cursor and its numbers are called. */
  readonly name: string;
  /** Which one it is, without secrets: another one has been told nothing. */
  readonly place: string;
  /** Makes what it writes to, where it isn't there; asked again until it succeeds. */
  prepare?(ask: Ask): Promise<void>;
  /**
   * @param state what the last conversion had come to, where there was one.
   * @param ended aborts when the conversion is wanted no longer.
   */
  begin(state: Json | undefined, ended: AbortSignal): Conversion;
  request(items: readonly string[]): ExportRequest;
  /** Why the place did not take all of it, read from an answer that says it did. */
  partlyRefused?(
    answer: ExportAnswer,
  ): { readonly count: number; readonly reason: string } | undefined;
}
