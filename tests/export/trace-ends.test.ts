// What a trace says of attempts that nobody ended: those whose worker was lost, and those that were
// under way when their execution was cancelled.

import { describe, expect, test } from "bun:test";
import { otlpTraces } from "#control/export/otlp-traces";
import { chain } from "#tests/control/playbooks";
import { onMemory, sha256, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";

interface Span {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code: number };
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

async function spansOf({ stores }: World): Promise<readonly Span[]> {
  const options = { endpoint: "http://c", headers: {}, serviceName: "edge", sha256 };
  const sink = otlpTraces(stores.log, options);
  const { entries } = await stores.feed.after(undefined, { limit: 1_000 });
  const about = { tenant: "default", path: "t/ends", version: 1 };
  const told = entries.map(({ position, event }) => ({ position, event, ...about }));
  const conversion = sink.begin(undefined, new AbortController().signal);
  return (await conversion.items(told)).map((text) => JSON.parse(text) as Span);
}

const said = ({ attributes }: Span, key: string): unknown =>
  Object.values(attributes.find((each) => each.key === key)?.value ?? {})[0];

const attempts = (spans: readonly Span[]) =>
  spans
    .filter((span) => said(span, "noetl.attempt") !== undefined)
    .map((span) => ({
      attempt: said(span, "noetl.attempt"),
      outcome: said(span, "noetl.outcome"),
      error: said(span, "error.type"),
      status: span.status.code,
    }));

onMemory((shelf) => {
  describe("a trace", () => {
    test("has the attempt of a worker that was lost, beside the one that came after", async () => {
      const world = shelf().open({ clock: shelf().clock });
      await world.register(chain("t/ends", 1));
      await world.start("t/ends");
      await handWorker(world.client, "dies").claim();
      await shelf().passLeases(world);
      const worker = handWorker(world.client, "lives");
      await worker.settle([done(only(await worker.claimIdle()))]);

      expect(attempts(await spansOf(world))).toEqual([
        { attempt: "1", outcome: "lost", error: "lease_expired", status: 2 },
        { attempt: "2", outcome: "completed", error: undefined, status: 1 },
      ]);
    });

    test("of a cancelled execution has all that was under way, each below its parent", async () => {
      const world = shelf().open();
      await world.register(chain("t/ends", 2));
      const id = await world.start("t/ends");
      await handWorker(world.client).claim();
      await world.client.cancelExecution({ params: { id }, body: {} });

      const spans = await spansOf(world);

      expect(attempts(spans)).toEqual([
        { attempt: "1", outcome: "cancelled", error: undefined, status: 1 },
      ]);
      const ids = new Set(spans.map(({ spanId }) => spanId));
      expect(
        spans.map(({ parentSpanId }) => parentSpanId === undefined || ids.has(parentSpanId)),
      ).toEqual([true, true, true]);
      expect(spans.map((span) => said(span, "noetl.status"))).toEqual([
        ...[undefined, "unfinished", "cancelled"],
      ]);
    });
  });
});
