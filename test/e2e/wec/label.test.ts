import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import { type Bed, type Plane, resources, startBed, writeKubeconfig } from '../../../testbed/index.ts';
import { inShell, start } from '../../stellarctl.ts';
import { Cli } from '../support/harness.ts';
import { announce } from '../support/pretended-agents.ts';
import { assertRefused, assertRefuses, assertUnwritten, writesOn } from '../support/refusal.ts';
import { WriteProxy } from '../support/write-proxy.ts';

let bed: Bed;
let cli: Cli;
let hub: Plane;

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1', hub: true }] });
  hub = bed.plane('its1');
  cli = await Cli.create(bed.kubeconfig);
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

/** Set on every cluster by the hub itself. */
const clusterSet = 'cluster.open-cluster-management.io/clusterset';

async function labelsOf(hub: Plane, name: string): Promise<Record<string, string>> {
  const { metadata } = await hub.admin.get(resources.managedClusters, name);
  const { [clusterSet]: _, ...labels } = metadata.labels ?? {};
  return labels;
}

let number = 0;

/** New WECs with these labels, under a separate prefix. */
async function wecs(...labels: Record<string, string>[]): Promise<string[]> {
  number++;
  const names = labels.map((_, index) => `labelled-${number}-${index + 1}`);
  for (const [index, name] of names.entries()) await announce(hub, name, { test: `label-${number}`, ...labels[index] });
  await hub.markAudit();
  return names;
}
const ownLabel = () => ({ test: `label-${number}` });

