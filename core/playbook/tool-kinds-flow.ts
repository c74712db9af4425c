// The kinds of tools that the engine itself carries out (language reference §2.5): no worker runs
// them, and no slot is held while they wait.

import { oneOf, type RecordShape, templated, templatedMap } from "./shape.ts";
import { field, flag, seconds, type ToolKind, textOrList, textOrNumber } from "./tool-shapes.ts";

const approvers: RecordShape = {
  is: "record",
  noun: "approvers",
  others: "refuse",
  fields: {
    roles: field(textOrList, "Roles of which one is needed."),
    users: field(textOrList, "Users who may, whatever their role."),
  },
};

export const flowKinds: Readonly<Record<string, ToolKind>> = {
  playbook: {
    says: "Runs another playbook.",
    fields: {
      path: field(templated, "Its place in the catalog."),
      catalog_id: field(textOrNumber, "Its id in the catalog."),
      version: field(textOrNumber, "Its version (default the newest)."),
      payload: field(templatedMap, "The same as input."),
      return_step: field(
        templated,
        "Wait for the end and give its status with its result; which step is named does not matter.",
      ),
      return_result: field(flag, "Wait for the end and give its result alone."),
      result_step: field(templated, "With return_result: the output of this step of it instead."),
      timeout: field(seconds, "Seconds after which it is waited for no longer; it goes on itself."),
      timeout_seconds: field(seconds, "The same as timeout."),
      poll_interval: { shape: seconds, ignored: "nothing is polled", says: "No effect." },
    },
    needs: [["path", "catalog_id"]],
  },
  wait: {
    says: "Waits for a time, or for an answer, and holds no worker meanwhile.",
    fields: {
      for: {
        shape: oneOf("timer", "callback", "signal", "approval"),
        required: true,
        says: "What is waited for.",
      },
      seconds: field(seconds, "Of a timer: how long."),
      until: field(textOrNumber, "Of a timer: RFC 3339 text, or milliseconds since 1970."),
      key: field(
        textOrNumber,
        "What the answer is addressed to (default STEP:VISIT, in a loop with :iINDEX).",
      ),
      timeout_s: field(seconds, "Seconds after which the step fails, kind timeout."),
      approvers: field(approvers, "Of an approval: who may give it."),
    },
  },
};
