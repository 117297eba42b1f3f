/** Plain values as YAML, for manifests: what a reader of JSON would have, in fewer signs. */

export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** One document, with a line end. */
export function yamlText(value: Plain): string {
  return `${block(value, 0)}\n`;
}

function block(value: Plain, depth: number): string {
  const indent = "  ".repeat(depth);
  if (Array.isArray(value)) return value.map((item: Plain) => `${indent}- ${block(item, depth + 1).trimStart()}`).join("\n");
  if (typeof value !== "object" || value === null) return `${indent}${scalar(value)}`;
  return Object.entries(value)
    .map(([key, item]) =>
      isNested(item) ? `${indent}${scalar(key)}:\n${block(item, depth + 1)}` : `${indent}${scalar(key)}: ${flow(item)}`,
    )
    .join("\n");
}

function isNested(value: Plain): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

/** Empty lists and maps stand in one line. */
function flow(value: Plain): string {
  if (Array.isArray(value)) return "[]";
  return typeof value === "object" && value !== null ? "{}" : scalar(value);
}

/** A text that could be read as something else is quoted. */
function scalar(value: string | number | boolean | null): string {
  if (typeof value !== "string") return String(value);
  return /^[A-Za-z][\w./-]*$/.test(value) && !/^(?:true|false|yes|no|on|off|null|y|n)$/i.test(value) ? value : JSON.stringify(value);
}
