// A strict reader of Prometheus's text format 0.0.4: says what is wrong with a text, and what is in it.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Exposition {
  readonly samples: readonly Sample[];
  readonly types: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
}

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const samplePattern = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$/;

export function readExposition(text: string): Exposition {
  const problems: string[] = [];
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const closed = new Set<string>();
  let family = "";
  if (!text.endsWith("\n")) problems.push("the last line has no end");
  for (const line of text.split("\n").slice(0, -1)) {
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind !== undefined) {
      if (!namePattern.test(name)) problems.push(`name ${name}`);
      if (kind === "HELP" ? helps.has(name) : types.has(name))
        problems.push(`${kind} twice: ${name}`);
      if (kind === "HELP") helps.add(name);
      else types.set(name, rest);
      if (family !== name) {
        if (closed.has(name)) problems.push(`${name} comes in two places`);
        closed.add(family);
        family = name;
      }
      continue;
    }
    const [, own = "", inner = "", value = ""] = samplePattern.exec(line) ?? [];
    if (own === "") {
      problems.push(`no sample: ${line}`);
      continue;
    }
    const base = types.get(family) === "histogram" ? own.replace(/_(bucket|sum|count)$/, "") : own;
    if (base !== family) problems.push(`${own} under ${family}`);
    samples.push({ name: own, labels: labelsIn(inner, problems), value: numberOf(value) });
  }
  const isTwice = new Set<string>();
  for (const { name, labels } of samples) {
    const key = name + JSON.stringify(Object.entries(labels).sort());
    if (isTwice.has(key)) problems.push(`twice: ${key}`);
    isTwice.add(key);
  }
  for (const [name, kind] of types)
    if (kind === "histogram") checkHistogram(name, samples, problems);
  return { samples, types, problems };
}

const numberOf = (text: string): number =>
  text === "+Inf"
    ? Number.POSITIVE_INFINITY
    : text === "-Inf"
      ? Number.NEGATIVE_INFINITY
      : Number(text);

function labelsIn(text: string, problems: string[]): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== "") {
    const [whole, name = "", value = ""] =
      /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(rest) ?? [];
    if (whole === undefined) {
      problems.push(`labels ${text}`);
      return labels;
    }
    if (name in labels) problems.push(`label ${name} twice`);
    labels[name] = value.replace(/\\(.)/g, (_, unit: string) => (unit === "n" ? "\n" : unit));
    rest = rest.slice(whole.length);
  }
  return labels;
}

/** Buckets add up, end at +Inf, and their last is the count. */
function checkHistogram(name: string, samples: readonly Sample[], problems: string[]): void {
  const series = Map.groupBy(
    samples.filter((sample) => sample.name === `${name}_bucket`),
    ({ labels }) =>
      JSON.stringify(
        Object.entries(labels)
          .filter(([label]) => label !== "le")
          .sort(),
      ),
  );
  for (const [key, buckets] of series) {
    const bounds = buckets.map(({ labels }) => numberOf(labels["le"] ?? ""));
    const isRising = (list: readonly number[]): boolean =>
      list.every((value, at) => at === 0 || value >= (list[at - 1] ?? 0));
    if (!isRising(bounds) || !isRising(buckets.map(({ value }) => value)))
      problems.push(`buckets ${name}`);
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) problems.push(`no +Inf in ${name}`);
    const count = samples.find(
      (sample) =>
        sample.name === `${name}_count` &&
        JSON.stringify(Object.entries(sample.labels).sort()) === key,
    );
    if (count?.value !== buckets.at(-1)?.value) problems.push(`count of ${name}`);
  }
}
