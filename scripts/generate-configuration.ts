// Makes docs/configuration.md from the settings of every process. Run it alone to write the file.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ProcessSettings, processes } from "#cli/config";
import { edgeSettings } from "#control/edge-settings";
import { configFile, expectedText } from "#core/adapters/configuration";
import type { Setting, Settings } from "#core/model/settings";

const path = "docs/configuration.md";

/** The generated file: its path relative to the root of the repository, and its whole text. */
export function generate(): readonly { readonly path: string; readonly text: string }[] {
  return [{ path, text: text() }];
}

/** What stands above the table of a process. */
const introductions: Readonly<Record<string, string>> = {
  noetl:
    "Settings of the commands, and of the embedded shape that `noetl run` and `noetl dev` run.",
  "noetl control": "Settings of a control plane as a process of its own.",
  "noetl worker": "Settings of a worker as a process of its own, see [workers](workers.md).",
};

const edgeIntroduction =
  "Settings of a control plane [at the edge](edge.md): variables or secrets of the platform, no file.";

function table({ process, settings }: ProcessSettings): string {
  return section(`\`${process}\``, introductions[process] ?? "", settings);
}

function section(title: string, introduction: string, settings: Settings): string {
  const rows = Object.entries(settings).map(([name, setting]) => row(name, setting));
  return `## ${title}

${introduction}

| Setting | Expected | Default | What it is for |
|---|---|---|---|
${rows.join("\n")}
`;
}

function row(name: string, setting: Setting): string {
  const expected = `${expectedText(setting)}${setting.secret === true ? ", secret" : ""}`;
  const value = setting.default === undefined ? "" : `\`${setting.default}\``;
  return `| \`${name}\` | ${expected} | ${value} | ${setting.text} |`;
}

function text(): string {
  return `# Configuration

<!-- Made by \`bun run generate\` from cli/config.ts, control/config.ts, worker/config.ts and
control/edge-settings.ts; edit those. -->

Each process has settings of its own; one environment may serve them all. A flag of a command wins
over the environment, the environment over the file \`${configFile}\` in the working directory, the
file over the default. An empty value is no value.

The file is a YAML map of setting names:

\`\`\`yaml
# ${configFile}
NOETL_PORT: 9000
NOETL_CREDENTIALS_FILE: /home/me/credentials.yaml
\`\`\`

\`noetl config\` shows the effective values and where each comes from; secrets are masked. It warns
about names that begin with \`NOETL_\` and are no setting. A value that isn't as expected ends a
command with code 2 and a line that names the setting.

\`NO_COLOR\` with any value turns the colours of the terminal view off ([no-color.org](https://no-color.org)).

${processes.map(table).join("\n")}
${section("Edge", edgeIntroduction, edgeSettings)}
## Credentials

\`NOETL_CREDENTIALS_FILE\` names a YAML or JSON file that maps the aliases that playbooks use to credentials:

\`\`\`yaml
warehouse:
  type: postgres
  data: {host: db.example.com, port: 5432, user: app, password: "…", database: app}
partner_api:
  type: bearer
  data: {token: "…"}
\`\`\`

Values are handed to the tools of a step while it runs. They are never in the log, in an answer of
the API or in a line that is printed.

In the embedded shape, the alias \`pg_local\` needs no entry: it is a scratch PostgreSQL inside the
process, started when a step first asks for it. \`noetl run\` throws it away at the end; \`noetl dev\`
keeps it in \`.noetl/pg_local\`. All connections to it share one session, so transactions run one
after the other. An entry called \`pg_local\` in the file replaces it.
`;
}

if (import.meta.main) {
  for (const file of generate()) writeFileSync(join(import.meta.dir, "..", file.path), file.text);
}
