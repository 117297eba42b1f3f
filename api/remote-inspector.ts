/** The inspector of another process: asks its HTTP server. */
import { ApiError, type ApiErrorCode, type Problem } from "./errors.ts";
import type { Inspector, PartitionLag, StoreRow, TopicRecord, TopicSummary } from "./inspector.ts";

const timeoutMs = 10_000;

/** `url` without a trailing slash; `token` of an operator, where one is needed. Every call rejects with ApiError: as the server named it, or `INSTANCE_UNREACHABLE`. */
export function remoteInspector(url: string, token?: string): Inspector {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const ask = async (path: string, parameters: Readonly<Record<string, string | number | undefined>> = {}): Promise<Response> => {
    const search = new URLSearchParams(
      Object.entries(parameters).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]])),
    );
    const response = await fetch(`${url}${path}?${search.toString()}`, { headers, signal: AbortSignal.timeout(timeoutMs) }).catch(
      (cause: unknown) => {
        throw new ApiError("INSTANCE_UNREACHABLE", `nothing answers at ${url}`, { cause });
      },
    );
    if (response.ok) return response;
    if (response.headers.get("content-type")?.startsWith("application/problem+json") !== true)
      throw new ApiError("INSTANCE_UNREACHABLE", `what answers at ${url} is not Slackline: status ${response.status}`);
    const problem = (await response.json()) as Problem; // our own server's answer
    throw new ApiError(problem.code, problem.detail);
  };
  // Answers come from our own server, of the same version as this process or close to it: their shape is trusted.
  const json = async <T>(path: string, parameters?: Readonly<Record<string, string | number | undefined>>): Promise<T> =>
    (await (await ask(path, parameters)).json()) as T;
  const segment = encodeURIComponent;
  return {
    topics: () => json<readonly TopicSummary[]>("/v1/topics"),
    tail: ({ topic, partition, last }) => json<readonly TopicRecord[]>(`/v1/topics/${segment(topic)}/records`, { partition, last }),
    get: (store, key) => json<StoreRow>(`/v1/stores/${segment(store)}/${segment(key)}`).catch(undefinedWhen("KEY_NOT_FOUND")),
    range: ({ store, from, to, limit }) => json<readonly StoreRow[]>(`/v1/stores/${segment(store)}`, { from, to, limit }),
    topology: async (format) => (await ask("/v1/topology", { format })).text(),
    lag: () => json<readonly PartitionLag[]>("/v1/lag"),
  };
}

function undefinedWhen(code: ApiErrorCode): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof ApiError && error.code === code) return undefined;
    throw error;
  };
}
