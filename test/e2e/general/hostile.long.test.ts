/**
 * Clusters with hostile responses: every view shows them as text within its own lines, in a pipe and on a terminal.
 * The server is fake, because a real one accepts few of these values.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { resources } from '../../../src/lib/kube/client/objects.ts';
import {
  csr,
  joinedCluster,
  lease,
  managedCluster,
  secondsAgo,
} from '../../unit/support/builders.ts';
import { FakeServer, type ReceivedRequest } from '../../unit/support/fake-server.ts';
import { doesSomething, hostileTexts } from '../../unit/support/hostile.ts';
import { contextsOf, oneContext } from '../../unit/support/one-context.ts';
import { controlPlane } from '../../unit/support/space-builders.ts';
import { Cli, type CliOptions } from '../support/harness.ts';

const hostile = hostileTexts.join(' ');
const condition = (type: string, status: 'True' | 'False') => ({
  type: type + hostile,
  status,
  reason: hostile,
  message: hostile,
  lastTransitionTime: secondsAgo(60),
});

/** The contents of the server, by the path of the list. */
const lists: Record<string, object[]> = {};
/** Responses that replace them, by path prefix. */
const instead = new Map<string, { status?: number; body: string }>();

function answer({ path: at, method, body }: ReceivedRequest) {
  for (const [beginning, other] of instead) if (at.startsWith(beginning)) return other;
  if (at === '/apis/cluster.open-cluster-management.io/v1')
    return { body: { resources: [{ name: 'managedclusters' }] } };
  if (at === '/apis/tenancy.kflex.kubestellar.org/v1alpha1')
    return { body: { resources: [{ name: 'controlplanes' }] } };
  if (at === '/version') return { body: { gitVersion: `v1.36.3${hostile}` } };
  if (method === 'POST' && at.endsWith('accessreviews'))
    return { body: { ...(body as object), status: { allowed: true } } };
  if (method !== 'GET')
    return { status: 403, body: { kind: 'Status', message: hostile, reason: hostile } };
  if (lists[at] !== undefined) return { body: { metadata: {}, items: lists[at] } };
  const [, list = '', name = ''] = /^(.*)\/([^/]+)$/.exec(at) ?? [];
  const found = lists[list]?.find(
    (object) => (object as { metadata: { name: string } }).metadata.name === name,
  );
  const kind = Object.values(resources).find(({ plural }) => list.endsWith(`/${plural}`))?.kind;
  if (found !== undefined) return { body: { kind, ...found } };
  return /s$/.test(at) && !/\/namespaces\/[^/]+$/.test(at)
    ? { body: { metadata: {}, items: [] } }
    : { status: 404, body: { kind: 'Status', message: hostile } };
}

let server: FakeServer;
let cli: Cli;
let folder: string;

