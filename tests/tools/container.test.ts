// Containers as jobs of a cluster: what is posted, how the call is parked, and what a cluster
// refuses.

import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "#core/model/json";
import type { Failure } from "#core/model/outcome";
import { canSign, newAuthority } from "#tests/support/certificates";
import { startCluster, status } from "#tests/tools/cluster-server";
import { type ToolContextOverrides, toolContext } from "#tests/tools/context";
import { containerTool } from "#worker/tools/container";
import type { KubernetesOptions } from "#worker/tools/container-cluster";
import { type ParkedCall, ToolParked } from "#worker/tools/tool";

const folder = mkdtempSync(join(tmpdir(), "noetl-cluster-"));
const cluster = startCluster("t0ken");
const tokenFile = join(folder, "token");
writeFileSync(tokenFile, "t0ken\n");
const callbackUrl = () => "http://control.example:8082/";
const kubernetes = { url: cluster.url, tokenFile, namespace: "jobs", callbackUrl };
const tool = containerTool({ runtime: "kubernetes", kubernetes, environment: {} });

afterEach(() => {
  cluster.instead(undefined);
  cluster.jobs.clear();
  cluster.seen.length = 0;
});
afterAll(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function parked(config: JsonObject, overrides: ToolContextOverrides = {}, by = tool) {
  const output = await by.run(config, toolContext(overrides)).catch((thrown: unknown) => thrown);
  if (output instanceof ToolParked) return output.parked;
  throw new Error(`expected a parked call, found ${JSON.stringify(output)}`);
}

async function failure(
  config: JsonObject,
  overrides: ToolContextOverrides = {},
  by = tool,
): Promise<Failure> {
  const output = await by.run(config, toolContext(overrides));
  if (output.error === undefined) throw new Error("expected a failure, found an ok output");
  return output.error;
}

const plain = { image: "example/etl:1" };
const { executionId, commandId, idempotencyKey } = toolContext();
const command = encodeURIComponent(commandId);
const labels = {
  "app.kubernetes.io/managed-by": "noetl",
  "noetl.io/execution": executionId,
  "noetl.io/step": "work",
};
const about = ({ about = {} }: ParkedCall): JsonObject => about;

/** Every field there is. */
const everything = {
  ...plain,
  command: ["python", "-m", "etl"],
  args: ["--day", 1],
  input: { table: "orders", rows: [1, 2] },
  env: [
    { name: "LEVEL", value: "debug" },
    { name: "PASSWORD", value_from: { secret_name: "db", secret_key: "password" } },
  ],
  resources: { limits: { memory: "1Gi" } },
  service_account: "etl",
  backoff_limit: 2,
  node_selector: { disk: "ssd" },
  tolerations: [{ key: "spot", operator: "Exists" }],
  volumes: [{ name: "scratch", emptyDir: {} }],
  volume_mounts: [{ name: "scratch", mountPath: "/scratch" }],
  timeout_seconds: 90,
};

const callback =
  `http://control.example:8082/api/internal/container-callback/${executionId}/work` +
  `?command_id=${command}`;
const variables = {
  NOETL_EXECUTION_ID: executionId,
  NOETL_STEP: "work",
  NOETL_ATTEMPT: "1",
  NOETL_IDEMPOTENCY_KEY: idempotencyKey,
  NOETL_COMMAND_ID: commandId,
  NOETL_INPUT: '{"table":"orders","rows":[1,2]}',
  NOETL_CALLBACK_URL: callback,
};

/** What the cluster is given of it. */
function jobOf(name: string, all: JsonObject): JsonObject {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: "jobs", labels: all },
    spec: {
      backoffLimit: 2,
      activeDeadlineSeconds: 90,
      ttlSecondsAfterFinished: 86_400,
      template: {
        metadata: { labels: all },
        spec: {
          restartPolicy: "Never",
          serviceAccountName: "etl",
          nodeSelector: { disk: "ssd" },
          tolerations: [{ key: "spot", operator: "Exists" }],
          volumes: [{ name: "scratch", emptyDir: {} }],
          containers: [
            {
              name: "main",
              image: "example/etl:1",
              command: ["python", "-m", "etl"],
              args: ["--day", "1"],
              env: [
                { name: "LEVEL", value: "debug" },
                {
                  name: "PASSWORD",
                  valueFrom: { secretKeyRef: { name: "db", key: "password" } },
                },
                ...Object.entries(variables).map(([name, value]) => ({ name, value })),
              ],
              resources: { limits: { memory: "1Gi" } },
              volumeMounts: [{ name: "scratch", mountPath: "/scratch" }],
            },
          ],
        },
      },
    },
  };
}

