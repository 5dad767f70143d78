/**
 * Whole milliseconds since the start of the process, by a clock that nobody can set: for deadlines, grace periods and durations. The
 * wall clock jumps when it is set; ages of objects are by the clock of their server (Kube.now).
 */
export const monotonic = (): number => Math.round(process.uptime() * 1000);
