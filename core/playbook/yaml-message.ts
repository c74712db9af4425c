// What the YAML reader complains of, said in the words of this product: what was found, what was
// expected.

const messages: Readonly<Record<string, string>> = {
  BAD_INDENT: "indentation doesn't fit, expected keys and items of one level in one column",
  BLOCK_AS_IMPLICIT_KEY: "a map inside a line of a map, expected it on lines of its own",
  KEY_OVER_1024_CHARS: "a key of more than 1024 characters, expected a shorter one",
  MULTILINE_IMPLICIT_KEY: "a key over several lines, expected it on one line, followed by a colon",
  MULTIPLE_DOCS: "a second document in one file, expected one playbook",
  RESOURCE_EXHAUSTION: "lists and maps nested too deep, expected fewer levels",
  TAB_AS_INDENT: "a tab in the indentation, expected spaces",
};

interface YamlComplaint {
  readonly code: string;
  readonly message: string;
}

/** A value such as `{{ x }}` or `{{ x }} text` without quotes, at the place where YAML stumbled. */
const bareTemplate = /(?:^|[\s:,[-])\{\{/;
export const quoteHint = "; a value that begins with {{ must stand in quotes";

/** @param line the line of the source that the complaint is about, for hints. */
export function yamlMessage({ code, message }: YamlComplaint, line: string): string {
  const said =
    code === "TAG_RESOLVE_FAILED" ? tagMessage(message) : (messages[code] ?? lowered(message));
  return `not YAML: ${said}${bareTemplate.test(line) ? quoteHint : ""}`;
}

/** `Unresolved tag: !x` and its like; the name of the tag is all that matters. */
function tagMessage(message: string): string {
  const tag = /(?:tag:? )(\S+)/i.exec(message)?.[1];
  return tag === undefined
    ? lowered(message)
    : `tag ${tag} is unknown, expected a value without a tag`;
}

function lowered(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, "");
}
