import assert from 'node:assert/strict';
import { type Plane, resources, until } from '../../../testbed/index.ts';
import type { Finding } from './findings.ts';
import type { Cli, CliOptions, CliRun } from './harness.ts';

type Found = Finding & { found?: string };

/** Of the clusters to register: what else is checked differs between machines. */
export const findingsOf = (run: CliRun): Found[] =>
  (run.json() as { items: Found[] }).items.filter(({ subjects }) =>
    subjects[0]?.startsWith('wec/'),
  );

/** What fails or is warned of about a cluster, as `check code`. */
export const wrongOf = (findings: readonly Found[], name: string) =>
  findings
    .filter(
      ({ status, subjects }) =>
        (status === 'fail' || status === 'warn') && subjects.includes(`wec/${name}`),
    )
    .map(({ id, code }) => `${id} ${code}`);

/** Probes a cluster of this context. Whether the machine has helm does not matter. */
export const probe = (
  cli: Cli,
  name: string,
  more: readonly string[] = [],
  options: CliOptions = {},
): Promise<CliRun> =>
  cli.run(
    [
      'doctor',
      '--pre',
      '--probe',
      '--yes',
      `${name}=${name}`,
      '--its',
      'its1',
      '--skip',
      'helm',
      '-o',
      'json',
      ...more,
    ],
    options,
  );

/** No Job of a probe, and after a moment no pod. */
export async function assertNothingLeft({ admin }: Plane): Promise<void> {
  const left = async (resource: typeof resources.jobs) =>
    (await admin.list(resource, { namespace: 'default' })).items;
  await until(
    async () => [...(await left(resources.jobs)), ...(await left(resources.pods))].length === 0,
    'no Job, no pod',
  );
  assert.deepEqual(await left(resources.jobs), []);
}
