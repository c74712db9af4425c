// An S3 server for one test file: moto, in a process of its own on a free port.

import { freePort } from "#scripts/free-port";
import { motoPython } from "#scripts/moto-python";

/** Why there is none here; undefined where there is. Tests that need it are skipped and say so. */
export function motoMissing(): string | undefined {
  const found = motoPython();
  return "missing" in found ? found.missing : undefined;
}

export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

/** Resolves when it takes requests; any key and secret will do. @throws Error where it is missing. */
export async function startMoto(): Promise<Moto> {
  const found = motoPython();
  if ("missing" in found) throw new Error(found.missing);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = Bun.spawn([found.program, "-m", "moto.server", "-p", String(port)], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error(`moto ended with ${child.exitCode}`);
    await Bun.sleep(50);
  }
  return {
    url,
    stop: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/moto-api/data.json`)).ok;
  } catch {
    return false;
  }
}
