import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describePolicyView } from '../../../../src/commands/policy/get.ts';
import { plain } from '../../support/fake-io.ts';

const why = 'deployment/web is not in wds1';
const blockedAt = { stage: 'exists', title: 'in the WDS', state: 'failed', why };
const missing = {
  policy: 'shop',
  wec: 'w1',
  done: false,
  stage: null,
  blockedAt,
  code: null,
  steps: [],
  next: null,
};

/** The view of one object, as printed. */
function printed(...deliveries: object[]) {
  const given = deliveries.map((way, index) => ({
    ...missing,
    wec: `w${index + 1}`,
    stages: [],
    ...way,
  }));
  const object = { kind: 'Deployment', namespace: 'shop', name: 'web', deliveries: given };
  const wecs = given.map(({ wec }) => wec);
  const view = {
    name: 'shop',
    wds: 'wds1',
    its: 'its1',
    wecs,
    objects: [object],
    problems: [],
    notVisible: [],
  };
  return describePolicyView(view as never, plain, Date.now()).join('\n');
}

test('an object that is missing is "not found"', () =>
  assert.match(printed({}), /✗ Deployment shop\/web +not found\n/));

test('an object has the symbol of the WEC where it is worst', () => {
  const unseen = { blockedAt: null };
  const done = { blockedAt: null, done: true, stage: 'applied' };
  assert.match(printed(done, unseen, {}), /✗ Deployment shop\/web /);
  assert.match(printed(done, done), /✓ Deployment shop\/web /);
  assert.doesNotMatch(printed(done, unseen), /[✓✗] Deployment shop\/web /);
});

test('an object of which WECs keep their version is named', () => {
  const done = { blockedAt: null, done: true, stage: 'applied' };
  assert.match(
    printed({ ...done, createOnly: true }, done),
    /^ {2}With createOnly, .*: Deployment shop\/web$/m,
  );
  assert.doesNotMatch(printed(done), /createOnly/);
});

test('an object that is elsewhere names the stage that it failed at', () => {
  const blocked = { blockedAt: { ...blockedAt, stage: 'status' } };
  assert.match(printed(blocked), / failed at status\n/);
});

test('each next step is a line below the problem, once for all objects and WECs that share it', () => {
  const blocked = { steps: ['Look: kubectl get x', 'Or wait'] };
  const [, problems = ''] = printed(blocked, blocked).split('not found\n');
  assert.equal(problems, `✗ ${why} (w1, w2)\n    Look: kubectl get x\n    Or wait`);
});
