// Imported before anything that makes a schema: the edge runs no code that is made at run time, so
// schemas are walked and not compiled.

import { configure } from "arktype/config";

configure({ jitless: true });
