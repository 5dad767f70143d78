import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  chooseLabels,
  keepLabels,
  keptLabels,
  labelsOf,
  optionsFor,
} from '../../../../../src/lib/wecs/join/kept-labels.ts';
import type { JoinOptions } from '../../../../../src/lib/wecs/join/options.ts';
import type { JoinPlan } from '../../../../../src/lib/wecs/join/plan.ts';
import {
  fakeKube,
  hubEvidence,
  joinedCluster,
  klusterlet,
  managedCluster,
  recordingProgress,
  run,
  wecEvidence,
} from '../../../support/builders.ts';

const edge = { labels: { tier: 'edge' }, annotations: { owner: 'me' } };

/** A Klusterlet as a join has left it. */
async function noted(current: typeof edge) {
  const own = klusterlet();
  const kube = fakeKube({
    merge: async (_resource, _name, patch) => {
      own.metadata.annotations = (patch as typeof own).metadata.annotations ?? {};
      return {} as never;
    },
  });
  assert.equal(await keepLabels(kube, own, current), true);
  return own;
}

describe('the copy of labels on the WEC', () => {
  test('has the labels of users, not of programs', () => {
    const cluster = managedCluster({
      labels: {
        tier: 'edge',
        'topology.kubernetes.io/region': 'eu',
        'cluster.open-cluster-management.io/clusterset': 'default',
        'feature.open-cluster-management.io/addon-x': 'available',
      },
    });
    cluster.metadata.annotations = {
      owner: 'me',
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
      'stellarctl.kubestellar.io/kube-system-uid': 'x',
      'open-cluster-management.io/automatically-accepted-on': 'x',
    };
    assert.deepEqual(labelsOf(cluster), {
      labels: { tier: 'edge', 'topology.kubernetes.io/region': 'eu' },
      annotations: { owner: 'me' },
    });
  });
  test('is written once, read again, and never replaced by an empty one', async () => {
    const own = await noted(edge);
    assert.deepEqual(keptLabels(own), edge);
    assert.equal(await keepLabels(fakeKube(), own, edge), false);
    assert.equal(await keepLabels(fakeKube(), own, { labels: {}, annotations: {} }), false);
    assert.deepEqual(optionsFor(keptLabels(own)), ['--label', 'tier=edge', '--annotation', 'owner=me']);
  });
  test('is ignored if it was corrupted', () => {
    for (const text of ['{', 'null', '[]', '{"labels":{"a":1},"annotations":"x"}']) {
      const own = klusterlet();
      own.metadata.annotations = { 'stellarctl.kubestellar.io/labels': text };
      assert.deepEqual(keptLabels(own), { labels: {}, annotations: {} }, text);
    }
  });
});

describe('labels that are lost with a ManagedCluster', () => {
  async function chosen(
    own: ReturnType<typeof klusterlet>,
    options: Partial<JoinOptions>,
    rest: Partial<JoinPlan> = {},
  ) {
    const progress = recordingProgress();
    const plan = {
      name: 'cluster1',
      wecBefore: wecEvidence('join-singleton', { klusterlet: own }),
      hubBefore: hubEvidence(),
      reregister: { code: 'managed-cluster-missing', why: 'x', by: 'certificate' },
      ...rest,
    } as JoinPlan;
    const all = { accept: true, labels: {}, ...options };
    return {
      labels: await chooseLabels({ its: 'its1' } as never, plan, all, run(5000, progress)),
      lines: progress.lines,
    };
  }

  test('are asked for, if a prompt is possible', async () => {
    const askLabels = async (_name: string, kept: Record<string, string>) => kept;
    const { labels, lines } = await chosen(await noted(edge), { askLabels });
    assert.deepEqual(labels, { tier: 'edge' });
    assert.match(lines.join(), /annotations that it had are no longer on its1: owner=me/);
  });
  test('may be given: missing ones are named', async () => {
    const given = { labels: { tier: 'edge' }, annotations: { owner: 'me' } };
    assert.deepEqual((await chosen(await noted(edge), given)).lines, []);
    const { lines } = await chosen(await noted(edge), { labels: { tier: 'core' }, annotations: { owner: 'me' } });
    assert.match(
      lines.join(),
      /no longer on its1: tier=edge\. To set them: stellarctl label cluster1 tier=edge --its its1/,
    );
  });
  test('are reported as lost otherwise, even if none were recorded', async () => {
    assert.match((await chosen(await noted(edge), {})).lines.join(), /no longer on its1: tier=edge/);
    assert.match((await chosen(klusterlet(), {})).lines.join(), /lost with it, and none were noted .*KEY=VALUE/);
  });
  test('are not lost if the WEC has joined, or has them, or nothing was registered', async () => {
    const on = (cluster: ReturnType<typeof managedCluster>) => ({
      hubBefore: hubEvidence({ managedCluster: cluster }),
    });
    assert.deepEqual((await chosen(await noted(edge), {}, on(joinedCluster()))).lines, []);
    const labelled = managedCluster({ labels: edge.labels });
    labelled.metadata.annotations = edge.annotations;
    assert.deepEqual((await chosen(await noted(edge), {}, on(labelled))).lines, []);
    assert.deepEqual((await chosen(klusterlet(), {}, on(managedCluster()))).lines, []);
    assert.deepEqual((await chosen(klusterlet(), {}, { reregister: undefined })).lines, []);
  });
  test('are lost as well if a run was interrupted before or after the ManagedCluster was recreated', async () => {
    const announced = { hubBefore: hubEvidence({ managedCluster: managedCluster() }) };
    for (const rest of [{ reregister: undefined }, announced])
      assert.match((await chosen(await noted(edge), {}, rest)).lines.join(), /no longer on its1: tier=edge/);
  });
});
