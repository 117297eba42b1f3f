/** Which database a directory gets: what it has, else RocksDB where it runs, else LevelDB. */
import type { DiskFormat } from "./disk-directory.ts";
import { DiskError } from "./errors.ts";
import { probeFingerprint, probeRocksDb } from "./rocksdb/rocks-probe.ts";

export interface Choice {
  readonly kind: "rocksdb" | "classic-level";
  /** For the format file: where RocksDB was seen to work. */
  readonly probe: string;
  readonly notice: string | undefined;
}

export interface ChoiceOptions {
  readonly location: string;
  readonly kind: "auto" | "rocksdb" | "classic-level";
  /** What the directory holds; undefined for a new one. */
  readonly format: DiskFormat | undefined;
  /** Why RocksDB does not run here, undefined when it does; default tries it in a child process. */
  readonly probe?: () => Promise<string | undefined>;
}

/** Throws DISK_FORMAT_UNKNOWN for another kind than the directory has, DISK_UNAVAILABLE for one that does not run here. */
export async function chooseKind({ location, kind, format, probe = probeRocksDb }: ChoiceOptions): Promise<Choice> {
  const wanted = kind === "auto" ? format?.kind : kind;
  if (format !== undefined && wanted !== format.kind)
    throw new DiskError(
      "DISK_FORMAT_UNKNOWN",
      `${location} holds a ${format.kind} database, not ${kind}. Open it as ${format.kind} or "auto".`,
      {
        location,
      },
    );
  if (wanted === "classic-level") return { kind: wanted, probe: "", notice: undefined };
  const fingerprint = probeFingerprint();
  const reason = format?.probe === fingerprint ? undefined : await probe();
  if (reason === undefined) return { kind: "rocksdb", probe: fingerprint, notice: undefined };
  if (wanted === "rocksdb")
    throw new DiskError(
      "DISK_UNAVAILABLE",
      `${location} needs RocksDB, which does not run here: ${reason}. Use a machine on which it runs, or kind "auto" on an empty directory.`,
      { location },
    );
  return {
    kind: "classic-level",
    probe: "",
    notice: `RocksDB does not run on this machine (${reason}); LevelDB is used instead: correct, and several times slower.`,
  };
}
