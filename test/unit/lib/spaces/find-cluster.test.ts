import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/engine/errors.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import { type Kubeconfig, selectContext, type UserEntry } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { findOnly, otherHosting } from '../../../../src/lib/spaces/find-cluster.ts';
import { fakeKube } from '../../support/builders.ts';
import { stepsOf } from '../../support/steps.ts';

interface Cluster {
  /** The plural names of the kinds that it serves; undefined if it does not answer. */
  serves?: string[];
  /** Of kube-system; undefined if it may not be read. */
  uid?: string;
  /** The names of its objects. */
  holds?: string[];
  user?: UserEntry;
}

const exec: UserEntry = { exec: { command: 'login' } };
const hosting = (uid: string, ...holds: string[]): Cluster => ({ serves: ['controlplanes'], uid, holds });
const wec: Cluster = { serves: [], uid: 'w' };

/** @param clusters by context */
function contextsTo(clusters: Record<string, Cluster>) {
  const names = Object.keys(clusters);
  const entries = <T>(make: (name: string) => T) => new Map(names.map((name) => [name, make(name)]));
  const kubeconfig: Kubeconfig = {
    ...{ files: [], currentContext: undefined, extensions: new Map() },
    contexts: entries((name) => ({ cluster: name, user: name })),
    clusters: entries((name) => ({ server: `https://${name}:6443` })),
    users: entries((name) => clusters[name]?.user ?? {}),
  };
  const asked: string[] = [];
  const connect = ({ name, server }: { name: string; server: string }): Kube => {
    asked.push(name);
    const { serves, uid, holds = [] } = clusters[name] as Cluster;
    const cluster = { context: name, server };
    const answer = async <T>(value: T): Promise<T> => {
      if (serves === undefined) throw new StellarError('unreachable', 'no answer');
      return value;
    };
    return fakeKube({
      cluster,
      read: (() => answer({ resources: serves?.map((plural) => ({ name: plural })) })) as never,
      get: (async () => {
        if (uid === undefined) throw apiError(cluster, 403, '');
        return answer({ metadata: { name: 'kube-system', uid } });
      }) as never,
      list: (() => answer(holds.map((held) => ({ metadata: { name: held } })))) as never,
    });
  };
  return { kubeconfig, connect, asked };
}

/** @returns what was found, and the contexts that were asked */
async function find(clusters: Record<string, Cluster>, role: 'hosting' | 'its' = 'hosting') {
  const { kubeconfig, connect, asked } = contextsTo(clusters);
  return { found: await findOnly(role, kubeconfig, connect), asked };
}

const nameOf = ({ found }: Awaited<ReturnType<typeof find>>) =>
  found instanceof StellarError ? found.code : found?.context.name;

describe('the only hosting cluster among the contexts', () => {
  test('is found, and said', async () => {
    const result = await find({ wec, dead: {}, hub: hosting('h') });
    assert.ok(result.found !== undefined && !(result.found instanceof StellarError));
    assert.equal(result.found.line, 'Hosting cluster hub (https://hub:6443), the only one among 3 contexts');
  });
  test('is not found if there is none', async () => assert.equal(nameOf(await find({ wec, dead: {} })), undefined));
  test('may have several contexts', async () =>
    assert.equal(nameOf(await find({ one: hosting('h'), other: hosting('h'), wec })), 'one'));
  test('and they are told apart by their servers if kube-system may not be read', async () =>
    assert.equal(
      nameOf(await find({ one: { serves: ['controlplanes'] }, other: { serves: ['controlplanes'] } })),
      'usage',
    ));
  test('is asked through a program only if no other context is one', async () => {
    const plugin = { ...hosting('p'), user: exec };
    assert.deepEqual((await find({ plugin, hub: hosting('h') })).asked, ['hub']);
    const result = await find({ plugin, wec });
    assert.deepEqual([nameOf(result), result.asked], ['plugin', ['wec', 'plugin']]);
  });
  test('is not guessed among several, which are listed with what they hold', async () => {
    const { found } = await find({ a: hosting('a', 'its1', 'wds1'), b: hosting('b') });
    assert.ok(found instanceof StellarError);
    assert.deepEqual(found.details, ['a has 2 spaces: its1, wds1', 'b has 0 spaces']);
    assert.match(stepsOf(found), /--hosting-context CONTEXT/);
  });
  test('is another one than the only ITS', async () =>
    assert.equal(
      nameOf(await find({ hub: hosting('h'), its1: { serves: ['managedclusters'], uid: 'i' } }, 'its')),
      'its1',
    ));
});

describe('a current context beside a noted hosting cluster', () => {
  const prefer = async (current: Cluster, noted: Cluster = hosting('n')) => {
    const { kubeconfig, connect, asked } = contextsTo({ current, noted });
    const found = await otherHosting(
      selectContext(kubeconfig, 'noted'),
      { ...kubeconfig, currentContext: 'current' },
      connect,
    );
    return { found, asked };
  };
  test('precedes it if it is another hosting cluster, and both are said', async () => {
    const { found } = await prefer(hosting('c'));
    assert.equal(found?.context.name, 'current');
    assert.equal(
      found.line,
      'Hosting cluster current (https://current:6443), the current context; the kubeconfig notes noted, which is another one',
    );
    assert.match(
      found.error.message,
      /^The current context current is a hosting cluster, and the kubeconfig notes noted/,
    );
  });
  test('does not if it is the same cluster, no hosting cluster, or silent', async () => {
    for (const current of [hosting('n'), wec, {}]) assert.equal((await prefer(current)).found, undefined);
  });
  test('is not asked through a program', async () =>
    assert.deepEqual((await prefer({ ...hosting('c'), user: exec })).asked, []));
});
