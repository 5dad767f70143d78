import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from '../../../../src/lib/core/deadline.ts';
import {
  instantOf,
  type LogLine,
  type LogSource,
  readLogs,
} from '../../../../src/lib/workloads/logs.ts';
import { fakeKube } from '../../support/builders.ts';
import { hurry } from '../../support/fake-time.ts';

const labels = { a: 'b', c: 'd', e: 'f' };
const pod = {
  metadata: { name: 'web-1', namespace: 'shop', uid: 'u', labels },
  spec: { containers: [{ name: 'main' }] },
  status: { phase: 'Succeeded', containerStatuses: [{ name: 'main', state: {} }] },
};

/** A Deployment whose pods are what each list shows. @param answers the pieces of each connection, the last one for all further ones */
function source(lists: object[][], ...answers: string[][]): LogSource {
  const kube = fakeKube({
    get: async () =>
      ({
        metadata: { name: 'web' },
        spec: {
          selector: {
            matchLabels: { a: 'b', c: 'd' },
            matchExpressions: [{ key: 'e', operator: 'Exists' }],
          },
        },
      }) as never,
    async list(_resource, { labelSelector } = {}) {
      assert.equal(labelSelector, 'a=b,c=d');
      return (lists.length > 1 ? lists.shift() : lists[0]) as never;
    },
    async *stream() {
      yield* (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
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

async function read(from: LogSource, follow: boolean, previous = false) {
  const lines: LogLine[] = [];
  const request = {
    container: undefined,
    follow,
    tailLines: 10,
    sinceSeconds: undefined,
    previous,
  };
  const run = { deadline: new Deadline(60_000), signal: new AbortController().signal };
  await readLogs(from, request, (line) => lines.push(line), run);
  return lines.map(
    ({ pod: name, container, time, line }) => `${name}/${container} ${time} ${line}`,
  );
}

const at = (second: number, rest = 'Z') => `2026-11-29T08:00:0${second}${rest}`;

test('lines are whole, however they arrive', async () =>
  assert.deepEqual(
    await read(source([[pod]], [`${at(1)} a`, `b\n${at(2)} c\n${at(3)} `, 'd']), false),
    [`web-1/main ${at(1)} ab`, `web-1/main ${at(2)} c`, `web-1/main ${at(3)} d`],
  ));

test('lines of one time are all shown, and those of an earlier one', async () => {
  const lines = [`${at(2)} a`, `${at(2)} b`, `${at(1)} c`, `${at(2)} d`];
  const shown = await read(source([[pod]], [lines.join('\n')]), false);
  assert.deepEqual(
    shown,
    lines.map((line) => `web-1/main ${line}`),
  );
});

test('what is too long is cut, and its rest is taken for no time', async () => {
  const long = 'x'.repeat(1_200_000);
  const pieces = [`${at(1)} ${long}`, `${at(2)} words\n`, 'zzzz text\n', `${at(3)} b\n`];
  const shown = await read(source([[pod]], pieces), false);
  assert.deepEqual(
    shown.map((line) => line.slice(0, 45)),
    [`web-1/main ${at(1)} xxxxxxxxxxxxx`, `web-1/main ${at(1)} zzzz text`, `web-1/main ${at(3)} b`],
  );
});

test('after a lost connection, no line comes twice and none is lost', async (t) => {
  hurry(t);
  const running = { ...pod, status: { ...pod.status, phase: 'Running' } };
  const first = [`${at(1, '.5Z')} a\n${at(2)} b\n${at(2)} c\n`];
  const again = [`${at(1, '.5Z')} a\n${at(2)} b\n${at(2)} c\n${at(2)} d\n${at(2, '.1Z')} e\n`];
  const from = source([[running], [pod]], first, again);
  const { get } = from.kube;
  const pods = [running];
  Object.assign(from.kube, {
    get: async (resource: { plural: string }, ...rest: never[]) =>
      resource.plural === 'pods'
        ? (pods.pop() ?? pod)
        : get.apply(from.kube, [resource, ...rest] as never),
  });
  const shown = (await read(from, true)).map((line) => line.split(' ').at(-1));
  assert.deepEqual(shown, ['a', 'b', 'c', 'd', 'e']);
});

test('times are compared as instants', () => {
  const ordered = [
    '2026-10-25T02:59:59.5+02:00',
    '2026-10-25T02:00:00+01:00',
    '2026-10-25T01:00:00.000000001Z',
  ];
  assert.deepEqual(ordered.map(instantOf).toSorted(), ordered.map(instantOf));
  assert.deepEqual(['zzzz', '', '2026-13-41T00:00:00Z'].map(instantOf), ['', '', '']);
});

test('a pod that an expression of the selector leaves out is not of the object', async () => {
  const other = {
    ...pod,
    metadata: { ...pod.metadata, name: 'web-2', uid: 'v', labels: { a: 'b', c: 'd' } },
  };
  assert.deepEqual(await read(source([[other, pod]], [`${at(1)} a\n`]), false), [
    `web-1/main ${at(1)} a`,
  ]);
});

test('the logs of a WEC have one amount, whatever number of pods it has', () => {
  const other = { ...pod, metadata: { ...pod.metadata, name: 'web-2', uid: 'v' } };
  const line = `${at(1)} ${'x'.repeat(999_000)}\n`;
  const lines = Array.from({ length: 30 }, () => line).join('');
  return assert.rejects(read(source([[pod, other]], [lines, lines]), false), {
    message: 'The logs on c1 are longer than 50 MB.',
  });
});

test('an object without pods is an error', () =>
  assert.rejects(read(source([[]]), false), { message: 'Deployment shop/web has no pods on c1.' }));

test('a container that has not started has no log', async () => {
  const waiting = { name: 'main', state: { waiting: { reason: 'ImagePullBackOff' } } };
  const other = {
    ...pod,
    metadata: { ...pod.metadata, uid: 'v' },
    status: { containerStatuses: [waiting] },
  };
  assert.deepEqual(await read(source([[other, pod]], [`${at(1)} a\n`]), false), [
    `web-1/main ${at(1)} a`,
  ]);
  const none = { message: 'Deployment shop/web has no container that has started on c1.' };
  await assert.rejects(read(source([[other]]), false), none);
});

test('while it is followed, its first pod is waited for', async (t) => {
  hurry(t);
  assert.deepEqual(await read(source([[], [pod]], [`${at(1)} a\n`]), true), [
    `web-1/main ${at(1)} a`,
  ]);
});

test('the log of the run before is that of containers that have started again', async () => {
  const containerStatuses = [
    { name: 'main', state: {} },
    { name: 'crashes', state: {}, lastState: { terminated: { exitCode: 1 } } },
  ];
  const from = source([[{ ...pod, status: { ...pod.status, containerStatuses } }]]);
  const asked: unknown[] = [];
  from.kube.stream = async function* (_path, query) {
    asked.push(query.previous);
    yield* [`${at(1)} a\n`];
  };
  assert.deepEqual(await read(from, false, true), [`web-1/crashes ${at(1)} a`]);
  assert.deepEqual(asked, ['true']);
});
