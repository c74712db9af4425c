// What the files for containers say, read as the engines read them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "#scripts/install";

const textOf = (name: string): string => readFileSync(join(repositoryRoot, name), "utf8");

export const containerfile: string = textOf("deploy/Containerfile");
export const ignorefile: string = textOf(".dockerignore");

export interface Image {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  readonly stopSignal: string;
  readonly bases: readonly string[];
}

/** Of the last stage, but for `bases`. */
export function image(): Image {
  const lines = containerfile.replaceAll(/\\\n/g, " ").split("\n");
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));
  const after = (word: string, from = last): readonly string[] =>
    from.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const list = (text = ""): readonly string[] => JSON.parse(text) as readonly string[];
  const pairs = after("ENV").flatMap((line) => line.split(/\s+/));
  return {
    entrypoint: list(after("ENTRYPOINT")[0]),
    command: list(after("CMD")[0]),
    healthcheck: list(after("HEALTHCHECK")[0]?.replace(/^.*CMD /, "")),
    environment: Object.fromEntries(pairs.map((pair) => pair.split("=") as [string, string])),
    user: after("USER")[0] ?? "",
    stopSignal: after("STOPSIGNAL")[0] ?? "",
    bases: after("FROM", lines).map((line) => line.split(" ")[0] ?? ""),
  };
}

export interface Service {
  readonly image: string;
  readonly build?: object;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly restart?: string;
  readonly init?: boolean;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly user?: string;
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export const composeText: string = textOf("deploy/compose.yaml");

/** With the anchors put in; names of the environment stay as they are written. */
export function compose(): Compose {
  return Bun.YAML.parse(composeText) as Compose;
}

/** Those that run our image, by name. */
export function ownServices(): readonly (readonly [string, Service])[] {
  return Object.entries(compose().services).filter(([, { build }]) => build !== undefined);
}

/** The file of a unit for systemd, as values by section and name. */
export function unit(name: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  let section = "";
  for (const line of textOf(`deploy/systemd/${name}`).split("\n")) {
    const heading = /^\[(\w+)\]$/.exec(line)?.[1];
    if (heading !== undefined) section = heading;
    const [, key = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key === "") continue;
    const known = values.get(`${section}.${key}`) ?? [];
    values.set(`${section}.${key}`, [...known, value]);
  }
  return values;
}
