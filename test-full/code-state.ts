/** Which state of the sources a proof is about. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { statSync } from "node:fs";

export interface CodeState {
  readonly commit: string;
  /** Undefined when everything is committed; else short, and another one for another change. */
  readonly changes: string | undefined;
}

const git = (...args: readonly string[]): string => execFileSync("git", args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });

/** Reports and documents are no part of it. Throws where git or a repository is missing. */
export function codeState(): CodeState {
  const commit = git("rev-parse", "HEAD").trim();
  const paths = ["--", ".", ":!docs", ":!*.md"];
  const tracked = git("diff", "HEAD", ...paths);
  // A linked folder is listed too, and has no hash.
  const fresh = git("ls-files", "--others", "--exclude-standard", ...paths)
    .split("\n")
    .filter((file) => file !== "" && statSync(file).isFile());
  const hashes = fresh.length === 0 ? "" : git("hash-object", ...fresh);
  const changes = createHash("sha256")
    .update(`${tracked}${fresh.join("\n")}${hashes}`)
    .digest("hex")
    .slice(0, 8);
  return { commit, changes: tracked === "" && fresh.length === 0 ? undefined : changes };
}

/** For file names and headings. */
export function codeName({ commit, changes }: CodeState): string {
  return changes === undefined ? commit.slice(0, 8) : `${commit.slice(0, 8)}-changed-${changes}`;
}
