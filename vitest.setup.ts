/** Before each file of tests: one seed for every property, so that a run says the same twice; `PROPERTY_SEED=N` tries another. */
import { configureGlobal } from "fast-check";

configureGlobal({ seed: Number(process.env["PROPERTY_SEED"] ?? 1) });
