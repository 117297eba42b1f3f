import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { forbidden } from "../access/guard.ts";
import { mayConcern } from "../access/tokens.ts";
import { problems } from "../document/problems.ts";
import { FOLLOWERS_MAX } from "../live/followers-max.ts";
import type { FollowRequest, TrackingHub } from "../live/tracking-hub.ts";
import type { SseFollower } from "../live/sse-follower.ts";
import { knownCell } from "./parameters.ts";

const stream = (summary: string): object => ({
  summary,
  description:
    "Events `snapshot` (or `reset`, when what was missed since Last-Event-ID is not held any more), then `trip` and `position`. A client that does not read is closed.",
  tags: ["streams"],
  response: {
    200: { description: "Events", content: { "text/event-stream": { schema: { type: "string" } } } },
    ...problems(400, 401, 403, 404, 429, 503),
  },
});

/** Live: one job, or all that happens in a cell. */
export function streamRoutes(app: FastifyInstance, { tracking }: { readonly tracking: TrackingHub }, done: () => void): void {
  const config = { scope: "query", inFlightMax: FOLLOWERS_MAX } as const;
  app.get<{ Params: { jobId: string } }>(
    "/v1/jobs/:jobId/stream",
    { config, schema: stream("A job's trip and its driver's position, live") },
    (request, reply) => {
      const { jobId } = request.params;
      if (!mayConcern(request.principal, "jobs", jobId)) throw forbidden();
      open(tracking, { request, reply }, (follow) => tracking.followJob(jobId, follow));
    },
  );
  app.get<{ Params: { cell: string } }>(
    "/v1/cells/:cell/stream",
    { config, schema: stream("Positions within an H3 cell and trips that begin in it, live") },
    (request, reply) => {
      if (request.principal.own !== undefined) throw forbidden();
      const cell = knownCell(request.params.cell);
      open(tracking, { request, reply }, (follow) => tracking.followCell(cell, follow));
    },
  );
  done();
}

const LINE_END = Buffer.from("\r\n");
let newest: Buffer | undefined;
let newestChunk = LINE_END;

/** The same event goes to many clients in turn: it becomes a chunk of the transfer coding once. */
function chunkOf(frame: Buffer): Buffer {
  if (frame !== newest) {
    newest = frame;
    newestChunk = Buffer.concat([Buffer.from(`${frame.length.toString(16)}\r\n`), frame, LINE_END]);
  }
  return newestChunk;
}

/** Past the response, which would hand over three pieces for each event. What one turn has for a client goes in one call. */
function writeChunk(socket: Socket, frame: Buffer): boolean {
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(uncork, socket);
  }
  return socket.write(chunkOf(frame));
}

function uncork(socket: Socket): void {
  socket.uncork();
}

/** What cannot be followed is refused before the first byte; after it the response is the stream's. */
function open(
  tracking: TrackingHub,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  follow: (request: FollowRequest) => SseFollower,
): void {
  const { raw } = reply;
  const lastEventId = request.headers["last-event-id"];
  const head = {
    ...reply.getHeaders(),
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  };
  let begun = false;
  // The head goes with the first event, so that a refusal can still be a problem.
  const output = {
    write(chunk: Buffer | string): boolean {
      if (!begun) {
        begun = true;
        reply.hijack();
        raw.writeHead(200, head as Record<string, string>);
      } else if (typeof chunk !== "string" && raw.chunkedEncoding && raw.socket !== null) return writeChunk(raw.socket, chunk);
      return raw.write(chunk);
    },
    get writableLength(): number {
      return raw.writableLength;
    },
    destroy: () => raw.destroy(),
    end: () => raw.end(),
  };
  const follower = follow({
    output,
    ...(typeof lastEventId === "string" && lastEventId !== "" ? { lastEventId } : {}),
  });
  raw.on("close", () => tracking.unfollow(follower));
  raw.on("error", () => tracking.unfollow(follower));
}
