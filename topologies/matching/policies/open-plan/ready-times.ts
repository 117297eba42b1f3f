/**
 * A ready time that is only expected: the true one lies around it. A spread of 0: exact. The search asks often, so its shape has
 * expectations that need no more than a root; how long an overdue order still takes was measured and has another.
 */

/**
 * In spreads. Kitchens of five training days, by their mean preparation: 5.6, 12, 17, 22 and 34 minutes; what is overdue takes 4.1,
 * 5.4, 5.8, 6.5 and 14 minutes more on average, and 6.9, 5.4, 5.4, 7.5 and 15 if it has been so for 10 minutes.
 */
const OVERDUE_SPREADS = 2.5;

/**
 * When it is picked up, on average, by who could pick up from `reached` on: later than either by up to the spread. Ready times
 * are distributed as Student's with two degrees of freedom.
 */
export function expectedPickup(reached: number, readyAt: number, spread: number): number {
  if (spread <= 0) return reached > readyAt ? reached : readyAt;
  const ahead = reached - readyAt;
  return readyAt + (ahead + Math.sqrt(ahead * ahead + 4 * spread * spread)) / 2;
}

/**
 * How long it takes, on average, from `now` on if it is not ready yet. Once it is overdue that is the same however long it has
 * been. Ready times are distributed as Laplace's.
 */
export function expectedWait(now: number, readyAt: number, spread: number): number {
  const early = readyAt - now;
  if (spread <= 0) return Math.max(0, early);
  const overdue = OVERDUE_SPREADS * spread;
  if (early <= 0) return overdue;
  const ready = Math.exp(-early / overdue) / 2;
  return (early + overdue * ready) / (1 - ready);
}
