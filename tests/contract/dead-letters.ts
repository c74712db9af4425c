// The contract of dead letters and of quarantine.
import { expect, test } from "bun:test";
import { tenantDefault } from "#core/model/dispatch";
import { commandId } from "#core/model/ids";
import type { NewDeadLetter } from "#core/ports/dead-letters";
import type { EventLogWorld } from "./event-log.ts";
import { continueWith, newExecution, transition } from "./transitions.ts";

type World = () => EventLogWorld;

export function deadLetterContract(world: World): void {
  letters(world);
  quarantine(world);
}

const letterOf = (
  id: ReturnType<typeof newExecution>,
  step: string,
  parts: Partial<NewDeadLetter> = {},
): NewDeadLetter => ({
  commandId: commandId(id, step, 1),
  step,
  attempt: 4,
  reason: "poisoned",
  message: "it killed them all",
  worker: "w",
  ...parts,
});

function letters(world: World): void {
  test("a letter is written by the append that gives the command up, once", async () => {
    const { log, advance } = world();
    const id = newExecution();
    const letter = letterOf(id, "a:ä");
    await log.append([transition(id, { deadLetters: [letter] })]);
    await advance(10);
    const second = { ...letterOf(id, "b", { reason: "result_rejected", message: "nul \0" }) };
    const { worker: _, ...other } = second;
    await continueWith(log, id, { deadLetters: [{ ...letter, attempt: 9 }, other] });
    const found = await log.deadLetters(10);
    expect(found).toMatchObject([
      { ...other, executionId: id, message: "nul \uFFFD" },
      { ...letter, executionId: id },
    ]);
    expect(found[0]).not.toHaveProperty("worker");
    expect(found[0]?.atMs).toBeGreaterThan(found[1]?.atMs ?? 0);
    expect(await log.deadLetters(1)).toHaveLength(1);
    expect(await log.deadLetters(10, tenantDefault)).toEqual(found);
    expect(await log.deadLetters(10, "acme")).toEqual([]);
    expect(await log.deadLetter(letter.commandId)).toEqual(found[1]);
  });

  test("a refused append leaves no letter", async () => {
    const { log } = world();
    const id = newExecution();
    const head = { seq: 3, digest: "" };
    const deadLetters = [letterOf(id, "a")];
    expect(await log.append([transition(id, { head, deadLetters })])).toEqual(["conflict"]);
    expect(await log.deadLetters(10)).toEqual([]);
  });

  test("a letter can be dropped, once", async () => {
    const { log } = world();
    const id = newExecution();
    const letter = letterOf(id, "a");
    await log.append([transition(id, { deadLetters: [letter] })]);
    expect(await log.dropDeadLetter(letter.commandId)).toBe(true);
    expect(await log.dropDeadLetter(letter.commandId)).toBe(false);
    expect(await log.deadLetter(letter.commandId)).toBeUndefined();
  });
}

function quarantine(world: World): void {
  test("quarantined executions are listed, newest first, until it is lifted", async () => {
    const { log, advance } = world();
    const [one, two] = [newExecution(), newExecution()];
    await log.quarantine(one, "first");
    await advance(10);
    await log.quarantine(two, "second");
    await log.quarantine(one, "changed");
    expect(await log.quarantines(10)).toMatchObject([
      { executionId: two, reason: "second" },
      { executionId: one, reason: "changed" },
    ]);
    expect(await log.quarantines(1)).toHaveLength(1);
    expect(await log.liftQuarantine(one)).toBe(true);
    expect(await log.liftQuarantine(one)).toBe(false);
    expect(await log.quarantined(one)).toBeUndefined();
    expect(await log.liftQuarantine("no id" as typeof one)).toBe(false);
  });
}
