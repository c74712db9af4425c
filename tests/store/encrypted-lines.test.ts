// Encrypted lines to PostgreSQL and NATS: whom they trust, what is said of those they don't, and that
// no password is shown.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { controlSettings } from "#control/config";
import { startControlProcess } from "#control/main";
import { openPostgres } from "#control/store/postgres";
import { readSettings } from "#core/adapters/configuration";
import { Fault } from "#core/model/fault";
import { type Authority, canSign, newAuthority } from "#tests/support/certificates";
import { startNats } from "#tests/support/nats";
import { type ScratchPostgres, startPostgres } from "#tests/support/postgres";
import { until } from "#tests/support/virtual-clock";
import { workerSettings } from "#worker/config";
import { startWorkerProcess } from "#worker/main";

let authority: Authority;
let stranger: Authority;
let server: ScratchPostgres;
let elsewhere: ScratchPostgres;
let plain: ScratchPostgres;
const cleanups: (() => unknown)[] = [];

/** A server whose certificate is for this name. */
async function serverFor(name: string): Promise<ScratchPostgres> {
  const { keyFile, certificateFile } = await authority.sign(name);
  // The server reads its key as its own user, and wants nobody else to be able to.
  if (process.getuid?.() === 0) chownSync(keyFile, postgresUser(), -1);
  return startPostgres({
    settings: ["ssl=on", `ssl_cert_file=${certificateFile}`, `ssl_key_file=${keyFile}`],
  });
}

const postgresUser = (): number =>
  Number(Bun.spawnSync(["id", "-u", "postgres"]).stdout.toString().trim());

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
beforeAll(async () => {
  if (!canSign) return;
  [authority, stranger] = [await newAuthority(), await newAuthority()];
  server = await serverFor("IP:127.0.0.1");
  elsewhere = await serverFor("DNS:elsewhere.example");
  plain = await startPostgres();
}, 60_000);
afterAll(async () => {
  if (!canSign) return;
  await Promise.all([server.stop(), elsewhere.stop(), plain.stop()]);
  await Promise.all([authority.remove(), stranger.remove()]);
});

const password = "s3cret-of-the-database";
const addressOf = ({ url }: ScratchPostgres, mode = ""): string =>
  `${url.replace("postgres@", `postgres:${password}@`)}${mode === "" ? "" : `?sslmode=${mode}`}`;

type Trust = "ours" | "a stranger's" | "the system's";

/** What one statement comes to: whether its line was encrypted, or what was said instead. */
async function asked(url: string, trust: Trust): Promise<string> {
  const files = { ours: authority.caFile, "a stranger's": stranger.caFile, "the system's": "" };
  const ca = trust === "the system's" ? undefined : await Bun.file(files[trust]).text();
  const sql = openPostgres(url, { connections: 1, ...(ca === undefined ? {} : { ca }) });
  try {
    const [row] = await sql.query<{ ssl: boolean }>(
      "select ssl from pg_stat_ssl where pid = pg_backend_pid()",
    );
    return row?.ssl === true ? "encrypted" : "plain";
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    expect(thrown.message).not.toContain(password);
    return `${thrown.code}: ${thrown.message}`;
  } finally {
    await sql.close();
  }
}

const untrusted = expect.stringMatching(
  /^unavailable: the database's certificate is not trusted: UNABLE_TO_VERIFY_LEAF_SIGNATURE$/,
);

// Without openssl there is no certificate to be had.
describe.skipIf(!canSign)("a line to PostgreSQL", () => {
  test("is encrypted where the address says `sslmode=require`, whoever answers", async () => {
    expect(await asked(addressOf(server), "the system's")).toBe("plain");
    expect(await asked(addressOf(server, "require"), "the system's")).toBe("encrypted");
    expect(await asked(addressOf(plain, "require"), "the system's")).toBe(
      "unavailable: the database offers no encryption, and its address asks for it",
    );
  });

  test("is checked against the certificates that are given, and encrypted for their sake", async () => {
    for (const mode of ["", "require", "verify-ca", "verify-full"]) {
      expect(await asked(addressOf(server, mode), "ours")).toBe("encrypted");
      expect(await asked(addressOf(server, mode), "a stranger's")).toEqual(untrusted);
    }
    expect(await asked(addressOf(plain), "ours")).toStartWith("unavailable: ");
  });

  test("is checked against the system's where the address asks for that", async () => {
    expect(await asked(addressOf(server, "verify-full"), "the system's")).toEqual(untrusted);
    expect(await asked(addressOf(server, "verify-ca"), "the system's")).toEqual(untrusted);
  });

  test("goes to the host of the address alone", async () => {
    expect(await asked(addressOf(elsewhere, "verify-full"), "ours")).toBe(
      "unavailable: the database's certificate is not trusted: ERR_TLS_CERT_ALTNAME_INVALID",
    );
    expect(await asked(addressOf(elsewhere, "verify-ca"), "ours")).toBe("encrypted");
  });

  test("is refused where the address can't be any, without showing it", () => {
    const wrong = addressOf(server, "sometimes");
    expect(() => openPostgres(wrong)).toThrow("sslmode one of");
    expect(() => openPostgres(wrong)).not.toThrow(password);
  });
});

