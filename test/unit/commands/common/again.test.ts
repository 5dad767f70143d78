import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { confirm } from '../../../../src/commands/common/confirm.ts';
import { Session } from '../../../../src/commands/common/session.ts';
import type { StellarError } from '../../../../src/lib/core/errors.ts';
import { callProgram } from '../../../../src/lib/core/next-step.ts';
import { type FakeStream, fakeIo } from '../../support/fake-io.ts';
import { stepsOf } from '../../support/steps.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'stellarctl-unit-'));
after(() => rmSync(directory, { recursive: true }));
const kubeconfig = path.join(directory, 'config');
writeFileSync(
  kubeconfig,
  JSON.stringify({
    'current-context': 'my its',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: ['my its', 'its2'].map((name) => ({ name, context: { cluster: 'c', user: 'u' } })),
  }),
);

/** A session in a pipe. @param its as `--its` @param yes as `--yes` */
function sessionOf(argv: string[], its?: string, yes?: true): Session {
  const { io } = fakeIo({ argv, env: { XDG_CONFIG_HOME: directory } });
  const options = {
    output: 'table',
    timeout: 1000,
    color: 'never',
    kubeconfig,
    ...(its && { its }),
    ...(yes && { yes }),
  } as const;
  return new Session(io, options, new AbortController().signal);
}

const confirmation = { verb: 'Deregister', name: 'c1' };

/** The next step of a prompt without a terminal. */
async function promptedStep(session: Session): Promise<string> {
  const error = await confirm(session, confirmation).then(
    () => assert.fail('it was confirmed'),
    (refused: StellarError) => refused,
  );
  assert.equal(error.code, 'not-confirmed');
  return stepsOf(error);
}

test('without a terminal, the equivalent command without a prompt is suggested', async () => {
  const named = sessionOf(['deregister', 'c1=a b', '--its', 'its2'], 'its2');
  await named.its();
  assert.equal(await promptedStep(named), "stellarctl deregister 'c1=a b' --its its2 --yes");
});

test('it names the ITS of the current context, which --yes requires explicitly', async () => {
  const unnamed = sessionOf(['deregister', 'c1']);
  await unnamed.its();
  assert.equal(await promptedStep(unnamed), "stellarctl deregister c1 --yes --its 'my its'");
});

test('it adds options before --', () => {
  assert.equal(
    sessionOf(['wec', 'delete', '--', 'c1']).again('--yes'),
    'stellarctl wec delete --yes -- c1',
  );
});

test('it names the hosting cluster if the command needs it', async () => {
  const session = sessionOf(['its', 'delete', 'its1']);
  await session.spaceTools();
  // Other commands look for a hosting cluster and have no such option.
  assert.equal(session.again('--yes'), 'stellarctl its delete its1 --yes');
  await session.hostingToWrite();
  assert.equal(
    await promptedStep(session),
    "stellarctl its delete its1 --yes --hosting-context 'my its'",
  );
  const withYes = sessionOf(['its', 'delete', 'its1', '--yes'], undefined, true);
  await assert.rejects(withYes.hostingToWrite(), { code: 'usage' });
});

test('a plugin of kubectl suggests its own command name', (t) => {
  t.after(() => callProgram('stellarctl'));
  callProgram('kubectl stellar');
  const session = sessionOf([]);
  session.next('stellarctl wec list');
  assert.equal(
    (session.io.stderr as unknown as FakeStream).text,
    'Next: kubectl stellar wec list\n',
  );
});

test('several next steps are a line each', () => {
  const session = sessionOf([]);
  session.next('See: kubectl get x', 'stellarctl wec list');
  assert.equal(
    (session.io.stderr as unknown as FakeStream).text,
    'Next: See: kubectl get x\n      stellarctl wec list\n',
  );
});
