// The contract of a mirror of the log on a real NATS server, and what it says while there is none.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { natsMirror } from "#core/adapters/nats-mirror";
import { Fault } from "#core/model/fault";
import { eventually } from "#tests/support/control";
import { deleteMirroredStream, mirroredMessages } from "#tests/support/mirrored-stream";
import { type ScratchNats, startNats } from "#tests/support/nats";
import { eventMirrorContract, message } from "./event-mirror.ts";

let server: ScratchNats | undefined;
const the = (): ScratchNats => {
  if (server === undefined) throw new Error("expected the hooks to have run");
  return server;
};
beforeAll(async () => {
  server = await startNats();
}, 30_000);
afterAll(() => server?.stop());

const reachable = async (mirror: ReturnType<typeof natsMirror>) =>
  eventually(() => mirror.incarnation().catch(() => undefined));

eventMirrorContract("NATS", async () => {
  const { url } = the();
  const mirror = natsMirror({ servers: url, name: "mirror" });
  await reachable(mirror);
  return {
    mirror,
    kept: () => mirroredMessages(url),
    lose: () => deleteMirroredStream(url),
    close: () => mirror.close(),
  };
});

test("a server that is away makes a mirror unavailable, and no more than that", async () => {
  const nats = the();
  const mirror = natsMirror({ servers: nats.url, name: "mirror" });
  const before = await reachable(mirror);
  await nats.kill();
  const failure = await mirror.publish([message()]).catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(Fault);
  expect(failure).toMatchObject({ code: "unavailable" });
  await nats.start();
  expect(await reachable(mirror)).toBe(before);
  await mirror.publish([message("back")]);
  expect((await mirroredMessages(nats.url)).at(-1)?.body).toBe("back");
  await mirror.close();
}, 20_000);

test("a stream that is gone while something is written is no success", async () => {
  const { url } = the();
  const mirror = natsMirror({ servers: url, name: "mirror" });
  await reachable(mirror);
  await deleteMirroredStream(url);
  await expect(mirror.publish([message()])).rejects.toMatchObject({ code: "unavailable" });
  await mirror.close();
}, 20_000);
