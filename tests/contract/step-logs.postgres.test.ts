// The contract of step logs on PostgreSQL.
import { sqlStepLogs } from "#control/store/step-logs";
import { postgresWorld } from "./postgres-world.ts";
import { contractBytesMax, stepLogContract } from "./step-logs.ts";

const world = postgresWorld();
const open = (bounds: Parameters<typeof sqlStepLogs>[1]) => async () => {
  const sql = await world.open();
  return { logs: sqlStepLogs(sql, bounds), close: () => sql.close() };
};

stepLogContract("PostgreSQL", {
  open: open({}),
  openSmall: open({ executionBytesMax: contractBytesMax }),
});
