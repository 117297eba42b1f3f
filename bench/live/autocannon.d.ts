/** The little that is used of it; it brings no types. */
declare module "autocannon" {
  interface Options {
    readonly url: string;
    readonly connections: number;
    readonly duration: number;
    readonly requests: readonly { readonly path: string }[];
    readonly workers: number;
  }
  export default function autocannon(options: Options): Promise<{ readonly requests: { readonly average: number } }>;
}
