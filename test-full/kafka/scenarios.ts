/** What is done to a cluster and the instances on it while the chain application runs. Each ends with the proof from the topics. */
import { cutNetwork } from "./cluster/cut-network.ts";
import { forgotten, tooSlow } from "./cluster/forgotten.ts";
import { killBrokers } from "./cluster/kill-brokers.ts";
import { killInstances } from "./cluster/kill-instances.ts";
import { dispatchUnderKills } from "./dispatch/dispatch-under-kills.ts";
import { poison } from "./cluster/poison.ts";
import { expiredCertificate, rightsRevoked, throttled, tooLarge } from "./cluster/refusals.ts";
import { topicDamage } from "./cluster/topic-damage.ts";
import { damagedState } from "./instances/damaged-state.ts";
import { fullDisk } from "./instances/full-disk.ts";
import { rebalanceStorm } from "./instances/rebalance-storm.ts";
import { recovery } from "./instances/recovery.ts";
import { rollingRestart } from "./instances/rolling-restart.ts";
import type { Scenario } from "./scenario.ts";

export const scenarios: Readonly<Record<string, Scenario>> = {
  "T1 kill -9 of instances and brokers": killInstances,
  "T2 rolling restart by SIGTERM": rollingRestart,
  "T3 brokers killed, one after the other and all": killBrokers,
  "T4 an instance forgotten for twice its session": forgotten,
  "T5 network of one instance cut, one-way, lossy": cutNetwork,
  "T6 ten instances come and go": rebalanceStorm,
  "T7 disk full, then freed": fullDisk,
  "T8 damaged state": damagedState,
  "T9 transactions given up by the coordinator": tooSlow,
  "T10 poison of three kinds, and kill -9": poison,
  "T11 changelogs damaged": topicDamage,
  "T12 throttled by a quota": throttled,
  "T12 records too large for the broker": tooLarge,
  "T12 rights revoked": rightsRevoked,
  "T12 certificate expired": expiredCertificate,
  "recovery after kill -9": recovery,
  "dispatch: kill -9 of instances of run, and brokers": dispatchUnderKills,
};
