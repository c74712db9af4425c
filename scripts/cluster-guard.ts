// Sees to it that servers do not outlive the process that started them, however that one ends: a
// shell waits for the end of a pipe that only this process holds, then kills what the files name.

import { chmod } from "node:fs/promises";
import { join } from "node:path";

export interface ClusterGuard {
  /** Line of a NATS server's configuration that makes it known to the guard. */
  readonly natsConfiguration: string;
  /** The servers have been stopped in order. */
  release(): Promise<void>;
}

/** `$1` is the folder: PostgreSQL has its own below it, and each server writes down who it is. */
const waitAndKill = `
read -r word
test "$word" = released && exit 0
for file in "$1"/noetl-postgres-*/data/postmaster.pid "$1"/nats.pid; do
  test -f "$file" && kill -KILL "$(head -n 1 "$file")"
done
sleep 1
rm -rf "$1"`;

/** Guards the servers that keep their data below `folder`. */
export async function guardServers(folder: string): Promise<ClusterGuard> {
  // PostgreSQL runs as another user and has to get through to its own folder.
  await chmod(folder, 0o755);
  const child = Bun.spawn(["sh", "-c", waitAndKill, "guard", folder], {
    // A Ctrl-C is for whoever started it, who may yet stop everything in order.
    detached: true,
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  return {
    natsConfiguration: `pid_file: ${JSON.stringify(join(folder, "nats.pid"))}\n`,
    release: async () => {
      child.stdin.write("released\n");
      await child.stdin.end();
      await child.exited;
    },
  };
}
