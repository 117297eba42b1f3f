/** Starts the command. What was compiled once is kept in the system's folder for temporary files: a start then takes a third. */
import { enableCompileCache } from "node:module";

enableCompileCache();
const { slackline } = await import("./slackline.ts");
await slackline(process.argv);
