// A worker in a process of its own, for tests that kill it in the middle of a call. Runs an endless
// step of the tool named by its argument and prints what the step prints.

import { toolContext } from "#tests/tools/context";
import { javascriptTool } from "#worker/tools/javascript";
import { pythonTool } from "#worker/tools/python";

const pythonCode = [
  "import json, os, subprocess",
  "child = subprocess.Popen(['sleep', '600'])",
  "print(json.dumps([os.getpid(), child.pid]))",
  "while True: pass",
].join("\n");
const javascriptCode = "console.log('up'); return 'a'.repeat(3e7).indexOf('a'.repeat(1.5e7) + 'b')";

const log = (_: unknown, text: string): void => {
  process.stdout.write(`${text}\n`);
};
const context = toolContext({ log, timeoutMs: 600_000 });
if (process.argv[2] === "python") await pythonTool().run({ code: pythonCode }, context);
else await javascriptTool().run({ code: javascriptCode }, context);
