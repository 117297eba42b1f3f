#!/usr/bin/env node
// Plain CommonJS that any Node can read: finds the Node this project was installed with and starts the command on it.
"use strict";
const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const root = join(__dirname, "..");
const main = join(root, "cli", "main.ts");
const own = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
const major = Number(process.versions.node.split(".")[0]);

const node = major >= 24 ? process.execPath : own;
if (!existsSync(node)) {
  process.stderr.write(
    `slackline needs Node 24, this is ${process.versions.node}, and none was installed beside it.\n` +
      "Type: npm ci        (it brings Node 24 along; if install scripts are blocked: npm rebuild node)\n",
  );
  process.exit(2);
}
const result = spawnSync(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
if (result.error) {
  process.stderr.write(`slackline could not start ${node}: ${result.error.message}\n`);
  process.exit(3);
}
if (result.signal) process.kill(process.pid, result.signal);
process.exit(result.status ?? 1);
