/** Draws lines of a terminal as an animated SVG, for places that run no scripts: each line appears in its time, and the text scrolls. */
import type { Line, Span } from './recorder.ts';

const cell = { width: 8.4, height: 18 };
const margin = 16;
const visibleRows = 30;
/** The longest pause of the recording, and the time for the last screen, in seconds. */
const longestPause = 1.5;
const lookAtEnd = 6;

const background = '#0d1117';
const foreground = '#e6edf3';
/** The first eight colors of a terminal; those from 8 on are the same, bright. */
const palette = [
  '#484f58',
  '#ff7b72',
  '#3fb950',
  '#d29922',
  '#58a6ff',
  '#bc8cff',
  '#39c5cf',
  '#b1bac4',
];

/** @param columns the width of the terminal */
export function draw(lines: readonly Line[], columns: number): string {
  const times = compress(lines.map(({ seconds }) => seconds));
  const total = (times.at(-1) ?? 0) + lookAtEnd;
  const percent = (seconds: number) => `${((100 * seconds) / total).toFixed(2)}%`;
  const width = Math.round(columns * cell.width + 2 * margin);
  const height = visibleRows * cell.height + 2 * margin;
  const appear = [...new Set(times)].map(
    (time, index) =>
      [
        time,
        `a${index}`,
        `@keyframes a${index}{0%{opacity:0}${percent(time)}{opacity:1}}`,
      ] as const,
  );
  const nameOf = new Map(appear.map(([time, name]) => [time, name]));
  const scroll = times.map(
    (time, row) => `${percent(time)}{transform:translateY(${-above(row) * cell.height}px)}`,
  );
  const rows = lines.map(({ spans }, row) => {
    const y = (row + 1) * cell.height - 5;
    return `<text class="${nameOf.get(times[row] ?? 0)}" y="${y}">${spans.map(drawSpan).join('')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" xml:space="preserve" role="img" aria-label="A recording of stellarctl in a terminal">
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:${foreground};white-space:pre}
.b{font-weight:bold}.d{opacity:.6}${palette.map((color, number) => `.c${number}{fill:${color}}`).join('')}
@media (prefers-reduced-motion:no-preference){
.s{animation:s ${total.toFixed(1)}s step-end infinite}
@keyframes s{0%{transform:none}${scroll.join('')}}
text{animation:${total.toFixed(1)}s step-end infinite}
${appear.map(([, name, frames]) => `.${name}{animation-name:${name}}${frames}`).join('\n')}
}
</style>
<rect width="100%" height="100%" rx="8" fill="${background}"/>
<svg x="${margin}" y="${margin}" width="${width - 2 * margin}" height="${height - 2 * margin}"><g class="s">
${rows.join('\n')}
</g></svg>
</svg>
`;
}

/** The number of lines scrolled out of sight when a line appears. */
const above = (row: number): number => Math.max(0, row + 1 - visibleRows);

/** @returns seconds since the first line, without the length of long pauses */
function compress(seconds: readonly number[]): number[] {
  let time = 0;
  return seconds.map((each, index) => {
    time += Math.min(longestPause, each - (seconds[index - 1] ?? each));
    return time;
  });
}

function drawSpan({ column, text, color, bold, dim }: Span): string {
  const classes = [
    ...(color === undefined ? [] : [`c${color % 8}`]),
    ...(bold ? ['b'] : []),
    ...(dim ? ['d'] : []),
  ];
  const shown = text.trim();
  const begin = column + text.length - text.trimStart().length;
  const width = (shown.length * cell.width).toFixed(1);
  const attributes = `x="${(begin * cell.width).toFixed(1)}" textLength="${width}"${classes.length === 0 ? '' : ` class="${classes.join(' ')}"`}`;
  return `<tspan ${attributes}>${escapeXml(shown)}</tspan>`;
}

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
