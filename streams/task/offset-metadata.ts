/** What the engine keeps as text beside a committed offset: how far the partition's time had come. */

const prefix = "time=";

export function encodePartitionTime(partitionTime: number): string {
  return partitionTime < 0 ? "" : `${prefix}${partitionTime}`;
}

/** −1 where nothing was kept, or by somebody else. */
export function decodePartitionTime(metadata: string): number {
  if (!metadata.startsWith(prefix)) return -1;
  const time = Number(metadata.slice(prefix.length));
  return Number.isSafeInteger(time) && time >= 0 ? time : -1;
}
