import { testTier } from "./tier.ts";

testTier(2);
