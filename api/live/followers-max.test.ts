import { expect, test } from "vitest";
import { FOLLOWERS_MAX, followersBound } from "./followers-max.ts";

test("files that the process may open bound its followers, and are named to whoever is refused", () => {
  expect(followersBound(10_000, 1_024)).toEqual({
    most: 424,
    why: "424 clients follow, as many as may: the process is allowed 1024 open files (ulimit -n)",
  });
  expect(followersBound(10_000, 100).most).toBe(1);
  expect(followersBound(undefined, Infinity)).toEqual({ most: FOLLOWERS_MAX, why: "10000 clients follow, as many as may" });
  expect(followersBound(3).most).toBe(3);
});
