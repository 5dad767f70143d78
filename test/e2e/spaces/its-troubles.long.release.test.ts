/** Failures while an ITS is created: rejected before anything is written, or reported within seconds. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  type Bed,
  limitedUser,
  type Plane,
  resources,
  rule,
  until,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import type { CliOptions, CliRun } from '../support/harness.ts';
import { type HostingBed, type SpaceCli, startHosting, tagsIn } from '../support/spaces.ts';

let all: HostingBed;
let bed: Bed;
let cli: SpaceCli;
let hosting: Plane;
let ext: Plane;

before(async () => {
  all = await startHosting([{ name: 'ext', clusterInfo: false }]);
  ({ bed, cli, hosting } = all);
  ext = bed.plane('ext');
});

after(() => all?.stop());

/** The address by which pods reach the external cluster. */
const address = () => `--hub-apiserver ${ext.internalServer}`;

/** Runs a command line and expects an error of this kind. @returns the error, and when it ended */
async function fails(
  line: string,
  expected: { exitCode: number; code: string },
  options?: CliOptions,
): Promise<{ run: CliRun; item: FailedItem; ended: number }> {
  const run = await cli.run([...line.split(' '), '-o', 'json'], options);
  const ended = Date.now();
  const [item] = run.json().items as FailedItem[];
  assert.deepEqual(
    [run.exitCode, item?.error.code],
    [expected.exitCode, expected.code],
    run.stdout,
  );
  return { run, item: item as FailedItem, ended };
}

interface FailedItem {
  stage: string | null;
  blockedAt: { stage: string } | null;
  changed: boolean;
  error: { code: string; message: string; steps: string[]; details?: string[] };
}

describe('reports what blocks a space, and resumes after the fix:', () => {
  const lastWords = 'Error: the server has asked for the client to provide credentials';

  it('a hook whose Job has failed, with its log, which is repaired', async () => {
    const mend = await bed.fault({
      kind: 'failing',
      image: 'clusteradm',
      log: ['Preflight check', lastWords],
    });
    const { item, ended } = await fails('its create its1 --type host', {
      exitCode: 1,
      code: 'hook-failed',
    });
    assert.equal(item.blockedAt?.stage, 'its-hub-init');
    assert.match(
      item.error.message,
      /Job its1-system\/its-hub-init has failed \(BackoffLimitExceeded, 2 tries\)/,
    );
    assert.ok(item.error.details?.includes(lastWords), JSON.stringify(item.error));
    assert.match(item.error.steps.join('\n'), /stellarctl its repair its1 /);
    const { status } = await hosting.admin.get<AnyObject>(
      resources.jobs,
      'its1-system/its-hub-init',
    );
    assertToldSoon('the Job had failed', sinceOf(status, 'Failed'), ended, 60_000);

    const looked = await cli.type('its get its1');
    assert.match(looked.stdout, new RegExp(`✗ OCM hub installed .*\\n[^]*    ${lastWords}\\n`));
    assert.match((await cli.type('its list')).stdout, /its1 +host +no +its-hub-init ✗/);
    await mend();
    const repaired = await cli.type('its repair its1');
    assert.match(repaired.stderr, /KubeFlex recreates Job its-hub-init/);
    assert.match(repaired.stdout, /^its1: ready · context its1/);
  });

  it('an API server that has lost all of its hub, which is installed again', async () => {
    const { admin } = hosting;
    const isGone = (resource: typeof resources.pods, name: string) =>
      until(async () => (await admin.find(resource, name)) === undefined, `${name} is gone`);
    await admin.delete(resources.clusterManagers, 'cluster-manager');
    await isGone(resources.clusterManagers, 'cluster-manager');
    await admin.delete(resources.namespaces, 'open-cluster-management');
    await isGone(resources.namespaces, 'open-cluster-management');
    await isGone(resources.namespaces, 'open-cluster-management-hub');
    for (const { metadata } of (await admin.list(resources.customResourceDefinitions)).items)
      if (/\.open-cluster-management\.io$/.test(metadata.name))
        await admin.delete(resources.customResourceDefinitions, metadata.name);
    const found = await cli.run(['its', 'get', 'its1']);
    assert.match(found.stdout, /✗ serves ManagedClusters .*OCM is missing/);
    assert.match(found.stderr, /stellarctl its repair its1/);
    const { stdout } = await cli.type('its repair its1');
    assert.match(stdout, /^its1: ready/m);
    assert.deepEqual(await tagsIn(hosting, 'open-cluster-management-hub'), ['v1.0.1']);
  });

  describe('at the same time,', { concurrency: true }, () => {
    it('an external cluster that KubeFlex cannot reach, or with insufficient permissions', async () => {
      const line = 'its create its3 --type external --bootstrap-context ext';
      const unreachable = await fails(`${line} --hub-apiserver https://nowhere.example:6443`, {
        exitCode: 1,
        code: 'space-failed',
      });
      assert.equal(unreachable.item.blockedAt?.stage, 'synced');
      assert.match(unreachable.item.error.message, /nowhere\.example/);
      const jane = await limitedUser(ext, {
        user: 'jane',
        rules: [
          rule('apiextensions.k8s.io', 'customresourcedefinitions', 'get'),
          rule('', 'configmaps, serviceaccounts, pods, namespaces', 'get, list'),
        ],
      });
      const kubeconfig = await writeKubeconfig(ext, [hosting.kubeconfigEntry, jane]);
      const forbidden = await fails(
        `${line} ${address()}`,
        { exitCode: 4, code: 'forbidden' },
        { kubeconfig },
      );
      assert.match(
        forbidden.item.error.message,
        /serviceaccounts "kubeflex" is forbidden: User "jane" cannot patch/,
      );
      const done = await cli.type(`${line} ${address()}`);
      assert.match(done.stderr, /its3: bootstrap Secret rewritten/);
      assert.match(done.stdout, /^its3: ready/);
    });

    it('an image that cannot be pulled', async () => {
      const mend = await bed.fault({ kind: 'unpullable', image: 'ocm-transport-controller' });
      const line = 'wds create wds1 --type host --its its1';
      const { item } = await fails(line, { exitCode: 1, code: 'hook-failed' });
      assert.equal(item.blockedAt?.stage, 'transport-controller');
      assert.match(
        item.error.message,
        /the image \S*ocm-transport-controller:\S+ cannot be pulled \((ErrImagePull|ImagePullBackOff)\)/,
      );
      await mend();
      assert.match((await cli.type(line)).stdout, /^wds1: ready/);
    });
  });
});

/** How long a condition has been true, in milliseconds. */
function sinceOf(status: unknown, type: string) {
  const { conditions } = status as {
    conditions: { type: string; status: string; lastTransitionTime: string }[];
  };
  return Date.parse(
    conditions.find((each) => each.type === type && each.status === 'True')?.lastTransitionTime ??
      '',
  );
}

/** Kubernetes rounds times to whole seconds. */
function assertToldSoon(what: string, knowable: number, told: number, limitMs: number) {
  assert.ok(told - knowable < limitMs, `told ${told - knowable} ms after ${what}`);
}
