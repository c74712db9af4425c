// How tokens begin that answer one wait, so that nobody takes them for the token of somebody who has
// signed in.

export const waitTokenPrefix = "noetl_wait_";
