// Commands that work on playbooks as files: run, check, rewrite and test them.

import type { Command } from "./command.ts";
import { inputFlags, jsonFlag as json, remoteFlags } from "./flags.ts";

export const runCommands: readonly Command[] = [
  {
    name: "run",
    also: ["exec"],
    operands: "FILE|PATH",
    operandsMin: 1,
    operandsMax: 1,
    about: "run a playbook: a file in this process, a catalog path on a server",
    flags: {
      ...inputFlags,
      runtime: {
        kind: "text",
        short: "r",
        value: "WHERE",
        among: ["auto", "local", "distributed"],
        about: "where a file runs: local, distributed, or auto: here unless a server is named",
      },
      target: { kind: "text", short: "t", value: "STEP", about: "start at this step" },
      priority: { kind: "text", value: "N", about: "higher goes first, -1000 to 1000 (0)" },
      tenant: { kind: "text", value: "NAME", about: "on whose behalf (default)" },
      verbose: { kind: "switch", short: "v", about: "show what tools print" },
      version: {
        kind: "text",
        short: "V",
        value: "N",
        about: "of a catalog path: this version instead of the newest",
      },
      dedup: {
        kind: "text",
        value: "KEY",
        about: "on a server: what this key has started is not started again",
      },
      ...remoteFlags,
    },
    run: async (args) => {
      const { withoutCompiledSchemas } = await import("#cli/uncompiled-schemas");
      await withoutCompiledSchemas();
      return (await import("#cli/run")).run(args);
    },
  },
  {
    name: "validate",
    operands: "FILE…",
    operandsMin: 1,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "check playbooks and say everything that is wrong with them",
    flags: { json },
    run: async ({ operands, has }) => {
      const { validate } = await import("#cli/validate");
      return validate([...operands, ...(has("json") ? ["--json"] : [])]);
    },
  },
  {
    name: "migrate",
    operands: "FILE…",
    operandsMin: 1,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "rewrite playbooks of older forms, keeping their layout",
    flags: {
      check: {
        kind: "switch",
        about: "write nothing; exit code 1 where something would change or is left to do",
      },
      write: { kind: "switch", about: "into the files, instead of standard output" },
      json,
    },
    run: async (args) => (await import("#cli/migrate")).migrate(args),
  },
  {
    name: "test",
    operands: "FILE…",
    operandsMin: 1,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "run the tests of playbooks, with tools that give what the tests say",
    flags: {
      filter: { kind: "text", value: "TEXT", about: "only tests whose name holds this" },
      real: { kind: "switch", about: "tools that a test says nothing of run for real" },
      verbose: { kind: "switch", short: "v", about: "show the steps of each test" },
      json,
    },
    run: async (args) => (await import("#cli/test")).test(args),
  },
  {
    name: "init",
    operands: "[FILE]",
    operandsMin: 0,
    operandsMax: 1,
    about: "write a first playbook (playbook.yaml)",
    flags: { force: { kind: "switch", short: "f", about: "overwrite a file that is there" } },
    run: async ({ operands, has }) => {
      const { initPlaybook } = await import("#cli/init-playbook");
      return initPlaybook(operands[0] ?? "playbook.yaml", has("force"));
    },
  },
];
