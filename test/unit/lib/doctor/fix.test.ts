import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Session } from '../../../../src/commands/common/session.ts';
import { fixFindings } from '../../../../src/commands/doctor/fix.ts';
import { fail, type Outcome, pass, skipped, warn } from '../../../../src/lib/core/checks.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { DoctorInput } from '../../../../src/lib/doctor/doctor.ts';
import { applyFixes, confirmFixes, type FixResult, unapplied } from '../../../../src/lib/doctor/doctor-fix-apply.ts';
import { FixPlanner, lacksContext, type PlannedFix } from '../../../../src/lib/doctor/doctor-fix-plan.ts';
import type { Examined } from '../../../../src/lib/doctor/subject.ts';
import { fakeKube, now, recordingProgress, run } from '../../support/builders.ts';
import { fakeIo } from '../../support/fake-io.ts';
import {
  inSpace,
  its,
  kubeconfigOf,
  restartable,
  restartWrites,
  wds,
  wdsDeployments,
} from '../../support/space-builders.ts';

const cluster1 = { kind: 'wec' as const, name: 'cluster1', its: 'its1' };
const examined = (outcome: Outcome, ...others: Outcome[]): Examined => ({
  subject: cluster1,
  findings: [outcome, ...others].map((each, index) => ({
    ...{ id: index === 0 ? 'wec-hub-connection' : `wec-${index}`, title: 'it is so', ...each },
  })),
});
const expired = fail('token-expired', 'expired');

const step = (uid: string) => ({ verb: 'write' as const, object: 'Secret a/b', on: 'cluster1', uid });
/** @param done records its application */
const fix = (uid: string, done: string[] = [], more: Partial<PlannedFix> = {}): PlannedFix => ({
  ...{ subject: cluster1, check: 'wec-hub-connection', code: 'token-expired', writes: [step(uid)] },
  apply: async () => void done.push(uid),
  ...more,
});

describe('a confirmed fix', () => {
  const applied = async (confirmed: PlannedFix, present: PlannedFix[]) =>
    (await applyFixes([confirmed], present, run())).map(({ result, error }) => error?.code ?? result);
  test('acts on evidence read since the confirmation', async () => {
    const done: string[] = [];
    assert.deepEqual(await applied(fix('1'), [fix('1', done)]), ['unconfirmed']);
    assert.deepEqual(done, ['1']);
  });
  test('is not applied to another object, or after the problem is gone', async () => {
    const done: string[] = [];
    assert.deepEqual(await applied(fix('1'), [fix('2', done)]), ['conflict']);
    assert.deepEqual(await applied(fix('1'), []), ['passed']);
    assert.deepEqual(await applied(fix('1'), [fix('1', done, { code: 'token-revoked' })]), ['passed']);
    assert.deepEqual(done, []);
  });
  test('is reported if it fails; a write before its timeout is verified', async () => {
    const failing = (code: 'conflict' | 'timeout') =>
      fix('1', [], { apply: () => Promise.reject(new StellarError(code, 'x')) });
    assert.deepEqual(await applied(fix('1'), [failing('conflict')]), ['conflict']);
    assert.deepEqual(await applied(fix('1'), [failing('timeout')]), ['unconfirmed']);
  });
  test('is only planned in a dry run; one that is impossible says why', () => {
    const refused = new StellarError('identity-unproven', 'x');
    assert.deepEqual(
      [fix('1'), fix('2', [], { writes: [], refused })]
        .map(unapplied)
        .map(({ result, error, writes }) => [result, error, writes.length]),
      [
        ['planned', undefined, 1],
        ['refused', refused, 0],
      ],
    );
  });
});

describe('an applied fix', () => {
  const result: FixResult = { ...unapplied(fix('1')), result: 'unconfirmed' };
  const confirmed = async (...looks: Examined[]) => {
    let look = 0;
    const { fixed } = await confirmFixes(
      [result],
      async () => [looks[Math.min(look++, looks.length - 1)] as Examined],
      run(50),
    );
    return [fixed[0]?.result, look];
  };
  test('is verified until the problem is gone', async () => {
    assert.deepEqual(await confirmed(examined(expired), examined(pass())), ['fixed', 2]);
    assert.deepEqual(await confirmed(examined(fail('hub-refuses', 'another problem'))), ['fixed', 1]);
  });
  test('is unconfirmed if the problem remains at the deadline, or is not visible', async () => {
    for (const outcome of [expired, skipped('not visible')])
      assert.equal((await confirmed(examined(outcome)))[0], 'unconfirmed');
  });
  test('waits for the user if the agent has sent a new request', async () =>
    assert.deepEqual(await confirmed(examined(expired, warn('reregistration-pending', 'it asks'))), ['pending', 1]));
});

