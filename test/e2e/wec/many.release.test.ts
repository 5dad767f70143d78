import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { resources } from '../../../testbed/index.ts';
import { assertModest, byKind, ManyWecs, most } from '../support/many-wecs.ts';
import { statusOf } from '../support/registration.ts';

/** `npm run bench -- many` measures three hundred. */
const count = 40;

let many: ManyWecs;

before(async () => {
  many = await ManyWecs.start(count);
});

after(() => many?.stop());

describe(`${count} WECs at once`, { concurrency: 1 }, () => {
  it('are joined and accepted', async () => {
    const cost = await many.measure('wec', 'join', ...many.names, '--accept', '--its', 'its1');
    assertModest(cost);
    const { items } = await many.hub.admin.list(resources.managedClusters);
    const available = items.filter(
      (item) => statusOf(item, 'ManagedClusterConditionAvailable') === 'True',
    );
    assert.equal(available.length, count);
    assert.equal(cost.run.stdout.match(/: joined and available after/g)?.length, count);
  });

  it('are waited for by few lists, whether named or not', async () => {
    for (const which of [many.names, ['--all']]) {
      const cost = await many.measure('wec', 'wait', ...which, '--its', 'its1');
      assertModest(cost);
      assert.ok(cost.others.length <= 6, byKind(cost.others).join(', '));
      assert.deepEqual(cost.writes, []);
      assert.equal(cost.run.stdout.match(/: available$/gm)?.length, count);
    }
  });

  it('are labelled by one list and one patch each', async () => {
    const cost = await many.measure('label', ...many.names, 'env=edge', '--its', 'its1');
    assertModest(cost);
    assert.ok(cost.others.length <= 3, byKind(cost.others).join(', '));
    assert.deepEqual(byKind(cost.writes), [`patch managedclusters ${count}`]);
  });

  it('are deregistered by one answer for all that a selector matches', async () => {
    const [first = '', second = ''] = many.names;
    await many.cli.succeed(['label', first, second, 'env=core', '--overwrite', '--its', 'its1']);
    const line = ['deregister', '-l', 'env=core', '--its', 'its1'];
    const inPipe = await many.cli.run(line);
    assert.deepEqual([inPipe.exitCode, inPipe.stdout], [1, '']);
    assert.match(inPipe.stderr, /Deregister 2 WECs\? This needs confirmation/);
    const ask = /Deregister 2 WECs\? Type their number to confirm: /;
    const wrong = await many.cli.runOnTerminal(line, {
      answers: [{ at: ask, type: async () => '1' }],
    });
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.screen, /Not confirmed; 2 WECs are unchanged\./);
    const right = await many.cli.runOnTerminal(line, {
      answers: [{ at: ask, type: async () => '2' }],
    });
    assert.equal(right.exitCode, 0, right.screen);
    assert.deepEqual(await registered(), many.names.slice(2).sort());
  });

  it('are deregistered and cleaned up without leftovers', async () => {
    const rest = many.names.slice(2);
    const cost = await many.measure(
      ...[
        'deregister',
        ...rest.map((name) => `${name}=${name}`),
        '--cleanup',
        '--yes',
        '--its',
        'its1',
      ],
    );
    assertModest(cost, most.ofMailbox * rest.length);
    assert.equal(cost.run.stdout.match(/: deregistered$/gm)?.length, rest.length);
    assert.match(
      cost.run.stderr,
      new RegExp(`^  ${rest.length} × labels {4}env=edge   \\(all\\)$`, 'm'),
    );
    assert.deepEqual(await registered(), []);
    const left = await many.hub.admin.list(resources.namespaces);
    assert.deepEqual(
      left.items.filter(({ metadata }) => rest.includes(metadata.name)),
      [],
    );
    const none = await many.cli.succeed(['deregister', '--all', '--yes', '--its', 'its1']);
    assert.match(none.stderr, /^No WEC on its1 matches\.$/m);
  });
});

async function registered() {
  const { items } = await many.hub.admin.list(resources.managedClusters);
  return items.map(({ metadata }) => metadata.name).sort();
}
