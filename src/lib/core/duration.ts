const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Parses a duration in kubectl's form: `90s`, `5m`, `1h30m`, or a plain number of seconds.
 * @returns milliseconds, or undefined for anything else.
 */
export function parseDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    total += Number(amount) * (unitMs[unit as string] as number);
  return total;
}

/**
 * An age as kubectl shows it in a table (apimachinery, duration.HumanDuration): `12s`, `5m`, `3h20m`, `2d1h`. Negative ages (clocks
 * that differ) show as `0s`.
 */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
  if (days < 2 * 365) return `${days}d`;
  const years = Math.floor(days / 365);
  if (years < 8 && days % 365 !== 0) return `${years}y${days % 365}d`;
  return `${years}y`;
}

/** When a problem began, after its sentence: ` (began 5m ago)`; empty if that is unknown. @param since RFC 3339 */
export const begun = (since: string | null | undefined, now: number): string =>
  since ? ` (began ${formatAge(now - Date.parse(since))} ago)` : '';

/** An elapsed time for people: `0.4s`, `12.3s`, `2m5s`. */
export function formatElapsed(ms: number): string {
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
