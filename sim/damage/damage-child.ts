/** A process in which directories are damaged: the database's own code may end it. */
import { answerJobs } from "#cli";
import { runCases, type CasesJob } from "./run-cases.ts";

answerJobs<CasesJob>(runCases);