before(async () => {
  server = await FakeServer.start(answer);
  folder = await mkdtemp(path.join(tmpdir(), 'stellarctl-hostile-'));
  const { cluster, user } = server.context();
  const kubeconfig = path.join(folder, 'kubeconfig');
  const document = contextsOf(cluster, user, 'its1');
  await writeFile(kubeconfig, JSON.stringify(document));
  cli = await Cli.create(kubeconfig);
  const cluster1 = joinedCluster({ name: 'cluster1', labels: { [`l${hostile}`]: hostile } });
  cluster1.status = {
    conditions: [
      ...(cluster1.status?.conditions ?? []),
      condition('Odd', 'False'),
      condition('HubConnectionDegraded', 'True'),
    ],
    version: { kubernetes: hostile },
  };
  lists['/apis/cluster.open-cluster-management.io/v1/managedclusters'] = [
    cluster1,
    managedCluster({ name: `c${hostile}` }),
  ];
  lists['/apis/certificates.k8s.io/v1/certificatesigningrequests'] = [
    await csr({ cluster: 'cluster1', agent: 'agent-a', name: `csr-a${hostile}` }),
    await csr({ cluster: 'cluster1', agent: 'agent-b', name: `csr-b${hostile}` }),
  ];
  lists['/apis/work.open-cluster-management.io/v1/namespaces/cluster1/manifestworks'] = [
    {
      metadata: {
        name: `work${hostile}`,
        namespace: 'cluster1',
        labels: {},
        creationTimestamp: secondsAgo(60),
        generation: 1,
      },
      spec: {},
      status: {
        conditions: [{ ...condition('', 'False'), type: 'Applied', observedGeneration: 1 }],
      },
    },
  ];
  lists[
    '/apis/addon.open-cluster-management.io/v1alpha1/namespaces/cluster1/managedclusteraddons'
  ] = [
    {
      metadata: { name: `addon${hostile}` },
      status: { conditions: [{ ...condition('', 'False'), type: 'Available' }] },
    },
  ];
  const { metadata } = lease(0);
  lists['/apis/coordination.k8s.io/v1/namespaces/cluster1/leases'] = [
    { metadata, spec: { renewTime: new Date().toISOString() } },
  ];
  const space = (name: string, label: 'its' | 'wds') => {
    const synced = { ...condition('', 'False'), type: 'Synced' };
    return controlPlane(name, {
      type: 'k8s',
      label,
      conditions: [synced, condition('Odd', 'False')],
    });
  };
  lists['/apis/tenancy.kflex.kubestellar.org/v1alpha1/controlplanes'] = [
    space('its1', 'its'),
    space('wds1', 'wds'),
  ];
});

after(async () => {
  await cli?.remove();
  await server?.stop();
  await rm(folder, { recursive: true });
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: what this program itself sends to a terminal
const own = /\u001b\[(?:\d+(?:;\d+)*)?[mKJGA]|\u001b\[\?\d+[lh]|\r/g;

function assertHarmless(text: string) {
  for (const line of text.split('\n'))
    assert.doesNotMatch(line, doesSomething, JSON.stringify(line));
  assert.doesNotMatch(text, /^\s+at .*:\d+:\d+\)?$/m, 'a stack');
}

/** Runs a command in a pipe, and on a terminal without other movement. @returns the output in the pipe */
async function harmless(
  arguments_: string[],
  options: CliOptions = {},
): Promise<{ stdout: string; text: string; exitCode: number | undefined }> {
  const { stdout, stderr, exitCode } = await cli.run(arguments_, options);
  assertHarmless(stdout);
  assertHarmless(stderr);
  return { stdout, exitCode, text: stdout + stderr };
}

describe('hostile values are shown as text by', () => {
  const views: [arguments_: string[], shown: RegExp][] = [
    [['wec', 'list'], /c\\x1b\]52;c;.*⏎/],
    [['wec', 'get', 'cluster1'], /\\x1b\]52;c;/],
    [['wec', 'get', 'cluster1', '--raw'], /\\u009b/],
    [['status'], /\\x1b\]52;c;/],
    [['status', '-o', 'html'], /\\x1b\]52;c;/],
    [['its', 'get', 'its1'], /\\x1b\]52;c;/],
    [['wds', 'get', 'wds1'], /\\x1b\]52;c;/],
    [['accept', 'cluster1', '--timeout', '0'], /csr-a\\x1b\]52;c;/],
    [['label', 'cluster1', '--list'], /\\x1b\]52;c;/],
    [['deregister', 'cluster1', '--its', 'its1', '--yes', '--timeout', '5s'], /✗/],
    [['doctor', '--pre'], /\\x1b\]52;c;/],
  ];
  for (const [arguments_, shown] of views) {
    it(`${arguments_.join(' ')}`, async () =>
      assert.match((await harmless(arguments_)).text, shown));
  }
  for (const line of ['wec get cluster1 -o json', 'status -o yaml']) {
    it(`${line}, and keep their value`, async () => {
      const { stdout } = await harmless(line.split(' '));
      const document = JSON.stringify(parse(stdout));
      assert.ok(document.includes(JSON.stringify(hostileTexts[4]).slice(1, -1)), stdout);
    });
  }
  it('a terminal', async () => {
    for (const arguments_ of [['wec', 'get', 'cluster1'], ['wec', 'list'], ['status']]) {
      const { screen } = await cli.runOnTerminal(arguments_);
      assertHarmless(screen.replace(own, ''));
    }
  });
  it('the prompt before a destructive command', async () => {
    const { screen, exitCode } = await cli.runOnTerminal(
      ['deregister', 'cluster1', '--timeout', '5s'],
      { answers: [{ at: /Type (?:y or )?its name to confirm:/, type: async () => 'no' }] },
    );
    assert.equal(exitCode, 1);
    assert.match(screen, /work\\x1b\]52;c;|addon\\x1b\]52;c;|l\\x1b\]52;c;/);
    assertHarmless(screen.replace(own, ''));
  });
});

