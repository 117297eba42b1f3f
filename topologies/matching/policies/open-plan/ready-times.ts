/**
 * A ready time that is only expected: the true one lies around it. Its distribution is Student's with two degrees of freedom, whose
 * tails are as heavy as those of kitchens and whose expectations need no more than a root. A spread of 0: exact.
 */

/** When it is picked up, on average, by who could pick up from `reached` on: later than either by up to the spread. */
export function expectedPickup(reached: number, readyAt: number, spread: number): number {
  if (spread <= 0) return reached > readyAt ? reached : readyAt;
  const ahead = reached - readyAt;
  return readyAt + (ahead + Math.sqrt(ahead * ahead + 4 * spread * spread)) / 2;
}

/** How long it takes, on average, from `now` on if it is not ready yet: the longer overdue, the longer still. */
export function expectedWait(now: number, readyAt: number, spread: number): number {
  const overdue = now - readyAt;
  return spread <= 0 ? Math.max(0, -overdue) : Math.sqrt(overdue * overdue + 4 * spread * spread);
}
