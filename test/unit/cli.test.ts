import './support/environment.ts';
import assert from 'node:assert/strict';
import test from 'node:test';
import { commonOptionsLast } from '../../src/cli.ts';

test('the options of all commands may precede the command, as in kubectl', () => {
  const moved = (line: string) => commonOptionsLast(line.split(' ')).join(' ');
  assert.equal(moved('--kubeconfig F wec list'), 'wec list --kubeconfig F');
  assert.equal(
    moved('-q --timeout=5s -o json wec get c1 -v'),
    'wec get c1 -v -q --timeout=5s -o json',
  );
  assert.equal(moved('-ojson wec delete -- c1'), 'wec delete -ojson -- c1');
  assert.equal(moved('wec list -o json'), 'wec list -o json');
  assert.equal(moved('--version'), '--version');
  assert.equal(moved('-v version --its its1'), 'version --its its1 -v');
});
