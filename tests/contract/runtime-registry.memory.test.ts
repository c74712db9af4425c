// The registry's contract on memory.
import { memoryRuntime } from "#core/adapters/memory-runtime";
import { virtualClock } from "#tests/support/virtual-clock";
import { runtimeRegistryContract } from "./runtime-registry.ts";

runtimeRegistryContract("memory", async () => {
  const clock = virtualClock();
  let registry = memoryRuntime(clock);
  return {
    get runtime() {
      return registry;
    },
    advance: (durationMs) => clock.advance(durationMs),
    reset: async () => {
      registry = memoryRuntime(clock);
    },
    close: async () => {},
  };
});
