// Owns one question: which python has ClickHouse's engine and the protocol of OpenTelemetry, which
// tests check what is exported with. None is made by itself: the two weigh hundreds of megabytes.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "./install.ts";

const environment = join(repositoryRoot, ".noetl", "cache", "observability");
const packages = ["chdb==4.4.0", "opentelemetry-proto==1.45.2"];

export type ObservabilityPython = { readonly program: string } | { readonly missing: string };

export function observabilityPython(): ObservabilityPython {
  const program = join(environment, "bin", "python");
  if (existsSync(program)) return { program };
  const lines = [
    "python3 -m venv .noetl/cache/observability",
    `.noetl/cache/observability/bin/pip install ${packages.join(" ")}`,
  ];
  return { missing: `chdb is not installed; install it with: ${lines.join(" && ")}` };
}
