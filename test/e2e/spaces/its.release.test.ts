import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { parse } from 'yaml';
import {
  type AnyObject,
  type Bed,
  installKubeStellar,
  type Plane,
  resources,
  startBed,
  until,
} from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { setImage } from '../support/images.ts';
import { assertUnwritten, writesOn } from '../support/refusal.ts';
import { kubeconfigText } from '../support/spaces.ts';

let bed: Bed;
let cli: Cli;
let hosting: Plane;

before(async () => {
  bed = await startBed({ planes: [{ name: 'hosting' }] });
  hosting = bed.plane('hosting');
  await installKubeStellar(hosting);
  cli = await Cli.create(bed.kubeconfig);
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

it('an ITS of type host is created, listed, shown and deleted, and each command can be repeated', async () => {
  const original = parse(await kubeconfigText(bed));
  const create = ['its', 'create', 'its1', '--type', 'host'];
  await hosting.markAudit();
  const created = await cli.succeed(create);
  assert.match(created.stdout, /^its1: ready · context its1 after \d/);
  assert.match(created.stderr, /^its1: OCM hub installed after \d/m);
  assert.match(created.stderr, /\nNext: stellarctl wec join NAME=CONTEXT --accept\n$/);
  assert.deepEqual(
    (await writesOn(hosting)).filter((write) => !write.startsWith('patch controlplanes its1')),
    [
      'patch clusterrolebindings kubeflex-manager-cluster-admin-rolebinding',
      'patch namespaces customization-properties',
    ],
  );

  await hosting.markAudit();
  const again = await cli.succeed(create);
  assert.equal(again.stdout, 'its1: is ready; nothing to do · context its1\n');
  const { items } = (await cli.succeed(['its', 'list', '-o', 'json'])).json();
  assert.deepEqual(
    items.map(({ created: _, ...item }: { created: string }) => item),
    [
      {
        name: 'its1',
        type: 'host',
        ready: true,
        stage: 'ready',
        blockedAt: null,
        problem: false,
        reason: '',
        context: 'its1',
      },
    ],
  );
  const looked = await cli.succeed(['its', 'get', 'its1']);
  assert.doesNotMatch(looked.stdout, /[✗•?]/);
  assert.match(looked.stdout, /^ {2}✓ can be joined$/m);
  assert.match(looked.stdout, /^ {2}versions {4}OCM 1\.0\.0 · status add-on 0\.2\.0-rc17$/m);
  await assertUnwritten([hosting]);

  await setImage(hosting, 'open-cluster-management/addon-status-controller', 'ocm-status-addon', '0.2.0-rc16');
  const running = /^ {2}versions {4}OCM 1\.0\.0 · status add-on running 0\.2\.0-rc16, installed hooks 0\.2\.0-rc17$/m;
  await until(async () => running.test((await cli.succeed(['its', 'get', 'its1'])).stdout), 'what runs');

  const deletion = ['its', 'delete', 'its1', '--hosting-context', 'hosting', '--yes'];
  const deleted = await cli.succeed(deletion);
  assert.match(deleted.stdout, /^its1: deleted, and context its1 with it after \d/);
  assert.equal(await hosting.admin.find<AnyObject>(resources.namespaces, 'its1-system'), undefined);
  assert.deepEqual(parse(await kubeconfigText(bed)), original);
  await hosting.markAudit();
  assert.equal((await cli.succeed(deletion)).stdout, 'its1: not found; nothing to do\n');
  await assertUnwritten([hosting]);
});
