/** WECs as a file: from none to a changed, reviewed and pruned fleet. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import { parse } from 'yaml';
import { resources } from '../../../testbed/index.ts';
import { blocksOf } from '../../pages.ts';
import { inShell, start } from '../../stellarctl.ts';
import { contextsOf } from '../../unit/support/one-context.ts';
import { type FleetFile as File, fleetOf, saveFleet } from '../support/fleet-file.ts';
import { ManyWecs } from '../support/many-wecs.ts';
import { writesOn } from '../support/refusal.ts';

let many: ManyWecs;

before(async () => {
  many = await ManyWecs.start(6);
});

after(() => many?.stop());

const fileOf = (...wecs: File['wecs']) => fleetOf(wecs);

const wec = (name: string, labels: Record<string, string> = {}) => ({
  name,
  context: name,
  labels,
});

const save = (file: File) => saveFleet(many.cli, file);

async function fleet(verb: string, file: File, ...more: string[]) {
  await many.hub.markAudit();
  return many.cli.run(['fleet', verb, '-f', await save(file), '--its', 'its1', ...more]);
}

const apply = async (file: File, ...more: string[]) => fleet('apply', file, '--yes', ...more);

async function applied(file: File, ...more: string[]) {
  const run = await apply(file, ...more);
  assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  return run;
}

/** What a second export prints, for a test of the whole round. */
async function exported(): Promise<File> {
  const run = await many.cli.succeed(['fleet', 'export', '--name', 'prod', '--its', 'its1']);
  assert.equal(run.stdout.split('\n')[0], '# yaml-language-server: $schema=fleet.schema.json');
  return parse(run.stdout) as File;
}

async function labelsOf(name: string): Promise<Record<string, string>> {
  const { metadata } = await many.hub.admin.get(resources.managedClusters, name);
  const { 'cluster.open-cluster-management.io/clusterset': _, ...labels } = metadata.labels ?? {};
  return labels;
}

const base = fileOf(
  wec('wec1', { tier: 'web', 'location-group': 'edge' }),
  { ...wec('wec2', { tier: 'web' }), properties: { maxPods: '100' } },
  wec('wec3', { tier: 'db' }),
);

it('runs no program of a kubeconfig that the file names, unless that is trusted', async () => {
  const { home } = many.cli;
  const ran = path.join(home, 'ran');
  const plugin = path.join(home, 'plugin.sh');
  await writeFile(plugin, `#!/bin/sh\ntouch ${ran}\nexit 1\n`, { mode: 0o755 });
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './plugin.sh',
    interactiveMode: 'Never',
  };
  const kubeconfig = contextsOf({ server: 'https://127.0.0.1:1' }, { exec }, 'wec9');
  await writeFile(path.join(home, 'wecs.kubeconfig'), JSON.stringify(kubeconfig));
  const file = fileOf({ ...wec('wec9'), kubeconfig: 'wecs.kubeconfig' } as File['wecs'][number]);
  const refused = await fleet('plan', file);
  assert.match(
    refused.stdout,
    /! wec9 .*\n.*Context wec9 of .*wecs\.kubeconfig has no credentials of its own/,
  );
  assert.equal(existsSync(ran), false);
  await fleet('plan', file, '--trust-kubeconfigs');
  assert.equal(existsSync(ran), true);
});

