// A process that has nothing but the publisher, for tests that kill it: DATABASE_URL and NATS_URL.
import { publisher } from "#control/roles/publisher";
import { openPostgres } from "#control/store/postgres";
import { sqlStores } from "#control/store/stores";
import { natsMirror } from "#core/adapters/nats-mirror";
import { systemClock } from "#core/adapters/system-clock";

const { DATABASE_URL: database = "", NATS_URL: nats = "" } = process.env;
const { log, feed, cursors } = sqlStores(openPostgres(database, { connections: 2 }));
// The events of store tests are of a fixed day, long gone by.
const windowMs = Number.MAX_SAFE_INTEGER;
const mirror = { ...natsMirror({ servers: nats, name: "publisher" }), windowMs };
publisher(
  { log, feed, cursors, clock: systemClock(), mirror },
  {
    owner: `publisher-${process.pid}`,
    report: (message) => void process.stderr.write(`${message}\n`),
    leaseMs: 600,
    pollMs: 10,
  },
);
