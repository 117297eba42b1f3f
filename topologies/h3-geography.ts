/** The topologies' questions about the earth, answered by H3 and the travel models. What was computed lately is kept: cells do not move. */
import { CellCircles, cellGeometry, cellOf, defaultSpeeds, distanceMetres, FINE_RESOLUTION, ring, travelModels } from "#geo";
import type { Vehicle, ZonePolicy } from "#schemas";
import type { Geography } from "./geography.ts";
import type { TravelModel } from "./matching/policy.ts";

/** Rings remembered; when full, all are forgotten and computed again. */
const RINGS_MAX = 50_000;
/** Cells with what is around them, for each resolution and reach: the fine cells of 80 large cities, about 40 MB. */
const AROUND_MAX = 300_000;
/** Resolutions and reaches remembered: those of the policies in force, and not of all there ever were. */
const REACHES_MAX = 8;
const VEHICLES = Object.keys(defaultSpeeds) as readonly Vehicle[]; // its keys are the vehicles

/** One for each task or topology; it remembers circles and rings, nothing else. */
export function h3Geography(): Geography {
  const circles = new CellCircles();
  const rings = new Map<string, readonly string[]>();
  const around = new Map<number, Map<string, readonly string[]>>();
  const models = new WeakMap<Readonly<Record<string, number>>, TravelModel>();
  return {
    ...cellGeometry,
    fineCellOf: (point) => cellOf(point, FINE_RESOLUTION),
    metresBetween: (a, b) => distanceMetres(a.latitude, a.longitude, b.latitude, b.longitude),
    surelyIn: (fineCell, point) => circles.surelyInside(fineCell, point.latitude, point.longitude),
    ring(fineCell, distance) {
      const name = `${distance} ${fineCell}`;
      let cells = rings.get(name);
      if (cells === undefined) {
        if (rings.size >= RINGS_MAX) rings.clear();
        rings.set(name, (cells = ring(fineCell, distance)));
      }
      return cells;
    },
    cellsAround(cell, resolution, metres) {
      // One number for both: there are 16 resolutions.
      const reach = metres * 16 + resolution;
      let known = around.get(reach);
      if (known === undefined) {
        if (around.size >= REACHES_MAX) around.clear();
        around.set(reach, (known = new Map<string, readonly string[]>()));
      }
      let cells = known.get(cell);
      if (cells === undefined) {
        if (known.size >= AROUND_MAX) known.clear();
        known.set(cell, (cells = cellGeometry.cellsWithin(cellGeometry.centreOf(cell), resolution, metres)));
      }
      return cells;
    },
    travelModel({ travelModel, parameters }) {
      let model = models.get(parameters);
      if (model?.name !== travelModel) models.set(parameters, (model = modelOf(travelModel, parameters)));
      return model;
    },
  };
}

function modelOf(name: ZonePolicy["travelModel"], parameters: Readonly<Record<string, number>>): TravelModel {
  const { metresPerMinute, serviceMs } = parameters;
  const service = serviceMs === undefined ? {} : { serviceMs };
  if (name === "plane") return travelModels.plane({ ...service, ...(metresPerMinute === undefined ? {} : { metresPerMinute }) });
  const speeds = VEHICLES.flatMap((vehicle): [Vehicle, number][] => {
    const speed = parameters[`${vehicle}MetresPerSecond`];
    return speed === undefined ? [] : [[vehicle, speed]];
  });
  return travelModels.greatCircle({ ...service, speeds: Object.fromEntries(speeds) });
}
