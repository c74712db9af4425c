// How command lines are read, and what is said of those that are not as expected.

import { afterAll, describe, expect, test } from "bun:test";
import { type CommandSyntax, parseArguments } from "#cli/arguments";
import { noetl, workplace } from "./noetl.ts";

const syntax: CommandSyntax = {
  name: "try",
  operands: "FILE [MORE]",
  operandsMin: 1,
  operandsMax: 2,
  flags: {
    set: { kind: "list", short: "s", value: "K=V", about: "" },
    payload: { kind: "text", value: "JSON", also: ["workload"], about: "" },
    input: { kind: "text", short: "i", value: "FILE", about: "" },
    json: { kind: "switch", short: "j", about: "" },
  },
};
const parse = (...argv: readonly string[]) => parseArguments(syntax, argv);

describe("a command line", () => {
  test("has flags and operands in any order", () => {
    const args = parse("--set", "a=1", "file", "-j", "--set=b=2", "more");
    expect(args.operands).toEqual(["file", "more"]);
    expect(args.list("set")).toEqual(["a=1", "b=2"]);
    expect(args.has("json")).toBe(true);
    expect(args.has("payload")).toBe(false);
  });

  test("may give a short flag its value at once or after it, and a flag by its other name", () => {
    expect(parse("f", "-i", "x").text("input")).toBe("x");
    expect(parse("f", "-ix").text("input")).toBe("x");
    expect(parse("f", "--workload", "{}").text("payload")).toBe("{}");
  });

  test("takes the last value of a flag that has one, and values that look like flags", () => {
    expect(parse("f", "-i", "x", "--input=--y").text("input")).toBe("--y");
    expect(parse("f", "--set", "-1").list("set")).toEqual(["-1"]);
  });

  test("has only operands behind --, and - is an operand", () => {
    expect(parse("-", "--", "--json").operands).toEqual(["-", "--json"]);
  });

  test.each([
    [["f", "--jsn"], "unknown flag --jsn, did you mean 'json'?"],
    [["f", "--completely"], "unknown flag --completely"],
    [["f", "-x"], "unknown flag -x"],
    [["f", "--input"], "--input: expected FILE"],
    [["f", "--json=yes"], "--json takes no value"],
    [["f", "-jx"], "--json takes no value"],
    [[], "expected FILE [MORE]"],
    [["a", "b", "c"], 'expected FILE [MORE], found "c" as well'],
  ])("%p is refused", (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });
});

describe("noetl", () => {
  const place = workplace();
  afterAll(() => place.remove());
  const run = (...argv: readonly string[]) => noetl(argv, { cwd: place.folder });

  test("without a command shows all of them, and help shows the flags of one", async () => {
    const { exitCode, out } = await run();
    expect(exitCode).toBe(0);
    for (const name of ["run", "dev", "validate", "init", "doctor", "config", "events"]) {
      expect(out).toMatch(new RegExp(`^  ${name} `, "m"));
    }
    const asked = await run("help", "run");
    expect(asked.out).toContain("-i, --input FILE");
    expect((await run("run", "--help")).out).toBe(asked.out);
  });

  test("says what was probably meant by a command that isn't one, and ends with 2", async () => {
    const { exitCode, out, err } = await run("vlidate");
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err).toContain("unknown command vlidate, did you mean 'validate'?");
  });

  test("prints its version", async () => {
    expect((await run("version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("writes a first playbook that is fit to run and runs", async () => {
    expect(await run("init", "mine/first.yaml")).toMatchObject({ exitCode: 0, err: "" });
    expect((await run("validate", "mine/first.yaml")).out).toBe("mine/first.yaml: ok\n");
    const again = await run("init", "mine/first.yaml");
    expect(again.exitCode).toBe(1);
    expect(again.err).toContain("--force");
    expect((await run("init", "mine/first.yaml", "--force")).exitCode).toBe(0);
    const ended = await run("run", "mine/first.yaml", "--set", "times=1");
    expect(ended.exitCode).toBe(0);
    expect(ended.out).toContain('result: {"said":["hello world, 1"]}');
  });

  test("has a doctor who answers in JSON", async () => {
    const { out } = await run("doctor", "--json");
    expect(JSON.parse(out)).toMatchObject({ checks: expect.any(Array) });
  });
});
