import { expect, test } from "vitest";
import { ConnectionPool } from "./connection-pool.ts";
import { WireError } from "./wire-error.ts";

const broker = { host: "broker", port: 9092 };
const other = { host: "other", port: 9092 };

class Line {
  connected = true;
  closed = false;
  isConnected(): boolean {
    return this.connected;
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

function poolAt(chance = 0.5) {
  let now = 0;
  const pool = new ConnectionPool<Line>({ now: () => now, random: () => chance, after: () => () => {} });
  return { pool, pass: (ms: number) => (now += ms) };
}

const down = (): Promise<Line> => Promise.reject(new WireError("unreachable", "down", undefined));

const refused = (): Promise<Line> => Promise.reject(new WireError("refused", "wrong password", undefined));

test("one connection for each address and purpose, and another one when it is gone", async () => {
  const { pool } = poolAt();
  const opened: Line[] = [];
  const open = async (): Promise<Line> => {
    opened.push(new Line());
    return opened.at(-1) as Line;
  };
  const [first, again] = await Promise.all([pool.get(broker, "broker fetch", open), pool.get(broker, "broker fetch", open)]);
  expect(first).toBe(again);
  await pool.get(broker, "broker produce", open);
  expect(opened).toHaveLength(2);
  first.connected = false;
  expect(await pool.get(broker, "broker fetch", open)).not.toBe(first);
  await pool.close();
  expect(opened.map(({ closed }) => closed)).toEqual([false, true, true]);
  await expect(pool.get(broker, "broker fetch", open)).rejects.toMatchObject({ failure: "unreachable" });
});

test("however many wait for a dead broker, and however fast they ask, it is tried about once a second for each of them", async () => {
  const { pool, pass } = poolAt();
  let tried = 0;
  const bySecond: number[] = [];
  for (let ms = 0; ms < 20_000; ms++) {
    if (ms % 1_000 === 0) bySecond.push(0);
    for (let purpose = 0; purpose < 10; purpose++)
      await pool
        .get(broker, `broker ${purpose}`, () => {
          tried++;
          bySecond[bySecond.length - 1] = (bySecond.at(-1) ?? 0) + 1;
          return down();
        })
        .catch(() => {});
    pass(1);
  }
  // A hundred thousand asked for it.
  expect(Math.max(...bySecond)).toBeLessThanOrEqual(60);
  expect(Math.max(...bySecond.slice(3))).toBeLessThanOrEqual(20);
  expect(tried).toBeGreaterThan(20);
});

test("whoever asks too soon is told that nothing was sent, other addresses are not kept waiting, and an answer ends it", async () => {
  const { pool, pass } = poolAt();
  await expect(pool.get(broker, "broker fetch", down)).rejects.toThrow("down");
  const line = new Line();
  await expect(pool.get(broker, "broker fetch", async () => line)).rejects.toMatchObject({ failure: "unreachable" });
  expect(await pool.get(other, "other fetch", async () => line)).toBe(line);
  pass(1_000);
  expect(await pool.get(broker, "broker fetch", async () => line)).toBe(line);
  // It takes connections and answers nothing: that is no answer.
  pool.failed(broker);
  await expect(pool.get(broker, "broker produce", async () => line)).rejects.toThrow(/a moment ago/);
  pool.answered(broker);
  expect(await pool.get(broker, "broker produce", async () => line)).toBe(line);
});

test("a login that is refused keeps its name for whoever asks next", async () => {
  const { pool } = poolAt();
  for (let time = 0; time < 2; time++) await expect(pool.get(broker, "broker fetch", refused)).rejects.toThrow("wrong password");
});
