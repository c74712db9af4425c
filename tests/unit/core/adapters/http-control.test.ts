// Proves that no request to the control plane is waited for without end, and that what was to be
// reported is not lost by that.

import { expect, test } from "bun:test";
import { apiClient } from "#core/adapters/api-client";
import { httpControl } from "#core/adapters/http-control";
import { commandId, executionId } from "#core/model/ids";
import type { ControlPlane } from "#core/ports/control-plane";
import { sealingKey } from "#worker/sealing";

const id = executionId("478775660589088776");
const command = commandId(id, "work", 1, undefined);
const work = { worker: "w", pools: ["default"], want: 1 };

const sealing = sealingKey();

type Fetch = (request: Request) => Promise<Response>;

const controlOver = (fetch: Fetch, requestMs?: number): ControlPlane =>
  httpControl(apiClient({ fetch, baseUrl: "http://control" }), {
    sealing,
    ...(requestMs === undefined ? {} : { requestMs }),
  });

/** As the app answers in one process: the abort of a request changes nothing. */
const deaf: Fetch = () => new Promise(() => {});

/** As a network answers: the abort ends the request. */
const heeding: Fetch = ({ signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** Sends the head of an answer and never the rest. */
const halting: Fetch = async () => new Response(new ReadableStream({}));

const requests: Readonly<Record<string, (control: ControlPlane) => Promise<unknown>>> = {
  claim: (control) => control.claim(work),
  settle: (control) => control.settle({ ...work, outcomes: [] }),
  renew: (control) => control.renew("w", [{ commandId: command, attempt: 1 }]),
  release: (control) => control.release("w", []),
  putResult: (control) => control.putResult(id, "big", 1),
  resolveResult: (control) => control.resolveResult("noetl://x"),
  credential: (control) => control.credential("w", command, "alias"),
  keychain: (control) => control.keychain("w", command, "api"),
  secret: (control) => control.secret("w", command, { as: "api", ask: {} }),
  callbackToken: (control) => control.callbackToken("w", command),
};

for (const [name, ask] of Object.entries(requests)) {
  test(`${name} ends when its time is over, whatever the server does`, async () => {
    for (const fetch of [deaf, heeding, halting]) {
      const asked = ask(controlOver(fetch, 5));
      await expect(asked).rejects.toMatchObject({
        code: "timeout",
        retryable: true,
        message: "the control plane did not answer within 5 ms",
      });
    }
  });
}

test("the request itself is ended with its time, so that nothing is left open", async () => {
  const aborted = Promise.withResolvers<void>();
  const fetch: Fetch = ({ signal }) => {
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    return new Promise(() => {});
  };
  await expect(controlOver(fetch, 5).claim(work)).rejects.toMatchObject({ code: "timeout" });

  await aborted.promise;
});

test("the caller's abort is passed on, before and during the request, and is no timeout", async () => {
  const ending = new AbortController();
  const during = controlOver(heeding).claim(work, ending.signal);
  ending.abort();
  await expect(during).rejects.toMatchObject({ code: "cancelled" });

  const refused: Fetch = ({ signal }) =>
    signal.aborted ? Promise.reject(signal.reason) : Promise.resolve(Response.json({}));
  const before = controlOver(refused).claim(work, ending.signal);
  await expect(before).rejects.toMatchObject({ code: "cancelled" });
});

test("an answer in time is the answer, and no signal is aborted afterwards", async () => {
  const signals: AbortSignal[] = [];
  const fetch: Fetch = async ({ signal }) => {
    signals.push(signal);
    return Response.json({ verdicts: ["renewed"] });
  };
  const control = controlOver(fetch, 5);

  expect(await control.renew("w", [{ commandId: command, attempt: 1 }])).toEqual(["renewed"]);
  // A request that is late proves that the time of the first one is over too.
  await expect(controlOver(deaf, 5).claim(work)).rejects.toMatchObject({ code: "timeout" });
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
});
