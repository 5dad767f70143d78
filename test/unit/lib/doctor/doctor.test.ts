import '../../support/environment.ts';
import '../../support/dist.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { describeExamined, listChecks } from '../../../../src/commands/doctor/show.ts';
import { fail, pass, runChecks, skipped, warn } from '../../../../src/lib/core/checks.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { advice, problem, run } from '../../../../src/lib/core/next-step.ts';
import { describeGroup } from '../../../../src/lib/doctor/catalogue.ts';
import { isFree } from '../../../../src/lib/doctor/preflight-checks.ts';
import { type Examined, groupFindings, type Subject } from '../../../../src/lib/doctor/subject.ts';
import { stellarctl } from '../../../stellarctl.ts';
import { asWritten, plain } from '../../support/fake-io.ts';
import { sessionWith } from '../../support/session.ts';

const machine: Subject = { kind: 'machine', name: '' };

const check = (id: string, run: () => Promise<ReturnType<typeof pass>>) => ({
  id,
  title: `${id} is well`,
  run,
});

test('a check that cannot complete has failed, with the reason and a next step', async () => {
  const error = new StellarError('unreachable', 'Cannot reach it.', advice('Is it running?'));
  const findings = await runChecks(
    [check('a', async () => pass('1.0')), check('b', () => Promise.reject(error))],
    undefined,
  );
  const subjects = ['machine'];
  assert.deepEqual(groupFindings([{ subject: machine, findings }]).map(describeGroup), [
    { id: 'a', title: 'a is well', status: 'pass', found: '1.0', subjects },
    {
      ...{ id: 'b', title: 'b is well', status: 'fail', code: 'unreachable', subjects },
      ...{
        cause: 'Cannot reach it.',
        steps: ['Is it running?'],
        docs: 'docs/troubleshooting.md#its-hook',
      },
    },
  ]);
});

test('bugs and Ctrl-C are not findings', async () => {
  for (const error of [new TypeError('x'), new StellarError('interrupted', 'Interrupted.')])
    await assert.rejects(runChecks([check('a', () => Promise.reject(error))], undefined), error);
});

test('findings are shown with the problem and the command to run, and counted', async () => {
  const findings = await runChecks(
    [
      check('a', async () => pass('1.0')),
      check('b', async () => warn('old', 'it is old', run('renew it'))),
      check('c', async () => fail('broken', 'it is\nbroken\u001b[2J')),
      check('d', async () => skipped('nobody needs it')),
    ],
    undefined,
  );
  const wrong = [
    '    ! b is well',
    '        it is old',
    '        renew it',
    '    ✗ c is well',
    '        it is ⏎ broken\\x1b[2J',
  ];
  const summary = '1 failed, 1 warning, of 4 checks.';
  assert.deepEqual(asWritten(describeExamined([{ subject: machine, findings }], plain, 'all')), [
    '✗ this machine   1 of 4 checks passed, skipped: d',
    '    ✓ a is well   1.0',
    ...wrong,
    '    - d is well   not checked: nobody needs it',
    summary,
  ]);
  const well = { subject: { kind: 'its', name: 'its1' }, findings: findings.slice(0, 1) } as const;
  assert.deepEqual(
    asWritten(describeExamined([{ subject: machine, findings }, well], plain, 'wrong')),
    [
      '✗ this machine   1 of 4 checks passed, skipped: d',
      ...wrong,
      '1 failed, 1 warning, of 5 checks.',
    ],
  );
  assert.deepEqual(describeExamined([well], plain, 'wrong'), ['No problems found.']);
});

test('a port where a process listens is not free', async () => {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.equal(await isFree(port), false);
  server.close();
  await once(server, 'close');
  assert.equal(await isFree(port), true);
});

test('the same finding of several WECs is shown once, with their names', async () => {
  const silent = (name: string): Examined => ({
    subject: { kind: 'wec', name, its: 'its1' },
    findings: [
      {
        id: 'wec-reports',
        title: 'its agent reports',
        status: 'fail',
        problem: problem('agent-silent', `${name} is silent.`, run(`see ${name}`)),
      },
    ],
  });
  const well: Examined = {
    subject: { kind: 'wec', name: 'c9', its: 'its1' },
    findings: [{ id: 'wec-reports', title: 'its agent reports', ...pass() }],
  };
  const its: Examined = {
    subject: { kind: 'its', name: 'its1' },
    findings: [
      { id: 'its-synced', title: 'observed by KubeFlex', ...pass() },
      { id: 'its-ready', title: 'reported ready by KubeFlex', ...skipped('nobody knows') },
    ],
  };
  const examined = [its, ...['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7'].map(silent), well];
  const groups = groupFindings(examined);
  assert.deepEqual(groups.map(describeGroup).at(2), {
    ...{ id: 'wec-reports', title: 'its agent reports', status: 'fail', code: 'agent-silent' },
    ...{ cause: 'c1 is silent.', command: 'see c1', steps: ['see c1'], its: 'its1' },
    subjects: ['wec/c1', 'wec/c2', 'wec/c3', 'wec/c4', 'wec/c5', 'wec/c6', 'wec/c7'],
    docs: 'docs/troubleshooting.md#wec-reports',
  });
  assert.deepEqual(asWritten(describeExamined(examined, plain, 'sections')), [
    '✓ ITS its1   1 of 2 checks passed, skipped: its-ready',
    '✗ WECs of its1   1 of 8 are healthy',
    '    ✗ its agent reports: c1, c2, c3, c4, c5, and 2 others',
    '        c1 is silent. (The same applies to the others.)',
    '        see c1    (the same for each)',
    '1 failed, of 4 checks.',
  ]);
  assert.equal(asWritten(describeExamined(examined, plain, 'all')).length, 9);
});

test('without a cluster it lists what can be checked before an installation', async () => {
  const { exitCode, stdout, stderr } = await stellarctl(['doctor', '-o', 'short'], {
    env: { KUBECONFIG: '/dev/null' },
  });
  assert.deepEqual([exitCode, stdout], [2, '']);
  assert.match(String(stderr), /No hosting cluster was given.*\n.*\n.*stellarctl doctor --pre/);
});

test('checks can be listed without a cluster', async () => {
  const { exitCode, stdout } = await stellarctl(['doctor', '--list', '-o', 'json'], {
    env: { KUBECONFIG: '/dev/null' },
  });
  const { items } = JSON.parse(String(stdout));
  assert.equal(exitCode, 0);
  assert.deepEqual(
    items
      .filter(({ id }: { id: string }) => id === 'helm' || id === 'wds-ready')
      .map(({ title, ...item }: { title: string }) => item),
    [
      { id: 'helm', room: 'machine', pre: true, docs: 'docs/troubleshooting.md#helm' },
      { id: 'wds-ready', room: 'wds', pre: false, docs: 'docs/troubleshooting.md#wds-ready' },
    ],
  );
});

test('the list shows which checks run before an installation', async () => {
  const { session, stdout } = sessionWith();
  await listChecks(session);
  const subjectOf = (id: string) =>
    stdout.lines.map((line) => line.split(/ {2,}/)).find(([check]) => check === id)?.[1];
  assert.deepEqual(['CHECK', 'helm', 'wds-ready'].map(subjectOf), ['OF', 'machine, --pre', 'wds']);
});
