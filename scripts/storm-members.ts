// The processes of a storm by their places: who is in a place now, who may touch it, and whether
// somebody left it without being told to.

import type { Cluster } from "./cluster.ts";
import type { Member } from "./cluster-member.ts";

export interface Place {
  readonly name: string;
  /** Who is there; the last one who was, while nobody is. */
  member(): Member;
  /** Ends who is there, by that signal, and returns once they are gone. */
  leave(how: "kill" | "stop"): Promise<void>;
  /** Puts somebody new there, and tries until that succeeds: what it needs may be away as well. */
  enter(): Promise<void>;
}

export interface StormMembers {
  readonly workers: readonly Place[];
  readonly controls: readonly Place[];
  /** Members that ended by themselves or would not end, with what they wrote last. */
  readonly crashes: readonly string[];
  /** From here on they may end: the house is closed. */
  release(): void;
}

/** A worker's grace, its last reports, and time to spare. */
const stopPatienceMs = 40_000;
const enterAgainMs = 300;
const enterPatienceMs = 90_000;
const lastWordsChars = 2_000;

/** @param tell Hears of every crash at once. */
export function stormMembers(cluster: Cluster, tell: (text: string) => void): StormMembers {
  const crashes: string[] = [];
  let isReleased = false;
  const crashed = (member: Member, what: string): void => {
    crashes.push(`${member.name} ${what}:\n${member.output().slice(-lastWordsChars)}`);
    tell(`crash: ${member.name} ${what}`);
  };
  const place = (name: string, first: Member, start: () => Promise<Member>): Place => {
    let current = first;
    let isLeaving = false;
    const watch = (member: Member): void => {
      void member.exited.then((how) => {
        if (isLeaving || isReleased) return;
        crashed(member, `ended by itself (${how})`);
      });
    };
    watch(first);
    return {
      name,
      member: () => current,
      leave: async (how) => {
        isLeaving = true;
        const left = current[how]().then(() => true);
        if (await Promise.race([left, Bun.sleep(stopPatienceMs).then(() => false)])) return;
        crashed(current, "did not end when it was told to");
        await current.kill();
      },
      enter: async () => {
        current = await patiently(start);
        isLeaving = false;
        watch(current);
      },
    };
  };
  return {
    workers: cluster.workers.map((first, n) => place(`worker ${n}`, first, cluster.startWorker)),
    controls: cluster.controls.map((first, n) =>
      place(`control ${n}`, first, () => cluster.restartControl(n)),
    ),
    crashes,
    release: () => {
      isReleased = true;
    },
  };
}

/** @throws what the last try failed with. */
export async function patiently<Value>(act: () => Promise<Value>): Promise<Value> {
  const untilMs = Date.now() + enterPatienceMs;
  for (;;) {
    try {
      return await act();
    } catch (thrown) {
      if (Date.now() > untilMs) throw thrown;
      await Bun.sleep(enterAgainMs);
    }
  }
}
