export { CommandProcess } from "./command-process.ts";
