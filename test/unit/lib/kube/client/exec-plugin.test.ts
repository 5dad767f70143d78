import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadline } from '../../../../../src/lib/core/deadline.ts';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import { connect } from '../../../../../src/lib/kube/client/client.ts';
import type { PluginHost } from '../../../../../src/lib/kube/client/credentials.ts';
import { Credentials } from '../../../../../src/lib/kube/client/credentials.ts';
import type { ExecEntry } from '../../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { assertGone } from '../../../../is-alive.ts';
import { FakeServer } from '../../../support/fake-server.ts';
import { newPath } from '../../../support/folder.ts';
import { plugin, pluginHost } from '../../../support/plugin-host.ts';
import { stepsOf } from '../../../support/steps.ts';

const v1 = 'client.authentication.k8s.io/v1';
const credential = (status: object | string, apiVersion = v1) =>
  JSON.stringify({ apiVersion, kind: 'ExecCredential', status });

/** The exec entry of a plugin that prints this. */
const printing = (text: string, more?: Partial<ExecEntry>) =>
  plugin(`cat <<'END'\n${text}\nEND`, more);

const context = (exec: ExecEntry, server = 'https://127.0.0.1:1') => ({
  name: 'mine',
  server,
  cluster: { server },
  user: { exec },
});

const obtain = (exec: ExecEntry, host: PluginHost = pluginHost()) =>
  new Credentials(context(exec), host).server();
const failure = async (exec: ExecEntry, host?: PluginHost) =>
  obtain(exec, host).then(
    () => assert.fail('it did not fail'),
    (error) => (error instanceof StellarError ? error : assert.fail(error)),
  );

describe('a plugin receives', () => {
  const heard = newPath();

  // test/e2e/real/kubectl-kubeconfigs.test.ts compares it with what kubectl says.
  test('its cluster, if it is to know it', async () => {
    const extensions = [
      { name: 'other', extension: { not: 'this' } },
      { name: 'client.authentication.k8s.io/exec', extension: { audience: 'me' } },
    ];
    const entry = { server: 'https://127.0.0.1:1', 'tls-server-name': 'other.example', extensions };
    const told = async (provideClusterInfo: boolean) => {
      const exec = plugin(`printf %s "$KUBERNETES_EXEC_INFO" > ${heard}; exit 1`, {
        provideClusterInfo,
      });
      await assert.rejects(
        new Credentials({ ...context(exec), cluster: entry }, pluginHost()).server(),
      );
      return JSON.parse(readFileSync(heard, 'utf8')).spec;
    };
    const cluster = {
      server: 'https://127.0.0.1:1',
      'tls-server-name': 'other.example',
      config: { audience: 'me' },
    };
    assert.deepEqual(
      [await told(true), await told(false)],
      [{ cluster, interactive: false }, { interactive: false }],
    );
  });

  for (const [mode, hasTerminal, interactive] of [
    ['Never', true, false],
    ['IfAvailable', true, true],
    ['IfAvailable', false, false],
    ['Always', true, true],
    [undefined, true, true],
  ] as const)
    test(`interactiveMode ${mode} ${hasTerminal ? 'on' : 'without'} a terminal: ${interactive}`, async () => {
      const exec = plugin(
        `printf %s "$KUBERNETES_EXEC_INFO" > ${heard}; echo '${credential({ token: 't' })}'`,
      );
      delete exec.interactiveMode;
      if (mode !== undefined) exec.interactiveMode = mode;
      await obtain(exec, pluginHost({ hasTerminal: () => hasTerminal }));
      assert.equal(JSON.parse(readFileSync(heard, 'utf8')).spec.interactive, interactive);
    });

  test('its own variables over ours, and no input', async () => {
    const exec = plugin(
      `[ "$A$B" = ab ] && [ -z "$(cat)" ] && echo '${credential({ token: 't' })}'`,
      { env: [{ name: 'B', value: 'b' }] },
    );
    const { headers } = await obtain(
      exec,
      pluginHost({ env: { PATH: process.env.PATH, A: 'a', B: 'x' } }),
    );
    assert.equal(headers.Authorization, 'Bearer t');
  });
});

describe('the credentials of a plugin', () => {
  /** A server, and clients of one command for it, whose plugin issues a new token per run and counts its runs. */
  async function serving(
    answering: Parameters<typeof FakeServer.start>[0],
    expires?: () => string,
  ) {
    const server = await FakeServer.start(answering);
    after(() => server.stop());
    const runs = newPath();
    const status = `"token": "'$(wc -l < ${runs} | tr -d ' ')'"${expires === undefined ? '' : `, "expirationTimestamp": "${expires()}"`}`;
    const exec = plugin(
      `echo x >> ${runs}; sleep 0.2; echo '{"apiVersion": "${v1}", "kind": "ExecCredential", "status": {${status}}}'`,
    );
    const host = pluginHost();
    const open = () => {
      const kube = connect(server.context({ exec }), { ...host, plugins: host });
      after(() => kube.close());
      return kube;
    };
    return { server, open, runs: () => readFileSync(runs, 'utf8').length / 2 };
  }
  const inSeconds = (seconds: number) => () => new Date(Date.now() + seconds * 1000).toISOString();

  test('are requested once, by all clients of a command', async () => {
    const { open, runs } = await serving(() => ({}), inSeconds(60));
    const clients = [open(), open(), open()];
    await Promise.all(clients.map((kube) => kube.read('/version')));
    await open().read('/version');
    assert.equal(runs(), 1);
  });
  test('are requested again after they expire', async () => {
    const { server, open, runs } = await serving(() => ({}), inSeconds(-1));
    await open().read('/version');
    await open().read('/version');
    assert.equal(runs(), 2);
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.authorization),
      ['Bearer 1', 'Bearer 2'],
    );
  });
  test('are requested again once, if the server rejects them for many requests at once', async () => {
    const { open, runs } = await serving(({ headers }) => ({
      status: headers.authorization === 'Bearer 1' ? 401 : 200,
    }));
    const [one, other] = [open(), open()];
    const reads = Array.from({ length: 6 }, (_, index) =>
      (index % 2 ? one : other).read('/version'),
    );
    await Promise.all(reads);
    assert.equal(runs(), 2);
  });
});

