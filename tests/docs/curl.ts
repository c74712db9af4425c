// As much of curl as the pages use, for machines without it: `curl -s URL [-X METHOD] [-d BODY]`.
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    silent: { type: "boolean", short: "s" },
    request: { type: "string", short: "X" },
    data: { type: "string", short: "d" },
  },
});
const { data, request = data === undefined ? "GET" : "POST" } = values;
const answer = await fetch(positionals[0] ?? "", {
  method: request,
  ...(data === undefined ? {} : { body: data }),
});
process.stdout.write(await answer.text());
