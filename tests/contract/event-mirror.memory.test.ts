// The contract of a mirror of the log on memory.
import { memoryMirror } from "#core/adapters/memory-mirror";
import { eventMirrorContract } from "./event-mirror.ts";

eventMirrorContract("memory", async () => {
  const mirror = memoryMirror(1_000);
  return {
    mirror,
    kept: async () => mirror.messages,
    lose: async () => mirror.lose(),
    close: () => mirror.close(),
  };
});
