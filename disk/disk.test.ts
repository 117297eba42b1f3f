import { diskConformance } from "./conformance/disk-conformance.ts";

diskConformance("memory");
diskConformance("rocksdb");
diskConformance("classic-level");
