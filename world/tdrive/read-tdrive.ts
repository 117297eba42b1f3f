/** Reads real positions of taxis in the format of our extract of T-Drive: nothing is cleaned, since dispatch has to live with it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { csvNumber, eachRow } from "../csv.ts";

export interface TaxiPosition {
  readonly taxiId: string;
  /** Milliseconds since the epoch, UTC. */
  readonly at: number;
  /** Degrees, as recorded: they may be no place on earth. */
  readonly longitude: number;
  readonly latitude: number;
}

export interface ReadTdriveOptions {
  /** Rows of this time and later, and earlier than `until`; milliseconds since the epoch. */
  readonly from?: number;
  readonly until?: number;
}

/** The one table of such a folder; undefined: there is none. */
export function tdriveFile(folder: string): string | undefined {
  const name = readdirSync(folder).find((file) => /^\d{4}-\d{2}-\d{2}\.csv(\.gz)?$/.test(file));
  return name === undefined ? undefined : join(folder, name);
}

/** In the file's order. Throws WorldError `INSTANCE_MALFORMED`, which names the line. */
export function readTdrive(file: string, { from = -Infinity, until = Infinity }: ReadTdriveOptions = {}): readonly TaxiPosition[] {
  const positions: TaxiPosition[] = [];
  eachRow(file, ["taxi_id", "epoch_ms", "lon", "lat"], ([taxiId = "", epoch, lon, lat], line) => {
    const at = csvNumber(file, line, epoch);
    if (at < from || at >= until) return;
    positions.push({ taxiId, at, longitude: csvNumber(file, line, lon), latitude: csvNumber(file, line, lat) });
  });
  return positions;
}
