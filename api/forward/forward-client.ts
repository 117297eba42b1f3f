/** Asks another instance: one hop, an address that was checked, a deadline, a bounded answer, no redirect. */
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { ApiError, apiErrorCodes, type ApiErrorCode } from "../errors.ts";
import type { AllowedPeer, PeerAddress, Peers } from "./peers.ts";

export const HOP_HEADER = "slackline-hop";
/** Milliseconds that the asker still waits. */
export const DEADLINE_HEADER = "slackline-deadline-ms";
export const FORWARD_PATH = "/instance/v1/answers";

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const SOCKETS_PER_PEER_MAX = 32;

export interface ForwardClientOptions {
  readonly peers: Peers;
  /** Of an instance, where tokens are asked for. */
  readonly token?: string;
  /** Default 4 MiB. */
  readonly answerBytesMax?: number;
}

export class ForwardClient {
  readonly #options: ForwardClientOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_PER_PEER_MAX });

  constructor(options: ForwardClientOptions) {
    this.#options = options;
  }

  /**
   * Rejects with ApiError: what the other instance says, `INSTANCE_UNREACHABLE` when it does not answer in time, `FORWARD_REFUSED` when
   * it must not be asked, redirects, or answers too much. The answer's shape is the caller's trust in an instance of its own group.
   */
  async ask(to: PeerAddress, question: string, argument: unknown, msLeft: number): Promise<unknown> {
    if (msLeft <= 0) throw new ApiError("INSTANCE_UNREACHABLE", "there was no time left to ask the instance that has this");
    const begun = performance.now();
    const peer = await this.#options.peers.allow(to);
    const { status, type, body } = await this.#get(peer, question, argument, msLeft - (performance.now() - begun));
    if (status >= 300 && status < 400) throw refused("it redirects");
    const parsed = parse(body, type);
    if (status === 200) return parsed;
    if (status === 401 || status === 403) throw refused(`it does not take our token: status ${status}`);
    throw problemIn(parsed) ?? new ApiError("INSTANCE_UNREACHABLE", `the instance that has this answers with status ${status}`);
  }

  close(): void {
    this.#agent.destroy();
  }

  #get(peer: AllowedPeer, question: string, argument: unknown, msLeft: number): Promise<Received> {
    const { token, answerBytesMax = ANSWER_BYTES_MAX } = this.#options;
    const search = new URLSearchParams({ question, argument: JSON.stringify(argument) });
    return new Promise((resolve, reject) => {
      const deadline = AbortSignal.timeout(Math.max(1, Math.floor(msLeft)));
      const request = httpRequest(
        {
          agent: this.#agent,
          host: peer.address,
          port: peer.port,
          path: `${FORWARD_PATH}?${search.toString()}`,
          signal: deadline,
          headers: {
            host: `${peer.host.includes(":") ? `[${peer.host}]` : peer.host}:${peer.port}`,
            [HOP_HEADER]: "1",
            [DEADLINE_HEADER]: String(Math.max(1, Math.floor(msLeft))),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
        },
        (response) => void receive(response, answerBytesMax).then(resolve, reject),
      );
      request.once("error", (cause) => reject(asUnreachable(cause)));
      request.end();
    });
  }
}

interface Received {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function receive(response: IncomingMessage, bytesMax: number): Promise<Received> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw refused(`its answer is larger than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    response.destroy();
    throw asUnreachable(error);
  }
  return { status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", body: Buffer.concat(chunks).toString("utf8") };
}

function parse(body: string, type: string): unknown {
  if (!/^application\/(?:problem\+)?json\b/.test(type)) return undefined;
  try {
    return JSON.parse(body) as unknown;
  } catch (cause) {
    throw new ApiError("INSTANCE_UNREACHABLE", "the instance that has this answers with what is no JSON", { cause });
  }
}

function problemIn(body: unknown): ApiError | undefined {
  if (typeof body !== "object" || body === null || !("code" in body) || !("detail" in body)) return undefined;
  const { code, detail } = body;
  const reason = "reason" in body && typeof body.reason === "string" ? { reason: body.reason } : {};
  const retryAfterMs = "retryAfterMs" in body && typeof body.retryAfterMs === "number" ? { retryAfterMs: body.retryAfterMs } : {};
  return isCode(code) ? new ApiError(code, String(detail), { ...reason, ...retryAfterMs }) : undefined;
}

function isCode(code: unknown): code is ApiErrorCode {
  return apiErrorCodes.some((known) => known === code);
}

function asUnreachable(cause: unknown): ApiError {
  return cause instanceof ApiError ? cause : new ApiError("INSTANCE_UNREACHABLE", "the instance that has this does not answer", { cause });
}

function refused(why: string): ApiError {
  return new ApiError("FORWARD_REFUSED", `the answer of the instance that has this is not passed on: ${why}`);
}
