import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Check,
  fail,
  findingsOfStages,
  type pass,
  runChecks,
  underCauses,
  warn,
} from '../../../../src/lib/core/checks.ts';
import { run } from '../../../../src/lib/core/next-step.ts';
import { failed, met, unseen, waiting } from '../../../../src/lib/core/stages.ts';

const check = (id: string, outcome: ReturnType<typeof pass>, ...needs: string[]): Check<void> => ({
  id,
  title: `${id} is well`,
  needs,
  run: () => outcome,
});

const told = (findings: Awaited<ReturnType<typeof runChecks>>) =>
  findings.map((finding) => [
    finding.id,
    finding.status,
    finding.status === 'skipped' ? finding.problem.message : '',
  ]);

test('the consequences of a failed check are skipped, transitively; those of a warning are shown', async () => {
  const checks = [
    check('agent', fail('no-agent', 'there is none')),
    check('lease', fail('overdue', 'it is old'), 'agent'),
    check('works', fail('stuck', 'they wait'), 'lease'),
    check('labels', warn('odd', 'they are odd')),
    check('policies', fail('lost', 'they select nothing'), 'labels'),
  ];
  assert.deepEqual(told(await runChecks(checks, undefined)), [
    ['agent', 'fail', ''],
    ['lease', 'skipped', 'depends on "agent is well"'],
    ['works', 'skipped', 'depends on "lease is well"'],
    ['labels', 'warn', ''],
    ['policies', 'fail', ''],
  ]);
});

test('a check may depend on one of another cluster', async () => {
  const [webhook] = await runChecks([check('webhook', fail('silent', 'no answer'))], undefined);
  assert.ok(webhook);
  assert.deepEqual(
    told(
      await runChecks([check('admission', fail('refused', 'no'), 'webhook')], undefined, [webhook]),
    ),
    [['admission', 'skipped', 'depends on "webhook is well"']],
  );
});

test('a problem may name the checks that it follows from', async () => {
  const cause = check('rights', fail('missing', 'there are none'));
  const caused = fail('refused', 'no');
  assert.ok('problem' in caused);
  const outcome = { ...caused, problem: { ...caused.problem, causedBy: ['rights'] } };
  assert.deepEqual(
    told(await runChecks([cause, check('connection', outcome), check('other', caused)], undefined)),
    [
      ['rights', 'fail', ''],
      ['connection', 'skipped', 'depends on "rights is well"'],
      ['other', 'fail', ''],
    ],
  );
});

test('findings may be attributed to causes found elsewhere', async () => {
  const causes = await runChecks([check('manager', fail('stopped', 'it rests'))], undefined);
  const own = await runChecks(
    [check('synced', warn('waits', 'not yet')), check('ready', fail('no', 'no'))],
    undefined,
  );
  assert.deepEqual(told(await underCauses(own, causes, { synced: ['manager'] })), [
    ['synced', 'skipped', 'depends on "manager is well"'],
    ['ready', 'fail', ''],
  ]);
});

test('the finding of a list of stages is the first unmet one; a waiting stage is a warning', () => {
  const report = (id: string, verdict: typeof met) => ({ id, title: `${id} done`, verdict });
  const next = run('kubectl get pods');
  const broken = failed('its image is missing', { next: [next], code: 'image' });
  const reports = [
    report('a', met),
    report('b', unseen('nobody may see it')),
    report('w', waiting('it comes first')),
    report('c', broken),
    report('d', waiting('it comes')),
  ];
  const findings = findingsOfStages('its', 'its1', reports);
  assert.deepEqual(told(findings), [
    ['its-a', 'pass', ''],
    ['its-b', 'skipped', 'nobody may see it'],
    ['its-w', 'skipped', 'depends on "c done"'],
    ['its-c', 'fail', ''],
    ['its-d', 'skipped', 'depends on "c done"'],
  ]);
  const [, , , found] = findings;
  assert.ok(found?.status === 'fail');
  const { code, message } = found.problem;
  assert.deepEqual(
    [code, message, found.problem.next],
    ['image', 'its1 is blocked at "c done": its image is missing.', [next]],
  );
  assert.equal(
    findingsOfStages('its', 'its1', [report('d', waiting('it comes'))])[0]?.status,
    'warn',
  );
});
