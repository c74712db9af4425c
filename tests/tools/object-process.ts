// A process with an environment of its own that asks a store for one object, and tells the outcome.

import { toolContext } from "#tests/tools/context";
import { outcomeOf } from "#tests/tools/outcome-of";
import { objectTool } from "#worker/tools/object";

const [, , endpoint = "", token = ""] = process.argv;
const config = {
  operation: "head",
  uri: "s3://bucket/key",
  access_key_id: "key",
  secret_access_key: "secret",
  endpoint,
  ...(token === "" ? {} : { session_token: token }),
};
const output = await outcomeOf(objectTool("s3"), config, toolContext());
process.stdout.write(JSON.stringify(output));
