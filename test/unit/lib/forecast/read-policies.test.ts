import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { type PolicySources, readPolicies } from '../../../../src/lib/forecast/read-policies.ts';
import { type Access, hidden, seen } from '../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { missing } from '../../../../src/lib/kube/client/missing.ts';
import type { KubeObject, LabelSelector } from '../../../../src/lib/kube/client/objects.ts';
import type { ControlPlane } from '../../../../src/lib/ocm/model/kubeflex-objects.ts';
import type { SpaceTools } from '../../../../src/lib/spaces/hosting/hosting.ts';
import { now } from '../../support/builders.ts';
import { binding, uidOf, workOf } from '../../support/policy-builders.ts';
import {
  controlPlane,
  its,
  kubeconfigOf,
  MemoryCluster,
  secretAt,
  toolsOf,
  wds,
} from '../../support/space-builders.ts';

const edge: LabelSelector[] = [{ matchLabels: { tier: 'edge' } }];
const bindingPolicy = (name: string, clusterSelectors = edge): KubeObject & { spec: object } => ({
  kind: 'BindingPolicy',
  metadata: { name },
  spec: { clusterSelectors },
});
const kubeSystem = (uid: string) => ({ kind: 'Namespace', metadata: { name: 'kube-system', uid } });

const k8s = { type: 'k8s' };
const refusing = (message: string): Kube => {
  const fail = async () => {
    throw new StellarError('unreachable', message);
  };
  return new MemoryCluster([], { get: fail, list: fail }).kube;
};

/** Connects to clusters by the first part of the names of their servers. */
const connectTo =
  (clusters: Record<string, MemoryCluster | Kube>) =>
  ({ server }: { server: string }): Kube => {
    const found = clusters[new URL(server).hostname.split('.')[0] as string];
    if (found === undefined) return refusing(`Cannot reach ${server}.`);
    return found instanceof MemoryCluster ? found.kube : found;
  };

/** The contents of each server, by the first part of its name; the ITS is its1, with the given works. */
async function read(
  clusters: Record<string, MemoryCluster | Kube>,
  {
    works = [],
    contexts = [],
    hosting,
    ...sources
  }: Partial<Omit<PolicySources, 'hosting'>> & {
    works?: KubeObject[];
    contexts?: string[];
    hosting?: SpaceTools | Access<SpaceTools>;
  } = {},
) {
  const hub = new MemoryCluster([kubeSystem('hub'), ...works]).kube;
  const connect = connectTo({ its1: hub, ...clusters });
  const kubeconfig = kubeconfigOf(
    Object.fromEntries(contexts.map((name) => [name, { cluster: name, user: name }])),
  );
  const context = { name: 'its1', server: 'https://its1.example.com:6443', cluster: {}, user: {} };
  const result = await readPolicies({
    its: { kube: hub, context },
    ...{ kubeconfig, connect },
    ...sources,
    hosting: hosting && ('state' in hosting ? hosting : seen(hosting)),
  });
  return {
    policies: result.policies.map(
      ({ name, wds: of, orphaned }) => `${name} (${of})${orphaned ? ' orphaned' : ''}`,
    ),
    unread: result.unread,
    found: result.policies,
  };
}

const hostingOf = (
  spaces: readonly (ControlPlane | KubeObject)[],
  clusters: Record<string, MemoryCluster | Kube>,
): SpaceTools =>
  toolsOf(new MemoryCluster(spaces).kube, {
    connect: connectTo(clusters),
    hostingSource: 'kubeconfig',
  });

