// The contract of the result store, told against the port alone.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ResultStore } from "#core/ports/result-store";

export interface ResultWorld {
  readonly results: ResultStore;
  close(): Promise<void>;
}

/** Runs the contract on the result store that `open` makes once, empty. */
export function resultStoreContract(name: string, open: () => Promise<ResultWorld>): void {
  describe(`the result store on ${name}`, () => {
    let opened: ResultWorld | undefined;
    const results = (): ResultStore => {
      if (opened === undefined) throw new Error(`${name} did not open`);
      return opened.results;
    };
    beforeAll(async () => {
      opened = await open();
    }, 60_000);
    afterAll(() => opened?.close());

    const put = (ref: string, bytes: Uint8Array, mediaType = "application/octet-stream") =>
      results().put({ ref, bytes, mediaType });

    test("bytes come back as they went in, with their media type", async () => {
      const every = Uint8Array.from({ length: 256 }, (_, n) => n);
      await put("noetl://bytes/every", every, "application/json");
      const got = await results().get("noetl://bytes/every");
      expect(got?.mediaType).toBe("application/json");
      expect([...(got?.bytes ?? [])]).toEqual([...every]);
      await put("noetl://bytes/none", new Uint8Array());
      expect((await results().get("noetl://bytes/none"))?.bytes.byteLength).toBe(0);
    });

    test("a part of a larger buffer is stored as that part", async () => {
      const part = Uint8Array.from([9, 1, 2, 3, 9]).subarray(1, 4);
      await put("noetl://part", part);
      part.fill(7);
      expect([...((await results().get("noetl://part"))?.bytes ?? [])]).toEqual([1, 2, 3]);
    });

    test("several megabytes come back whole", async () => {
      const large = crypto.getRandomValues(new Uint8Array(65_536));
      const bytes = new Uint8Array(5 * 1_048_576);
      for (let at = 0; at < bytes.length; at += large.length) bytes.set(large, at);
      await put("noetl://large", bytes);
      const got = await results().get("noetl://large");
      expect(Buffer.compare(got?.bytes ?? new Uint8Array(), bytes)).toBe(0);
    });

    test("putting a reference again changes nothing", async () => {
      await put("noetl://again", Uint8Array.of(1));
      await put("noetl://again", Uint8Array.of(1));
      await Promise.all([1, 2, 3].map(() => put("noetl://at-once", Uint8Array.of(5))));
      expect([...((await results().get("noetl://again"))?.bytes ?? [])]).toEqual([1]);
      expect(await results().list("noetl://at-once", 9)).toEqual([
        { ref: "noetl://at-once", bytes: 1 },
      ]);
    });

    test("what isn't there is undefined", async () => {
      expect(await results().get("noetl://nowhere")).toBeUndefined();
    });

    test("references are listed by prefix, with sizes, by ref, up to a limit", async () => {
      const refs = ["l/10/b", "l/10/a", "l/1", "l/100/a", "l/10/%", "l/10/_", "l/10/B"];
      for (const [size, ref] of refs.entries()) await put(ref, new Uint8Array(size));
      const listed = async (prefix: string, limit: number) =>
        (await results().list(prefix, limit)).map(({ ref, bytes }) => `${ref} ${bytes}`);
      const all = ["l/10/% 4", "l/10/B 6", "l/10/_ 5", "l/10/a 1", "l/10/b 0"];
      expect(await listed("l/10/", 9)).toEqual(all);
      expect(await listed("l/10/", 2)).toEqual(all.slice(0, 2));
      expect(await listed("l/10/%", 9)).toEqual(["l/10/% 4"]);
      expect(await listed("m/", 9)).toEqual([]);
    });

    test("removed references are gone, others stay, missing ones don't matter", async () => {
      for (const ref of ["r/a", "r/b", "r/c"]) await put(ref, Uint8Array.of(1));
      await results().remove(["r/a", "r/c", "r/missing"]);
      await results().remove([]);
      expect(await results().list("r/", 9)).toEqual([{ ref: "r/b", bytes: 1 }]);
      await put("r/a", Uint8Array.of(2, 2));
      expect((await results().get("r/a"))?.bytes.byteLength).toBe(2);
    });
  });
}
