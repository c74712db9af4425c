// Entries of a keychain as they are checked, each problem at its place.

import { describe, expect, test } from "bun:test";
import { documentOf, expectProblem, problemsOf, warningsOf } from "./playbook-text.ts";

const source = (keychain: string, step = "tool: {kind: noop}"): string => `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
keychain:
${keychain}
workflow:
- step: start
  ${step}
`;

describe("an entry", () => {
  for (const good of [
    "- {name: a, kind: static, data: {token: x}}",
    "- {name: a, kind: static, map: {token: '{{ workload.x }}'}}",
    "- {name: a, kind: bearer, auth: shop, ttl_seconds: 60}",
    "- {name: a, kind: oauth2, endpoint: 'https://x/t', data: {a: 1}, auto_renew: true, scope: shared}",
    "- {name: a, kind: secrets, provider: gcp, auth: g, map: {k: projects/p/secrets/s}, auto_renew: true}",
    "- {name: a, kind: secret_manager, provider: k8s, ref: s, namespace: n, scope: catalog}",
    "- {name: a, kind: google_id_token, target_audience: 'https://x', service_account_secret: s}",
    "- {name: a, type: credential_ref, ref: db}",
    "- {name: a, kind: google_oauth, credential: g, scopes: [x]}",
    "- {name: a, kind: google}",
    "- {name: a, provider: aws, ref: s, region: eu, residency: strict, allowed_regions: [eu]}",
    "- {name: a, kind: static, value: x}\n- {name: b, kind: static, value: '{{ keychain.a.value }}'}",
  ]) {
    test(`is fine: ${good.slice(0, 70).replaceAll("\n", " ")}`, () => {
      expect(problemsOf(source(good))).toEqual([]);
      expect(warningsOf(source(good))).toEqual([]);
      expect(documentOf(source(good)).keychain?.[0]).toMatchObject({ name: "a" });
    });
  }

  const list =
    "static, bearer, oauth2, secret_manager, secrets, google_id_token, credential, credential_ref, " +
    "google_oauth, google_service_account or google";
  for (const [bad, at, message] of [
    [
      "- {name: a, kind: statik, data: {}}",
      "statik",
      `'kind' is 'statik', expected ${list}, did you mean 'static'?`,
    ],
    ["- {name: a}", "{name: a}", `keychain entry has no 'kind', expected ${list}`],
    ["- {kind: static, value: x}", "{kind: static", "keychain entry has no 'name', expected text"],
    [
      "- {name: a, kind: static}",
      "{name: a, kind",
      "keychain entry of kind static has no 'data', 'map', 'value' or 'token', expected one",
    ],
    [
      "- {name: a, kind: oauth2}",
      "{name: a, kind",
      "keychain entry of kind oauth2 has no 'endpoint', expected one",
    ],
    [
      "- {name: a, kind: google_id_token}",
      "{name: a, kind",
      "keychain entry of kind google_id_token has no 'target_audience', expected one",
    ],
    [
      "- {name: a, kind: static, value: x, auto_renew: true}",
      "true}",
      "'auto_renew' is true, but kind static has nothing that could be renewed",
    ],
    [
      "- {name: a, kind: static, value: x, scope: all}",
      "all}",
      "'scope' is 'all', expected local, shared, global or catalog",
    ],
    [
      "- {name: a, kind: static, value: x}\n- {name: a, kind: static, value: y}",
      "a, kind: static, value: y",
      "a second keychain entry named 'a', expected different names",
    ],
    [
      "- {name: a, kind: static, value: '{{ keychain.b.x }}'}\n- {name: b, kind: static, value: y}",
      "'{{ keychain.b.x }}'",
      "keychain entry 'b' comes later, expected an entry that stands above",
    ],
    [
      "- {name: a, kind: static, value: '{{ keychain.a.x }}'}",
      "'{{ keychain.a.x }}'",
      "keychain entry 'a' comes later, expected an entry that stands above",
    ],
    [
      "- {name: a, kind: static, value: '{{ keychain.zz.x }}'}",
      "'{{ keychain.zz.x }}'",
      "keychain entry 'zz' does not exist",
    ],
    [
      "- {name: a, kind: static, value: '{{ keychain[workload.x] }}'}",
      "'{{ keychain[workload",
      "expected keychain.NAME, so that it is known what is read",
    ],
    [
      "- {name: a, kind: secrets, provider: gpc, ref: s}",
      "gpc",
      "'provider' is 'gpc', expected gcp, google, aws, azure, vault, k8s or kubernetes, did you mean 'gcp'?",
    ],
    [
      "- {name: a, kind: secrets, ref: s, residency: strict, region: us, allowed_regions: [eu]}",
      "strict",
      "'residency' is strict, expected a 'region' that is one of 'allowed_regions'",
    ],
    [
      "- {name: a, kind: bearer, token: \"{{ token('x') }}\"}",
      '"{{ token',
      "token() is for fields of tools: a secret must not reach the log",
    ],
    [
      "- {name: a, kind: static, value: x}\n- {name: b, kind: bearer, auth: '{{ keychain.a.value }}'}",
      "'{{ keychain.a.value }}'",
      "'auth' is an alias, which no secret may decide",
    ],
  ] as const) {
    test(`is refused: ${message.slice(0, 90)}`, () => {
      expectProblem(source(bad), at, message);
    });
  }

  test("with a key that nobody knows is kept, with a warning", () => {
    const unknown = source("- {name: a, kind: static, value: x, ttl: 5}");
    expect(problemsOf(unknown)).toEqual([]);
    expect(warningsOf(unknown).join()).toContain("unknown keychain entry key 'ttl'");
  });
});

describe("an entry is read in fields of tools", () => {
  const entry = "- {name: a, kind: static, value: x}";
  const reading = "'{{ keychain.a.value }}'";

  test("and in the input of a step, which goes to its tools", () => {
    for (const step of [
      `tool: {kind: http, url: ${reading}, headers: {a: ${reading}}, input: {b: ${reading}}}`,
      `input: {b: ${reading}}\n  tool: {kind: python, code: pass}`,
    ]) {
      expect(problemsOf(source(entry, step))).toEqual([]);
    }
  });

  const refusal = "keychain is for fields of tools: a secret must not reach the log";
  for (const [where, step] of [
    ["a set", `tool: {kind: noop, set: {a: ${reading}}}`],
    [
      "a rule",
      `tool: {kind: noop, spec: {policy: {rules: [{when: ${reading}, then: {do: fail}}]}}}`,
    ],
    ["an arc", `tool: {kind: noop}\n  next: {arcs: [{step: start, when: ${reading}}]}`],
    ["a loop", `tool: {kind: noop}\n  loop: {in: ${reading}, iterator: i}`],
    ["what a playbook is started with", `tool: {kind: playbook, path: x, input: {a: ${reading}}}`],
  ] as const) {
    test(`and not in ${where}`, () => {
      expectProblem(source(entry, step), reading, refusal);
    });
  }

  test("and not in the input of a step whose tool is filled by the engine", () => {
    const step = `input: {a: ${reading}}\n  tool: {kind: playbook, path: x}`;
    const message = "a secret must not reach the log: kind playbook takes none";
    expectProblem(source(entry, step), reading, message);
  });
});
