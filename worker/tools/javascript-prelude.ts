// What is evaluated in the sandbox before a step's code: gives the code its inputs and a console,
// and gives us, unseen by the code, the functions that turn its result and errors into JSON text.

/**
 * Source of a function `(given, emit) => {finish, describe}`. `given` is JSON text of
 * `{inputs, names}`: the step's own inputs and the names every step has. `emit(stream, text)` takes
 * what the console prints. Both answers are text; `finish` throws for what JSON can't say.
 */
export const sandboxPrelude = `(function (given, emit) {
  "use strict";
  const { parse, stringify } = JSON;
  const { defineProperty, entries } = Object;
  const isFiniteNumber = Number.isFinite;
  const { inputs, names } = parse(given);
  const define = (name, value) => {
    try {
      defineProperty(globalThis, name, {
        value, writable: true, configurable: true, enumerable: true,
      });
    } catch {}
  };
  for (const [name, value] of entries(inputs)) define(name, value);
  for (const [name, value] of entries(names)) define(name, value);
  define("args", inputs);
  define("input_data", inputs);

  const plain = (key, value) => (typeof value === "bigint" ? String(value) : value);
  const shown = (value) => {
    if (typeof value === "string") return value;
    if (typeof value === "bigint") return String(value);
    if (value instanceof Error) return String(value.stack ? value + "\\n" + value.stack : value);
    try {
      return stringify(value, plain) ?? String(value);
    } catch {
      return String(value);
    }
  };
  const printer = (stream) => (...values) => emit(stream, values.map(shown).join(" ") + "\\n");
  const out = printer("stdout");
  const err = printer("stderr");
  define("console", { log: out, info: out, debug: out, warn: err, error: err });

  const telling = (key, value) => {
    if (typeof value === "bigint") return String(value);
    if (typeof value === "number" && !isFiniteNumber(value)) {
      throw new TypeError("found " + value + (key === "" ? "" : " under " + stringify(key)));
    }
    return value;
  };
  const finish = (value) => {
    if (value === undefined || value === null) return "";
    const text = stringify(value, telling);
    if (text === undefined) throw new TypeError("found a " + typeof value);
    return text;
  };
  const describe = (error) => {
    const part = (read, otherwise) => {
      try {
        return String(read() ?? otherwise);
      } catch {
        return otherwise;
      }
    };
    const isError = error instanceof Error;
    return stringify({
      name: isError ? part(() => error.name, "Error") : "thrown",
      message: isError ? part(() => error.message, "") : shown(error),
      stack: isError ? part(() => error.stack, "") : "",
    });
  };
  return { finish, describe };
})`;

const opening = "(async function () {";

/**
 * A step's code as the body of a function, on the lines it had, so that it may `return` and
 * `await`; without a return, `result` counts, and without that what `main` returns.
 */
export function sandboxProgram(code: string): string {
  const result = 'typeof result !== "undefined" && result !== null ? await result';
  const main = 'typeof main === "function" ? await main(input_data, context) : undefined';
  return `${opening}${code}\n;return ${result} : ${main};\n})`;
}

/** The stack lines of a step's code, with the columns of its first line as the author counts. */
export function userStack(stack: string, file: string): string {
  return stack
    .split("\n")
    .filter((line) => line.includes(`${file}:`))
    .map((line) =>
      line.replace(`${file}:1:`, `${file}:1:+`).replace(/:1:\+(\d+)/, (_, column) => {
        return `:1:${Math.max(1, Number(column) - opening.length)}`;
      }),
    )
    .join("\n");
}
