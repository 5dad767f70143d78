import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confirm } from '../../../../src/commands/common/confirm.ts';
import type { Session } from '../../../../src/commands/common/session.ts';
import type { StellarError } from '../../../../src/lib/core/errors.ts';
import { callProgram } from '../../../../src/lib/core/next-step.ts';
import { newPath, writtenApart } from '../../support/folder.ts';
import { contextsOf } from '../../support/one-context.ts';
import { sessionWith } from '../../support/session.ts';
import { stepsOf } from '../../support/steps.ts';

const config = contextsOf({ server: 'https://127.0.0.1:1' }, { token: 't' }, 'my its', 'its2');
const kubeconfig = writtenApart('config', JSON.stringify(config));

/** A session in a pipe. */
const sessionOf = (argv: string[], options: { its?: string; yes?: true } = {}) =>
  sessionWith({ kubeconfig, ...options }, { argv, env: { XDG_CONFIG_HOME: newPath() } }).session;

const confirmation = { verb: 'Deregister', name: 'c1' };

/** The next step of a prompt without a terminal. */
async function promptedStep(session: Session) {
  const error = await confirm(session, confirmation).then(
    () => assert.fail('it was confirmed'),
    (refused: StellarError) => refused,
  );
  assert.equal(error.code, 'not-confirmed');
  return stepsOf(error);
}

test('without a terminal, the equivalent command without a prompt is suggested', async () => {
  const named = sessionOf(['deregister', 'c1=a b', '--its', 'its2'], { its: 'its2' });
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
  const withYes = sessionOf(['its', 'delete', 'its1', '--yes'], { yes: true });
  await assert.rejects(withYes.hostingToWrite(), { code: 'usage' });
});

/** What a command says at its end. */
function nextOf(...steps: string[]) {
  const { session, stderr } = sessionWith();
  session.next(...steps);
  return stderr.text;
}

test('a plugin of kubectl suggests its own command name', (t) => {
  t.after(() => callProgram('stellarctl'));
  callProgram('kubectl stellar');
  assert.equal(nextOf('stellarctl wec list'), 'Next: kubectl stellar wec list\n');
});

test('several next steps are a line each', () =>
  assert.equal(
    nextOf('See: kubectl get x', 'stellarctl wec list'),
    'Next: See: kubectl get x\n      stellarctl wec list\n',
  ));
