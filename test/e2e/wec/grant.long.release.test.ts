/** Permissions of a work agent, in the order of the tests. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  crd,
  type ManifestWork,
  type Plane,
  resources,
  until,
} from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { inRelease } from '../support/in-release.ts';
import { assertRefuses, assertUnwritten, markAll } from '../support/refusal.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';

let cli: Cli;
let its1: Plane;
let cluster1: Plane;
let cluster2: Plane;
let planes: readonly [Plane, Plane, Plane];

const role = 'stellarctl:work-agent';
const grants = async (plane: Plane) =>
  (
    await plane.admin.list<AnyObject & { rules: { resources: string[] }[] }>(resources.clusterRoles)
  ).items.filter(({ metadata }) => metadata.name === role);

const key = { name: 'widgets', namespace: 'cluster1' };
const isApplied = async () => {
  const { status } = await its1.admin.get<ManifestWork>(
    resources.manifestWorks,
    `${key.namespace}/${key.name}`,
  );
  return status?.conditions?.find(({ type }) => type === 'Applied')?.status;
};

before(async () => {
  ({ cli, planes } = await enterPlanes('its1', 'cluster1', 'cluster2'));
  [its1, cluster1, cluster2] = planes;
  await cli.type('wec join cluster1 cluster2 --its its1 --accept');
  await cluster1.admin.ensure(
    resources.customResourceDefinitions,
    crd({ group: 'example.com', versions: ['v1'], kind: 'Widget', scope: 'Namespaced' }),
  );
  const widget = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'w', namespace: 'default' },
  };
  await its1.admin.create<ManifestWork>(resources.manifestWorks, {
    metadata: key,
    spec: { workload: { manifests: [widget] } },
  });
  await until(async () => (await isApplied()) === 'False', 'a work that cannot be applied');
});

after(() => leaveBed(cli));

describe('permissions of a work agent', { concurrency: 1 }, () => {
  it('are not granted to another cluster, without --yes in a pipe, or without an explicit cluster', async () => {
    await assertRefuses(cli, planes, 'wec grant cluster1=cluster2 --from-errors --its its1 --yes', {
      exitCode: 1,
      says: /cluster2 .* is not the WEC cluster1 of its1: it is registered as cluster2/,
    });
    await assertRefuses(cli, planes, 'wec grant cluster1=cluster1 --from-errors --its its1', {
      exitCode: 1,
      says: /needs confirmation/,
    });
    await assertRefuses(cli, planes, 'wec grant cluster1=cluster1 --its its1', {
      exitCode: 2,
      says: /required option '--from-errors' not specified/,
    });
    await assertRefuses(cli, planes, 'wec revoke cluster1=cluster1 --rule Widgets;x --its its1', {
      exitCode: 2,
      says: /not RESOURCE\[\.GROUP\]/,
    });
  });

  it('are reported missing by doctor, with the command that grants them', async () => {
    const run = await cli.run('doctor cluster1=cluster1 --its its1 -o json'.split(' '));
    const failed = run.json().items.filter(({ status }: { status: string }) => status === 'fail');
    assert.deepEqual(
      failed.map(({ code, command }: { code: string; command: string }) => [code, command]),
      [['work-rights-missing', 'stellarctl wec grant cluster1=cluster1 --from-errors --its its1']],
    );
  });

  it('are granted for failed works, and the work is then applied', async () => {
    const run = await cli.type(
      'wec grant cluster1=cluster1 --from-errors --its its1 --yes -o json',
    );
    assert.deepEqual(run.json().items, [
      { name: 'cluster1', kinds: ['widgets.example.com'], changed: true },
    ]);
    await until(async () => (await isApplied()) === 'True', 'a work that is applied');
    assert.equal((await grants(cluster2)).length, 0);
  });

  it('are granted once', async () => {
    await markAll(planes);
    const run = await cli.type('wec grant cluster1=cluster1 --from-errors --its its1');
    assert.match(
      run.stderr,
      /no work fails for lack of a right that --from-errors can grant; nothing to do/,
    );
    await assertUnwritten(planes);
  });

  it('are not revoked while a work has applied such an object', async () => {
    await assertRefuses(cli, planes, 'wec revoke cluster1=cluster1 --its its1 --yes', {
      exitCode: 1,
      says: /widgets\.example\.com default\/w of work widgets/,
    });
  });

  it('are revoked only if they were granted', async () => {
    const again = await cli.type(
      'wec revoke cluster1=cluster1 --rule gadgets.example.com --its its1 --yes',
    );
    assert.match(again.stderr, /no such rights were granted; nothing to do/);
  });

  it('are removed with the WEC, after its workload', inRelease, async () => {
    await cli.type('deregister cluster1=cluster1 --cleanup --its its1 --yes');
    assert.deepEqual(await grants(cluster1), []);
  });
});