describe("a container step", () => {
  test("is posted as a job, and parked until that answers", async () => {
    const call = await parked(everything);
    const name = String(about(call).job_name);

    expect(name).toMatch(/^noetl-[0-9a-f]{16}$/);
    const all = { ...labels, "noetl.io/command": name.slice(6) };
    expect(call).toEqual({
      key: `container:${commandId}`,
      timeoutMs: 90_000,
      about: { job_name: name, job_uid: "uid-1", namespace: "jobs", labels: all },
    });
    expect(cluster.seen).toHaveLength(1);
    expect(cluster.seen[0]).toMatchObject({
      method: "POST",
      path: "/apis/batch/v1/namespaces/jobs/jobs",
      token: "Bearer t0ken",
    });
    expect(cluster.seen[0]?.body).toEqual(jobOf(name, all));
  });

  test("is the same job over all attempts: the second one finds the first one's", async () => {
    const first = await parked(plain);
    const second = await parked(plain, { attempt: 2 });
    expect(second).toEqual(first);
    expect(cluster.jobs.size).toBe(1);
    expect(cluster.seen.map(({ method }) => method)).toEqual(["POST", "POST", "GET"]);
  });

  test("never takes a job of others for its own", async () => {
    const name = String(about(await parked(plain)).job_name);
    const foreign = { metadata: { name, uid: "x", labels: { "noetl.io/execution": "1" } } };
    cluster.jobs.set(`jobs/${name}`, foreign);
    expect(await failure(plain)).toMatchObject({ kind: "container", code: 409, retryable: false });
  });

  test("waits an hour where it says nothing, in the namespace that it names", async () => {
    const call = await parked({ ...plain, namespace: "etl" });
    expect(call.timeoutMs).toBe(3_600_000);
    expect(cluster.seen[0]?.path).toBe("/apis/batch/v1/namespaces/etl/jobs");
  });

  test("can't give the variables of its call another meaning", async () => {
    await parked({ ...plain, env: { NOETL_COMMAND_ID: "mine", OTHER: null, DAY: 3 } });
    const text = JSON.stringify(cluster.seen[0]?.body);
    expect(text).not.toContain("mine");
    expect(text).toContain('{"name":"DAY","value":"3"}');
    expect(text).not.toContain("OTHER");
  });

  test("is given the token by which its job may report, in the address too", async () => {
    await parked(plain, { callbackToken: async () => "noetl_wait_a+b" });
    const text = JSON.stringify(cluster.seen[0]?.body);
    expect(text).toContain(`"value":"${callback}&token=noetl_wait_a%2Bb"`);
    expect(text).toContain('{"name":"NOETL_CALLBACK_TOKEN","value":"noetl_wait_a+b"}');
  });

  test("has a label of whatever its step is called", async () => {
    await parked(plain, { step: "Büro / über 9000!" });
    expect(cluster.seen[0]?.body).toMatchObject({
      metadata: { labels: { "noetl.io/step": "B-ro----ber-9000" } },
    });
  });
});

// Needs openssl, which signs what the cluster shows.
test.skipIf(!canSign)(
  "a cluster is known by its certificate, and a stranger gets no token",
  async () => {
    const [authority, other] = await Promise.all([newAuthority(), newAuthority()]);
    const secure = startCluster("t0ken", await authority.sign("IP:127.0.0.1"));
    const { url } = secure;
    const known = { ...kubernetes, url, caFile: authority.caFile };
    const by = (options: KubernetesOptions) =>
      containerTool({ runtime: "kubernetes", kubernetes: options });
    try {
      expect(about(await parked(plain, {}, by(known)))).toMatchObject({ job_uid: "uid-1" });
      secure.seen.length = 0;
      for (const options of [
        { ...kubernetes, url },
        { ...known, caFile: other.caFile },
      ]) {
        const failed = await failure(plain, {}, by(options));
        expect(failed).toMatchObject({ kind: "connection", retryable: false });
      }
      expect(secure.seen).toEqual([]);
    } finally {
      await secure.stop();
      await Promise.all([authority.remove(), other.remove()]);
    }
  },
);

