// Certificates to trust that a setting names by their file. A path is no secret and is shown; what
// the file holds is not, for it may be the wrong one.

import { readFileSync } from "node:fs";
import { Fault } from "#core/model/fault";

/**
 * The file's text, in PEM.
 * @throws Fault `invalid` that names the setting and the file, when there are no certificates in it.
 */
export function trustedCertificates(setting: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new Fault("invalid", `${setting}: expected a file of certificates, can't read ${path}`);
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new Fault("invalid", `${setting}: expected certificates in PEM, found none in ${path}`);
}
