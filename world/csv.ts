/** Tables of real data as they lie there: comma, a header, no quotes, packed or not. */
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { WorldError } from "./errors.ts";

/** Unpacked this much at most: a day of positions is a tenth of it. */
const BYTES_MAX = 256 * 1024 * 1024;

/** `file` itself, or with `.gz` behind its name; undefined: neither is there. */
export function csvFile(file: string): string | undefined {
  return [file, `${file}.gz`].find((name) => existsSync(name));
}

/** Visits each row below the header, which must name at least `columns`; fields come in their order. Throws WorldError. */
export function eachRow(file: string, columns: readonly string[], visit: (fields: readonly string[], line: number) => void): void {
  const bytes = readFileSync(file);
  const text = (file.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: BYTES_MAX }) : bytes).toString("utf8");
  let line = 1;
  let end = lineEnd(text, 0);
  const header = text.slice(0, end).trimEnd().split(",");
  const places = columns.map((column) => header.indexOf(column));
  const missing = columns.filter((_, index) => places[index] === -1);
  if (missing.length > 0) throw malformed(file, 1, `the columns ${missing.join(", ")}`, header.join(","));
  for (let start = end + 1; start < text.length; start = end + 1) {
    end = lineEnd(text, start);
    line++;
    const fields = text.slice(start, end).trimEnd().split(",");
    if (fields.length !== header.length) throw malformed(file, line, `${header.length} fields`, text.slice(start, end));
    visit(
      places.map((place) => fields[place] ?? ""),
      line,
    );
  }
}

/** Throws WorldError. */
export function csvNumber(file: string, line: number, text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || text === "" || !Number.isFinite(value)) throw malformed(file, line, "a number", text ?? "");
  return value;
}

export function malformed(file: string, line: number, expected: string, found: string): WorldError {
  const message = `${file}, line ${line}: ${expected} expected, found ${JSON.stringify(found.slice(0, 80))}.`;
  return new WorldError("INSTANCE_MALFORMED", message, { file, line });
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}
