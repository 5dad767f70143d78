import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Session } from '../../../../src/commands/common/session.ts';
import { parseWecArguments } from '../../../../src/commands/common/wec-argument.ts';
import { FakeServer } from '../../support/fake-server.ts';
import { newPath, writtenApart } from '../../support/folder.ts';
import { sessionWith } from '../../support/session.ts';

const clusterOf = (uid: string, wecs: readonly string[] = []) =>
  FakeServer.start(({ path: asked }) => {
    if (asked.endsWith('/namespaces/kube-system'))
      return { body: { kind: 'Namespace', metadata: { name: 'kube-system', uid } } };
    const name = wecs.find((each) => asked.endsWith(`/managedclusters/${each}`));
    const annotations = { 'stellarctl.kubestellar.io/kube-system-uid': `uid-of-${name}` };
    if (name === undefined) return { status: 404 };
    return { body: { kind: 'ManagedCluster', metadata: { name, annotations } } };
  });

describe('a WEC is read by', () => {
  const servers: FakeServer[] = [];
  let session: Session;
  before(async () => {
    const contexts = new Map<string, FakeServer>();
    for (const [names, uid] of [
      [['kind-cluster1'], 'uid-of-cluster1'],
      [['edge', 'old-edge'], 'uid-of-another'],
      [['admin@prod'], 'uid-of-prod'],
      [['eu-prod', 'nonprod'], 'uid-of-eu'],
    ] as const) {
      const server = await clusterOf(uid);
      servers.push(server);
      for (const name of names) contexts.set(name, server);
    }
    const hub = await clusterOf('uid-of-hub', ['cluster1', 'edge', 'prod', 'lab']);
    servers.push(hub);
    contexts.set('its1', hub);
    const entries = [...contexts].map(([name, server]) => ({ ...server.context(), name }));
    const kubeconfig = writtenApart(
      'config',
      JSON.stringify({
        clusters: entries.map(({ name, cluster }) => ({ name: `of ${name}`, cluster })),
        users: [{ name: 'u', user: { token: 't' } }],
        contexts: entries.map(({ name }) => ({
          name,
          context: { cluster: `of ${name}`, user: 'u' },
        })),
      }),
    );
    const env = { XDG_CONFIG_HOME: newPath() };
    ({ session } = sessionWith({ kubeconfig, its: 'its1' }, { argv: ['wec', 'get'], env }));
  });
  after(async () => {
    session.close();
    for (const server of servers) await server.stop();
  });

  /** The contexts that are used, or the code of the error. */
  const used = async (...words: string[]) => {
    const { kube: hub } = await session.its();
    return session.registeredWecs(parseWecArguments(words), hub).then(
      (wecs) => wecs.map(({ kube }) => kube.cluster.context),
      ({ code }) => code,
    );
  };

  test('the context that is given, or that has its name', async () =>
    assert.deepEqual(await used('cluster1=eu-prod', 'edge'), ['eu-prod', 'edge']));

  test('else by one whose name ends with that of the WEC, where the ITS has recorded this cluster', async () =>
    assert.deepEqual(await used('cluster1', 'prod'), ['kind-cluster1', 'admin@prod']));

  test('and by no other one', async () => {
    assert.deepEqual(await used('lab'), 'context-unknown');
    const alike = await session.contextsNamed('prod');
    assert.deepEqual(
      alike.map(({ cluster }) => cluster.context),
      ['admin@prod', 'eu-prod'],
    );
  });
});
