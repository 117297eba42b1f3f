/** What a stream thread in a worker imports to build the dispatch topology anew. */
import type { Topology } from "#streams";
import { buildDispatchFromJson, type DispatchEntryOptions } from "#topologies";

/** `argument`: DispatchEntryOptions, from the thread that opened the system. */
export function dispatchInWorker({ argument }: { readonly argument: unknown }): Topology {
  return buildDispatchFromJson(argument as DispatchEntryOptions); // `dispatchModule` below is the only one to send it
}

export function dispatchModule(argument: DispatchEntryOptions): {
  readonly url: string;
  readonly name: string;
  readonly argument: DispatchEntryOptions;
} {
  return { url: import.meta.url, name: dispatchInWorker.name, argument };
}
