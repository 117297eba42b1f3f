/** The instances that may be tuned on: never those that are reported. */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { mdrpInstances } from "#cli";
import { generateInstance, instanceFiles, readInstance } from "#world";

/** Of seeds 0 to 4 of the public instances, every variant: the tables are made of them. */
export function isReported(folder: string): boolean {
  return /^[0-4][or]\d+t\d+s\dp\d+$/.test(basename(folder));
}

export interface TrainingOptions {
  /** Folder of instances: seeds 5 to 9 of the public set. Undefined: invented ones. */
  readonly data: string | undefined;
  /** Larger instances take too long for what they teach. */
  readonly ordersMax: number;
  readonly seed: number;
  /** Where invented instances are written. */
  readonly scratch: string;
}

/** In an order that follows from the seed. */
export function trainingDays({ data, ordersMax, seed, scratch }: TrainingOptions): readonly string[] {
  const found = data === undefined ? [] : mdrpInstances(data).filter((folder) => !isReported(folder));
  const fit = found.filter((folder) => readInstance(folder).orders.length <= ordersMax);
  const days = fit.length > 0 ? fit : invented(scratch, seed);
  return days
    .map((folder) => ({ folder, rank: hash(`${seed} ${basename(folder)}`) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ folder }) => folder);
}

const inventedCount = 12;

/** For who has no training instances at hand: towns of several sizes, nobody's real days. */
function invented(scratch: string, seed: number): readonly string[] {
  return Array.from({ length: inventedCount }, (_, index) => {
    const folder = join(scratch, `invented-${seed}-${index}`);
    mkdirSync(folder, { recursive: true });
    const orders = 150 + 60 * (index % 4);
    const size = { orders, couriers: Math.round(orders / (4 + (index % 3))), restaurants: 30 + 10 * (index % 3) };
    const times = { startMinute: 600, minutes: 360, sideMetres: 7_000 + 1_500 * (index % 4) };
    const instance = generateInstance({ name: basename(folder), seed: seed * 1_000 + index, ...size, ...times });
    for (const [file, text] of Object.entries(instanceFiles(instance))) writeFileSync(join(folder, file), text);
    return folder;
  });
}

/** FNV-1a. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
