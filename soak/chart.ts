/** A chart over time as one SVG file: lines that are broken where nothing was measured, and marks where something was done to a process. */

export interface Series {
  readonly name: string;
  /** Time in seconds, value; undefined: nothing was measured. */
  readonly points: readonly (readonly [seconds: number, value: number | undefined])[];
}

export interface Mark {
  readonly seconds: number;
  readonly kind: "kill" | "stop" | "pause" | "broker";
}

export interface ChartOptions {
  readonly title: string;
  readonly unit: string;
  readonly seconds: number;
  readonly series: readonly Series[];
  readonly marks: readonly Mark[];
}

const WIDTH = 960;
const HEIGHT = 300;
const LEFT = 64;
const RIGHT = 16;
const TOP = 52;
const BOTTOM = 44;
const TICKS = 5;
/** Told apart by those who do not see colours, too. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;
const MARKS: Readonly<Record<Mark["kind"], readonly [colour: string, word: string]>> = {
  kill: ["#c1121f", "kill -9"],
  stop: ["#6a4c93", "SIGTERM"],
  pause: ["#8a8a8a", "pause"],
  broker: ["#1b1b1b", "broker"],
};

export function chart({ title, unit, seconds, series, marks }: ChartOptions): string {
  const values = series.flatMap(({ points }) => points.flatMap(([, value]) => value ?? []));
  const top = niceAbove(Math.max(0, ...values));
  const x = (at: number): number => LEFT + (at / Math.max(1, seconds)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="20" font-size="15" font-weight="600" fill="#1b1b1b">${escaped(title)}</text>`,
    ...grid({ top, unit, seconds, x, y }),
    ...marks.map(
      ({ seconds: at, kind }) =>
        `<line x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="${MARKS[kind][0]}" stroke-opacity="0.45" stroke-dasharray="2 3"/>`,
    ),
    ...series.map(
      ({ points }, index) =>
        `<path d="${pathOf(points, x, y)}" fill="none" stroke="${colourOf(index)}" stroke-width="1.6" stroke-linejoin="round"/>`,
    ),
    ...legend(series, marks),
    "</svg>",
    "",
  ].join("\n");
}

interface Frame {
  readonly top: number;
  readonly unit: string;
  readonly seconds: number;
  readonly x: (at: number) => number;
  readonly y: (value: number) => number;
}

function grid({ top, unit, seconds, x, y }: Frame): readonly string[] {
  const lines: string[] = [];
  for (let tick = 0; tick <= TICKS; tick++) {
    const value = (top / TICKS) * tick;
    const at = y(value).toFixed(1);
    lines.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#e6e6e6"/>`);
    lines.push(`<text x="${LEFT - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end" fill="#555">${number(value)}</text>`);
  }
  const minutes = seconds / 60;
  const step = [1 / 12, 1 / 6, 0.5, 1, 2, 5, 10, 30, 60, 120].find((each) => minutes / each <= 12) ?? 240;
  for (let minute = 0; minute <= minutes + 1e-9; minute += step) {
    const label = step < 1 ? `${Math.round(minute * 60)} s` : `${Math.round(minute)} min`;
    lines.push(`<text x="${x(minute * 60).toFixed(1)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle" fill="#555">${label}</text>`);
  }
  return [...lines, `<text x="${LEFT}" y="${TOP - 10}" fill="#555">${escaped(unit)}</text>`];
}

function legend(series: readonly Series[], marks: readonly Mark[]): readonly string[] {
  const entries = [
    ...series.map(({ name }, index) => [colourOf(index), name] as const),
    ...(["kill", "stop", "pause", "broker"] as const).flatMap((kind) => (marks.some((mark) => mark.kind === kind) ? [MARKS[kind]] : [])),
  ];
  let at = LEFT;
  return entries.flatMap(([colour, name]) => {
    const from = at;
    at += 34 + name.length * 7;
    return [
      `<rect x="${from}" y="${HEIGHT - 18}" width="14" height="4" fill="${colour}"/>`,
      `<text x="${from + 20}" y="${HEIGHT - 12}" fill="#1b1b1b">${escaped(name)}</text>`,
    ];
  });
}

function pathOf(points: Series["points"], x: Frame["x"], y: Frame["y"]): string {
  let drawing = false;
  return points
    .flatMap(([seconds, value]) => {
      if (value === undefined) {
        drawing = false;
        return [];
      }
      const command = drawing ? "L" : "M";
      drawing = true;
      return [`${command}${x(seconds).toFixed(1)} ${y(value).toFixed(1)}`];
    })
    .join("");
}

/** 1, 2, 2.5 or 5 times a power of ten. */
function niceAbove(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

function number(value: number): string {
  return value >= 1_000 ? value.toLocaleString("en") : String(Number(value.toPrecision(3)));
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? "#000000";
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
