/** What an operator does to a running cluster: quotas, rights, limits of topics. By the library's own administrative client. */
import { AclOperations, AclPermissionTypes, Admin, ConfigResourceTypes, ResourcePatternTypes, ResourceTypes } from "@platformatic/kafka";

export interface Right {
  /** `User:NAME`. */
  readonly principal: string;
  readonly resource: "TOPIC" | "GROUP" | "TRANSACTIONAL_ID";
  readonly name: string;
  /** Of every name that begins so; default the one name. */
  readonly prefixed?: true;
  readonly operation: "READ" | "WRITE" | "DESCRIBE" | "DESCRIBE_CONFIGS";
}

export interface ClientQuota {
  readonly producer_byte_rate?: number;
  readonly consumer_byte_rate?: number;
  /** Percent of one request thread. */
  readonly request_percentage?: number;
}

type QuotaName = keyof ClientQuota;
type QuotaChange = { readonly key: QuotaName; remove: true } | { readonly key: QuotaName; readonly value: number; remove: false };

const QUOTAS: readonly QuotaName[] = ["producer_byte_rate", "consumer_byte_rate", "request_percentage"];
const SET = 0;

export class ClusterOperator implements AsyncDisposable {
  readonly #admin: Admin;

  /** At a listener where everything is allowed. */
  constructor(brokers: readonly string[]) {
    this.#admin = new Admin({ clientId: "operator", bootstrapBrokers: [...brokers] });
  }

  async grant(rights: readonly Right[]): Promise<void> {
    await this.#admin.createAcls({ creations: rights.map(aclOf) });
  }

  async revoke(rights: readonly Right[]): Promise<void> {
    await this.#admin.deleteAcls({ filters: rights.map(aclOf) });
  }

  /** Of all clients with that name, together at each broker; undefined takes it away. */
  async limitClient(clientId: string, quota: ClientQuota | undefined): Promise<void> {
    const ops = QUOTAS.flatMap((key): QuotaChange[] => {
      const value = quota?.[key];
      if (quota === undefined) return [{ key, remove: true }];
      return value === undefined ? [] : [{ key, value, remove: false }];
    });
    await this.#admin.alterClientQuotas({
      entries: [{ entities: [{ entityType: "client-id", entityName: clientId }], ops }],
      validateOnly: false,
    });
  }

  async setTopicConfig(topic: string, name: string, value: string): Promise<void> {
    const configs = [{ name, value, configOperation: SET as 0 }];
    await this.#admin.incrementalAlterConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }],
      validateOnly: false,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.close();
  }
}

function aclOf({ principal, resource, name, prefixed, operation }: Right) {
  return {
    resourceType: ResourceTypes[resource],
    resourceName: name,
    resourcePatternType: prefixed === true ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    principal,
    host: "*",
    operation: AclOperations[operation],
    permissionType: AclPermissionTypes.ALLOW,
  };
}
