/** Structured lines on standard error; pretty where a person reads them. */
import pino from "pino";
import type { StructuredLogger } from "#streams";

export function pinoLogger(level: string): StructuredLogger {
  const readable = process.stderr.isTTY;
  // An Error has no fields that JSON would show.
  const serializers = { error: pino.stdSerializers.errWithCause };
  return readable
    ? pino({ level, serializers, transport: { target: "pino-pretty", options: { destination: 2 } } })
    : pino({ level, serializers }, pino.destination({ dest: 2, sync: true }));
}
