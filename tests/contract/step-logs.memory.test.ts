// The contract of step logs on memory.
import { memoryStepLogs } from "#core/adapters/memory-step-logs";
import { systemClock } from "#core/adapters/system-clock";
import { contractBytesMax, stepLogContract } from "./step-logs.ts";

const open = (executionBytesMax?: number) => async () => ({
  logs: memoryStepLogs(systemClock(), executionBytesMax === undefined ? {} : { executionBytesMax }),
  close: async () => {},
});

stepLogContract("memory", { open: open(), openSmall: open(contractBytesMax) });
