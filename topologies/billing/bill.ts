/** The bill of a completed job: integer minor units that add up exactly. */
import type { FareLine, JobBilled, JobContent, TripChanged } from "#schemas";
import { fareOf } from "./fare.ts";
import { tariff } from "./tariff.ts";

/** Undefined unless the trip is completed. `metres` is the way from pickup to drop-off. Pure. */
export function billFor(trip: TripChanged, metres: number): JobBilled | undefined {
  const { content, driverId } = trip;
  if (trip.state !== "completed" || content === null || driverId === null) return undefined;
  const parts = content.kind === "order" ? orderParts(content, metres) : rideParts(content, metres, trip.surgeMilli);
  const customerMinor = parts.lines.reduce((sum, line) => sum + line.amountMinor, 0);
  return {
    type: "JobBilled",
    jobId: trip.jobId,
    driverId,
    attempt: trip.attempt,
    currency: content.currency,
    customerMinor,
    driverMinor: parts.driverMinor,
    platformMinor: customerMinor - parts.driverMinor - parts.merchantMinor,
    merchantMinor: parts.merchantMinor,
    lines: parts.lines,
    surgeMilli: trip.surgeMilli,
    at: trip.at,
  };
}

interface Parts {
  readonly lines: readonly FareLine[];
  readonly driverMinor: number;
  readonly merchantMinor: number;
}

/** Goods to the merchant; base and distance between driver and platform. */
function orderParts(content: JobContent, metres: number): Parts {
  const { delivery, driver } = tariff;
  const lines: FareLine[] = [
    { kind: "goods", amountMinor: content.priceMinor },
    { kind: "base", amountMinor: delivery.baseMinor },
    { kind: "distance", amountMinor: perKilometre(delivery.perKilometreMinor, metres) },
  ];
  return { lines, driverMinor: driver.baseMinor + perKilometre(driver.perKilometreMinor, metres), merchantMinor: content.priceMinor };
}

/** As quoted: by our own fare in its lines, a price that came with the request in one. */
function rideParts(content: JobContent, metres: number, surgeMilli: number): Parts {
  const own = fareOf(metres, surgeMilli);
  const quotedElsewhere = content.priceMinor > 0 && content.priceMinor !== own.totalMinor;
  const fare = quotedElsewhere ? content.priceMinor : own.totalMinor;
  const lines: readonly FareLine[] = quotedElsewhere ? [{ kind: "base", amountMinor: fare }] : own.lines;
  return { lines, driverMinor: Math.floor((fare * tariff.driverRideMilli) / 1000), merchantMinor: 0 };
}

/** Rounded down, for customer and driver alike. */
function perKilometre(minor: number, metres: number): number {
  return Math.floor((minor * metres) / 1000);
}
