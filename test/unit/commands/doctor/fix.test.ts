import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argumentsOf, fixesOf } from '../../../../src/commands/doctor/fix.ts';
import { fail, type Outcome, pass, skipped, warn } from '../../../../src/lib/core/checks.ts';
import { advice, noted, partial, run } from '../../../../src/lib/core/next-step.ts';
import type { Examined } from '../../../../src/lib/doctor/subject.ts';

const join = 'stellarctl wec join w1=kind-w1 --its its1';
const finding = (outcome: Outcome, id = 'wec-hub-connection') => ({
  id,
  title: 'it is so',
  ...outcome,
});
const examined = (...findings: Examined['findings']): Examined[] => [
  { subject: { kind: 'wec', name: 'w1', its: 'its1' }, findings },
];
const expired = finding(
  fail('token-expired', 'expired', advice('Wait'), noted(join, 'renews the token')),
);

test('a command of several findings is run once', () => {
  const late = finding(
    warn('agent-silent', 'silent', run('kubectl logs x'), run(join)),
    'wec-agent',
  );
  assert.deepEqual(fixesOf(examined(expired, late)), [
    {
      command: join,
      findings: [
        { subject: 'wec/w1', check: 'wec-hub-connection', code: 'token-expired' },
        { subject: 'wec/w1', check: 'wec-agent', code: 'agent-silent' },
      ],
      result: 'planned',
    },
  ]);
  assert.deepEqual(fixesOf(examined(expired), ['wec-hub-connection']), []);
});

test('nothing is run for checks that passed, for blanks, other commands, or decisions of the user', () => {
  for (const outcome of [
    pass(),
    skipped('not visible', run(join)),
    fail('token-expired', 'expired', partial(join)),
    fail('request-pending', 'it waits', run('stellarctl accept w1 --its its1')),
    fail('too-many', 'it waits', run('kubectl --context its1 delete csr x')),
    fail('managed-cluster-missing', 'its works are lost', run(`${join} --accept`)),
    fail('registered-elsewhere', 'it moves', run(`${join} --replace-hub`)),
  ])
    assert.deepEqual(fixesOf(examined(finding(outcome))), []);
});

test('a command gets the kubeconfigs of doctor, and that of WECs only where it has WECs', () => {
  const [words, kubeconfigs] = [join.split(' ').slice(1), { kubeconfig: 'a', wecKubeconfig: 'b' }];
  assert.deepEqual(argumentsOf(join, {}), words);
  assert.deepEqual(argumentsOf(join, kubeconfigs), [
    ...words,
    '--kubeconfig=a',
    '--wec-kubeconfig=b',
  ]);
  assert.deepEqual(argumentsOf('stellarctl its repair its1', kubeconfigs), [
    'its',
    'repair',
    'its1',
    '--kubeconfig=a',
  ]);
});
