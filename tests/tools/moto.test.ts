// Proves that the S3 server that other tests talk to is one.

import { expect, test } from "bun:test";
import { motoMissing, startMoto } from "#tests/support/moto";

const missing = motoMissing();

// Without moto there is no server to talk to: the skip says how to get it.
if (missing !== undefined) test.skip(missing, () => undefined);

// Skipped for the reason above.
test.skipIf(missing !== undefined)("what is put into a bucket is got from it", async () => {
  const moto = await startMoto();
  try {
    const access = { accessKeyId: "any", secretAccessKey: "any", region: "us-east-1" };
    await fetch(`${moto.url}/box`, { method: "PUT" });
    const box = new Bun.S3Client({ ...access, bucket: "box", endpoint: moto.url });
    await box.write("a/b.txt", "hello");

    expect(await box.file("a/b.txt").text()).toBe("hello");
    expect(await box.exists("a/c.txt")).toBe(false);
  } finally {
    await moto.stop();
  }
});
