// Shapes that several routes share: ids, texts that stores can take, counts.

import { type } from "arktype";

/** Digits beyond 2^53 come as text: see `parseJsonExactly`. */
export const id = type("string | number.integer").pipe((value) => String(value));
export const json = type("unknown");
export const map = type({ "[string]": "unknown" }).narrow(
  (value, context) => !Array.isArray(value) || context.mustBe("a map"),
);
/** Text that is looked up or compared: no store takes a NUL in it. */
export const name = type("string").narrow(
  (value, context) => !value.includes("\0") || context.mustBe("text without NUL"),
);
export const someName = name.and("string >= 1");
/** What the stores count with. */
export const count = type("0 <= number.integer <= 2147483647");
export const ordinal = type("1 <= number.integer <= 2147483647");
export const countText = type("string.integer.parse | number.integer").to(count);
export const ordinalText = type("string.integer.parse | number.integer").to(ordinal);
export const strings = type("string[]");

export const executionParams = type({ id: "string" });
export const variableParams = type({ id: "string", name: "string" });

/** A tenant's name; whether the asker may name it is not said by its shape. */
export const tenantName = someName.and("string <= 200");