describe('the output of a plugin', () => {
  test('on stderr is passed on as it arrives, and stdout never is', async () => {
    const go = newPath();
    const answer = credential({ token: 'secret' });
    const exec = plugin(
      `printf 'code ABC: ' >&2; while ! [ -e ${go} ]; do sleep 0.02; done; echo '${answer}'`,
    );
    const host = pluginHost();
    const obtaining = obtain(exec, host);
    for (let i = 0; i < 250 && host.said.length === 0; i++) await sleep(20);
    assert.deepEqual(host.said, ['relay code ABC: ']);
    writeFileSync(go, '');
    await obtaining;
    assert.deepEqual(host.said, ['relay code ABC: ']);
  });
  test('ends with the reason for its failure', async () => {
    const error = await failure(plugin('echo first >&2; echo "no login" >&2; exit 3'));
    assert.match(
      error.message,
      /^The credentials of context mine could not be obtained: \d+ failed \(exit code 3\): no login$/,
    );
    assert.deepEqual([error.code, error.details], ['credentials-failed', []]);
  });
});

describe('a plugin is rejected that', () => {
  for (const [what, exec, why] of [
    ['prints no ExecCredential', printing('secret'), /did not print an ExecCredential of client/],
    [
      'prints one of another version',
      printing(credential({ token: 'secret' }, `${v1}beta1`)),
      /ExecCredential of \S+\/v1 with/,
    ],
    [
      'prints no status',
      printing(credential('secret')),
      /did not print an ExecCredential .* with a token/,
    ],
    [
      'prints nothing in it',
      printing(credential({})),
      /did not print an ExecCredential .* with a token/,
    ],
    [
      'prints a certificate only',
      printing(credential({ clientCertificateData: 'secret' })),
      /or with a certificate and its key/,
    ],
    [
      'prints a token and a key',
      printing(credential({ token: 'secret', clientKeyData: 'x' })),
      /or with a certificate and its key/,
    ],
    [
      'prints a token that is none',
      printing(credential({ token: { secret: 1 } })),
      /did not print an ExecCredential/,
    ],
    [
      'asks a person who is not there',
      printing('', { interactiveMode: 'Always' }),
      /stdin is not a terminal/,
    ],
    ['cannot be started', { apiVersion: v1, command: import.meta.dirname }, /cannot be started/],
  ] as const)
    test(what, async () => {
      const error = await failure(exec);
      assert.equal(error.code, 'credentials-failed');
      assert.match(error.message, why);
      assert.doesNotMatch(
        JSON.stringify([error.message, error.details, (error.cause as Error)?.stack]),
        /secret/,
      );
    });
});

describe('a plugin that hangs, with a child,', () => {
  /** Its child runs for a minute. */
  const shortOfItsChild = 30_000;

  async function hanging(host: Partial<PluginHost>, trap = '') {
    const pidFile = newPath();
    const started = Date.now();
    const obtaining = failure(
      plugin(`${trap} sleep 60 & echo $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; wait`, {
        interactiveMode: 'IfAvailable',
      }),
      pluginHost(host),
    );
    while (!existsSync(pidFile)) await sleep(20);
    const child = Number(readFileSync(pidFile, 'utf8'));
    return { obtaining, child, took: () => Date.now() - started };
  }
  for (const hasTerminal of [false, true])
    test(`is ended at the deadline${hasTerminal ? ', without its child where it shares our terminal' : ''}`, async () => {
      const { obtaining, child, took } = await hanging({
        deadline: new Deadline(1500),
        hasTerminal: () => hasTerminal,
      });
      const error = await obtaining;
      assert.match(error.message, /could not be obtained: \d+ timed out\.$/);
      assert.deepEqual(
        [error.code, stepsOf(error)],
        ['credentials-failed', 'Allow more time: --timeout'],
      );
      assert.ok(took() < shortOfItsChild);
      if (hasTerminal) process.kill(child);
      else await assertGone(child);
    });
  test('is ended on Ctrl-C, even if it ignores the signal', async () => {
    const interrupt = new AbortController();
    const { obtaining, child, took } = await hanging({ signal: interrupt.signal }, "trap '' TERM;");
    interrupt.abort();
    assert.equal((await obtaining).code, 'interrupted');
    assert.ok(took() < shortOfItsChild);
    await assertGone(child);
  });
});

test('plugins that need the terminal run one after the other', async () => {
  const log = newPath();
  const host = pluginHost({ hasTerminal: () => true });
  const asking = (name: string) =>
    plugin(
      `echo ${name} >> ${log}; sleep 0.2; echo ${name} >> ${log}; echo '${credential({ token: 't' })}'`,
      { interactiveMode: 'Always' },
    );
  await Promise.all(['a', 'b'].map((name) => obtain(asking(name), host)));
  assert.equal(readFileSync(log, 'utf8'), 'a\na\nb\nb\n');
});
