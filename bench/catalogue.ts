/** Every bench by its name, with the flags it knows: what is not named here is refused before anything is measured. */
import type { Bench } from "./result.ts";

/** What a flag is given, `""` for one that is there or not; what it means, with its default. */
type Flags = Readonly<Record<string, readonly [value: string, about: string]>>;

export interface CataloguedBench {
  readonly about: string;
  readonly flags: Flags;
  readonly load: () => Promise<Bench>;
}

const drivers = ["N", "default 10000: 2,000 locations a second"] as const;
const batchMatching = ["NAME", "default batch-matching"] as const;
const days: Flags = {
  data: ["DIR", "folder of instances"],
  noisy: ["", "only mean preparation times are told"],
  processes: ["N", "default 1"],
  out: ["FILE", "where its results go"],
};

export const catalogue: Readonly<Record<string, CataloguedBench>> = {
  dispatch: {
    about: "order → assigned beside 2,000 locations a second; one run of two and a half minutes",
    flags: {
      drivers,
      policy: batchMatching,
      log: ["KIND", "embedded (default), or kafka: KAFKA_BROKERS names a broker without our topics, else one is started from Kafka's jars"],
      orders: ["RATE", "a second, default 8.3"],
      burst: ["RATE", "orders a second in the burst, default 83"],
      seconds: ["N", "of the steady phase, default 40"],
      "burst-seconds": ["N", "default 60"],
    },
    load: async () => (await import("./dispatch.ts")).dispatch,
  },
  "kafka-streams": {
    about: "this engine beside Kafka Streams on one broker, by turns; 13 minutes",
    flags: {
      size: ["SIZE", "full (default) or small"],
      measure: ["NAMES", "of presence,count,latency,crash,restore; default all"],
      records: ["N", "default the size's"],
      threads: ["N", "default 1"],
      side: ["NAME", "slackline or kafka-streams; default both"],
      "cpu-prof": ["", "a profile of each of our threads, of those runs that end by themselves"],
      "node-words": ["WORDS", 'for Node on our side, quoted and with a space first: " --single-threaded-gc"'],
    },
    load: async () => (await import("./kafka-streams.ts")).kafkaStreams,
  },
  locations: {
    about: "locations through `drivers`, one thread, exactly once",
    flags: {
      drivers: ["COUNTS", "default 10000,400000"],
      records: ["N", "default 1,000,000, or ten a driver; at least four a driver"],
      disk: ["KIND", "default rocksdb"],
      log: ["KIND", "embedded (default) or kafka"],
      durability: ["KINDS", "default process,power"],
      "cpu-prof": ["", "a profile of the first run of each setting"],
    },
    load: async () => (await import("./locations.ts")).locations,
  },
  matching: {
    about: "one tick of a policy",
    flags: {
      jobs: ["N", "default 200"],
      drivers: ["N", "default 400"],
      policy: batchMatching,
    },
    load: async () => (await import("./matching.ts")).matching,
  },
  mdrp: {
    about: "delivery days beside the published figures",
    flags: {
      ...days,
      policy: ["NAMES", "default nearest,batch-matching; with --ablate or --quick one, default open-plan"],
      parameters: ["SETTING", "name=value,…"],
      match: ["REGEXP", "on the instances' names"],
      limit: ["N", "instances; 0, the default: all"],
      ablate: ["", "one policy, without each of its ingredients in turn; goes on where it was stopped"],
      quick: ["", "one policy without log and topologies: nothing is proved of the invariants; goes on where it was stopped"],
    },
    load: async () => (await import("./mdrp.ts")).mdrp,
  },
  queries: {
    about: "drivers nearby, over HTTP, beside locations and orders; one run of a minute and a half",
    flags: {
      drivers,
      orders: ["RATE", "a second, default 8.3"],
      rate: ["N", "questions a second, default 100"],
      seconds: ["N", "default 40"],
      radius: ["METRES", "default 5000"],
      limit: ["N", "drivers in an answer, default 20"],
      index: ["yes|no", "no: drivers are looked for in the stores; default yes"],
    },
    load: async () => (await import("./queries.ts")).queries,
  },
  tracking: {
    about: "location in → customer's stream out; one run of about two minutes",
    flags: {
      drivers,
      clients: ["N", "streams, default 1000; 10000 from two processes"],
      jobs: ["N", "followed, default 1000"],
      seconds: ["N", "default 60"],
    },
    load: async () => (await import("./tracking.ts")).tracking,
  },
  tune: {
    about: "seeded search for a policy's parameters over training days; goes on where it was stopped",
    flags: {
      ...days,
      policy: ["NAME", "default open-plan"],
      candidates: ["N", "a round, default 8"],
      rounds: ["N", "default 2"],
      rungs: ["COUNTS", "days, default 3,8,20"],
      orders: ["N", "larger instances are left out, default 1000"],
      from: ["SETTING", "name=value,…: where to begin instead of the defaults"],
    },
    load: async () => (await import("./tuning/tune.ts")).tune,
  },
};
