import { expect, test } from "vitest";
import { CliError } from "./errors.ts";
import { readSettings } from "./settings.ts";

test("a flag wins over the environment, the environment over the default, and each says where it came from", () => {
  const settings = readSettings({ port: 7500, logLevel: "debug" }, { PORT: "7600", SLACKLINE_THREADS: "2" });
  expect([settings.port.value, settings.port.source]).toEqual(["7500", "flag"]);
  expect([settings["log-level"].value, settings["log-level"].source]).toEqual(["debug", "flag"]);
  expect([settings.threads.value, settings.threads.source]).toEqual(["2", "environment"]);
  expect([settings.durability.value, settings.durability.source]).toEqual(["power", "default"]);
});

test("all bad values are named at once, by the name under which they were given", () => {
  expect(() => readSettings({ threads: "none" }, { PORT: "99999", SLACKLINE_DISK: "tape" })).toThrow(CliError);
  try {
    readSettings({ threads: "none" }, { PORT: "99999", SLACKLINE_DISK: "tape" });
  } catch (error) {
    const { message } = error as CliError;
    for (const part of ["--threads", "PORT", "SLACKLINE_DISK", "tape"]) expect(message).toContain(part);
  }
});
