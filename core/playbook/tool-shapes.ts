// The words in which tool kinds are described (tool-kinds*.ts): shapes that many fields share, most
// of which may be a template instead, and what a kind is made of.

import { either, type Field, type Shape, templated, templatedData, templatedMap } from "./shape.ts";

export const seconds: Shape = { is: "number", min: 0, orTemplate: true };
export const flag: Shape = { is: "flag", orTemplate: true };
export const map: Shape = { ...templatedMap, orTemplate: true };
export const textOrList: Shape = { is: "list", items: templated, orSingle: true };
export const value: Shape = templatedData;
export const textOrMap: Shape = either(templated, templatedMap);
export const textOrNumber: Shape = either(templated, { is: "number" });

export function field(shape: Shape, says: string): Field {
  return { shape, says };
}

export interface ToolKind {
  readonly says: string;
  readonly fields: Readonly<Record<string, Field>>;
  /** One of each group must be there. */
  readonly needs?: readonly (readonly string[])[];
  /** Fields of this kind that are older forms elsewhere. */
  readonly own?: readonly string[];
}
