// Splits text in Snowflake's SQL at its semicolons, without parsing it: strings with their escapes,
// quoted names, dollar quotes and the three kinds of comments are skipped. Blocks of its scripting
// language are not known here: a block is given as an item of a list.

const mark = /'|"|\$\$|--|\/\/|\/\*|;/g;

/** The statements in order; pieces that are only white space and comments are left out. */
export function snowflakeStatements(sql: string): readonly string[] {
  const statements: string[] = [];
  let start = 0;
  let spokenFor = 0;
  let said = "";
  const finish = (end: number): void => {
    said += sql.slice(spokenFor, end);
    if (/\S/.test(said)) statements.push(sql.slice(start, end).trim());
    said = "";
    start = end + 1;
    spokenFor = start;
  };
  let at = 0;
  while (at < sql.length) {
    mark.lastIndex = at;
    const found = mark.exec(sql);
    if (found === null) break;
    const [token] = found;
    const from = found.index;
    if (token === ";") {
      finish(from);
      at = from + 1;
      continue;
    }
    at = endOf(sql, token, from);
    if (token.startsWith("/") || token === "--") {
      said += sql.slice(spokenFor, from);
      spokenFor = at;
    }
  }
  finish(sql.length);
  return statements;
}

/** Just behind what the token opens, or the end of the text where it is never closed. */
function endOf(sql: string, token: string, from: number): number {
  switch (token) {
    case "'":
      return quotedEnd(sql, from, true);
    case '"':
      return quotedEnd(sql, from, false);
    case "$$":
      return behind(sql, "$$", from + 2);
    case "/*":
      return behind(sql, "*/", from + 2);
    default:
      return behind(sql, "\n", from + 2);
  }
}

function behind(sql: string, close: string, from: number): number {
  const at = sql.indexOf(close, from);
  return at === -1 ? sql.length : at + close.length;
}

/** A doubled quote reads as two quoted texts side by side, which splits no differently. */
function quotedEnd(sql: string, from: number, escapes: boolean): number {
  const quote = sql[from];
  for (let at = from + 1; at < sql.length; at++) {
    if (escapes && sql[at] === "\\") at++;
    else if (sql[at] === quote) return at + 1;
  }
  return sql.length;
}
