/** What a job costs and earns, in minor units. Constants of one tariff: a tariff by zone would come with the policies. */
export const tariff = {
  /** An order's delivery, paid by the customer. */
  delivery: { baseMinor: 250, perKilometreMinor: 60 },
  /** A ride without a quote, paid by the customer. */
  ride: { baseMinor: 300, perKilometreMinor: 130 },
  /** What the driver earns of a delivery; never above the fee, so the platform's part is never negative. */
  driver: { baseMinor: 200, perKilometreMinor: 45 },
  /** What the driver earns of a ride, in thousandths of the fare. */
  driverRideMilli: 750,
} as const;
