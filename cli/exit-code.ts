/** What the command's exit status says; scripts rely on it. */
export const ExitCode = { ok: 0, failedThreshold: 1, usage: 2, cannotReach: 3 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
