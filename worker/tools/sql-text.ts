// Splits PostgreSQL text into statements at top-level semicolons, without parsing SQL: strings,
// quoted names, dollar quotes, nested comments, parentheses and BEGIN ATOMIC bodies are skipped.

/** One statement as written, without its semicolon, and what it starts with. */
export interface SqlStatement {
  readonly text: string;
  /** Its first words outside parentheses, in upper case: enough to know what kind it is. */
  readonly words: readonly string[];
}

const wordsKept = 8;
const nameStart = /[A-Za-z_\u0080-\uffff]/;
const namePart = /[A-Za-z0-9_$\u0080-\uffff]/;
const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
const tokenPattern =
  /--|\/\*|['"$;()]|[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*|[0-9][A-Za-z0-9_.]*/g;

/**
 * The statements of a text in order; pieces that are only white space and comments are left out.
 */
export function splitStatements(sql: string): readonly SqlStatement[] {
  const statements: SqlStatement[] = [];
  let piece = newPiece(0);
  const finish = (end: number): void => {
    const text = sql.slice(piece.start, end).trim();
    if (piece.hasTokens) statements.push({ text, words: piece.words });
    piece = newPiece(end + 1);
  };
  let at = 0;
  while (at < sql.length) {
    tokenPattern.lastIndex = at;
    const found = tokenPattern.exec(sql);
    const gapEnd = found?.index ?? sql.length;
    if (/\S/.test(sql.slice(at, gapEnd))) piece.hasTokens = true;
    if (found === null) break;
    const [token] = found;
    at = gapEnd + token.length;
    if (token === "--" || token === "/*") {
      at = commentEnd(sql, gapEnd);
      continue;
    }
    if (token === ";" && piece.parentheses <= 0 && piece.blocks === 0) {
      finish(gapEnd);
      continue;
    }
    piece.hasTokens = true;
    if (token === "'" || token === '"' || token === "$") at = quotedEnd(sql, gapEnd);
    else if (token === "(") piece.parentheses++;
    else if (token === ")") piece.parentheses--;
    else if (nameStart.test(token)) takeWord(piece, token.toUpperCase());
  }
  finish(sql.length);
  return statements;
}

interface Piece {
  readonly start: number;
  readonly words: string[];
  hasTokens: boolean;
  parentheses: number;
  /** Open BEGIN ATOMIC and CASE blocks of a routine's body, whose semicolons are its own. */
  blocks: number;
  previous: string;
}

function newPiece(start: number): Piece {
  return { start, words: [], hasTokens: false, parentheses: 0, blocks: 0, previous: "" };
}

function takeWord(piece: Piece, word: string): void {
  if (piece.parentheses <= 0 && piece.words.length < wordsKept) piece.words.push(word);
  const opensBody = word === "ATOMIC" && piece.previous === "BEGIN" && isRoutine(piece.words);
  if (opensBody || (piece.blocks > 0 && word === "CASE")) piece.blocks++;
  else if (piece.blocks > 0 && word === "END") piece.blocks--;
  piece.previous = word;
}

function isRoutine(words: readonly string[]): boolean {
  const [verb] = words;
  const start = words.slice(0, 4);
  return verb === "CREATE" && (start.includes("FUNCTION") || start.includes("PROCEDURE"));
}

/** The end of the comment at `start`; block comments nest. An unended one takes all the rest. */
function commentEnd(sql: string, start: number): number {
  if (sql.startsWith("--", start)) {
    const end = sql.indexOf("\n", start);
    return end === -1 ? sql.length : end + 1;
  }
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  let depth = 0;
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === "/*" ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return sql.length;
}

/** The end of the string, quoted name or dollar quote at `start`; of a lone `$`, the next place. */
function quotedEnd(sql: string, start: number): number {
  const quote = sql[start];
  if (quote === "$") return dollarEnd(sql, start);
  const escapes = quote === "'" && isEscapeString(sql, start);
  let at = start + 1;
  while (at < sql.length) {
    if (escapes && sql[at] === "\\") at += 2;
    else if (sql[at] !== quote) at++;
    else if (sql[at + 1] === quote) at += 2;
    else return at + 1;
  }
  return sql.length;
}

/** True for E'..': the letter must stand alone, as `name'..'` is no escape string. */
function isEscapeString(sql: string, quoteAt: number): boolean {
  const letter = sql[quoteAt - 1];
  const before = sql[quoteAt - 2];
  return (letter === "E" || letter === "e") && (before === undefined || !namePart.test(before));
}

function dollarEnd(sql: string, start: number): number {
  dollarTag.lastIndex = start;
  const tag = dollarTag.exec(sql)?.[0];
  if (tag === undefined) return start + 1;
  const end = sql.indexOf(tag, start + tag.length);
  return end === -1 ? sql.length : end + tag.length;
}

// --- what a statement needs ---------------------------------------------------------------

const transactionWords = new Set([
  "BEGIN",
  "START",
  "COMMIT",
  "END",
  "ABORT",
  "PREPARE TRANSACTION",
]);

/**
 * True for statements that PostgreSQL refuses inside a transaction, or that manage transactions
 * themselves (procedures may): with one of them a call runs statement by statement.
 */
export function runsAlone({ words }: SqlStatement): boolean {
  const [first = "", second = ""] = words;
  if (transactionWords.has(first) || transactionWords.has(`${first} ${second}`)) return true;
  switch (first) {
    case "VACUUM":
    case "CALL":
    case "CLUSTER":
      return true;
    case "ROLLBACK":
      return !words.includes("TO");
    case "CREATE":
    case "DROP":
    case "REINDEX":
    case "ALTER":
      return words.includes("CONCURRENTLY") || ownTransactionObjects.has(second);
    default:
      return false;
  }
}

const ownTransactionObjects = new Set(["DATABASE", "TABLESPACE", "SYSTEM", "SUBSCRIPTION"]);

const sessionWords = new Set(["SET", "RESET", "LISTEN", "PREPARE", "LOAD", "DISCARD", "SECURITY"]);
const sessionText = /\b(temp|temporary|set_config|pg_(try_)?advisory_lock\w*|hold|dblink\w*)\b/i;

/**
 * True if the statement may leave something behind in the session: its connection is not reused.
 */
export function leavesSessionState({ text, words }: SqlStatement): boolean {
  const [first = "", second = ""] = words;
  if (sessionWords.has(first)) return !(first === "SET" && second === "LOCAL");
  return first === "DO" || sessionText.test(text);
}
