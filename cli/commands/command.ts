// What a sub-command of `noetl` is: how it is called, what the help says of it, and what runs it.

import type { Arguments, CommandSyntax } from "#cli/arguments";

export interface Command extends CommandSyntax {
  readonly about: string;
  /** Other names for the command. */
  readonly also?: readonly string[];
  /** Commands below it, called by its name and theirs: `noetl context add`. */
  readonly sub?: readonly Command[];
  /** Not shown in the overview. */
  readonly hidden?: true;
  /** Runs it and gives the exit code; absent where it is only a name for those below it. */
  readonly run?: (args: Arguments, command: CommandSyntax) => Promise<number>;
}
