// The contract of a mirror of the log: what was acknowledged is there, once, until it is lost; and a
// lost mirror is known as another one.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { executionId } from "#core/model/ids";
import type { EventMirror, MirrorMessage } from "#core/ports/event-mirror";
import { mirroredEvent } from "#core/wire/subjects";

export interface MirrorWorld {
  readonly mirror: EventMirror;
  /** Every message that is kept now, oldest first. */
  kept(): Promise<readonly MirrorMessage[]>;
  /** Loses all that was kept, behind the mirror's back. */
  lose(): Promise<void>;
  close(): Promise<void>;
}

const id = executionId("382775374263619584");
let messages = 0;

export const message = (body = "{}"): MirrorMessage => ({
  subject: mirroredEvent(id, 7, { tenant: "default", organization: "default" }),
  id: String(1_000 + ++messages),
  body,
});

export function eventMirrorContract(name: string, open: () => Promise<MirrorWorld>): void {
  describe(`a mirror of the log on ${name}`, () => {
    let world: MirrorWorld | undefined;
    const the = (): MirrorWorld => {
      if (world === undefined) throw new Error("expected the hooks to have run");
      return world;
    };
    beforeAll(async () => {
      world = await open();
    }, 60_000);
    afterAll(() => world?.close());

    test("keeps what was written, in order, with its subject and its id", async () => {
      const { mirror, kept } = the();
      await mirror.incarnation();
      const batch = Array.from({ length: 50 }, (_, n) => message(JSON.stringify({ n })));
      await mirror.publish(batch);
      expect((await kept()).slice(-50)).toEqual(batch);
    });

    test("keeps a message once that is written twice", async () => {
      const { mirror, kept } = the();
      const [first, second] = [message("one"), message("two")];
      await mirror.publish([first]);
      await mirror.publish([first, second]);
      expect((await kept()).slice(-2)).toEqual([first, second]);
    });

    test("is the same mirror as long as nothing is lost", async () => {
      const { mirror } = the();
      const name = await mirror.incarnation();
      await mirror.publish([message()]);
      expect(await mirror.incarnation()).toBe(name);
    });

    test("is another mirror after it was lost, and keeps again what is written then", async () => {
      const { mirror, kept, lose } = the();
      const again = message("again");
      await mirror.publish([again]);
      const before = await mirror.incarnation();
      await lose();
      expect(await mirror.incarnation()).not.toBe(before);
      expect(await kept()).toEqual([]);
      await mirror.publish([again]);
      expect(await kept()).toEqual([again]);
    });
  });
}
