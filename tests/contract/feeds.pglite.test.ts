// The contracts of the feed and of cursors on PGlite.
import { cursorStoreContract } from "./cursor-store.ts";
import { eventFeedContract } from "./event-feed.ts";
import { scratchPglite } from "./pglite-world.ts";
import { sqlCursorWorld, sqlFeedWorld } from "./sql-feed-worlds.ts";

eventFeedContract("PGlite", () => sqlFeedWorld(scratchPglite));
cursorStoreContract("PGlite", () => sqlCursorWorld(scratchPglite));
