/** A place on earth, WGS 84 degrees. The same shape as the topics carry; geo imports nothing of ours. */
export interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

/** What moves a driver. */
export type Vehicle = "car" | "motorcycle" | "bicycle" | "walking";
