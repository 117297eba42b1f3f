/** How the stores keep a zone's policy. */
import { defineSchema, zonePolicySchema } from "#schemas";

export const zoneEntrySchema = defineSchema({
  type: "record",
  name: "ZoneEntry",
  namespace: "dispatch.state.v1",
  fields: [
    { name: "policy", type: zonePolicySchema },
    { name: "epoch", type: "int" },
    {
      name: "former",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "FormerResolution",
          fields: [
            { name: "resolution", type: "int" },
            { name: "haloMetres", type: "double" },
            { name: "until", type: "long" },
          ],
        },
      },
    },
  ],
});
