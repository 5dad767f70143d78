import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Command } from 'commander';
import { complete, offerOfArguments } from '../../../../src/commands/completion/complete.ts';
import { fakeIo } from '../../support/fake-io.ts';
import { FakeServer } from '../../support/fake-server.ts';
import { newPath, writtenApart } from '../../support/folder.ts';
import { program } from '../../support/program.ts';
import { its, wds } from '../../support/space-builders.ts';

const named = (name: string, more: object = {}) => ({ metadata: { name, ...more } });
const stellar = '/apis/control.kubestellar.io/v1alpha1';
const cluster = '/apis/cluster.open-cluster-management.io/v1/managedclusters';
const lists: Record<string, object[]> = {
  [`${stellar}/bindingpolicies`]: [named('shop'), named('pay')],
  [`${stellar}/statuscollectors`]: [named('replicas')],
  [`${stellar}/customtransforms`]: [named('no-replicas')],
  [`${stellar}/bindings`]: [
    {
      ...named('shop'),
      spec: {
        workload: {
          clusterScope: [{ resource: 'namespaces', name: 'shop' }],
          namespaceScope: [
            { group: 'apps', resource: 'deployments', namespace: 'shop', name: 'web' },
            { group: 'apps', resource: 'deployments', namespace: 'pay', name: 'web' },
          ],
        },
      },
    },
  ],
  [cluster]: [
    named('cluster1', { labels: { env: 'edge' } }),
    named('cluster2'),
    named('evil\u001b[2J', {}),
  ],
  '/apis/tenancy.kflex.kubestellar.org/v1alpha1/controlplanes': [its('its1'), wds('wds1')],
};

