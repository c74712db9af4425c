// The kinds of tools that the engine itself carries out (language reference §2.5): no worker runs
// them, and no slot is held while they wait.

import { templated, templatedMap } from "./shape.ts";
import { field, flag, seconds, type ToolKind, textOrNumber } from "./tool-shapes.ts";

const notTimed = "a sub-playbook is waited for until it ends or is cancelled";

export const flowKinds: Readonly<Record<string, ToolKind>> = {
  playbook: {
    says: "Runs another playbook.",
    fields: {
      path: field(templated, "Its place in the catalog."),
      catalog_id: field(textOrNumber, "Its id in the catalog."),
      version: field(textOrNumber, "Its version (default the newest)."),
      payload: field(templatedMap, "The same as input."),
      return_step: field(templated, "Wait for the end and give the playbook's result."),
      return_result: field(flag, "Wait for the end and give its result."),
      result_step: {
        shape: templated,
        ignored: "the playbook's own result is given: let its step end make it",
        says: "No effect.",
      },
      timeout: { shape: seconds, ignored: notTimed, says: "No effect." },
      timeout_seconds: { shape: seconds, ignored: notTimed, says: "No effect." },
      poll_interval: { shape: seconds, ignored: "nothing is polled", says: "No effect." },
    },
    needs: [["path", "catalog_id"]],
  },
};
