// The contracts of the feed and of cursors on memory.
import { memoryCursors } from "#core/adapters/memory-cursors";
import { memoryEventFeed } from "#core/adapters/memory-event-feed";
import { memoryEventLog } from "#core/adapters/memory-event-log";
import { cursorStoreContract } from "./cursor-store.ts";
import { type EventFeedWorld, eventFeedContract } from "./event-feed.ts";
import { startMs } from "./transitions.ts";

const close = async () => {};
const newFeed = () => memoryEventFeed(memoryEventLog({ nowMs: () => startMs }));

eventFeedContract("memory", async (): Promise<EventFeedWorld> => {
  let present = newFeed();
  return {
    get log() {
      return present.log;
    },
    get feed() {
      return present.feed;
    },
    reset: async () => {
      present = newFeed();
    },
    close,
  };
});

cursorStoreContract("memory", async () => {
  let nowMs = startMs;
  const advance = async (durationMs: number) => {
    nowMs += durationMs;
  };
  return { cursors: memoryCursors({ nowMs: () => nowMs }), advance, close };
});
