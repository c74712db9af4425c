// What templates see: workload, results and variables, their precedence and their aliases.

import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { EngineRun, ok, planOf, testExecution } from "#tests/support/engine";

/** What a template gives in the step after `start`, which came to this output. */
function seen(
  template: string,
  output: Output = { status: "ok" },
  workload: JsonObject = {},
): Json {
  const text = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workflow:
- step: start
  tool: {kind: noop}
  next: {arcs: [{step: look}]}
- step: look
  tool: {kind: noop, message: ${JSON.stringify(template)}}
`;
  let value: Json = null;
  new EngineRun(planOf(text)).start(workload).run((command) => {
    if (command.event.step === "start") return { output };
    value = Object.values(command.event.input?.fields ?? {})[0] ?? null;
    return ok();
  });
  return value;
}

/** What a template gives in the arc set of `start` itself. */
function atExit(template: string, output: Output): Json {
  const text = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workflow:
- step: start
  tool: {kind: noop}
  next: {arcs: [{step: end, set: {it: ${JSON.stringify(template)}}}]}
- step: end
  tool: {kind: noop}
`;
  const run = new EngineRun(planOf(text)).start().run(() => ({ output }));
  return run.state.variables.it as Json;
}

describe("a step's result", () => {
  const data = { n: 5, list: [1, 2] };
  for (const [template, expected] of [
    ["{{ start.n }}", 5],
    ["{{ start.data.n }}", 5],
    ["{{ start.result.n }}", 5],
    ["{{ start.data.data.n }}", 5],
    ["{{ steps.start.n }}", 5],
    ["{{ ctx.start.n }}", 5],
    ["{{ start }}", data],
    ["{{ start.list[1] }}", 2],
    ["{{ start['n'] }}", 5],
    ["{{ start.missing is defined }}", false],
    ["{{ start._ref is defined }}", false],
  ] as const) {
    test(`${template} is ${JSON.stringify(expected)}`, () => {
      expect(seen(template, { status: "ok", data })).toEqual(expected);
    });
  }
  test("its own data key wins over the alias", () => {
    const http = { status_code: 200, data: { rows: [1] } };
    expect(seen("{{ start.data.rows }}", { status: "ok", data: http })).toEqual([1]);
    const output: Output = { status: "ok", data: http, http: { status: 200 } };
    expect(seen("{{ start.body.rows }}", output)).toEqual([1]);
  });
  test("that is a list or a scalar stands under its name and its aliases", () => {
    expect(seen("{{ start[0] }}", { status: "ok", data: [7] })).toBe(7);
    expect(seen("{{ start.data[0] }}", { status: "ok", data: [7] })).toBe(7);
    expect(seen("{{ start + 1 }}", { status: "ok", data: 7 })).toBe(8);
  });
  test("of a pipeline shows the last task's fields and every label", () => {
    const output: Output = {
      status: "ok",
      data: { z: 3 },
      task: "last",
      tasks: { first: { a: 1 } },
    };
    expect(seen("{{ start.z }}", output)).toBe(3);
    expect(seen("{{ start.first.a }}", output)).toBe(1);
    expect(seen("{{ start.last.z }}", output)).toBe(3);
  });
  test("of a soft error that a policy let go on is visible", () => {
    const output: Output = {
      status: "error",
      data: { code: 1 },
      error: { kind: "http", message: "no", retryable: true },
    };
    expect(seen("{{ start.error.kind }}", { ...output, status: "ok" })).toBe("http");
  });
});

describe("output in arcs and sets", () => {
  const output: Output = {
    status: "ok",
    data: { rows: [1, 2] },
    http: { status: 201 },
    meta: { attempt: 2 },
  };
  for (const [template, expected] of [
    ["{{ output.status }}", "ok"],
    ["{{ output.rows }}", [1, 2]],
    ["{{ output.data.rows }}", [1, 2]],
    ["{{ output.http.status }}", 201],
    ["{{ output.meta.attempt }}", 2],
    ["{{ output.error is defined }}", false],
    ["{{ event.name }}", "call.done"],
    ["{{ event.step }}", "start"],
  ] as const) {
    test(`${template} is ${JSON.stringify(expected)}`, () => {
      expect(atExit(template, output)).toEqual(expected);
    });
  }
  test("a data field named like one of the envelope is reached through data", () => {
    const data = { status: "mine" };
    expect(atExit("{{ output.status }}", { status: "ok", data })).toBe("ok");
    expect(atExit("{{ output.data.status }}", { status: "ok", data })).toBe("mine");
  });
});

