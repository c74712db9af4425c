// The forms in which a secret may turn up in a text: as it is, and as URLs, JSON, base64 and the like
// have it; and a finder that blanks all of them out in one pass over the text.

import { secretCharsMin, secretFormsMax, secretPartCharsMin } from "#core/model/keychain-limits";

/** What stands where a secret was. */
export const blank = "***";

/** Every form of a secret that is long enough to be told from other text. */
export function formsOf(secret: string): readonly string[] {
  if (secret.length < secretCharsMin) return [];
  const forms = new Set<string>();
  const add = (form: string, charsMin = secretCharsMin): void => {
    if (form.length >= charsMin) forms.add(form);
  };
  for (const form of writtenForms(secret)) add(form);
  for (const part of base64Parts(secret)) add(part, secretPartCharsMin);
  for (const part of wrapped(Buffer.from(secret, "utf8").toString("base64"))) {
    add(part, secretPartCharsMin);
  }
  for (const line of secret.split(/\r?\n/)) {
    const text = line.trim();
    if (text !== secret) add(text, secretPartCharsMin);
  }
  return [...forms];
}

function writtenForms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, "utf8");
  const url = encodeURIComponent(secret.toWellFormed());
  const form = new URLSearchParams({ x: secret }).toString().slice(2);
  const json = JSON.stringify(secret).slice(1, -1);
  const ascii = json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${hexOf(unit, 4)}`);
  const inside = JSON.stringify(json).slice(1, -1);
  // What Python and shells make of it between single quotes.
  const single = json.replaceAll('\\"', '"');
  const base64 = bytes.toString("base64");
  const hex = bytes.toString("hex");
  return [
    ...[secret, url, lowerEscapes(url), form, lowerEscapes(form)],
    // Many leave fewer characters as they are than the one above, or more.
    ...[escapedAll(bytes), lowerEscapes(escapedAll(bytes)), encodeURI(secret.toWellFormed())],
    ...[json, ascii, inside, single, single.replaceAll("'", "\\'")],
    ...[json.replaceAll("/", "\\/"), secret.replaceAll("'", "'\\''")],
    ...[htmlOf(secret, "&#39;"), htmlOf(secret, "&#x27;")],
    ...[base64, bytes.toString("base64url"), base64.replaceAll("=", "%3D")],
    ...[hex, hex.toUpperCase()],
  ];
}

function hexOf(unit: string, digits: number): string {
  return unit.charCodeAt(0).toString(16).padStart(digits, "0");
}

/** All but letters and digits as `%XX`. */
function escapedAll(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => {
    const unit = String.fromCharCode(byte);
    return /[A-Za-z0-9]/.test(unit) ? unit : `%${hexOf(unit, 2).toUpperCase()}`;
  }).join("");
}

function lowerEscapes(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (part) => part.toLowerCase());
}

function htmlOf(secret: string, apostrophe: string): string {
  return secret
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", apostrophe);
}

/** What stays the same of its base64 whatever stands before and after it, at each of three places. */
function base64Parts(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, "utf8");
  return [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const first = Math.ceil((offset * 8) / 6);
    const part = text.slice(first, Math.floor(((offset + bytes.length) * 8) / 6));
    return [part, part.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

/** The lines of base64 as mail (76) and PEM (64 characters) have it, where it takes several. */
function wrapped(base64: string): readonly string[] {
  return [76, 64].flatMap((columns) =>
    base64.length <= columns
      ? []
      : Array.from({ length: Math.ceil(base64.length / columns) }, (_, line) =>
          base64.slice(line * columns, (line + 1) * columns),
        ),
  );
}

/**
 * A function that blanks out every place where one of the forms stands. Places that overlap become
 * one: no rest of a secret is left between them. Time grows with the text, not with the forms.
 */
export function blanker(forms: readonly string[]): (text: string) => string {
  const distinct = [...new Set(forms)].sort((a, b) => b.length - a.length);
  const known = distinct.slice(0, secretFormsMax);
  const places = known.length <= indexedFormsMax ? indexed(known) : bucketed(known);
  const cut = cutPlaces(known);
  return (text) => {
    const found = [...places(text), ...cut(text)];
    if (found.length === 0) return text;
    return without(
      text,
      found.sort(([a], [b]) => a - b),
    );
  };
}

/** What stands behind a text that was cut: it ends before it. */
const cutMark = "\n[cut at ";

/**
 * Parts of forms at the ends of a text: whoever cut it may have cut a secret in two. Parts that are
 * shorter than `secretPartCharsMin` stay.
 */
function cutPlaces(forms: readonly string[]): (text: string) => Place[] {
  const long = forms.filter((form) => form.length > secretPartCharsMin);
  const charsMax = long[0]?.length ?? 0;
  const heads = Map.groupBy(long, (form) => keyAt(form, 0));
  const tails = Map.groupBy(long, (form) => keyAt(form, form.length - keyUnits));
  return (text) => {
    const found: Place[] = [];
    if (long.length === 0) return found;
    const mark = text.lastIndexOf(cutMark);
    for (const end of mark === -1 ? [text.length] : [mark, text.length]) {
      for (let at = Math.max(0, end - charsMax); at + secretPartCharsMin <= end; at++) {
        const group = heads.get(keyAt(text, at));
        if (group === undefined) continue;
        const rest = text.slice(at, end);
        if (group.some((form) => form.startsWith(rest))) found.push([at, end]);
      }
    }
    for (let end = Math.min(text.length, charsMax); end >= secretPartCharsMin; end--) {
      const group = tails.get(keyAt(text, end - keyUnits));
      if (group === undefined) continue;
      const rest = text.slice(0, end);
      if (group.some((form) => form.endsWith(rest))) found.push([0, end]);
    }
    return found;
  };
}

type Place = [from: number, to: number];

/** Places of one search come in their order: what goes on where the last one ended belongs to it. */
function push(found: Place[], from: number, to: number): void {
  const last = found.at(-1);
  if (last !== undefined && from >= last[0] && from <= last[1]) last[1] = Math.max(last[1], to);
  else found.push([from, to]);
}

/** Up to so many forms the runtime's own search is the faster one. */
const indexedFormsMax = 40;

function indexed(forms: readonly string[]): (text: string) => Place[] {
  return (text) => {
    const found: Place[] = [];
    for (const form of forms) {
      for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) {
        push(found, at, at + form.length);
      }
    }
    return found;
  };
}

/** So many units make a key: no form is shorter. */
const keyUnits = 3;

/** Forms by their first three units: most places of a text begin none. */
function bucketed(forms: readonly string[]): (text: string) => Place[] {
  const buckets = new Map<number, string[]>();
  for (const form of forms) {
    const key = keyAt(form, 0);
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, [form]);
    else bucket.push(form);
  }
  return (text) => {
    const found: Place[] = [];
    for (let at = 0; at + keyUnits <= text.length; at++) {
      // The longest first: shorter ones at the same place are within it.
      const form = buckets.get(keyAt(text, at))?.find((each) => text.startsWith(each, at));
      if (form !== undefined) push(found, at, at + form.length);
    }
    return found;
  };
}

function keyAt(text: string, at: number): number {
  const unit = 65_536;
  return (text.charCodeAt(at) * unit + text.charCodeAt(at + 1)) * unit + text.charCodeAt(at + 2);
}

/** @param places in the order of their beginnings. */
function without(text: string, places: readonly Place[]): string {
  let rest = "";
  let from = 0;
  let to = -1;
  for (const [start, end] of places) {
    if (start <= to) {
      to = Math.max(to, end);
      from = to;
      continue;
    }
    rest += `${text.slice(from, start)}${blank}`;
    to = end;
    from = end;
  }
  return rest + text.slice(from);
}
