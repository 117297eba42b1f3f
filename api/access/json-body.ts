/** Bodies: bounded, strict JSON, and the connection stays usable after a refusal. */
import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import { ApiError } from "../errors.ts";
import { parseStrictJson } from "./strict-json.ts";

/** 100 orders are 45 KB. */
export const BODY_BYTES_MAX = 64 * 1024;
/** What a client may go on sending after the refusal before the connection is cut. */
const DRAIN_BYTES_MAX = 8 * 1024 * 1024;

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * The only parser of the instance. The framework closes the connection of whoever sends what cannot be parsed; here a refusal is
 * the parsed body, and becomes an answer one step later, on a connection that goes on.
 */
export function strictJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addHook("preValidation", (request, _reply, done) => {
    done(request.body instanceof Error ? request.body : undefined);
  });
  app.addContentTypeParser("application/json", (request, payload, done) => {
    const declared = Number(request.headers["content-length"] ?? 0);
    if (declared > DRAIN_BYTES_MAX) {
      // Not even drained: the answer is the last on this connection.
      done(tooLarge());
      return;
    }
    collect(payload, (body) => done(null, body));
  });
}

/** `done` gets the parsed body, or the ApiError that it is refused with. */
function collect(payload: IncomingMessage, done: (body: unknown) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let answered = false;
  const answer = (body: unknown): void => {
    if (answered) return;
    answered = true;
    done(body);
  };
  payload.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
    else {
      chunks.length = 0;
      answer(tooLarge());
      if (bytes > DRAIN_BYTES_MAX) payload.destroy();
    }
  });
  payload.on("error", (cause) => answer(new ApiError("MALFORMED_BODY", "the body broke off", { cause })));
  payload.on("end", () => {
    if (answered) return;
    try {
      answer(parseStrictJson(textOf(Buffer.concat(chunks))));
    } catch (error) {
      // The parser throws nothing else.
      answer(error);
    }
  });
}

function textOf(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ApiError("MALFORMED_BODY", "the body is not UTF-8", { cause });
  }
}

function tooLarge(): ApiError {
  return new ApiError("BODY_TOO_LARGE", `a body has at most ${BODY_BYTES_MAX} bytes`);
}
