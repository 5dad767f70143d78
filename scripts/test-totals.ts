import type { TestEvent } from 'node:test/reporters';

/** Node's test runner ends a run with lines such as "pass 12", which belong to no file. */
const TOTAL = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

/** Makes one run of several, each reported to its end before the next: one set of totals comes last. */
export async function* joinRuns(runs: AsyncIterable<AsyncIterable<TestEvent>>): AsyncGenerator<TestEvent, void> {
  const totals = new Map<string, number>();
  for await (const run of runs) {
    for await (const event of run) {
      const total = event.type === 'test:diagnostic' && event.data.file === undefined && TOTAL.exec(event.data.message);
      if (total) totals.set(total[1] as string, (totals.get(total[1] as string) ?? 0) + Number(total[2]));
      else yield event;
    }
  }
  for (const [name, sum] of totals) {
    yield { type: 'test:diagnostic', data: { nesting: 0, level: 'info', message: `${name} ${sum}` } };
  }
}

/** Whether an event says that a whole run failed. */
export function isFailedRun(event: TestEvent): boolean {
  return event.type === 'test:summary' && event.data.file === undefined && !event.data.success;
}
