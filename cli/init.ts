// `noetl init [path]`: writes a first playbook that runs as it stands and teaches as it is read,
// with the schema beside it for the editor. It overwrites nothing it was not told to.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

export type InitOptions = {
  /** Replace a playbook that is already there. */
  readonly force?: boolean;
  /** The JSON Schema of playbooks, as text; written beside a playbook outside of a checkout. */
  readonly schema: string;
  readonly print?: (text: string) => void;
  readonly printError?: (text: string) => void;
};

const schemaInCheckout = "docs/playbook.schema.json";
const schemaBeside = ".noetl/playbook.schema.json";

/** Writes the playbook to path. Answers 0, or 1 when a file is in the way and may not go. */
export async function init(path: string, options: InitOptions): Promise<number> {
  const { force = false, schema } = options;
  const { print = console.log, printError = console.error } = options;
  const file = resolve(path);
  if (existsSync(file) && !force) {
    printError(`${path} exists already; choose another name, or overwrite it with --force`);
    return 1;
  }
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  const checkout = checkoutAbove(folder);
  if (checkout === undefined) {
    mkdirSync(join(folder, dirname(schemaBeside)), { recursive: true });
    writeFileSync(join(folder, schemaBeside), schema);
  }
  const schemaPath =
    checkout === undefined ? schemaBeside : relative(folder, join(checkout, schemaInCheckout));
  writeFileSync(file, playbookText(playbookName(file), schemaPath));
  print(`wrote ${path}\nrun it with: noetl run ${shellWord(path)}`);
  return 0;
}

/** A path as a shell reads it back: quoted where a character has a meaning there. */
function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** The root of the checkout a folder lies in, where the schema is a file of the repository. */
function checkoutAbove(folder: string): string | undefined {
  for (let place = folder; ; place = dirname(place)) {
    if (existsSync(join(place, schemaInCheckout))) return place;
    if (dirname(place) === place) return undefined;
  }
}

/** The file's name as a playbook may be called: lower case, words parted by underscores. */
function playbookName(file: string): string {
  const words = basename(file)
    .replace(/\.ya?ml$/i, "")
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  return words === null || words.join("_") === "playbook" ? "hello" : words.join("_");
}

/** A playbook of three steps: a decision between two of them, and data that travels along. */
function playbookText(name: string, schemaPath: string): string {
  return `# yaml-language-server: $schema=${schemaPath}
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: ${JSON.stringify(name)}
  path: ${JSON.stringify(name)} # the key in the catalog; versions count up under it
# Defaults of the input. A run replaces them key by key.
workload:
  person: world
  times: 3
workflow:
  # The step called start runs first.
  - step: start
    desc: Make one greeting for each time
    tool:
      kind: python
      # A template alone in its quotes keeps its type: times stays a number.
      input:
        person: "{{ workload.person }}"
        times: "{{ workload.times }}"
      # Inputs are plain variables; what is called result is the result of the step.
      code: |
        greetings = [f"hello {person}, {n + 1}" for n in range(times)]
        result = {"greetings": greetings, "count": len(greetings)}
    next:
      spec: {mode: exclusive} # the first arc that matches; inclusive takes them all
      arcs:
        - step: quiet
          when: "{{ start.count == 0 }}"
        - step: end # an arc without a condition always matches
  - step: quiet
    tool: {kind: noop}
    next: {spec: {mode: exclusive}, arcs: [{step: end}]}
  # The result of end is the result of the run.
  - step: end
    tool:
      kind: noop
      result: {said: "{{ start.greetings }}"}
`;
}
