/** A process that has a directory open until it is killed. Arguments: directory, kind. */
import { writeSync } from "node:fs";
import { openDisk, type DiskKind } from "#disk";

const [location = "", kind] = process.argv.slice(2);
await openDisk({ location, kind: kind as DiskKind });
writeSync(1, "open\n");
setInterval(() => undefined, 1_000);
