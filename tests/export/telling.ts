// A log to tell of, places in memory to tell it to, and a process that tells and can be cut off at
// any of its requests and notes.

import { type ExporterOptions, type ExporterPorts, exportRole } from "#control/export/exporter";
import type { Ask, ExportAnswer, ExportRequest, ExportSink } from "#control/export/sink";
import type { Role } from "#control/roles/lease";
import { memoryCursors } from "#core/adapters/memory-cursors";
import type { CursorStore } from "#core/ports/cursor-store";
import type { Stores } from "#core/ports/stores";
import { startHouse } from "#tests/support/embedded";
import { virtualClock } from "#tests/support/virtual-clock";

const head = (name: string): string =>
  `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: ${name}, path: told/${name}}\n`;

export const toldPlaybooks: readonly string[] = [
  `${head("good")}workload: {note: ""}
workflow:
  - step: first
    tool: {kind: noop, result: "{{ workload.note }}"}
    next: {arcs: [{step: each}]}
  - step: each
    loop: {in: [1, 2], iterator: n, spec: {mode: sequential}}
    tool: {kind: noop, result: "{{ n }}"}
`,
  `${head("bad")}workflow:
  - step: charge
    tool: {kind: python, code: "raise ValueError('card declined')"}
`,
];

/** The stores of a house in which some executions have ended, two of them badly. */
export async function toldStores(): Promise<{ readonly stores: Stores; close(): Promise<void> }> {
  const house = await startHouse({ playbooks: toldPlaybooks });
  for (const path of ["told/good", "told/bad", "told/good", "told/bad"]) {
    await house.run(path, path === "told/good" ? { note: "secret-note" } : {});
  }
  return { stores: house.stores, close: () => house.close() };
}

export const taken: ExportAnswer = { status: 200, text: "" };

/** A sink whose items are the places of events in the log. */
export function plainSink(name = "plain", place = "here"): ExportSink {
  return {
    name,
    place,
    begin: () => ({
      items: async (events) =>
        events.map(({ event }) => `${event.execution_id}:${event.seq}:${event.type}`),
    }),
    request: (items) => ({
      ...{ method: "POST", url: "http://place", headers: {}, body: items.join("\n") },
    }),
  };
}

export interface Telling {
  readonly clock: ReturnType<typeof virtualClock>;
  readonly cursors: CursorStore;
  readonly reports: string[];
  /** Begins a process; `ask` stands for the place. */
  begin(sink: ExportSink, ask: Ask, options?: BeginOptions): Role;
  /** Lets time pass until the role has nothing more to tell. */
  toEnd(sink: ExportSink): Promise<void>;
}

export interface BeginOptions extends Partial<ExporterOptions> {
  readonly ports?: Partial<ExporterPorts>;
}

let owners = 0;

export function telling({ log, feed }: Stores): Telling {
  const clock = virtualClock();
  const cursors = memoryCursors(clock);
  const reports: string[] = [];
  return {
    clock,
    cursors,
    reports,
    begin: (sink, ask, { ports = {}, ...options } = {}) =>
      exportRole({ log, feed, cursors, clock, ...ports }, sink, {
        owner: `e${++owners}`,
        report: (message) => void reports.push(message),
        ...{ from: "begin", random: () => 0, ask: () => ask },
        ...options,
      }),
    toEnd: async ({ name }) => {
      const end = await feed.end();
      for (let turns = 0; turns < 100_000; turns++) {
        const known = (await cursors.list()).find((cursor) => cursor.name === `export:${name}`);
        if (known?.position?.includes(`"${end}"`)) return;
        await clock.advance(500);
      }
      throw new Error(`the place was not told of all: ${reports.join("; ")}`);
    },
  };
}

/** What may happen to a process at its n-th request or note: before it has been done, or after. */
export interface Cut {
  readonly at: number;
  readonly when: "before" | "after";
}

/** A process's ways to the outside, which go dead at the cut and stay so. */
export function cutOff(cut: Cut, ask: Ask, cursors: CursorStore) {
  let done = 0;
  let isDead = false;
  const through = async <Value>(act: () => Promise<Value>): Promise<Value> => {
    if (isDead) return new Promise<Value>(() => {});
    const isNow = done++ === cut.at;
    if (isNow && cut.when === "before") {
      isDead = true;
      return new Promise<Value>(() => {});
    }
    const value = await act();
    if (!isNow) return value;
    isDead = true;
    return new Promise<Value>(() => {});
  };
  return {
    wasCut: () => isDead,
    ask: (request: ExportRequest) => through(() => ask(request)),
    cursors: {
      ...cursors,
      advance: (hold, position) => through(() => cursors.advance(hold, position)),
      renew: (hold, ms) => (isDead ? new Promise(() => {}) : cursors.renew(hold, ms)),
      release: (hold) => (isDead ? new Promise(() => {}) : cursors.release(hold)),
    } satisfies CursorStore,
  };
}
