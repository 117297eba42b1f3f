import { countSchema, currencySchema, idSchema, minorSchema, noteSchema, tagsSchema, timeSchema } from "./avro/primitives.ts";
import { type Point, pointSchema } from "./common.ts";

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

const orderEventFields = [
  { name: "eventId", type: idSchema },
  { name: "orderId", type: idSchema },
  { name: "occurredAt", type: timeSchema },
  { name: "version", type: countSchema },
] as const;
const orderPlaced = {
  type: "record",
  name: "OrderPlaced",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [
    ...orderEventFields,
    { name: "restaurantId", type: idSchema },
    { name: "pickup", type: pointSchema },
    { name: "dropOff", type: pointSchema },
    { name: "readyAt", type: timeSchema },
    { name: "notBefore", type: timeSchema },
    { name: "requirements", type: tagsSchema },
    { name: "priceMinor", type: minorSchema },
    { name: "currency", type: currencySchema },
  ],
} as const;
const orderReadyTimeChanged = {
  type: "record",
  name: "OrderReadyTimeChanged",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [...orderEventFields, { name: "readyAt", type: timeSchema }],
} as const;
const orderCancelled = {
  type: "record",
  name: "OrderCancelled",
  namespace: "dispatch.v1",
  tagged: true,
  fields: [...orderEventFields, { name: "reason", type: noteSchema }],
} as const;
export const orderEventSchema = [orderPlaced, orderReadyTimeChanged, orderCancelled] as const;