describe('policies of a hosting cluster', () => {
  const its1 = its('its1', k8s);
  const wds1 = wds('wds1', '', k8s);
  const spaces = [its1, secretAt('its1'), wds1, secretAt('wds1')];
  const hub = new MemoryCluster([kubeSystem('hub')]);
  const demo = new MemoryCluster([
    bindingPolicy('demo'),
    binding('demo', { destinations: ['m1'] }),
  ]);
  const readFrom = (clusters: Record<string, MemoryCluster | Kube>, works: KubeObject[] = []) =>
    read({}, { hosting: hostingOf(spaces, clusters), works });
  test('are those of every WDS that uses the ITS', async () => {
    const { policies, unread, found } = await readFrom({ its1: hub, wds1: demo });
    assert.deepEqual([policies, unread], [['demo (wds1)'], []]);
    assert.deepEqual(
      [found[0]?.clusterSelectors, found[0]?.binding?.metadata.uid],
      [edge, uidOf('demo')],
    );
  });
  test('are not those of a WDS that uses another ITS', async () => {
    const other = new MemoryCluster([kubeSystem('other')]);
    const { policies, unread } = await readFrom({ its1: other, wds1: demo });
    assert.deepEqual([policies, unread], [[], []]);
  });
  test('of a WDS whose ITS cannot be compared count if the works show it', async () => {
    const doubted = await readFrom({ wds1: demo }, [workOf('demo', 'wds1', 'm1', uidOf('other'))]);
    assert.deepEqual(doubted.policies, []);
    assert.match(
      doubted.unread[0]?.why ?? '',
      /whether its ITS its1 is its1 is not known: Cannot reach/,
    );
    const shown = await readFrom({ wds1: demo }, [workOf('demo', 'wds1', 'm1')]);
    assert.deepEqual([shown.policies, shown.unread], [['demo (wds1)'], []]);
  });
  test('of a WDS of the same name on another hosting cluster are unread, as are those of another WDS', async () => {
    const clusters = { its1: hub, wds1: demo };
    const own = workOf('demo', 'wds1', 'm1');
    const settled = await readFrom(clusters, [own]);
    assert.deepEqual(settled.unread, []);
    for (const name of ['demo', 'shop']) {
      const foreign = workOf(name, 'wds1', 'm2', uidOf('foreign'));
      const { unread } = await readFrom(clusters, [own, foreign]);
      assert.match(unread[0]?.why ?? '', /has works of a \w+ that come from none of its Bindings/);
    }
    const other = await readFrom(clusters, [own, workOf('x', 'team2', 'm2')]);
    assert.deepEqual(
      other.unread.map(({ wds: of }) => of),
      ['team2'],
    );
  });
  test('whose Binding is missing are read all the same', async () => {
    const without = new MemoryCluster([bindingPolicy('demo')]);
    const works = [workOf('demo', 'wds1', 'm1')];
    const { unread, policies } = await readFrom({ its1: hub, wds1: without }, works);
    assert.deepEqual([unread, policies], [[], ['demo (wds1)']]);
  });
  test('are fresh without a Binding until KubeStellar has had time for one', async () => {
    const created = async (ageMs: number, generation: number) => {
      const policy = { ...bindingPolicy('demo'), status: { observedGeneration: 1 } };
      const creationTimestamp = new Date(now - ageMs).toISOString();
      Object.assign(policy.metadata, { creationTimestamp, generation });
      const { found } = await readFrom({ its1: hub, wds1: new MemoryCluster([policy]) });
      return found[0]?.isFresh;
    };
    assert.deepEqual(
      [await created(5_000, 1), await created(60_000, 2), await created(60_000, 1)],
      [true, true, false],
    );
  });
  test('of a WDS that does not answer, or cannot be reached, are unread', async () => {
    const silent = await readFrom({ its1: hub, wds1: refusing('It is silent.') });
    assert.deepEqual(
      [silent.policies, silent.unread],
      [[], [{ wds: 'wds1', why: 'It is silent' }]],
    );
    const unknown = await read({}, { hosting: hostingOf(spaces.slice(0, 3), { its1: hub }) });
    assert.match(unknown.unread[0]?.why ?? '', /Secret wds1-system\/admin-kubeconfig has no key/);
  });
  test('of a WDS that does not serve them are unread, not none', async () => {
    const { kube } = demo;
    for (const unserved of ['bindingpolicies', 'bindings']) {
      const list: Kube['list'] = async (kind, selection) =>
        kind.plural === unserved ? missing : kube.list(kind, selection);
      const { policies, unread } = await readFrom({ its1: hub, wds1: { ...kube, list } });
      assert.deepEqual([policies, unread.map(({ wds: of }) => of)], [[], ['wds1']]);
      assert.match(unread[0]?.why ?? '', new RegExp(`does not serve ${unserved}`));
    }
  });
  test('that are being deleted select nothing; a Binding without a policy keeps its WECs', async () => {
    const deleting = {
      ...bindingPolicy('gone'),
      metadata: { name: 'gone', deletionTimestamp: '2026-11-20T08:00:00Z' },
    };
    const held = new MemoryCluster([
      deleting,
      binding('gone'),
      binding('held', { destinations: ['m1'] }),
    ]);
    const { policies } = await readFrom({ its1: hub, wds1: held });
    assert.deepEqual(policies, ['held (wds1) orphaned']);
  });
  test('are unread if it does not answer, unless it is only the current context', async () => {
    const chosen = { ...hostingOf([], {}), hosting: refusing('It is silent.') };
    assert.deepEqual((await read({}, { hosting: chosen })).unread, [
      { wds: 'all WDSes', why: 'It is silent' },
    ]);
    const guessed = { ...chosen, hostingSource: 'current context' as const };
    assert.deepEqual((await read({}, { hosting: guessed })).unread, []);
    const { kube } = new MemoryCluster();
    const other = { ...chosen, hosting: { ...kube, list: (async () => missing) as Kube['list'] } };
    assert.match(
      (await read({}, { hosting: other })).unread[0]?.why ?? '',
      /does not serve controlplanes/,
    );
    assert.deepEqual(
      (await read({}, { hosting: { ...other, hostingSource: 'current context' } })).unread,
      [],
    );
    const why = 'There is no context x';
    assert.deepEqual((await read({}, { hosting: hidden(why) })).unread, [
      { wds: 'all WDSes', why },
    ]);
  });
  test('are none if it has no WDS, or is not a hosting cluster', async () => {
    for (const objects of [[its1, controlPlane('x')], []]) {
      const { policies, unread } = await read({}, { hosting: hostingOf(objects, { its1: hub }) });
      assert.deepEqual([policies, unread], [[], []]);
    }
  });
});

