// What the compiled binary calls itself with to be a process that is no command of anybody else.

/** Makes the prepared database of the working directory. */
export const prepareDatabaseArgument = "__prepare-database";
