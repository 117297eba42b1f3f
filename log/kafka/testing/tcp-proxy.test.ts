import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TcpProxy } from "./tcp-proxy.ts";

/** Answers each piece by the same in capitals. */
let echo: Server;
let proxy: TcpProxy;
const received: string[] = [];
beforeEach(async () => {
  received.length = 0;
  echo = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      received.push(bytes.toString());
      socket.write(bytes.toString().toUpperCase());
    });
  });
  await new Promise<void>((resolve) => {
    echo.listen(0, "127.0.0.1", resolve);
  });
  const address = echo.address();
  proxy = await TcpProxy.open(typeof address === "object" ? (address?.port ?? 0) : 0, { random: () => 0.5 });
});
afterEach(async () => {
  await proxy.close();
  echo.close();
});

interface Client {
  readonly socket: Socket;
  heard: string;
  closed: boolean;
}

async function client(): Promise<Client> {
  const socket = connect(proxy.port, "127.0.0.1");
  const self: Client = { socket, heard: "", closed: false };
  socket.on("error", () => {});
  socket.on("data", (bytes) => (self.heard += bytes.toString()));
  socket.on("close", () => (self.closed = true));
  await new Promise((resolve) => {
    socket.once("connect", resolve);
    socket.once("close", resolve);
  });
  return self;
}

test("what is sent comes through, both ways, and is counted", async () => {
  const one = await client();
  one.socket.write("a");
  await vi.waitFor(() => expect(one.heard).toBe("A"));
  expect([proxy.connectionsOpened, proxy.requestsSeen]).toEqual([1, 1]);
});

test("a cut ends every connection and refuses new ones, until it is healed", async () => {
  const one = await client();
  proxy.cut();
  await vi.waitFor(() => expect(one.closed).toBe(true));
  const two = await client();
  await vi.waitFor(() => expect(two.closed).toBe(true));
  proxy.heal();
  const three = await client();
  three.socket.write("c");
  await vi.waitFor(() => expect(three.heard).toBe("C"));
});

test("a one-way cut takes the answers away and leaves the requests, and gives them back in order", async () => {
  const one = await client();
  proxy.silence("down");
  one.socket.write("a");
  await vi.waitFor(() => expect(received).toEqual(["a"]));
  one.socket.write("b");
  await vi.waitFor(() => expect(received).toEqual(["a", "b"]));
  await sleep(20);
  expect([one.heard, one.closed]).toEqual(["", false]);
  proxy.heal();
  await vi.waitFor(() => expect(one.heard).toBe("AB"));
});

test("delayed and lost packets arrive late and in order", async () => {
  const one = await client();
  proxy.delay(30);
  const begun = performance.now();
  one.socket.write("a");
  await sleep(10);
  proxy.heal();
  one.socket.write("b");
  await vi.waitFor(() => expect(one.heard).toBe("AB"));
  expect(performance.now() - begun).toBeGreaterThanOrEqual(25);
  // A chance of a half drawn against a loss of 0.6: one packet lost, and sent again.
  proxy.lose(0.6);
  const lost = performance.now();
  one.socket.write("c");
  await vi.waitFor(() => expect(one.heard).toBe("ABC"), { timeout: 2_000 });
  expect(performance.now() - lost).toBeGreaterThanOrEqual(190);
});