describe('policies of WDSes that works name', () => {
  const works = [workOf('demo', 'wds1', 'm1')];
  const demo = new MemoryCluster([bindingPolicy('demo'), bindingPolicy('more'), binding('demo')]);
  test('are read if a context of that name has the Binding of the works', async () => {
    const { policies, unread } = await read({ wds1: demo }, { works, contexts: ['wds1'] });
    assert.deepEqual([policies, unread], [['demo (wds1)', 'more (wds1)'], []]);
  });
  test('are unread if the context refers to another WDS', async () => {
    const namesake = [workOf('demo', 'wds1', 'm1', uidOf('another'))];
    const { policies, unread } = await read(
      { wds1: demo },
      { works: namesake, contexts: ['wds1'] },
    );
    const why = 'context wds1 has no Binding that its works come from';
    assert.deepEqual([policies, unread], [[], [{ wds: 'wds1', why }]]);
  });
  test('are unread if no context refers to it, or it does not answer', async () => {
    const why = 'no context of the kubeconfig is known to lead to it';
    assert.deepEqual((await read({}, { works })).unread, [{ wds: 'wds1', why }]);
    assert.match(
      (await read({}, { works, contexts: ['wds1'] })).unread[0]?.why ?? '',
      /Cannot reach/,
    );
  });
  test('are found by the name of the Binding if the name of a work does not contain its UID', async () => {
    const [work] = works as [KubeObject];
    const several = { ...work, metadata: { ...work.metadata, name: 'demo-wds1-0' } };
    const { policies } = await read({ wds1: demo }, { works: [several], contexts: ['wds1'] });
    assert.deepEqual(policies, ['demo (wds1)', 'more (wds1)']);
  });
  test('are none if there are no works', async () => {
    const { policies, unread } = await read({ wds1: demo }, { contexts: ['wds1'] });
    assert.deepEqual([policies, unread], [[], []]);
  });
});
