import { describe } from "vitest";
import { realSurroundings } from "../defaults.ts";
import { staticMemberCases } from "../testing/static-member-cases.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

describe("static members on simulated brokers", () => {
  const cluster = new SimulatedCluster({ surroundings: realSurroundings });
  staticMemberCases((times) => cluster.open({ clientId: "test", ...times }));
});
