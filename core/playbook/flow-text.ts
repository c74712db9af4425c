// Values as they are written into a YAML file on one line: plain where that is safe in every place,
// otherwise in quotes.

import type { Json } from "#core/model/json";
import { isJsonObject } from "#core/model/json";

/** The value in flow style: `{when: "{{ a }}", then: {do: retry}}`. */
export function flowText(value: Json): string {
  if (typeof value === "string") return scalarText(value);
  if (Array.isArray(value)) return `[${value.map(flowText).join(", ")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  return `{${Object.entries(value).map(pairText).join(", ")}}`;
}

function pairText([key, value]: readonly [string, Json]): string {
  return `${scalarText(key)}: ${flowText(value)}`;
}

const plain = /^[A-Za-z_][\w./-]*(?: [\w./-]+)*$/;
/** Words that some reader of YAML takes for something else than text. */
const notText = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** A text that reads as itself, wherever it stands. */
export function scalarText(text: string): string {
  if (plain.test(text) && !notText.test(text)) return text;
  const printable = !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(text);
  if (printable && /["\\]/.test(text)) return `'${text.replaceAll("'", "''")}'`;
  return JSON.stringify(text);
}
