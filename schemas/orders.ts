import type { Point } from "./common.ts";

interface OrderEventBase {
  readonly eventId: string;
  readonly orderId: string;
  readonly occurredAt: number;
  /** The order's version, from 1 upwards. */
  readonly version: number;
}
export interface OrderPlaced extends OrderEventBase {
  readonly type: "OrderPlaced";
  readonly restaurantId: string;
  readonly pickup: Point;
  readonly dropOff: Point;
  readonly readyAt: number;
  readonly notBefore: number;
  readonly requirements: readonly string[];
  readonly priceMinor: number;
  readonly currency: string;
}
export interface OrderReadyTimeChanged extends OrderEventBase {
  readonly type: "OrderReadyTimeChanged";
  readonly readyAt: number;
}
export interface OrderCancelled extends OrderEventBase {
  readonly type: "OrderCancelled";
  readonly reason: string;
}
/** dispatch.orders.v1, key orderId. */
export type OrderEvent = OrderPlaced | OrderReadyTimeChanged | OrderCancelled;
