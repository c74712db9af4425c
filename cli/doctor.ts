// `noetl doctor`: what this machine has, what it lacks, and the line that mends it. It only looks:
// nothing is installed, started or changed, and no address outside of the machine is asked.
import { styleText } from "node:util";
import {
  clockCheck,
  diskCheck,
  portCheck,
  programChecks,
  versionChecks,
} from "./machine-checks.ts";

/** How a check came out: a warning costs a part of the product, a problem stops it. */
export type CheckStatus = "ok" | "warning" | "problem";

/** One line of the table: what was looked at, what was found, and what to do where it matters. */
export type MachineCheck = {
  readonly name: string;
  readonly status: CheckStatus;
  readonly found: string;
  readonly advice?: string;
};

export type DoctorOptions = {
  /** Print one JSON document instead of the table. */
  readonly json: boolean;
  /** Where the embedded shape keeps its files; its disk and clock are looked at. */
  readonly directory: string;
  /** Ports the product would like to have, with what each is for. */
  readonly ports: Readonly<Record<string, number>>;
  /** Receives the whole report, without a line break at its end. */
  readonly print: (text: string) => void;
  /** Colours for a terminal. */
  readonly color: boolean;
};

/** What `noetl doctor` looks at when it is told nothing else. */
export function doctorDefaults(): DoctorOptions {
  return {
    json: false,
    directory: ".noetl",
    ports: { "control plane": 8082, gateway: 8090 },
    print: (text) => console.log(text),
    color: process.stdout.isTTY === true,
  };
}

/** Looks at the machine and prints the report. Answers 1 when a problem was found, else 0. */
export async function doctor(options: Partial<DoctorOptions> = {}): Promise<number> {
  const { json, directory, ports, print, color } = { ...doctorDefaults(), ...options };
  const checks = [
    ...versionChecks(),
    ...programChecks(),
    ...(await Promise.all(Object.entries(ports).map(([use, port]) => portCheck(use, port)))),
    diskCheck(directory),
    await clockCheck(),
  ];
  const healthy = checks.every(({ status }) => status !== "problem");
  print(json ? JSON.stringify({ healthy, checks }, undefined, 2) : table(checks, color));
  return healthy ? 0 : 1;
}

const styles = { ok: "green", warning: "yellow", problem: "red" } as const;

function table(checks: readonly MachineCheck[], color: boolean): string {
  const nameWidth = Math.max(...checks.map(({ name }) => name.length));
  const statusWidth = "problem".length;
  const indent = " ".repeat(nameWidth + statusWidth + 4);
  const rows = checks.map(({ name, status, found, advice }) => {
    const label = status.padEnd(statusWidth);
    const shown = color ? styleText(styles[status], label, { validateStream: false }) : label;
    const row = `${name.padEnd(nameWidth)}  ${shown}  ${found}`;
    return advice === undefined ? row : `${row}\n${indent}${advice}`;
  });
  return rows.join("\n");
}
