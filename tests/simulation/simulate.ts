// One seed, from its first number to its verdict: a world of its own, some executions, some faults,
// then quiet, and the question whether everything ended as it would have without them.

import { tenantDefault } from "#core/model/dispatch";
import { catalogId } from "#core/model/ids";
import { sha256 } from "#tests/support/engine";
import { type Asked, askAll, type Wish } from "./client.ts";
import { type Ending, endings } from "./expected.ts";
import { type FaultKind, faultKinds, faults } from "./faults.ts";
import { checkEnd } from "./final-checks.ts";
import { plantedBugs } from "./planted.ts";
import { type Script, scripts } from "./playbooks.ts";
import { type Random, random } from "./random.ts";
import { randomPlaybook } from "./random-playbook.ts";
import { running, Violation } from "./record.ts";
import { type Timeline, timeline, timelineStartMs } from "./timeline.ts";
import { troublemaker } from "./troublemaker.ts";
import { newWorld, type World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  /** Kinds of faults that are left out. */
  readonly without?: readonly FaultKind[];
  /** One of `plantedBugs`. */
  readonly bug?: string;
  /** Told of everything that happens. */
  readonly onNote?: (note: string) => void;
}

export interface Failure {
  /** The rule that was broken. */
  readonly rule: string;
  readonly message: string;
  /** The last things that happened before. */
  readonly notes: readonly string[];
}

export interface SimulationResult {
  readonly seed: number;
  readonly kinds: readonly FaultKind[];
  readonly steps: number;
  readonly virtualMs: number;
  readonly executions: number;
  /** Attempts that were lost to a lease that ran out, and commands that failed by it. */
  readonly expired: number;
  readonly poisoned: number;
  /** The same for two runs of a seed. */
  readonly digest: string;
  readonly failure: Failure | undefined;
}

/** How long everything may take to end after the last fault, in virtual time. */
const settleMs = 900_000;

/** Runs one seed. It never rejects for what the simulated product does. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, without = [], bug } = options;
  const chance = random(seed);
  const chosen = chosenScripts(chance.stream("scripts"));
  const expected = await expectedEndings(chosen);
  const time = timeline(options.onNote);
  const plan = faults({ chance: chance.stream("faults"), time, without: new Set(without) });
  const planted = bug === undefined ? undefined : plantedBugs[bug]?.();
  if (bug !== undefined && planted === undefined) throw new Error(`there is no bug called ${bug}`);
  let violation: Violation | undefined;
  const sizes = chance.stream("sizes");
  const world = newWorld({
    time,
    chance,
    faults: plan,
    replicas: 1 + sizes.int(3),
    workers: 1 + sizes.int(3),
    ...(planted === undefined ? {} : { bug: planted }),
    fail: (found) => {
      violation ??= found;
    },
  });
  await register(world, chosen);
  await setRules(world, chance.stream("rules"));
  const trouble = troublemaker(world, plan, time);
  const asked = askAll(world, time, wishes(chance.stream("wishes"), chosen));
  const limitMs = plan.untilMs + settleMs;
  const isDone = (): boolean => trouble.isCalm() && asked.isDone() && isQuiet(world);
  await run(time, () => violation !== undefined || isDone() || time.nowMs() > limitMs);
  violation ??= await verdict(world, asked, { expected, isDone: isDone(), kinds: plan.kinds });
  return {
    seed,
    kinds: plan.kinds,
    steps: time.steps(),
    virtualMs: time.nowMs() - timelineStartMs,
    executions: world.record.states.size,
    expired: world.watch.expired.size,
    poisoned: world.watch.poisoned.size,
    failure:
      violation === undefined
        ? undefined
        : { rule: violation.rule, message: violation.message, notes: time.lastNotes() },
    digest: time.digest(),
  };
}

async function run(time: Timeline, isOver: () => boolean): Promise<void> {
  while (!isOver() && (await time.step()));
}

function isQuiet({ record }: World): boolean {
  return record.rows.size === 0 && running(record).length === 0;
}

const executionsMax = 4;

/** Playbooks that will be started, one of them made for this seed. */
function chosenScripts(chance: Random): readonly Script[] {
  const count = 1 + chance.int(executionsMax);
  const fixed = Array.from({ length: count }, () => chance.pick(scripts));
  return chance.chance(0.5) ? [randomPlaybook(chance), ...fixed] : fixed;
}

function wishes(chance: Random, chosen: readonly Script[]): readonly Wish[] {
  return chosen.map((script) => ({
    script,
    afterMs: chance.between(0, 15_000),
    cancelAfterMs: chance.chance(0.12) ? chance.scale(10, 20_000) : undefined,
  }));
}

async function register(world: World, chosen: readonly Script[]): Promise<void> {
  const paths = new Set(chosen.flatMap(({ path, needs }) => [path, ...needs]));
  const all = new Map([...scripts, ...chosen].map((script) => [script.path, script]));
  let number = 0;
  for (const path of [...paths].sort()) {
    const content = all.get(path)?.content ?? "";
    await world.stores.catalog.register({
      catalogId: catalogId(String(100_000_000_000_000_000n + BigInt(++number))),
      tenant: tenantDefault,
      path,
      kind: "Playbook",
      content,
      digest: sha256(content),
      meta: {},
      createdAtMs: timelineStartMs,
    });
  }
}

const ruleKeys = ["pool:default", "tool:python", "tenant:default", "playbook:sim/parallel"];

/** Some worlds let only so much run. */
async function setRules(world: World, chance: Random): Promise<void> {
  for (const key of ruleKeys) {
    if (!chance.chance(0.12)) continue;
    const isRate = chance.chance(0.3);
    const most = isRate ? { perSecond: chance.between(1, 10) } : { maxRunning: 1 + chance.int(3) };
    await world.stores.log.putRule({ key, ...most });
  }
}

const known = new Map<string, ReadonlyMap<string, Ending>>();

/** How each of these ends without faults; fixed ones are asked once. */
async function expectedEndings(chosen: readonly Script[]): Promise<ReadonlyMap<string, Ending>> {
  const all = new Map<string, Ending>();
  for (const script of chosen) {
    const found = known.get(script.content) ?? (await undisturbed(script));
    if (scripts.includes(script)) known.set(script.content, found);
    for (const [key, ending] of found) all.set(key, ending);
  }
  return all;
}

async function undisturbed(script: Script): Promise<ReadonlyMap<string, Ending>> {
  const time = timeline();
  const chance = random(1);
  const plan = faults({ chance, time, without: new Set(faultKinds) });
  let violation: Violation | undefined;
  const world = newWorld({
    time,
    chance,
    faults: plan,
    replicas: 1,
    workers: 1,
    fail: (found) => {
      violation ??= found;
    },
  });
  await register(world, [script]);
  troublemaker(world, plan, time);
  const asked = askAll(world, time, [{ script, afterMs: 0, cancelAfterMs: undefined }]);
  const isDone = (): boolean => asked.isDone() && isQuiet(world);
  await run(
    time,
    () => violation !== undefined || isDone() || time.nowMs() > plan.untilMs + settleMs,
  );
  if (violation !== undefined) throw violation;
  if (!isDone()) throw new Error(`${script.path} does not end:\n${time.lastNotes().join("\n")}`);
  return endings(world.record);
}

interface Verdict {
  readonly expected: ReadonlyMap<string, Ending>;
  readonly isDone: boolean;
  readonly kinds: readonly FaultKind[];
}

async function verdict(
  world: World,
  asked: Asked,
  options: Verdict,
): Promise<Violation | undefined> {
  try {
    await checkEnd(world, asked, options);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Violation) return thrown;
    throw thrown;
  }
}
