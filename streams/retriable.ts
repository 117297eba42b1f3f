/**
 * What may pass by itself while nobody is to blame: an error, or one of its causes, that says `retriable: true`. A record that cannot
 * be decoded for such a reason waits at the head of its partition; anything else that fails so is done again from what was committed.
 */
export function isRetriableCondition(error: unknown): boolean {
  let each = error;
  for (let depth = 0; depth < CAUSES_MAX && each instanceof Error; depth++) {
    if ("retriable" in each && each.retriable === true) return true;
    each = each.cause;
  }
  return false;
}

const CAUSES_MAX = 8;
