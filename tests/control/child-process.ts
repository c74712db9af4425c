// Starts the child of the store tests and reads what it says, line by line.
import { fileURLToPath } from "node:url";

const childPath = fileURLToPath(new URL("./store-child.ts", import.meta.url));

export interface Child {
  readonly pid: number;
  /** The next line it says; undefined when it has ended. */
  line(): Promise<string | undefined>;
  kill(): Promise<void>;
  readonly exited: Promise<number>;
}

/** Starts `store-child.ts` with these arguments. */
export function startChild(...args: readonly string[]): Child {
  const child = Bun.spawn([process.execPath, childPath, ...args], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let buffered = "";
  return {
    pid: child.pid,
    line: async () => {
      while (!buffered.includes("\n")) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        buffered += value;
      }
      const end = buffered.indexOf("\n");
      const line = buffered.slice(0, end);
      buffered = buffered.slice(end + 1);
      return line;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
    exited: child.exited,
  };
}
