// The program of one sandbox process, as the source tree starts it.

import { serveJavascript } from "./javascript-child.ts";

await serveJavascript();
