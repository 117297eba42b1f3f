export * from "./point.ts";
export * from "./distance.ts";
export * from "./cell.ts";
export * from "./cell-path.ts";
export * from "./cell-circle.ts";
export * from "./cells-within.ts";
export * from "./plane.ts";
export * from "./travel-models.ts";
