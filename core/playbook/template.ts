// The template language of playbooks: compile a text once, evaluate it many times. Pure; what a
// template can see is what its scope gives. The language is described in docs/templates.md.

export { compileExpression, compileTemplate, isTemplate } from "#core/playbook/template/compile";
export {
  type ReadPath,
  type Scope,
  Secrets,
  secretRoot,
  type Template,
  type TemplateEnvironment,
  View,
} from "#core/playbook/template/contract";
export {
  type TemplateRuntimeCode,
  TemplateRuntimeError,
  TemplateSyntaxError,
} from "#core/playbook/template/errors";
export { isTruthy } from "#core/playbook/template/values";
