import { startDistributed } from "./distributed-house.ts";
import { chainText } from "./bench-plans.ts";
const house = await startDistributed({ roles: "api,sweeper" });
await house.register(chainText(10));
for (let round = 0; round < 5; round++) {
  const c0 = await house.cpu(); const n0 = await house.commits(); const t0 = performance.now(); const N = 2500; let left = N;
  await Promise.all(Array.from({ length: 64 }, async () => { while (left-- > 0) await house.run("chain"); }));
  const ms = performance.now() - t0; const c1 = await house.cpu();
  const per = Object.fromEntries(Object.entries(c1).map(([k, v]) => [k, ((v - c0[k]!) / N / 10 * 1e6).toFixed(0)]));
  console.log((N * 10 / ms * 1000).toFixed(0), "steps/s us/step", JSON.stringify(per), "commits/step", ((await house.commits() - n0) / N / 10).toFixed(3));
}
await house.close();