describe('no fix is planned', () => {
  const plan = (each: Examined) => new FixPlanner(undefined, run()).plan([each]);
  test('for passed checks, decisions of the user, and what needs a context that was not given', async () => {
    assert.deepEqual(await plan(examined(pass())), []);
    const kube = fakeKube();
    const reached = { its: { kube, context: { name: 'its1', server: '', cluster: {}, user: {} } }, wec: kube };
    assert.deepEqual(await plan({ ...examined(fail('request-denied', 'denied')), reached }), []);
    assert.deepEqual(await plan(examined(expired)), []);
    assert.deepEqual([examined(expired), examined(pass()), { ...examined(expired), reached }].map(lacksContext), [
      true,
      false,
      false,
    ]);
  });
});

test('a WEC is read once for the plans of all its findings, and again for another reading', async () => {
  let reads = 0;
  const wec = fakeKube({ mayI: async () => reads++ < 0 });
  const hub = fakeKube({
    read: async () => ({ resources: [{ name: 'managedclusters' }] }) as never,
    get: async () => undefined,
    mayI: async () => true,
  });
  const its = { kube: hub, context: { name: 'its1', server: '', cluster: {}, user: {} } };
  const planner = new FixPlanner(undefined, run());
  const plan = async (...others: Outcome[]) => {
    const before = reads;
    await planner.plan([{ ...examined(expired, ...others), reached: { its, wec } }]);
    return reads - before;
  };
  const once = await plan();
  assert.ok(once > 0);
  assert.equal(await plan(fail('agent-silent', 'silent'), fail('token-revoked', 'revoked')), once);
});

describe('--fix', () => {
  /** A hosting cluster with an external ITS whose token is newer than the controllers of its WDS. */
  function installation() {
    const token = `e30.${Buffer.from(JSON.stringify({ iat: now / 1000 })).toString('base64url')}.sig`;
    const cluster = '{name: its7, cluster: {server: "https://ext:6443"}}';
    const kubeconfig = `clusters: [${cluster}]\nusers: [{name: its7, user: {token: ${token}}}]`;
    const secret = inSpace('Secret', 'its7', {
      metadata: { name: 'admin-kubeconfig' },
      data: { 'kubeconfig-incluster': Buffer.from(kubeconfig).toString('base64') },
    });
    const controllers = wdsDeployments('its7').map((each) => inSpace('Deployment', 'wds7', each));
    return restartable([its('its7', { type: 'external' }), wds('wds7', 'its7'), secret, ...controllers]);
  }

  const ofWds: Examined['subject'] = { kind: 'wds', name: 'wds7' };
  /** What is said and written about a finding that is gone once something was written. */
  async function fixed(outcome: Outcome, { subject = ofWds, dryRun = false, yes = false } = {}) {
    const progress = recordingProgress();
    const { kube, writes } = installation();
    const hostingContext = { name: kube.cluster.context };
    const spaces = { hosting: kube, hostingContext, kubeconfig: kubeconfigOf({}), connect: () => kube };
    const input = { spaces, its: undefined, isItsAssumed: false, wecs: [] } as unknown as DoctorInput;
    const session = {
      io: fakeIo().io,
      progress,
      run: { ...run(5000, progress), dryRun },
      announce() {},
      again: () => '',
    };
    const options = { failOn: 'fail', output: 'table', timeout: 5000, color: 'never', yes } as const;
    const { fixed: results } = await fixFindings(session as unknown as Session, options, input, async () => [
      { subject, findings: [{ id: 'x', title: 'it is so', ...(writes.length > 0 ? pass() : outcome) }] },
    ]);
    const notes = progress.lines.filter((line) => line.startsWith('note ')).map((line) => line.slice('note '.length));
    return { results: results.map(({ result }) => result), notes, writes };
  }
  const outdated = fail('its-credentials-outdated', 'outdated');

  test('says so if there is nothing to fix, and asks nothing', async () => {
    const saying = (note: string) => ({ results: [], notes: [note], writes: [] });
    assert.deepEqual(await fixed(pass()), saying('Nothing to fix.'));
    const failing = await fixed(fail('hooks-outdated', 'only a user can decide'));
    assert.deepEqual(failing, saying('Nothing can be fixed without you: see the findings.'));
  });

  test('shows the steps of its fixes, and takes them once they are confirmed', async () => {
    const { notes, ...rest } = await fixed(outdated, { yes: true });
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? '', /^wds\/wds7 \(its-credentials-outdated\): restart Deployments in wds7-system /);
    assert.deepEqual(rest, { results: ['fixed'], writes: restartWrites('wds7') });
    assert.deepEqual(await fixed(outdated, { dryRun: true }), { results: ['planned'], notes, writes: [] });
    await assert.rejects(fixed(outdated), { code: 'not-confirmed' });
  });

  test('has nothing to fix if the user must decide first, and says what', async () => {
    const subject: Examined['subject'] = { kind: 'its', name: 'its7' };
    const { results, notes, writes } = await fixed(fail('external-token-expired', 'expired'), { subject });
    assert.match(notes[0] ?? '', /^its\/its7 \(external-token-expired\) needs your decision: /);
    assert.match(notes[1] ?? '', /^ {2}Record which context leads there: stellarctl its create its7 /);
    assert.deepEqual(notes.slice(2), ['Nothing can be fixed without you: see the findings.']);
    assert.deepEqual([results, writes], [['refused'], []]);
  });
});