describe('completion', () => {
  let server: FakeServer;
  let kubeconfig: string;
  const asked = newPath();
  let isSilent = false;
  before(async () => {
    server = await FakeServer.start(({ path: asked }) => {
      if (isSilent) return undefined;
      return lists[asked] === undefined ? { status: 404 } : { body: { items: lists[asked] } };
    });
    const { cluster: entry } = server.context();
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'touch', args: [asked] };
    const config = {
      'current-context': 'hub',
      clusters: [{ name: 'c', cluster: entry }],
      users: [
        { name: 'u', user: { token: 't' } },
        { name: 'asks', user: { exec: { ...exec, interactiveMode: 'Never' } } },
        {
          name: 'older',
          user: { 'auth-provider': { name: 'gcp', config: { 'cmd-path': 'touch' } } },
        },
      ],
      contexts: [
        { name: 'hub', context: { cluster: 'c', user: 'u' } },
        { name: 'kind-cluster1', context: { cluster: 'c', user: 'u' } },
        { name: 'asks', context: { cluster: 'c', user: 'asks' } },
        { name: 'older', context: { cluster: 'c', user: 'older' } },
      ],
    };
    kubeconfig = writtenApart('kubeconfig', JSON.stringify(config));
  });
  after(() => server.stop());

  /** The completion of a command line, whose last word may be empty; without descriptions. */
  async function completed(line: string, limitMs = 10_000) {
    const { io, stdout, stderr } = fakeIo({
      env: { KUBECONFIG: kubeconfig, XDG_CONFIG_HOME: newPath() },
    });
    await complete(io, await program(), line.split(' '), limitMs);
    assert.equal(stderr.text, '');
    return stdout.lines.map((each) => each.split('\t')[0] as string);
  }

  const few: [line: string, said: string][] = [
    ['wec jo', 'join :4'],
    ['collector ', 'create list get delete help :4'],
    ['wec get --it', '--its :4'],
    ['policy create p --select a --sel', '--select --selector :4'],
    ['wec create a --provider ', 'kind k3d :4'],
    ['wec list -o js', 'json :4'],
    ['wec list --output=js', 'json :4'],
    ['completion ', 'bash zsh fish :4'],
    ['wec get --kubeconfig ', ':0'],
    ['wec get --kubeconfig=', ':0'],
    ['its create ', ':4'],
    ['nonsense ', ':4'],
    ['wec nonsense ', ':4'],
    ['wec list surplus ', ':4'],
    ['doctor --skip hel', 'helm :4'],
  ];
  const contexts: [line: string, said: string][] = [
    ['wds create wds1 --hosting-context ', 'hub kind-cluster1 asks older :4'],
    ['status --its k', 'kind-cluster1 :4'],
    ['status --its=k', 'kind-cluster1 :4'],
    ['wec join hub ki', 'kind-cluster1 :4'],
    ['wec join cluster1=ki', 'cluster1=kind-cluster1 :4'],
    ['doctor cluster1=h', 'cluster1=hub :4'],
  ];
  for (const [line, said] of contexts)
    it(`offers for "${line}" without contacting a cluster: ${said}`, async () => {
      const { length } = server.requests;
      assert.equal((await completed(line)).join(' '), said);
      assert.equal(server.requests.length, length);
    });

  const live: [line: string, said: string][] = [
    ['wec get ', 'cluster1 cluster2 :4'],
    ['deregister cluster1 ', 'cluster2 :4'],
    ['deregister cluster1=hub ', 'cluster2 :4'],
    ['wec wait cluster1,', 'cluster1,cluster2 :4'],
    ['accept ', 'cluster1 cluster2 :4'],
    ['label cluster1 a=', ':4'],
    ['label cl', 'cluster1 cluster2 :4'],
    ['wec properties cluster1 ', 'cluster2 :4'],
    ['its get ', 'its1 :4'],
    ['its use ', 'its1 :4'],
    ['policy get ', 'shop pay :4'],
    ['workload diff --policy s', 'shop :4'],
    ['collector delete ', 'replicas :4'],
    ['transform get ', 'no-replicas :4'],
    ['workload get ', 'namespaces/shop deployments.apps/shop/web deployments.apps/pay/web :4'],
    ['workload wait -n pay de', 'deployments.apps/web :4'],
    ['policy create p --clusters ', 'env=edge :4'],
    ['wec list -l e', 'env=edge :4'],
    ['policy create p -l ', ':4'],
    ['wds delete ', 'wds1 :4'],
    ['policy list --wds ', 'wds1 :4'],
    ['wds create wds2 --its ', 'its1 :4'],
    ['wds context ', 'wds1 :4'],
    ['workload wait deploy/web -n shop --on cluster2,', 'cluster2,cluster1 :4'],
  ];
  for (const [line, said] of [...few, ...live])
    it(`offers for "${line}": ${said}`, async () =>
      assert.equal((await completed(line)).join(' '), said));

  it('expands the home folder, which the shell has not expanded yet', async (t) => {
    const { HOME } = process.env;
    t.after(() => {
      process.env.HOME = HOME;
    });
    const config = { contexts: [{ name: 'elsewhere', context: {} }] };
    process.env.HOME = path.dirname(writtenApart('other', JSON.stringify(config)));
    assert.deepEqual(await completed('status --kubeconfig ~/other --its '), ['elsewhere', ':4']);
    assert.deepEqual(await completed('doctor --wec-kubeconfig ~/other cluster1='), [
      'cluster1=elsewhere',
      ':4',
    ]);
  });

  it('runs no credential plugin', async () => {
    const { length } = server.requests;
    for (const context of ['asks', 'older'])
      assert.deepEqual(await completed(`wec get --its ${context} `), [':4']);
    assert.equal(server.requests.length, length);
    assert.ok(!existsSync(asked));
  });

  it('prints no errors', async () => {
    for (const line of [
      'wec get --its nowhere ',
      'policy get --hosting-context nowhere ',
      `wec get --kubeconfig ${path.dirname(kubeconfig)} `,
    ])
      assert.deepEqual(await completed(line), [':4']);
  });

  it('does not wait for a silent server', async () => {
    isSilent = true;
    const started = performance.now();
    assert.deepEqual(await completed('wec get ', 300), [':4']);
    isSilent = false;
    // Without its limit a request would take 10 s.
    assert.ok(performance.now() - started < 8000);
  });
});

describe('the tables of completion', async () => {
  const all = commandsBelow(await program(), '');

  it('have the arguments of every command but of those that name something new', () => {
    const without = all.flatMap(({ path: name, command }) =>
      command.registeredArguments
        .filter(({ argChoices }) => !argChoices)
        .filter((argument) => !offerOfArguments(name, argument.name()))
        .map(() => name),
    );
    const others = without.filter((name) => !name.endsWith(' create'));
    assert.deepEqual(others.sort(), ['__complete', 'help']);
  });
});

function commandsBelow(command: Command, name: string): { path: string; command: Command }[] {
  return command.commands.flatMap((child) => {
    const own = `${name} ${child.name()}`.trim();
    return [{ path: own, command: child }, ...commandsBelow(child, own)];
  });
}