it('does not run a program or read a file that a kubeconfig in a Secret names', async () => {
  const ran = path.join(folder, 'ran');
  const file = path.join(folder, 'file');
  await writeFile(file, 'token-from-a-file');
  const { cluster } = server.context();
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'sh',
    args: ['-c', `touch ${ran}`],
  };
  const secretOf = (user: object) => ({
    metadata: { name: 'admin-kubeconfig' },
    data: {
      kubeconfig: Buffer.from(
        JSON.stringify(oneContext({ ...cluster, 'proxy-url': 'http://127.0.0.1:1' }, user)),
      ).toString('base64'),
    },
  });
  lists['/api/v1/namespaces/its1-system/secrets'] = [secretOf({ exec })];
  lists['/api/v1/namespaces/wds1-system/secrets'] = [secretOf({ tokenFile: file })];
  const before = server.requests.length;
  for (const arguments_ of [
    ['status'],
    ['its', 'get', 'its1'],
    ['wds', 'get', 'wds1'],
    ['its', 'list'],
    ['its', 'delete', 'its1', '--dry-run'],
    ['wds', 'delete', 'wds1', '--dry-run'],
  ])
    await harmless(arguments_);
  assert.equal(existsSync(ran), false);
  const asked = server.requests.slice(before);
  assert.ok(
    asked.some(({ headers }) => headers.authorization === undefined),
    'the spaces themselves were asked',
  );
  assert.ok(asked.every(({ headers }) => !headers.authorization?.includes('token-from-a-file')));
});

describe('an invalid response causes an error without a stack trace:', () => {
  const clusters = '/apis/cluster.open-cluster-management.io/v1/managedclusters';
  const answers: [what: string, answer: { status?: number; body: string }, message: RegExp][] = [
    [
      '100,000 nested arrays',
      { body: `{"items":${'['.repeat(100_000)}${']'.repeat(100_000)}}` },
      /does not answer like/,
    ],
    ['no objects', { body: '{"items":[1,null]}' }, /does not answer like/],
    [
      'a hostile error',
      { status: 500, body: JSON.stringify({ kind: 'Status', message: hostile }) },
      /\\x1b\]52;c;/,
    ],
    [
      'an error of 20 MB',
      { status: 403, body: JSON.stringify({ kind: 'Status', message: 'x'.repeat(20_000_000) }) },
      /✗/,
    ],
    ['an error as deep', { status: 403, body: '['.repeat(100_000) }, /✗/],
  ];
  for (const [what, given, message] of answers) {
    it(what, async () => {
      instead.set(clusters, given);
      try {
        const { text, exitCode } = await harmless(['wec', 'list', '--timeout', '100s']);
        assert.match(text, message);
        assert.ok(text.length < 20_000, `${text.length} characters`);
        assert.ok(exitCode === 1 || exitCode === 4, `exit code ${exitCode}`);
      } finally {
        instead.delete(clusters);
      }
    });
  }
});
