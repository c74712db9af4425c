// A certificate authority of a test's own, with openssl: what it signs is trusted by who is given
// its certificate, and by nobody else.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";

export const canSign = Bun.which("openssl") !== null;

export interface Signed {
  readonly keyFile: string;
  readonly certificateFile: string;
}

export interface Authority {
  readonly folder: string;
  readonly caFile: string;
  /** A key and a certificate for this name: `IP:127.0.0.1`, `DNS:db.example`. */
  sign(name: string): Promise<Signed>;
  remove(): Promise<void>;
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const days = ["-days", "2"];

export async function newAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), "noetl-certificates-"));
  const file = (name: string): string => join(folder, name);
  const [caFile, caKey] = [file("ca.pem"), file("ca.key")];
  await $`chmod 755 ${folder}`;
  await $`openssl req -x509 ${newKey} ${days} -subj /CN=tests -keyout ${caKey} -out ${caFile}`.quiet();
  let count = 0;
  return {
    folder,
    caFile,
    sign: async (name) => {
      count += 1;
      const [key, request, certificate] = [".key", ".csr", ".pem"].map((end) =>
        file(`${count}${end}`),
      ) as [string, string, string];
      await writeFile(file("names"), `subjectAltName=${name}\n`);
      await $`openssl req ${newKey} -subj /CN=signed -keyout ${key} -out ${request}`.quiet();
      const by = ["-CA", caFile, "-CAkey", caKey, "-CAcreateserial", "-extfile", file("names")];
      await $`openssl x509 -req -in ${request} ${by} ${days} -out ${certificate}`.quiet();
      return { keyFile: key, certificateFile: certificate };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