describe('label', () => {
  it('sets and removes labels, and names the ITS', async () => {
    const [name = ''] = await wecs({ old: 'yes', kept: '1' });
    const run = await cli.succeed(['label', name, 'location-group=edge', 'example.com/tier=a.B_c', 'empty=', 'old-']);
    assert.equal(run.stdout, `${name}: labelled\n`);
    assert.equal(run.stderr.split('\n')[0], `ITS its1 (${hub.server})`);
    const expected = { ...ownLabel(), kept: '1', 'location-group': 'edge', 'example.com/tier': 'a.B_c', empty: '' };
    assert.deepEqual(await labelsOf(hub, name), expected);
    assert.deepEqual(await writesOn(hub), [`patch managedclusters ${name}`]);
  });

  it('writes nothing for existing labels', async () => {
    const [name = ''] = await wecs({ zone: 'a' });
    const run = await cli.succeed(['label', name, 'zone=a', 'absent-', '-o', 'json']);
    const labels = (await hub.admin.get(resources.managedClusters, name)).metadata.labels;
    assert.deepEqual(run.json(), { items: [{ name, labels, changed: false }] });
    await assertUnwritten([hub]);
  });

  it('refuses to change a value without --overwrite, names the present value, and changes none of several WECs', async () => {
    const [free = '', taken = ''] = await wecs({}, { zone: 'a' });
    const refusal = {
      exitCode: 1,
      says: new RegExp(`${taken} has zone=a already`),
      hint: new RegExp(`stellarctl label ${taken} zone=b --overwrite --its its1$`, 'm'),
    };
    await assertRefuses(cli, [hub], ['label', free, taken, 'zone=b'], refusal);
    assert.deepEqual(await labelsOf(hub, free), ownLabel());

    const run = await cli.run(['label', free, taken, 'zone=b', '-o', 'json']);
    const items: { name: string; changed: boolean; error?: { code: string } }[] = run.json().items;
    assert.deepEqual(
      items.map(({ name, changed, error }) => [name, changed, error?.code]),
      [
        [free, false, undefined],
        [taken, false, 'label-conflict'],
      ],
    );
  });

  it('changes a value with --overwrite', async () => {
    const names = await wecs({ zone: 'a' }, { zone: 'b' });
    const run = await cli.succeed(['label', ...names, 'zone=b', '--overwrite', '-o', 'json']);
    const items: { changed: boolean; labels: Record<string, string> }[] = run.json().items;
    assert.deepEqual(
      items.map(({ changed, labels }) => [changed, labels.zone]),
      [
        [true, 'b'],
        [false, 'b'],
      ],
    );
  });

  it('changes none of several WECs if one of them is unknown', async () => {
    const [name = ''] = await wecs({});
    const refusal = { exitCode: 1, says: /There is no WEC nobody on its1/, hint: /stellarctl wec list --its its1/ };
    await assertRefuses(cli, [hub], ['label', name, 'nobody', 'zone=a'], refusal);
    await assertRefuses(cli, [hub], 'label nobody --list', refusal);
    assert.deepEqual(await labelsOf(hub, name), ownLabel());
  });

  it('selects WECs by labels, with -l', async () => {
    const [one = '', other = '', third = ''] = await wecs({ zone: 'a' }, { zone: 'b' }, { zone: 'c' });
    const selector = `test=label-${number},zone in (a,b)`;
    const run = await cli.succeed(['label', '-l', selector, 'picked=yes', '-o', 'name']);
    assert.deepEqual(run.stdout.trim().split('\n').sort(), [one, other]);
    assert.equal((await labelsOf(hub, one)).picked, 'yes');
    assert.equal((await labelsOf(hub, third)).picked, undefined);
  });

  it('selects all WECs, with --all', async () => {
    const names = await wecs({}, {});
    const run = await cli.succeed(['label', '--all', `all-${number}=yes`, '-o', 'name']);
    const { items } = await hub.admin.list(resources.managedClusters);
    assert.deepEqual(run.stdout.trim().split('\n').sort(), items.map(({ metadata }) => metadata.name).sort());
    for (const name of names) assert.equal((await labelsOf(hub, name))[`all-${number}`], 'yes');
  });

  it('fails if -l matches nothing, unless that is allowed', async () => {
    const line = ['label', '-l', 'no=such', 'zone=a'];
    const run = await cli.run(line);
    assert.deepEqual([run.exitCode, run.stdout], [1, '']);
    assert.match(run.stderr, /No WEC/);
    assert.equal((await cli.succeed([...line, '--allow-none'])).stdout, '');
  });

  it('lists labels, with --list', async () => {
    const [one = '', other = ''] = await wecs({ zone: 'a' }, {});
    const run = await cli.succeed(['label', one, other, '--list']);
    const [header, ...rows] = run.stdout.trimEnd().split('\n');
    assert.match(header ?? '', /^NAME +LABELS$/);
    assert.match(rows[0] ?? '', new RegExp(`^${one} +${clusterSet}=default,test=label-${number},zone=a$`));
    assert.equal(rows.length, 2);
    const { items } = (await cli.succeed(['label', '-l', ownSelector(), '--list', '-o', 'json'])).json();
    assert.deepEqual(
      items.map(({ name, labels }: { name: string; labels: object }) => [name, Object.keys(labels).sort()]),
      [
        [one, [clusterSet, 'test', 'zone']],
        [other, [clusterSet, 'test']],
      ],
    );
    const yaml = await cli.succeed(['label', one, '--list', '-o', 'yaml']);
    assert.match(yaml.stdout, /^items:\n {2}- name: .*\n {4}labels:\n/);
    await assertUnwritten([hub]);
  });

  it('shows with --dry-run what it would write, and writes nothing', async () => {
    const [one = '', other = ''] = await wecs({ zone: 'a' }, {});
    const run = await cli.succeed(['label', one, other, 'zone=a', '--dry-run']);
    assert.match(run.stdout, new RegExp(`^would patch ManagedCluster ${other} on its1$`, 'm'));
    assert.doesNotMatch(run.stdout, new RegExp(`would patch ManagedCluster ${one}`), 'what is so already');
    assert.doesNotMatch(run.stdout, /: labelled/, 'it does not claim to have done it');
    const { dryRun, writes } = (await cli.succeed(['label', other, 'zone=a', '--dry-run', '-o', 'json'])).json();
    assert.equal(dryRun, true);
    assert.deepEqual(writes, [{ verb: 'patch', cluster: 'its1', kind: 'ManagedCluster', name: other }]);
    await assertUnwritten([hub]);
  });

  it('refuses with --dry-run what it would refuse without it', async () => {
    const [name = ''] = await wecs({ zone: 'a' });
    await assertRefuses(cli, [hub], ['label', name, 'zone=b', '--dry-run'], { exitCode: 1, says: /zone=a/ });
  });

  it('loses no concurrent changes', async () => {
    const [name = ''] = await wecs({});
    const keys = ['a', 'b', 'c', 'd'];
    await Promise.all(keys.map((key) => cli.succeed(['label', name, `writer-${key}=yes`])));
    const expected = Object.fromEntries(keys.map((key) => [`writer-${key}`, 'yes']));
    assert.deepEqual(await labelsOf(hub, name), { ...ownLabel(), ...expected });
  });

  it('does not change a label that another user has set between its read and its write, nor lose another', async () => {
    const [name = ''] = await wecs({});
    const setByOther = (labels: object) => () =>
      hub.admin.patch(resources.managedClusters, name, { metadata: { labels } });
    const through = async (beforeWrite: () => Promise<unknown>) => {
      const proxy = await WriteProxy.start(hub, () => {}, { beforeWrite });
      try {
        const kubeconfig = await writeKubeconfig(hub, [proxy.entry]);
        return await cli.run(['label', name, 'zone=a'], { kubeconfig });
      } finally {
        proxy.stop();
      }
    };
    const refused = await through(setByOther({ zone: 'b' }));
    assertRefused(refused, { exitCode: 1, says: /has zone=b already/ });
    await setByOther({ zone: null })();
    // Their change is repeated with every write of ours, but has no effect the second time.
    const done = await through(setByOther({ other: 'yes' }));
    assert.equal(done.exitCode, 0, done.stderr);
    assert.deepEqual(await labelsOf(hub, name), { ...ownLabel(), other: 'yes', zone: 'a' });
  });

  const ownSelector = () => `test=label-${number}`;
  const wrong: [words: string[], says: RegExp][] = [
    [['a b=c'], /"a b=c"/],
    [['-bad=c'], /-bad/],
    [['a/b/c=d'], /at most one "\/"/],
    [['Example.com/key=d'], /is not a DNS name/],
    [[`${'k'.repeat(64)}=d`], /longer than 63/],
    [['key=va lue'], /"key=va lue"/],
    [['key=-x'], /"key=-x"/],
    [[`key=${'v'.repeat(64)}`], /longer than 63/],
    [['key=a', 'key=b'], /"key" is given twice/],
    [['key=a', 'key-'], /"key" is given twice/],
    [['key=a', '--list'], /--list/],
    [['--all', 'key=a'], /names of the WECs, -l SELECTOR, or --all/],
    [['-l', 'a=b', 'key=a'], /names of the WECs, -l SELECTOR, or --all/],
    [[], /key=value sets/],
  ];
  for (const [words, says] of wrong) {
    it(`exits with 2 and contacts no cluster for \`${words.join(' ').replace(/(.)\1{60,}/, '$1…')}\``, async () => {
      const run = await cli.run(['label', 'some', ...words, '-v']);
      assertRefused(run, { exitCode: 2, says });
      assert.doesNotMatch(run.stderr, /https:/, 'no request');
    });
  }

  it('quotes the next command for the shell', async () => {
    const [name = ''] = await wecs({ zone: 'a' });
    const { stderr } = await cli.succeed(['label', '-l', `test=label-${number},zone in (a,b)`, 'next=yes']);
    const next = /^Next: stellarctl (.*)$/m.exec(stderr)?.[1] ?? '';
    const line = `${inShell(start)} ${next}`;
    const { stdout } = await execa('bash', ['-c', line], { env: cli.environment(), extendEnv: false });
    assert.match(stdout, new RegExp(`^${name} .*next=yes`, 'm'));
  });

  it('exits with 2 without any WEC, and for an invalid selector', async () => {
    await assertRefuses(cli, [hub], 'label key=a', { exitCode: 2, says: /names of the WECs, -l SELECTOR, or --all/ });
    await assertRefuses(cli, [hub], 'label -l a=b=c key=a', { exitCode: 2, says: /a=b=c/ });
  });
});
