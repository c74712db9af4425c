// The contract of step logs on PGlite.
import { sqlStepLogs } from "#control/store/step-logs";
import { scratchPglite } from "./pglite-world.ts";
import { contractBytesMax, stepLogContract } from "./step-logs.ts";

const open = (bounds: Parameters<typeof sqlStepLogs>[1]) => async () => {
  const sql = await scratchPglite();
  return { logs: sqlStepLogs(sql, bounds), close: () => sql.close() };
};

stepLogContract("PGlite", {
  open: open({}),
  openSmall: open({ executionBytesMax: contractBytesMax }),
});
