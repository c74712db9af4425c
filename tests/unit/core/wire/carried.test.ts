// Frames of a kept socket: what is put into one comes out of it, and anything else is refused.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Fault } from "#core/model/fault";
import {
  type CarriedCall,
  type CarriedReply,
  decodeCall,
  decodeReply,
  encodeCarried,
} from "#core/wire/carried";

const id = fc.nat();
const headers = fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,20}$/), fc.string());
const body = fc.oneof(fc.constant(""), fc.json(), fc.string({ unit: "binary" }));

describe("a frame comes out as it was put in", () => {
  test("requests, with headers and bodies of any text", () => {
    const path = fc.stringMatching(/^\/[\x21-\x7e]{0,80}$/);
    const method = fc.constantFrom("POST", "PUT", "PATCH", "DELETE", "GET");
    fc.assert(
      fc.property(id, method, path, headers, body, (...parts) => {
        const call = { kind: "request", ...named(parts) } as const;
        expect(decodeCall(encodeCarried(call))).toEqual(call);
      }),
    );
  });

  test("answers, with headers and bodies of any text", () => {
    const status = fc.integer({ min: 200, max: 599 });
    fc.assert(
      fc.property(id, status, headers, body, (nth, code, map, text) => {
        const reply = { kind: "answer", id: nth, status: code, headers: map, body: text } as const;
        expect(decodeReply(encodeCarried(reply))).toEqual(reply);
      }),
    );
  });

  const short: readonly [CarriedCall | CarriedReply, string][] = [
    [{ kind: "cancel", id: 7 }, "7 CANCEL"],
    [{ kind: "untaken", id: 8 }, "8 UNTAKEN"],
  ];
  for (const [frame, text] of short) {
    test(`"${text}"`, () => {
      expect(encodeCarried(frame)).toBe(text);
      const decode = frame.kind === "cancel" ? decodeCall : decodeReply;
      expect(decode(text)).toEqual(frame as never);
    });
  }

  test("the body is there as it is, never as a text inside JSON", () => {
    const text = '{"worker":"w","outcomes":["\\n"]}';
    const call = { kind: "request", id: 1, method: "POST", path: "/api/x?y=1" } as const;
    expect(encodeCarried({ ...call, headers: {}, body: text })).toBe(
      `1 POST /api/x?y=1\n{}\n${text}`,
    );
  });
});

describe("a frame that is none is refused with what was expected", () => {
  for (const text of [
    "",
    "\n{}\n",
    "POST /api/x\n{}\n",
    "-1 POST /api/x\n{}\n",
    "1.5 POST /api/x\n{}\n",
    "1234567890123456 POST /api/x\n{}\n",
    "1 post /api/x\n{}\n",
    "1 POST\n{}\n",
    "1 POST api/x\n{}\n",
    "1 POST http://elsewhere/api/x\n{}\n",
    "1 POST /api/x y\n{}\n",
    "1 POST /api/x",
    "1 POST /api/x\n{}",
    "1 POST /api/x\n\n",
    "1 POST /api/x\n[]\n",
    "1 POST /api/x\nnull\n",
    '1 POST /api/x\n{"a":1}\n',
    "1 POST /api/x\n{\n",
    "1 CANCEL /api/x\n{}\n",
    "1 CANCEL\n",
    "CANCEL",
    "1 200\n{}\n",
  ]) {
    test(`as a call: ${JSON.stringify(text)}`, () => {
      expect(() => decodeCall(text)).toThrow(/^expected .+ in a frame, found /);
    });
  }
  for (const text of [
    "",
    "1",
    "1 \n{}\n",
    "1 100\n{}\n",
    "1 99\n{}\n",
    "1 600\n{}\n",
    "1 2000\n{}\n",
    "x 200\n{}\n",
    "1 200",
    "1 200\n{}",
    "1 200\n[]\n",
    "1 UNTAKEN\n",
    "1 UNTAKEN\n{}\n",
    "1 CANCEL",
  ]) {
    test(`as a reply: ${JSON.stringify(text)}`, () => {
      expect(() => decodeReply(text)).toThrow(/^expected .+ in a frame, found /);
    });
  }

  test("without what the headers held, and with no more of the first line than shows what it is", () => {
    expect(thrownBy(() => decodeCall('1 POST /api/x\n{"authorization": s3cret}\n'))).not.toContain(
      "s3cret",
    );
    expect(thrownBy(() => decodeCall(`1 ${"x".repeat(5_000)}`)).length).toBeLessThan(200);
  });
});

function thrownBy(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown.message;
  }
  throw new Error("expected a fault");
}

type Parts = readonly [number, string, string, Readonly<Record<string, string>>, string];

function named([nth, method, path, map, text]: Parts) {
  return { id: nth, method, path, headers: map, body: text };
}