describe("in a pod", () => {
  test("the cluster, the account and the namespace are the pod's own", async () => {
    const account = mkdtempSync(join(folder, "account-"));
    writeFileSync(join(account, "token"), "t0ken");
    writeFileSync(join(account, "namespace"), "own");
    const { hostname, port } = new URL(cluster.url);
    const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    const options = { accountFolder: account, callbackUrl, url: cluster.url };
    const inPod = containerTool({ runtime: "kubernetes", kubernetes: options, environment });
    expect(about(await parked(plain, {}, inPod))).toMatchObject({ namespace: "own" });

    // The stand-in has no certificate: that it is asked over TLS is what can be seen of the address.
    const found = { accountFolder: account, callbackUrl };
    const secure = containerTool({ runtime: "kubernetes", kubernetes: found, environment });
    expect(await failure(plain, {}, secure)).toMatchObject({
      kind: "connection",
      message: expect.stringContaining(`https://${hostname}:${port}`),
    });
  });
});

describe("a refusal", () => {
  test("is that of a worker without a runtime, or with another one", async () => {
    expect(await failure(plain, {}, containerTool())).toMatchObject({ kind: "forbidden" });
    const none = containerTool({ runtime: "none" });
    expect((await failure(plain, {}, none)).message).toContain("NOETL_CONTAINER_RUNTIME");
    expect(await failure({ ...plain, runtime: "docker" })).toMatchObject({ kind: "forbidden" });
  });

  test("is the cluster's, in its own words and with its status", async () => {
    expect(await failure({ ...plain, namespace: "closed" })).toEqual({
      kind: "container",
      code: 403,
      message: "the job could not be made in namespace closed: HTTP 403: jobs is forbidden here",
      retryable: false,
    });
    for (const [code, retryable] of [
      [422, false],
      [409, false],
      [429, true],
      [500, true],
      [302, false],
    ] as const) {
      cluster.instead(() => status(code, "Invalid", "spec.x: bad"));
      expect(await failure(plain)).toMatchObject({ kind: "container", code, retryable });
    }
  });

  test("is that of a wrong token, which is shown nowhere", async () => {
    writeFileSync(join(folder, "bad"), "wr0ng");
    const options = { ...kubernetes, tokenFile: join(folder, "bad") };
    const other = containerTool({ runtime: "kubernetes", kubernetes: options });
    const failed = await failure(plain, {}, other);
    expect(failed).toMatchObject({ kind: "container", code: 401 });
    expect(JSON.stringify(failed)).not.toContain("wr0ng");
  });

  test("is that of a cluster that says nothing, or can't be reached", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    cluster.instead(() => promise);
    expect(await failure(plain, { timeoutMs: 50 })).toMatchObject({ kind: "timeout" });
    resolve(new Response("late"));
    const options = { ...kubernetes, url: "http://127.0.0.1:1" };
    const gone = containerTool({ runtime: "kubernetes", kubernetes: options });
    expect(await failure(plain, {}, gone)).toMatchObject({ kind: "connection", retryable: true });
  });

  test("names the setting or the field that is not as it has to be", async () => {
    const { callbackUrl: _none, ...silent } = kubernetes;
    for (const [options, name] of [
      [silent, "NOETL_CALLBACK_URL"],
      [{ ...kubernetes, tokenFile: join(folder, "none") }, "NOETL_KUBERNETES_TOKEN_FILE"],
      [{ ...kubernetes, caFile: join(folder, "none") }, "NOETL_KUBERNETES_CA_FILE"],
      [{ tokenFile, callbackUrl }, "NOETL_KUBERNETES_URL"],
    ] as const) {
      const by = containerTool({ runtime: "kubernetes", kubernetes: options, environment: {} });
      const failed = await failure(plain, {}, by);
      expect([failed.kind, failed.message]).toEqual(["config", expect.stringContaining(name)]);
    }
    for (const [config, name] of [
      [{}, "image"],
      [{ image: "--privileged" }, "image"],
      [{ ...plain, command: "ls -l" }, "command"],
      [{ ...plain, args: [{}] }, "args[0]"],
      [{ ...plain, env: { "A=B": 1 } }, "env.A=B"],
      [{ ...plain, env: [{ name: "A", value_from: { secret_name: "x" } }] }, "env[0].value_from"],
      [{ ...plain, restart_policy: "Always" }, "restart_policy"],
      [{ ...plain, backoff_limit: -1 }, "backoff_limit"],
      [{ ...plain, namespace: "../secrets" }, "namespace"],
      [{ ...plain, volumes: ["/"] }, "volumes"],
      [{ ...plain, timeout: 0 }, "timeout"],
      [{ ...plain, input: { text: "x".repeat(2_000_000) } }, "the job"],
    ] as const) {
      const failed = await failure(config);
      expect([failed.kind, failed.message]).toEqual(["config", expect.stringContaining(name)]);
    }
    expect(cluster.seen).toEqual([]);
  });
});
