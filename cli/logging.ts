/** Structured lines on standard error; pretty where a person reads them. */
import pino from "pino";
import type { StructuredLogger } from "#streams";

export function pinoLogger(level: string): StructuredLogger {
  const readable = process.stderr.isTTY;
  return readable
    ? pino({ level, transport: { target: "pino-pretty", options: { destination: 2 } } })
    : pino({ level }, pino.destination(2));
}
