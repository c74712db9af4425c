// The page at /openapi: reads the description and lists its routes with their schemas. One
// document without anything from elsewhere, so that it works on a machine without a network.

/** @param specPath where the description is, on the same server. */
export function documentationPage(specPath: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>NoETL Edge API</title>
<style>${style}</style>
</head>
<body>
<main><h1>NoETL Edge API</h1><p>From <a href="${specPath}">${specPath}</a>.</p><div id="routes"></div></main>
<script>${script(specPath)}</script>
</body>
</html>
`;
}

const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
h2 { margin: 2rem 0 .5rem; text-transform: capitalize; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; }
summary { cursor: pointer; padding: .5rem .8rem; }
summary b { display: inline-block; min-width: 4.2rem; }
summary span { opacity: .75; }
section { border-top: 1px solid var(--line); padding: .3rem .8rem .8rem; }
h3 { font-size: .9rem; margin: .7rem 0 .2rem; }
pre { background: var(--soft); border-radius: 4px; margin: 0; overflow: auto; padding: .6rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
`;

/** Everything that comes from the description is put in as text, never as markup. */
const script = (specPath: string): string => `
const make = (name, text, ...children) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
};
const block = (title, value) =>
  value === undefined ? [] : [make("h3", title), make("pre", JSON.stringify(value, null, 2))];
let components = {};
const schemaOf = (part) => {
  const schema = part?.content?.["application/json"]?.schema;
  return schema?.$ref === undefined ? schema : components.schemas[schema.$ref.split("/").at(-1)];
};
const parametersOf = (list, place) => {
  const own = (list ?? []).filter((parameter) => parameter.in === place);
  if (own.length === 0) return undefined;
  return Object.fromEntries(own.map(({ name, required, schema }) => [name + (required ? "" : "?"), schema]));
};
const routeOf = (path, method, route) => make("details", undefined,
  make("summary", undefined, make("b", method.toUpperCase()), make("code", path), " ", make("span", route.summary)),
  make("section", undefined,
    ...(route.description === undefined ? [] : [make("p", route.description)]),
    make("p", "Lets in: " + route["x-noetl-access"].join(", ")),
    ...block("Path", parametersOf(route.parameters, "path")),
    ...block("Query", parametersOf(route.parameters, "query")),
    ...block("Request", schemaOf(route.requestBody)),
    ...block("Answer", schemaOf(route.responses?.[200])),
    ...block("Problem", schemaOf(route.responses?.default))));
const show = (spec) => {
  components = spec.components;
  const tags = new Map();
  for (const [path, methods] of Object.entries(spec.paths)) {
    for (const [method, route] of Object.entries(methods)) {
      const tag = route.tags?.[0] ?? "other";
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push(routeOf(path, method, route));
    }
  }
  const routes = document.getElementById("routes");
  for (const [tag, list] of tags) routes.append(make("h2", tag), ...list);
};
fetch(${JSON.stringify(specPath)}).then((answer) => answer.json()).then(show);
`;
