import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import {
  type Kubeconfig,
  selectContext,
  type UserEntry,
} from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { otherHosting } from '../../../../src/lib/spaces/hosting/hosting.ts';
import { fakeKube } from '../../support/builders.ts';

interface Cluster {
  /** The plural names of the kinds that it serves; undefined if it does not answer. */
  serves?: string[];
  /** Of kube-system; undefined if it may not be read. */
  uid?: string | undefined;
  user?: UserEntry;
}

const exec: UserEntry = { exec: { command: 'login' } };
const hosting = (uid?: string): Cluster => ({ serves: ['controlplanes'], uid });
const wec: Cluster = { serves: [], uid: 'w' };

/** @param clusters by context */
function contextsTo(clusters: Record<string, Cluster>) {
  const names = Object.keys(clusters);
  const entries = <T>(make: (name: string) => T) =>
    new Map(names.map((name) => [name, make(name)]));
  const kubeconfig: Kubeconfig = {
    files: [],
    currentContext: undefined,
    extensions: new Map(),
    contexts: entries((name) => ({ cluster: name, user: name })),
    clusters: entries((name) => ({ server: `https://${name}:6443` })),
    users: entries((name) => clusters[name]?.user ?? {}),
  };
  const asked: string[] = [];
  const connect = ({ name, server }: { name: string; server: string }): Kube => {
    asked.push(name);
    const { serves, uid } = clusters[name] as Cluster;
    const cluster = { context: name, server };
    const answer = async <T>(value: T): Promise<T> => {
      if (serves === undefined) throw new StellarError('unreachable', 'no answer');
      return value;
    };
    return fakeKube({
      cluster,
      read: () => answer({ resources: serves?.map((plural) => ({ name: plural })) }),
      get: async () => {
        if (uid === undefined) throw apiError(cluster, 403, '');
        return answer({ metadata: { name: 'kube-system', uid } });
      },
    });
  };
  return { kubeconfig, connect, asked };
}

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
    for (const current of [hosting('n'), wec, {}])
      assert.equal((await prefer(current)).found, undefined);
  });
  test('does if kube-system may not be read, on either side', async () => {
    for (const [current, noted] of [
      [hosting(), hosting()],
      [hosting('n'), hosting()],
    ] as const)
      assert.equal((await prefer(current, noted)).found?.context.name, 'current');
  });
  test('is not asked through a program', async () =>
    assert.deepEqual((await prefer({ ...hosting('c'), user: exec })).asked, []));
});
