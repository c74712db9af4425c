// Run by the processes that the worker starts for itself: they end when it does, however it ends.

import { writeFileSync } from "node:fs";
import { workerPidName } from "./process-group.ts";

/** The kernel ends this process with the worker, and before it when memory runs out (Linux). */
export async function dieWithWorker(): Promise<void> {
  if (process.platform !== "linux") return;
  try {
    writeFileSync("/proc/self/oom_score_adj", "1000");
    const { dlopen } = await import("bun:ffi");
    const { symbols } = dlopen("libc.so.6", {
      prctl: { args: ["int", "u64", "u64", "u64", "u64"], returns: "int" },
    });
    const setParentDeathSignal = 1;
    const sigkill = 9;
    symbols.prctl(setParentDeathSignal, sigkill, 0, 0, 0);
  } catch {
    // Without it, a process that is idle still ends with its channel.
  }
  // The worker may have died before the kernel was asked.
  if (String(process.ppid) !== process.env[workerPidName]) process.exit(0);
}
