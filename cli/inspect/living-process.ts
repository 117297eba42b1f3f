/** A running application leaves its address in its folder, so that a command asks it instead of opening the database twice. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Address {
  readonly pid: number;
  readonly url: string;
  /** Of an operator, for this start of the process. */
  readonly token?: string;
}

const fileName = "address.json";

export function publishAddress(directory: string, address: Address): void {
  writeFileSync(join(directory, fileName), JSON.stringify(address), { mode: 0o600 });
}

export function withdrawAddress(directory: string): void {
  rmSync(join(directory, fileName), { force: true });
}

/** Undefined when nobody left an address, or whoever left it is gone (killed: the file stays behind). */
export function livingProcess(directory: string): Address | undefined {
  let address: Address;
  try {
    address = JSON.parse(readFileSync(join(directory, fileName), "utf8")) as Address; // written above, by us
  } catch {
    return undefined;
  }
  try {
    process.kill(address.pid, 0);
    return address;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? address : undefined;
  }
}
