/** The bill of a completed job: integer minor units that add up exactly. */
import type { FareLine, JobBilled, JobContent, TripChanged } from "#schemas";
import { tariff } from "./tariff.ts";

/** Undefined unless the trip is completed. `metres` is the way from pickup to drop-off. Pure. */
export function billFor(trip: TripChanged, metres: number): JobBilled | undefined {
  const { content, driverId } = trip;
  if (trip.state !== "completed" || content === null || driverId === null) return undefined;
  const parts = content.kind === "order" ? orderParts(content, metres) : rideParts(content, metres);
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
    surgeMilli: tariff.surgeMilli,
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

/** The quote, if one was given, else base and distance. */
function rideParts(content: JobContent, metres: number): Parts {
  const { ride } = tariff;
  const lines: FareLine[] =
    content.priceMinor > 0
      ? [{ kind: "base", amountMinor: content.priceMinor }]
      : [
          { kind: "base", amountMinor: ride.baseMinor },
          { kind: "distance", amountMinor: perKilometre(ride.perKilometreMinor, metres) },
        ];
  const fare = lines.reduce((sum, line) => sum + line.amountMinor, 0);
  return { lines, driverMinor: Math.floor((fare * tariff.driverRideMilli) / 1000), merchantMinor: 0 };
}

/** Rounded down, for customer and driver alike. */
function perKilometre(minor: number, metres: number): number {
  return Math.floor((minor * metres) / 1000);
}
