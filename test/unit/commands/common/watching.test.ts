import '../../support/environment.ts';
import '../../support/dist.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SessionOptions } from '../../../../src/commands/common/options.ts';
import type { Session } from '../../../../src/commands/common/session.ts';
import { Recorder } from '../../../../src/commands/terminal/recorder.ts';
import { stellarctl } from '../../../stellarctl.ts';
import { FakeServer } from '../../support/fake-server.ts';
import { writtenApart } from '../../support/folder.ts';
import { oneContext } from '../../support/one-context.ts';
import { stopping } from '../../support/serving.ts';
import { sessionWith } from '../../support/session.ts';

for (const [status, code] of [
  [401, 'unauthorized'],
  [403, 'forbidden'],
] as const)
  test(`a watch ends at once when its server answers ${status}`, async () => {
    const readings = 2;
    let lists = 0;
    const server = await FakeServer.start(({ path: asked }) => {
      if (asked.endsWith('/managedclusters')) lists += 1;
      if (lists <= readings) return { body: { items: [] } };
      return { status, body: { kind: 'Status', message: 'no' } };
    });
    const { cluster } = stopping(server).context();
    const kubeconfig = writtenApart('kubeconfig', JSON.stringify(oneContext(cluster, {})));
    const line = `wec list --watch --its x --kubeconfig ${kubeconfig} -o json`;
    const { exitCode, stdout } = await stellarctl(line.split(' '));
    // Only a 401 is asked about once more, with renewed credentials.
    assert.ok(lists <= readings + 2, `${lists} lists`);
    assert.equal(exitCode, 4);
    assert.match(String(stdout), new RegExp(`"code": ?"${code}"`));
  });

/** What a watch prints, round by round. */
async function printed(
  output: SessionOptions['output'],
  rounds: readonly ((session: Session) => void | Promise<void>)[],
  headers = true,
) {
  const { session, stdout } = sessionWith({ output, headers });
  const recorder = new Recorder(session, true);
  session.recorder = recorder;
  const texts: string[] = [];
  for (const round of rounds) {
    const before = stdout.text.length;
    recorder.begin();
    await round(session);
    await recorder.end();
    texts.push(stdout.text.slice(before));
  }
  return texts;
}

describe('a watch prints', () => {
  const list =
    (items: { name: string; state: string; leaseRenewed?: string }[]) => (session: Session) =>
      session.print({ wds: 'wds1', items }, items, {
        NAME: ({ name }) => name,
        STATE: ({ state }) => state,
      });
  const rounds = [
    list([
      { name: 'a', state: 'ok' },
      { name: 'b', state: 'waiting for 3s', leaseRenewed: '1' },
    ]),
    list([
      { name: 'a', state: 'ok' },
      { name: 'b', state: 'waiting for 8s', leaseRenewed: '2' },
    ]),
    list([{ name: 'b', state: 'ok' }]),
  ];

  test('of a list the rows that have changed', async () =>
    assert.deepEqual(await printed('table', rounds), [
      'NAME   STATE\na      ok\nb      waiting for 3s\n',
      '',
      'b      ok\na   deleted\n',
    ]));
  test('of a list a document for each of them', async () =>
    assert.deepEqual(await printed('json', rounds), [
      '{"name":"a","state":"ok"}\n{"name":"b","state":"waiting for 3s","leaseRenewed":"1"}\n',
      '',
      '{"name":"b","state":"ok"}\n{"name":"a","deleted":true}\n',
    ]));
  test('no headers if none are wanted', async () =>
    assert.equal((await printed('table', rounds, false))[0], 'a      ok\nb      waiting for 3s\n'));
  test('their names', async () =>
    assert.deepEqual(await printed('name', rounds), ['a\nb\n', '', 'b\na\n']));

  const view = (why: string) => (session: Session) =>
    session.show({ name: 'x', why } as never, () => ['x', why]);
  const views = [view('for 3s'), view('for 4s'), view('gone')];
  test('a view again once it has changed', async () => {
    assert.deepEqual(await printed('table', views), ['x\nfor 3s\n', '', '\nx\ngone\n']);
    assert.deepEqual(await printed('json', views), [
      '{"name":"x","why":"for 3s"}\n',
      '',
      '{"name":"x","why":"gone"}\n',
    ]);
  });
  test('an object itself in the same way', async () => {
    const raw = (value: string) => (session: Session) =>
      session.printDocument({ value }, { format: 'yaml' });
    assert.deepEqual(await printed('table', [raw('a'), raw('a'), raw('b')]), [
      '---\nvalue: a\n',
      '',
      '---\nvalue: b\n',
    ]);
  });
});
