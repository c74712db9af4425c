// What the files for containers and for systemd promise to whoever runs them: no process has rights
// it doesn't need, nothing floats, nothing secret is in them, and everything comes back.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { validate } from "dockerfile-utils";
import { controlSettings } from "#control/config";
import { repositoryRoot } from "#scripts/install";
import { binaryTestMs, buildBinary } from "#tests/binary/binary";
import { noetl, type Workplace, workplace } from "#tests/cli/noetl";
import { workerSettings } from "#worker/config";
import {
  compose,
  composeText,
  containerfile,
  ignorefile,
  image,
  ownServices,
  unit,
} from "./deploy-files.ts";

const services = Object.entries(compose().services);
const known = new Set([...Object.keys(controlSettings), ...Object.keys(workerSettings)]);

describe("the image", () => {
  test("is described without a finding of the linter, which finds what is wrong", () => {
    expect(validate(containerfile)).toEqual([]);
    expect(validate(containerfile.replace("ENTRYPOINT", "ENTRYPONT"))).not.toEqual([]);
  });

  test("stands on named versions and runs as nobody in particular", () => {
    const { bases, user, stopSignal, entrypoint, healthcheck } = image();
    for (const base of bases) expect(base).toMatch(/:\d+\.\d+/);
    expect(Number(user.split(":")[0])).toBeGreaterThan(999);
    expect(stopSignal).toBe("SIGTERM");
    // Without a shell between, signals reach the process.
    expect([entrypoint, healthcheck]).toEqual([["noetl"], ["noetl", "health"]]);
  });

  test("stands on the runtime that the product is tested with", () => {
    expect(image().bases[0]).toBe(`oven/bun:${Bun.version}-debian`);
  });

  test("sets nothing that is no setting", () => {
    expect(Object.keys(image().environment).filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("the files that an image is built from", () => {
  let place: Workplace;
  beforeAll(() => {
    place = workplace();
  });
  afterAll(() => place.remove());

  test(
    "are enough for the build",
    async () => {
      copyContext(place.folder);
      symlinkSync(join(repositoryRoot, "node_modules"), place.path("node_modules"));
      const program = place.path("dist/noetl");
      const built = await buildBinary(program, place.folder);
      expect(built).toMatchObject({ exitCode: 0, err: "" });
      expect(built.out).toMatch(/\d+ MB, built in [\d.]+ s, starts in \d+ ms/);
      const { exitCode } = await noetl(["version"], { cwd: place.folder, program: [program] });
      expect(exitCode).toBe(0);
    },
    binaryTestMs,
  );

  test("are no history, no data and no credentials", () => {
    const found = readdirSync(place.folder);
    for (const name of [".git", ".noetl", "tests", "deploy"]) expect(found).not.toContain(name);
    expect(patterns().slice(-3)).toEqual(["**/*.pem", "**/.env*", "**/.noetl"]);
  });
});

function patterns(): readonly string[] {
  return ignorefile.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

/** What `.dockerignore` lets through: all is refused but what is named. */
function copyContext(folder: string): void {
  const [first, ...rest] = patterns();
  expect(first).toBe("*");
  for (const pattern of rest.filter((line) => line.startsWith("!"))) {
    const path = pattern.slice(1);
    // An engine, too, leaves out what isn't there.
    if (!existsSync(join(repositoryRoot, path))) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const options = { recursive: true, preserveTimestamps: true };
    cpSync(join(repositoryRoot, path), join(folder, path), options);
  }
}

describe("the composition", () => {
  test("has our processes twice each, over a database and a bus", () => {
    const own = ownServices().map(([name]) => name);
    expect(own).toEqual(["control-1", "control-2", "worker-cpu", "worker-io"]);
    expect(services.map(([name]) => name)).toEqual(["postgres", "nats", ...own]);
  });

  for (const [name, service] of services) {
    test(`${name} stands on a named version, comes back, and tells how it is`, () => {
      expect(service.image).toMatch(/:\d+\.\d+/);
      expect(service.restart).toBe("unless-stopped");
      // Ours have it from the image.
      if (service.build === undefined) expect(service.healthcheck?.test.length).toBeGreaterThan(1);
    });

    test(`${name} waits for those it can't do without, until they are well`, () => {
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(Object.keys(compose().services)).toContain(other);
        expect(condition).toBe("service_healthy");
      }
    });

    test(`${name} keeps its data in volumes that are declared`, () => {
      for (const volume of service.volumes ?? []) {
        expect(Object.keys(compose().volumes)).toContain(volume.split(":")[0] ?? "");
      }
    });

    test(`${name} is reached from this machine only, if at all`, () => {
      for (const port of service.ports ?? []) expect(port).toStartWith("127.0.0.1:");
    });
  }

  for (const [name, service] of ownServices()) {
    test(`${name} has no right that it doesn't need`, () => {
      expect(service).toMatchObject({
        init: true,
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
      // The image's own user, who is nobody in particular.
      expect(service.user).toBeUndefined();
    });

    test(`${name} is given settings that there are`, () => {
      const names = Object.keys(service.environment ?? {});
      expect(names.filter((setting) => !known.has(setting))).toEqual([]);
    });
  }

  test("tells each control plane how workers reach it", () => {
    for (const [name, { environment }] of ownServices().filter(([own]) => own.startsWith("c"))) {
      expect(environment?.["NOETL_PUBLIC_URL"]).toBe(`http://${name}:8082`);
    }
  });

  test("has no password in it: the one there is must be given", () => {
    expect(composeText).toContain("${POSTGRES_PASSWORD:?");
    const addresses = [...composeText.matchAll(/\w+:\/\/[^\s@]*:([^\s@]*)@/g)];
    expect(addresses.map(([, password]) => password)).toEqual(["${POSTGRES_PASSWORD}"]);
    const secrets = [...composeText.matchAll(/(?:PASSWORD|SECRET|TOKEN|KEY)\w*: (.*)/g)];
    for (const [, value] of secrets) expect(value).toStartWith("${");
  });
});

test("the page on deploying names settings that there are", () => {
  const page = readFileSync(join(repositoryRoot, "docs/deploy.md"), "utf8");
  const named = [...page.matchAll(/NOETL_[A-Z_]+[A-Z]/g)].map(([name]) => name);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

describe("the units for systemd", () => {
  const names = readdirSync(join(repositoryRoot, "deploy/systemd"));

  test("are one for control planes and one for each kind of worker", () => {
    expect(names.sort()).toEqual(["noetl-control.service", "noetl-worker@.service"]);
  });

  for (const name of names) {
    test(`${name} has a user of its own, comes back, and ends after the grace of its tools`, () => {
      const values = unit(name);
      expect(values.get("Service.DynamicUser")).toEqual(["yes"]);
      expect(values.get("Service.Restart")).toEqual(["always"]);
      expect(values.get("Service.ProtectSystem")).toEqual(["strict"]);
      expect(values.get("Service.NoNewPrivileges")).toEqual(["yes"]);
      expect(values.get("Service.CapabilityBoundingSet")).toEqual([""]);
      const settings = name.includes("worker") ? workerSettings : controlSettings;
      const graceSeconds = Number(settings.NOETL_STOP_GRACE_MS.default) / 1_000;
      expect(Number(values.get("Service.TimeoutStopSec")?.[0])).toBeGreaterThan(graceSeconds);
    });

    // Where systemd's own reader is installed, it reads them.
    test.skipIf(Bun.which("systemd-analyze") === null)(`${name} is read by systemd`, async () => {
      const text = await Bun.file(join(repositoryRoot, "deploy/systemd", name)).text();
      const place = workplace();
      // The program need not be installed here.
      const readable = text.replace("/usr/local/bin/noetl", "/bin/true");
      const file = place.write(name.replace("@", "@cpu"), readable);
      const { exitCode, stderr } = Bun.spawnSync(["systemd-analyze", "verify", file]);
      place.remove();
      expect({ exitCode, said: stderr.toString() }).toEqual({ exitCode: 0, said: "" });
    });
  }
});
