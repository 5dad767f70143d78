import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from '../../../../src/lib/core/deadline.ts';
import { type LogLine, type LogSource, readLogs } from '../../../../src/lib/workloads/logs.ts';
import { fakeKube } from '../../support/builders.ts';

const pod = {
  metadata: { name: 'web-1', namespace: 'shop', uid: 'u' },
  spec: { containers: [{ name: 'main' }] },
  status: { phase: 'Succeeded', containerStatuses: [{ name: 'main', state: {} }] },
};

/** A Deployment whose pods are what each list shows. */
function source(lists: object[][], pieces: string[] = []): LogSource {
  const kube = fakeKube({
    get: async () =>
      ({
        metadata: { name: 'web' },
        spec: { selector: { matchLabels: { a: 'b', c: 'd' } } },
      }) as never,
    async list(_resource, { labelSelector } = {}) {
      assert.equal(labelSelector, 'a=b,c=d');
      return (lists.length > 1 ? lists.shift() : lists[0]) as never;
    },
    async *stream() {
      yield* pieces;
    },
  });
  const kind = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    plural: 'deployments',
    namespaced: true,
  };
  const ref = {
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    kind: 'Deployment',
    namespace: 'shop',
    name: 'web',
  };
  return { wec: 'c1', kube, object: { kinds: [], kind, ref } } as unknown as LogSource;
}

async function read(from: LogSource, follow: boolean): Promise<string[]> {
  const lines: LogLine[] = [];
  const request = { container: undefined, follow, tailLines: 10, sinceSeconds: undefined };
  const run = { deadline: new Deadline(60_000), signal: new AbortController().signal };
  await readLogs(from, request, (line) => lines.push(line), run);
  return lines.map(
    ({ pod: name, container, time, line }) => `${name}/${container} ${time} ${line}`,
  );
}

test('lines are whole, however they arrive', async () =>
  assert.deepEqual(await read(source([[pod]], ['1 a', 'b\n2 c\n3 ', 'd']), false), [
    'web-1/main 1 ab',
    'web-1/main 2 c',
    'web-1/main 3 d',
  ]));

test('an object without pods is an error', () =>
  assert.rejects(read(source([[]]), false), { message: 'Deployment shop/web has no pods on c1.' }));

test('a container that has not started has no log', async () => {
  const waiting = { name: 'main', state: { waiting: { reason: 'ImagePullBackOff' } } };
  const other = {
    ...pod,
    metadata: { ...pod.metadata, uid: 'v' },
    status: { containerStatuses: [waiting] },
  };
  assert.deepEqual(await read(source([[other, pod]], ['1 a\n']), false), ['web-1/main 1 a']);
  const none = { message: 'Deployment shop/web has no container that has started on c1.' };
  await assert.rejects(read(source([[other]]), false), none);
});

test('while it is followed, its first pod is waited for', async () =>
  assert.deepEqual(await read(source([[], [pod]], ['1 a\n']), true), ['web-1/main 1 a']));
