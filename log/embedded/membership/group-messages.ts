/** What members and the coordinator say to each other; structured-cloneable. */
import type { MemberAssignment, MemberInfo } from "../../log.ts";

export interface MemberAddress {
  readonly group: string;
  readonly memberId: string;
  readonly threadId: number;
}

/** From a member to the coordinator. */
export type GroupRequest =
  | { readonly kind: "join"; readonly from: MemberAddress; readonly userData: Uint8Array }
  | {
      readonly kind: "assign";
      readonly from: MemberAddress;
      readonly generation: number;
      readonly assignments: readonly MemberAssignment[];
    }
  | { readonly kind: "leave"; readonly from: MemberAddress };

/** From the coordinator to a member. */
export type GroupNotice =
  | { readonly kind: "rebalance"; readonly to: MemberAddress }
  | { readonly kind: "lead"; readonly to: MemberAddress; readonly generation: number; readonly members: readonly MemberInfo[] }
  | { readonly kind: "assigned"; readonly to: MemberAddress; readonly generation: number; readonly assignment: Uint8Array }
  | { readonly kind: "lost"; readonly to: MemberAddress };
