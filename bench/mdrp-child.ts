/** Plays days of instances, one after another, for the bench of that name. */
import { answerJobs, playMdrpDay } from "#cli";

answerJobs(playMdrpDay);
