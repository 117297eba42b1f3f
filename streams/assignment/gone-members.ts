/**
 * What members that are gone have left open in the log is ended as soon as the group goes on without them. Otherwise who has their tasks
 * now waits until the log gives an open transaction up: for the committed offsets, and for whatever lies behind it in a changelog.
 */
import { LogError, type Log } from "#log";
import { asError } from "../runtime/as-error.ts";
import { transactionalIdOf } from "../runtime/instance-id.ts";
import type { StructuredLogger } from "../runtime/thread.ts";
import type { MemberPart } from "./group-contract.ts";

export interface GoneMembersOptions {
  readonly log: Pick<Log, "fenceWriter">;
  readonly applicationId: string;
  readonly logger: StructuredLogger;
}

export class GoneMembers {
  readonly #options: GoneMembersOptions;
  /** Of the last generation that was heard of. */
  #members: readonly string[] = [];
  /** Whose writers are not fenced yet. */
  #gone = new Set<string>();
  #forbidden = false;

  constructor(options: GoneMembersOptions) {
    this.#options = options;
  }

  /**
   * Told of each part. Nothing waits for what is begun here, and its failure costs no more than the time that the log takes by itself.
   * Only while `lasts` nobody who was gone can have come back: it is a member first, and writes then.
   */
  heard({ members, fencesGone }: MemberPart, lasts: () => boolean): void {
    // A leader of an earlier version, or one that knows nothing of the tasks: who is gone is seen in the next generation.
    if (members.length === 0) return;
    const present = new Set(members);
    const gone = [...this.#gone, ...this.#members].filter((member) => !present.has(member));
    this.#members = members;
    this.#gone = new Set(fencesGone && this.#options.log.fenceWriter !== undefined ? gone : []);
    for (const member of this.#gone) void this.#fence(member, lasts);
  }

  async #fence(member: string, lasts: () => boolean): Promise<void> {
    const { log, applicationId, logger } = this.#options;
    try {
      const fenced = await log.fenceWriter?.(transactionalIdOf(applicationId, member), lasts);
      // Another generation has begun: it is looked at there whether the member is still gone.
      if (fenced !== true) return;
      logger.info({ member }, "a member is gone: what it left open is ended");
    } catch (error) {
      // Interrupted, since this member stops: nobody is to be told.
      if (!lasts()) return;
      this.#tell(member, asError(error));
    }
    this.#gone.delete(member);
  }

  /** A right that is missing once is missing each time. */
  #tell(member: string, error: Error): void {
    const forbidden = error instanceof LogError && error.code === "LOG_FORBIDDEN";
    if (forbidden && this.#forbidden) return;
    this.#forbidden ||= forbidden;
    this.#options.logger.warn({ member, error }, "a member is gone, and what it left open is not ended before the log gives it up");
  }
}
