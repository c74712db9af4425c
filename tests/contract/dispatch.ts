// The contract of the event log, the part that decides who runs what and when.
import { describe } from "bun:test";
import { choiceContract } from "./command-choice.ts";
import { deadLetterContract } from "./dead-letters.ts";
import { ruleContract } from "./dispatch-rules.ts";
import type { EventLogWorld } from "./event-log.ts";
import { handOverContract } from "./hand-overs.ts";

export function dispatchContract(world: () => EventLogWorld): void {
  describe("chooses commands", () => choiceContract(world));
  describe("takes hand-overs back", () => handOverContract(world));
  describe("keeps rules", () => ruleContract(world));
  describe("keeps dead letters", () => deadLetterContract(world));
}
