import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeServer } from '../../support/fake-server.ts';
import { newPath, writtenApart } from '../../support/folder.ts';
import { contextsOf } from '../../support/one-context.ts';
import { stopping } from '../../support/serving.ts';
import { sessionWith } from '../../support/session.ts';
import { its } from '../../support/space-builders.ts';
import { failsWith } from '../../support/steps.ts';

/** A session whose hosting cluster has these ITSes. @param isHub whether it is an OCM hub itself @param isCurrent of the context @param yes `--yes` */
async function sessionOn(spaces: string[], isHub = false, isCurrent = true, yes = false) {
  const server = await FakeServer.start(({ path: asked }) => {
    if (asked.endsWith('/controlplanes'))
      return { body: { kind: 'List', items: spaces.map((name) => its(name)) } };
    const isServed = isHub && asked.endsWith('/apis/cluster.open-cluster-management.io/v1');
    return isServed ? { body: { resources: [{ name: 'managedclusters' }] } } : { status: 404 };
  });
  const { cluster } = stopping(server).context();
  const config = {
    ...contextsOf(cluster, { token: 't' }, 'kind-kubeflex', 'its1'),
    ...(isCurrent ? {} : { 'current-context': '' }),
    // As `init` notes the hosting cluster.
    extensions: [
      { name: 'kubeflex', extension: { data: { 'hosting-cluster-ctx-name': 'kind-kubeflex' } } },
    ],
  };
  const { session } = sessionWith(
    { kubeconfig: writtenApart('config', JSON.stringify(config)), yes },
    { argv: ['deregister', 'c1'], env: { XDG_CONFIG_HOME: newPath() } },
  );
  stopping({ stop: () => session.close() });
  return session;
}

test('if the current context is no ITS, the only ITS of the hosting cluster is used', async () => {
  const { choice, context } = await (await sessionOn(['its1'])).its();
  assert.deepEqual([choice.source, context.name], ['only ITS', 'its1']);
});

test('without a current context, too; without an only ITS, one must be given', async () => {
  const { choice } = await (await sessionOn(['its1'], false, false)).its();
  assert.deepEqual(choice, { given: 'its1', source: 'only ITS' });
  await assert.rejects((await sessionOn(['its1', 'its2'], false, false)).its(), {
    code: 'usage',
    message: /No ITS was given/,
  });
});

test('the current context is used if it is an ITS; without an only ITS, another cluster is refused', async () => {
  const { choice, context } = await (await sessionOn(['its1'], true)).its();
  assert.deepEqual([choice.source, context.name], ['current context', 'kind-kubeflex']);
  for (const spaces of [['its1', 'its2'], []])
    await assert.rejects((await sessionOn(spaces)).its(), { code: 'not-a-hub' });
});

test('a destructive command under --yes does not use it unnamed, and names it in the command to type', async () => {
  for (const isCurrent of [true, false])
    await assert.rejects(
      (await sessionOn(['its1'], false, isCurrent, true)).itsToWrite(),
      failsWith({ code: 'usage', steps: /stellarctl deregister c1 --its its1$/ }),
    );
});