// Without openssl there is no certificate to be had.
describe.skipIf(!canSign)("processes", () => {
  const control = (databaseUrl: string, environment: Record<string, string>, told: string[] = []) =>
    startControlProcess({
      databaseUrl,
      settings: readSettings(controlSettings, {
        environment: { NOETL_PORT: "0", NOETL_ACCESS: "local", ...environment },
        file: {},
      }).values,
      version: "0.0.0-test",
      report: (message) => void told.push(message),
    });
  const worker = (
    servers: readonly string[],
    environment: Record<string, string>,
    told: string[],
  ) =>
    startWorkerProcess({
      settings: readSettings(workerSettings, {
        environment: { NOETL_SPOOL_DIRECTORY: join(stranger.folder, "spool"), ...environment },
        file: {},
      }).values,
      servers,
      version: "0.0.0-test",
      report: (message) => void told.push(message),
    });

  test("work over encrypted lines to servers that they trust, and to no others", async () => {
    const { keyFile, certificateFile } = await authority.sign("IP:127.0.0.1");
    const nats = await startNats({
      configuration: `tls { cert_file: "${certificateFile}", key_file: "${keyFile}" }`,
    });
    cleanups.push(() => nats.stop());
    const told = { control: [] as string[], worker: [] as string[], deceived: [] as string[] };
    const NATS_URL = nats.url.replace("nats://", "tls://");
    const trusted = { NATS_URL, NATS_CA_FILE: authority.caFile };
    const url = addressOf(server, "verify-full");
    const plane = await control(
      url,
      { ...trusted, DATABASE_CA_FILE: authority.caFile },
      told.control,
    );
    cleanups.push(() => plane.stop());
    const { status } = await fetch(`${plane.url}/api/health`);
    const workers = [
      worker([plane.url], trusted, told.worker),
      worker([plane.url], { ...trusted, NATS_CA_FILE: stranger.caFile }, told.deceived),
    ];
    for (const one of workers) cleanups.push(() => one.stop());
    const says = (lines: readonly string[], what: RegExp): boolean =>
      lines.some((line) => what.test(line));
    const connected = /^connected to NATS at 127\.0\.0\.1:/;
    await until(() => says(told.control, connected) && says(told.worker, connected));
    await until(() => says(told.deceived, /^no connection to .*: .*certificate/));
    expect(status).toBe(200);
    expect(says(told.deceived, connected)).toBe(false);
  }, 30_000);

  test("do not start with certificates that can't be any, and say which file is wrong", async () => {
    const url = addressOf(server, "verify-full");
    const empty = join(stranger.folder, "empty.pem");
    writeFileSync(empty, "nothing\n");
    const refused: readonly [Record<string, string>, string][] = [
      [{ DATABASE_CA_FILE: stranger.caFile }, "the database's certificate is not trusted"],
      [{ DATABASE_CA_FILE: "/nowhere.pem" }, "DATABASE_CA_FILE: expected a file of certificates"],
      [{ DATABASE_CA_FILE: empty }, "DATABASE_CA_FILE: expected certificates in PEM, found none"],
      [
        { DATABASE_CA_FILE: authority.caFile, NOETL_DATABASE_DRIVER: "neon-http" },
        "DATABASE_CA_FILE: expected the driver postgres, found neon-http",
      ],
    ];
    for (const [environment, message] of refused) {
      await expect(control(url, environment)).rejects.toThrow(message);
    }
    const wrong = { NATS_URL: "tls://127.0.0.1", NATS_CA_FILE: empty };
    expect(() => worker(["http://127.0.0.1:1"], wrong, [])).toThrow("NATS_CA_FILE: expected");
  }, 30_000);
});