describe("names", () => {
  test("every workload key is a bare name, and stands under workload and ctx", () => {
    expect(seen("{{ city }} {{ workload.city }} {{ ctx.city }}", undefined, { city: "Oslo" })).toBe(
      "Oslo Oslo Oslo",
    );
  });
  test("ids are text", () => {
    expect(seen("{{ execution_id }}")).toBe(testExecution);
    expect(seen("{{ job.uuid }}")).toBe(testExecution);
  });
  test("keep their types through a lone expression", () => {
    expect(seen("{{ it }}", undefined, { it: { a: [1, null, true] } })).toEqual({
      a: [1, null, true],
    });
    expect(seen("{{ it }}", undefined, { it: "5" })).toBe("5");
    expect(seen("{{ it }}", undefined, { it: null })).toBe(null);
  });
  test("default fires on undefined and on null", () => {
    expect(seen("{{ it | default('d') }}", undefined, { it: null })).toBe("d");
    expect(seen("{{ nope | default('d') }}")).toBe("d");
  });
  test("data that looks like a template stays data", () => {
    const nasty = "{{ 7 * 7 }} {% for x in y %}";
    expect(seen("{{ it }}", undefined, { it: nasty })).toBe(nasty);
    expect(seen("<{{ it }}>", undefined, { it: nasty })).toBe(`<${nasty}>`);
    expect(seen("{{ start }}", { status: "ok", data: nasty })).toBe(nasty);
  });
  test("prototypes are out of reach", () => {
    for (const path of ["__proto__", "constructor", "constructor.constructor", "toString"]) {
      expect(seen(`{{ start.${path} is defined }}`, { status: "ok", data: {} })).toBe(false);
      expect(seen(`{{ ${path} is defined }}`)).toBe(false);
    }
  });
});

describe("set", () => {
  const run = (sets: string, arc = "{step: end}"): EngineRun =>
    new EngineRun(
      planOf(`
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workload: {v: from workload}
workflow:
- step: start
  tool: {kind: noop}
  set: ${sets}
  next: {arcs: [${arc}]}
- step: end
  tool: {kind: noop, message: "{{ v }}"}
`),
    )
      .start()
      .run(() => ok({ n: 1 }));

  test("takes its scope prefixes off", () => {
    const { variables } = run("{ctx.a: 1, step.b: 2, iter.c: 3, d: 4}").state;
    expect({ ...variables }).toEqual({ a: 1, b: 2, c: 3, d: 4 });
  });
  test("with further dots writes inside the variable", () => {
    const { variables } = run("{ctx.page: {size: 2}, ctx.page.next: 5}").state;
    expect(variables.page).toEqual({ size: 2, next: 5 });
  });
  test("wins over results and workload under the same name", () => {
    const { log } = run("{v: from set}");
    const issued = log.flatMap(({ event }) =>
      event.type === "command.issued" && event.step === "end" ? [event.input?.fields] : [],
    );
    expect(issued).toEqual([{ "/0/message": "from set" }]);
  });
  test("to null is a value, and hides what was there", () => {
    const { log } = run("{v: null}");
    expect(log.find(({ event }) => "step" in event && event.step === "end")).toBeDefined();
    const issued = log.flatMap(({ event }) =>
      event.type === "command.issued" && event.step === "end" ? [event.input?.fields] : [],
    );
    expect(issued).toEqual([{ "/0/message": null }]);
  });
  test("on the step is seen by its arcs; on an arc by what follows", () => {
    const made = run("{x: '{{ output.n + 1 }}'}", "{step: end, set: {y: '{{ x + 1 }}'}}");
    expect({ ...made.state.variables }).toEqual({ x: 2, y: 3 });
  });
  test("sees in each entry what the ones above it set", () => {
    const made = run("{x: 1, y: '{{ x + 1 }}'}", "{step: end, set: {z: 5, w: '{{ z + y }}'}}");
    expect({ ...made.state.variables }).toEqual({ x: 1, y: 2, z: 5, w: 7 });
  });
  test("is evaluated once per completion", () => {
    const exits = run("{x: 1}").log.filter(({ event }) => event.type === "step.exit");
    expect(exits.map(({ event }) => ("set" in event ? event.set : undefined))).toEqual([
      { x: 1 },
      undefined,
    ]);
  });
});

describe("a result too large to carry", () => {
  const big: Output = {
    status: "ok",
    data: { n: 5, text: "y".repeat(200_000), rows: [{ a: 1 }, { a: 2 }] },
  };
  test("goes behind a reference, its scalars stay at hand", () => {
    expect(seen("{{ start.n }}", big)).toBe(5);
    expect(seen("{{ start._ref is defined }}", big)).toBe(true);
    expect(seen("{{ start._ref }}", big)).toMatch(/^noetl:\/\/execution\/1\d+\/result\//);
  });
  test("is fetched where a template needs more than its summary", () => {
    expect(seen("{{ start.rows[1].a }}", big)).toBe(2);
    expect(seen("{{ start.text | length }}", big)).toBe(200_000);
  });
});

describe("code", () => {
  const scopeOf = (code: string): Json => {
    const text = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workload: {city: Oslo}
workflow:
- step: start
  tool: {kind: noop}
  set: {n: 1}
  next: {arcs: [{step: look}]}
- step: look
  tool: {kind: python, code: ${JSON.stringify(code)}}
`;
    let scope: Json = null;
    new EngineRun(planOf(text)).start().run((command) => {
      scope = (command.event.input?.scope ?? null) as Json;
      return ok({ x: 2 });
    });
    return scope;
  };

  test("that names variables or context is given the whole execution", () => {
    const whole = { workload: { city: "Oslo" }, ctx: { n: 1 }, steps: { start: { x: 2 } } };
    expect(scopeOf("result = variables['n']")).toEqual(whole);
    expect(scopeOf("result = context.get('args')")).toEqual(whole);
  });
  test("that does not is given nothing it didn't ask for", () => {
    expect(scopeOf("result = 1")).toBe(null);
  });
});