describe('a fleet', () => {
  it('is planned, applied once, and exported as it was written', async () => {
    const planned = await fleet('plan', base, '--exit-code', '-o', 'json');
    assert.equal(planned.exitCode, 5, planned.stderr);
    assert.deepEqual(
      planned
        .json()
        .items.map(({ name, action }: { name: string; action: string }) => `${action} ${name}`),
      ['join wec1', 'join wec2', 'join wec3'],
    );
    assert.deepEqual(await writesOn(many.hub), []);

    await applied(base);
    const again = await applied(base, '-o', 'json');
    assert.deepEqual(
      again.json().items.map(({ changed }: { changed: boolean }) => changed),
      [false, false, false],
    );
    assert.deepEqual(
      (await writesOn(many.hub)).filter((write) => !/ leases /.test(write)),
      [],
    );
    assert.deepEqual(await exported(), base);
    assert.deepEqual(await exported(), base);
  });

  it('changes labels and properties, removes what left the file, and keeps what others have set', async () => {
    await many.hub.admin.patch(resources.managedClusters, 'wec1', {
      metadata: { labels: { owner: 'team-a' } },
    });
    const changed = fileOf(
      wec('wec1', { tier: 'db' }),
      { ...wec('wec2', { tier: 'web' }), properties: { region: 'eu' } },
      wec('wec3', { tier: 'db' }),
    );
    const planned = await fleet('plan', changed);
    assert.equal(
      planned.stdout,
      `~ wec1
    label tier: web → db
    label location-group: edge → -
~ wec2
    property region: - → eu
    property maxPods: 100 → -
2 to change, 1 unchanged
`,
    );
    await applied(changed);
    assert.deepEqual(await labelsOf('wec1'), { tier: 'db', owner: 'team-a' });
    const { data } = await many.hub.admin.get<{ data: object } & never>(
      resources.configMaps,
      'customization-properties/wec2',
    );
    assert.deepEqual(data, { region: 'eu' });
  });

  it("does not take another program's value, unless it is told to", async () => {
    const { wecs } = await exported();
    const wanted = fileOf(
      ...wecs.map(({ name, labels }) =>
        wec(name, name === 'wec1' ? { ...labels, owner: 'team-b' } : labels),
      ),
    );
    const refused = await apply(wanted);
    assert.equal(refused.exitCode, 1);
    assert.match(
      refused.stderr,
      /✗ wec1 has on its1: label owner=team-a of [^ ]+\.\n {2}To own them: --force-conflicts owner\n/,
    );
    assert.deepEqual(
      (await writesOn(many.hub)).filter((write) => !/ leases /.test(write)),
      [],
    );
    await applied(wanted, '--force-conflicts', 'owner');
    assert.equal((await labelsOf('wec1')).owner, 'team-b');
  });

  it('refuses what cannot be true, and writes nothing', async () => {
    const { wecs } = await exported();
    const without = wecs.map(({ name, labels = {} }) => ({ name, labels }));
    for (const [wrong, says] of [
      [
        [...without, { ...wec('wec4'), context: 'wec1' }],
        /is registered already, under the name wec1; it was not joined as wec4/,
      ],
      [
        [...without.filter(({ name }) => name !== 'wec1'), { ...wec('wec1'), context: 'wec2' }],
        /is not the WEC wec1 of \S+: it is registered as wec2/,
      ],
      [[...wecs, { name: 'wec4' }], /wec4 is not registered, and the file gives no context of it/],
    ] as [File['wecs'], RegExp][]) {
      const run = await apply(fileOf(...wrong));
      assert.notEqual(run.exitCode, 0);
      assert.match(run.stderr, says);
      const writes = (await writesOn(many.hub)).filter((write) => !/ leases /.test(write));
      assert.deepEqual(writes, []);
    }
  });

  it('is planned and applied by the script of docs/ci.md', async () => {
    const [script] = blocksOf('docs/ci.md').filter(
      ({ lines }) => lines[1] === '# fleet.sh plan | fleet.sh apply',
    );
    assert.ok(script);
    await save(await exported());
    await writeFile(
      path.join(many.cli.home, 'fleet.sh'),
      `stellarctl() { ${inShell(start)} "$@"; }\n${script.lines.join('\n')}`,
    );
    const sh = (verb: string) =>
      execa('bash', ['fleet.sh', verb], {
        cwd: many.cli.home,
        env: many.cli.environment(),
        extendEnv: false,
        reject: false,
      });
    assert.equal((await sh('plan')).exitCode, 0);
    const { wecs } = await exported();
    await save(
      fileOf(...wecs.map((each) => ({ ...each, labels: { ...each.labels, reviewed: 'yes' } }))),
    );
    const planned = await sh('plan');
    assert.equal(planned.exitCode, 0, planned.stderr);
    assert.match(planned.stdout, /label reviewed: - → yes/);
    assert.equal((await sh('apply')).exitCode, 0);
    assert.equal((await labelsOf('wec1')).reviewed, 'yes');
  });

  it('deregisters what left the file only with --prune, and not many at once', async () => {
    const { wecs } = await exported();
    const less = fileOf(...wecs.filter(({ name }) => name === 'wec1'));
    const kept = await fleet('plan', less);
    assert.match(kept.stdout, /wec2 left the file and stays; --prune deregisters it/);
    const many2 = await apply(less, '--prune');
    assert.equal(many2.exitCode, 1);
    assert.match(many2.stderr, /2 WECs would be deregistered, more than 1\.\n.*--max-removed 2/);
    await applied(less, '--prune', '--max-removed', '2');
    assert.deepEqual(
      (await exported()).wecs.map(({ name }) => name),
      ['wec1'],
    );
  });
});
