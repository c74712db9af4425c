// The examples as a newcomer meets them: every playbook of the folder registered in one house,
// and the examples API beside it on a port of its own.

import { join } from "node:path";
import { isTestName } from "#cli/test-name";
import type { JsonObject } from "#core/model/json";
import { type RunningExamplesApi, startExamplesApi } from "#scripts/examples-api";
import { repositoryRoot } from "#scripts/install";
import { type House, type HouseOptions, type HouseRun, startHouse } from "#tests/support/embedded";
import type { ApiClock } from "../../examples/api/clock.ts";

export interface ExampleHouse {
  readonly api: RunningExamplesApi;
  readonly house: House;
  /** Runs `examples/<name>` against the API of this house. */
  run(name: string, workload?: JsonObject): Promise<HouseRun>;
  close(): Promise<void>;
}

export interface ExampleHouseOptions extends HouseOptions {
  readonly clock?: ApiClock;
}

/** The texts of all examples, by file name without its ending. */
export async function exampleTexts(): Promise<ReadonlyMap<string, string>> {
  const folder = join(repositoryRoot, "examples");
  const found = [...new Bun.Glob("*.yaml").scanSync(folder)];
  const files = found.filter((file) => !isTestName(file)).sort();
  const texts = files.map(async (file): Promise<[string, string]> => {
    return [file.replace(/\.yaml$/, ""), await Bun.file(join(folder, file)).text()];
  });
  return new Map(await Promise.all(texts));
}

export async function startExampleHouse(options: ExampleHouseOptions = {}): Promise<ExampleHouse> {
  const { clock, ...houseOptions } = options;
  const playbooks = [...(await exampleTexts()).values()];
  const api = startExamplesApi({ port: 0, ...(clock === undefined ? {} : { clock }) });
  const house = await startHouse({ playbooks, ...houseOptions });
  return {
    api,
    house,
    run: (name, workload) => house.run(`examples/${name}`, { api: api.url, ...workload }),
    close: async () => {
      await house.close();
      await api.stop();
    },
  };
}
