import '../../support/environment.ts';
// Runs alone (scripts/together.ts, own-context-kubeconfigs): what it makes first takes longer than a suite waits.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { run } from '../../../../src/lib/core/next-step.ts';
import { connect } from '../../../../src/lib/kube/client/client.ts';
import { resources } from '../../../../src/lib/kube/client/objects.ts';
import { type Kubeconfig, selectContext } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import {
  brokenContext,
  contextChecks,
  stepsFor,
} from '../../../../src/lib/spaces/space/space-access.ts';
import { base64, run as limits, tokenWith } from '../../support/builders.ts';
import { FakeServer, otherAuthority } from '../../support/fake-server.ts';
import { kubeconfigOf } from '../../support/space-builders.ts';
import { matches } from '../../support/steps.ts';

const uid = (value: string) => ({
  body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system', uid: value } },
});
const space = await FakeServer.start(({ headers }) =>
  headers.authorization === 'Bearer good'
    ? uid('space')
    : { status: 401, body: { message: 'Unauthorized' } },
);
const other = await FakeServer.start(() => uid('other'));
after(() => Promise.all([space.stop(), other.stop()]));

const names = { cluster: 'its1-cluster', user: 'its1-admin', of: 'its1', hosting: 'hub' };

function kubeconfig(
  {
    server,
    authority,
    token = 'good',
  }: { server?: FakeServer; authority?: string; token?: string } = {},
  context: { cluster: string; user: string; of?: string; hosting?: string } = names,
): Kubeconfig {
  const config = kubeconfigOf({ hub: { cluster: 'hub', user: 'hub' }, its1: context });
  const { cluster } = (server ?? space).context();
  const trust = authority && { 'certificate-authority-data': base64(authority) };
  config.clusters.set(context.cluster, { ...cluster, ...trust });
  config.users.set(context.user, { token });
  config.extensions.set('kubeflex', { data: { 'hosting-cluster-ctx-name': 'hub' } });
  return config;
}

const open = (context: Parameters<typeof connect>[0]) => connect(context, limits());

const own = (config: Kubeconfig, type = 'vcluster') => ({
  space: { name: 'its1', role: 'its' as const, type },
  kube: open({ ...space.context({ token: 'good' }), name: 'its1' }),
  tools: { kubeconfig: config, hostingContext: { ...space.context(), name: 'hub' }, connect: open },
});

const cure = [
  { command: 'stellarctl its context its1', lead: 'Write its present address and credentials' },
];

test('the contexts of a space are tried with their own credentials', async () => {
  assert.equal(await brokenContext(own(kubeconfig())), undefined);
  const broken = {
    authority: await brokenContext(own(kubeconfig({ authority: otherAuthority }))),
    token: await brokenContext(own(kubeconfig({ token: 'bad' }))),
    server: await brokenContext(own(kubeconfig({ server: other }))),
  };
  matches(
    broken.authority?.message,
    /^The context its1 does not work: Cannot reach its1 .*certificate/,
  );
  matches(
    broken.token?.message,
    /^The context its1 does not work: its1 .* does not accept the credentials/,
  );
  matches(broken.server?.message, /^The context its1 leads to another cluster than its1 of hub/);
  for (const each of Object.values(broken)) assert.deepEqual(each?.next, cure);
  const [check] = contextChecks('its');
  assert.equal((await check?.run(own(kubeconfig({ token: 'bad' }))))?.status, 'fail');
});

test('a context that works is a finding if its token ends soon', async () => {
  const seconds = Math.floor(Date.now() / 1000);
  const token = tokenWith({ iat: seconds - 1000, exp: seconds + 200 });
  const answering = await FakeServer.start(() => uid('space'));
  const found = await brokenContext(own(kubeconfig({ token, server: answering })));
  await answering.stop();
  matches(found?.message, /^The token of context its1 ends in 3m/);
  assert.deepEqual([found?.severity, found?.code, found?.next], ['warn', 'validity-ending', cure]);
});

test('a context that the command would not write has another cure', async () => {
  const config = kubeconfig({ token: 'bad' });
  config.contexts.set('mine', {
    ...config.contexts.get('its1'),
    cluster: 'its1-cluster',
    user: 'me',
  });
  config.contexts.delete('its1');
  config.users.set('me', { token: 'bad' });
  assert.deepEqual(
    (await brokenContext(own(config)))?.next.map((step) => 'command' in step && step.command),
    ['kubectl --context mine auth whoami'],
  );
  assert.equal(await brokenContext(own(config, 'external')), undefined);
});

test('a command that uses a broken context of a space names the command that writes it again', async () => {
  const config = kubeconfig({ token: 'bad' });
  const { renewal, inspection } = stepsFor('its1', 'its', config);
  assert.deepEqual([renewal], cure);
  const read = (context: string, broken: Kubeconfig) =>
    open({ ...selectContext(broken, context), inspection, renewal }).get(resources.namespaces, 'a');
  await assert.rejects(read('its1', config), { next: cure });
  const silent = kubeconfig({ authority: otherAuthority });
  await assert.rejects(read('its1', silent), {
    next: [run('stellarctl its get its1', 'See its stages'), ...cure],
  });
});

test('the context of another cluster, or of a space that the user gave its entries, is not written again', () => {
  assert.deepEqual(stepsFor('hub', 'its', kubeconfig()), {});
  const { renewal } = stepsFor(
    'its1',
    'its',
    kubeconfig({}, { ...names, cluster: 'mine', user: 'me' }),
  );
  assert.equal(renewal, undefined);
  const { renewal: elsewhere } = stepsFor(
    'its1',
    'its',
    kubeconfigOf({ hub: { cluster: 'hub', user: 'hub' }, its1: names }),
  );
  assert.deepEqual(
    elsewhere && 'command' in elsewhere && elsewhere.command,
    'stellarctl its context its1 --hosting-context hub',
  );
});
