// Texts as vectors: by an endpoint that understands them, or by their words alone where there is
// none. Both give vectors of one length.

import { type Ask, placeOf } from "#control/export/sink";
import { embeddingTextsMax, vectorSizeMax, wordVectorSize } from "#core/model/export-limits";
import { Fault } from "#core/model/fault";
import { isJsonObject, type Json } from "#core/model/json";

export interface Embedding {
  /** Which one it is: vectors of another are of no use beside its own. */
  readonly model: string;
  /**
   * One vector for each text, in order.
   * @throws Fault `unavailable` when the endpoint has no usable answer.
   */
  vectors(texts: readonly string[], ask: Ask): Promise<readonly (readonly number[])[]>;
}

/** Texts that have words in common are near each other, whatever the words mean. */
export function wordEmbedding(): Embedding {
  return { model: "words", vectors: async (texts) => texts.map(wordVector) };
}

function wordVector(text: string): readonly number[] {
  const counts = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const vector = new Array<number>(wordVectorSize).fill(0);
  for (const [word, count] of counts) {
    const hash = hashOf(word);
    const at = hash % wordVectorSize;
    vector[at] = (vector[at] ?? 0) + (hash >= 0x8000_0000 ? -1 : 1) * (1 + Math.log(count));
  }
  const length = Math.hypot(...vector);
  // A text without words is near nothing in particular; no vector may be nothing at all.
  if (length === 0) return vector.with(0, 1);
  return vector.map((value) => Math.round((value / length) * 1e6) / 1e6);
}

/** FNV-1a of 32 bits over UTF-16, with its bits mixed once more. */
function hashOf(word: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < word.length; at++) {
    hash = Math.imul(hash ^ word.charCodeAt(at), 0x0100_0193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

export interface EndpointOptions {
  readonly url: string;
  readonly key?: string;
  readonly model?: string;
}

/** An endpoint that takes `{model, input: [text]}` and gives `{data: [{index, embedding}]}`. */
export function endpointEmbedding({ url, key, model }: EndpointOptions): Embedding {
  const headers = {
    "content-type": "application/json",
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  return {
    model: `${placeOf(url)} ${model ?? ""}`,
    vectors: async (texts, ask) => {
      const vectors: (readonly number[])[] = [];
      for (let from = 0; from < texts.length; from += embeddingTextsMax) {
        const input = texts.slice(from, from + embeddingTextsMax);
        const body = JSON.stringify({ ...(model === undefined ? {} : { model }), input });
        const { status, text } = await ask({ method: "POST", url, headers, body });
        if (status !== 200) throw noVectors(`status ${status}`);
        vectors.push(...vectorsIn(text, input.length));
      }
      return vectors;
    },
  };
}

function vectorsIn(text: string, count: number): readonly (readonly number[])[] {
  const answer = parsed(text);
  const data = isJsonObject(answer) ? answer["data"] : undefined;
  if (!Array.isArray(data) || data.length !== count) {
    throw noVectors(`expected ${count} vectors in data, found something else`);
  }
  const vectors = new Array<readonly number[]>(count);
  for (const [at, each] of data.entries()) {
    const { index = at, embedding } = isJsonObject(each) ? each : {};
    if (typeof index !== "number" || vectors[index] !== undefined || !isVector(embedding)) {
      throw noVectors("expected vectors of finite numbers, each with its own index");
    }
    vectors[index] = embedding;
  }
  const [size = 0] = vectors.map((vector) => vector?.length ?? 0);
  if (vectors.some((vector) => vector?.length !== size)) {
    throw noVectors("expected vectors of one length");
  }
  return vectors;
}

function isVector(value: Json | undefined): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= vectorSizeMax &&
    value.every((each) => typeof each === "number" && Number.isFinite(each))
  );
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw noVectors("expected JSON, found something else");
  }
}

function noVectors(reason: string): Fault {
  return new Fault("unavailable", `the embedding endpoint gave no vectors: ${reason}`);
}
