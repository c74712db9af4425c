// The form of a run as the console and other clients ask for it.

import type { ControlContext } from "#control/services/context";
import { runForm, workloadSchema } from "#core/playbook/run-form";
import type { CatalogEntry } from "#core/ports/catalog-store";

/** Never throws: a document without a workload has a form without fields. */
export function formOf({ clock }: Pick<ControlContext, "clock">, entry: CatalogEntry) {
  const { path, version, kind, meta, content } = entry;
  const { title, description, fields } = runForm(content);
  return {
    path,
    version,
    kind,
    title,
    description_markdown: description,
    exposed_in_ui: meta["exposed_in_ui"] === true,
    fields: fields.map((field) => ({ ...field })),
    input_schema: { ...workloadSchema({ fields }) },
    generated_at: new Date(clock.nowMs()).toISOString(),
  };
}
