// How two or three operations are led past each other, and what comes of it: what each was told,
// who waited, how the command stands, and what is wrong.

import { look } from "./invariants.ts";
import {
  type Act,
  beginning,
  type Ending,
  meeting,
  type Shape,
  type Standing,
  told,
} from "./model.ts";
import { arrange, doings, type Part } from "./scene.ts";
import type { Session, Stage } from "./sessions.ts";

export interface Came {
  readonly waits: boolean | undefined;
  readonly said: readonly string[];
  readonly left: Standing;
  readonly faults: readonly string[];
}

const failed = (thrown: unknown): readonly string[] => [
  thrown instanceof Error ? thrown.message : String(thrown),
];

/** A failure is something that was said, too: the table has none, so it is always a difference. */
export const doing = (session: Session, act: Act, parts: readonly Part[], worker: string) =>
  doings[act](session.stores, parts, worker).catch(failed);

export async function cleared({ watch }: Stage): Promise<void> {
  await watch.sql.query("delete from noetl.command");
}

export async function came(
  { watch }: Stage,
  part: Part,
  told: Omit<Came, "left" | "faults">,
): Promise<Came> {
  const { standing, worker, faults } = await look(watch, part);
  const wrong = [...faults];
  // The first claims as w1, the second as w2: the row names the one who was told that it has it.
  const owner = `w${told.said.indexOf("got") + 1}`;
  if (standing.shape === "taken" && worker !== owner) {
    wrong.push(`${worker} has what ${owner} was given`);
  }
  return { ...told, left: standing, faults: wrong };
}

async function arranged(on: Stage, shape: Shape): Promise<Part> {
  await cleared(on);
  const [part] = await arrange(on.watch.stores, shape);
  if (part === undefined) throw new Error("expected a command");
  return part;
}

type Pair = readonly [Act, Act];

async function oneAfterTheOther(on: Stage, [first, second]: Pair, shape: Shape): Promise<Came> {
  const part = await arranged(on, shape);
  const one = await doing(on.a, first, [part], "w1");
  const two = await doing(on.b, second, [part], "w2");
  return came(on, part, { waits: undefined, said: [...one, ...two] });
}

async function whileOpen(
  on: Stage,
  [first, second]: Pair,
  shape: Shape,
  ending: Ending,
): Promise<Came> {
  const part = await arranged(on, shape);
  const { a, b } = on;
  await a.begin();
  const one = await doing(a, first, [part], "w1");
  const two = doing(b, second, [part], "w2");
  const waits = await on.isWaiting(b, two);
  await (ending === "commits" ? a.commit() : a.rollback());
  return came(on, part, { waits, said: [...one, ...(await two)] });
}

export const standingText = ({ shape, attempt, head }: Standing): string =>
  `${shape} at attempt ${attempt}, head ${head}`;

function difference(where: string, found: Came, expected: Omit<Came, "faults">): readonly string[] {
  const tell = ({ waits, said, left }: Omit<Came, "faults">): string =>
    `${said.join(" | ")}${waits === true ? " after a wait" : ""}: ${standingText(left)}`;
  const [is, shall] = [tell(found), tell(expected)];
  const faults = found.faults.map((fault) => `${where}: ${fault}`);
  return is === shall ? faults : [...faults, `${where}: found ${is}; expected ${shall}`];
}

/** Everything in which a meeting of these two is not what the table says, whatever it began with. */
export async function differences(
  on: Stage,
  pair: Pair,
  shapes: readonly Shape[],
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const shape of shapes) {
    const from = beginning(shape);
    const one = told(pair[0], from);
    const two = told(pair[1], one.left);
    const serial = await oneAfterTheOther(on, pair, shape);
    const said = [one.said, two.said];
    wrong.push(
      ...difference(`${shape}, after`, serial, { waits: undefined, said, left: two.left }),
    );
    for (const ending of ["commits", "dies"] as const) {
      const { waits, first, second, left } = meeting(pair, from, ending);
      const open = await whileOpen(on, pair, shape, ending);
      wrong.push(
        ...difference(`${shape}, ${ending}`, open, { waits, said: [first, second], left }),
      );
    }
  }
  return wrong;
}
