import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { ProgramOutput, RunProgram } from '../../../../../src/lib/core/program.ts';
import {
  chartFromLabel,
  Helm,
  helmEnvironment,
} from '../../../../../src/lib/spaces/install/helm.ts';
import {
  holds,
  mergeValues,
  parseObjects,
  parseSourced,
} from '../../../../../src/lib/spaces/install/helm-values.ts';
import { fetchIngressChart } from '../../../../../src/lib/spaces/install/local-ingress.ts';
import { helmProgram } from '../../../../../src/lib/spaces/local/programs.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { failsWith } from '../../../support/steps.ts';

const release = { name: 'ks-core', namespace: 'default' };

/** A helm that answers from a list, and records its calls. */
function helmThat(
  answer: (args: readonly string[]) => Partial<ProgramOutput> | Promise<Partial<ProgramOutput>>,
) {
  const asked: string[] = [];
  const program = { ...helmProgram, path: '/helm', version: '3.22.0' };
  const run: RunProgram = async (_, { args }) => {
    asked.push(args.join(' '));
    return { exitCode: 0, stdout: '', stderr: '', ...(await answer(args)) };
  };
  const helm = new Helm(program, { context: 'kind-kubeflex', kubeconfig: '/k' }, run);
  return { helm, asked };
}

test('helm uses the cluster of stellarctl', async () => {
  const { helm, asked } = helmThat(() => ({ stdout: '{"a":1}' }));
  assert.deepEqual(await helm.values(release, { all: false }), { a: 1 });
  assert.deepEqual(asked, [
    'get values ks-core --namespace default --kube-context kind-kubeflex --kubeconfig /k --output json',
  ]);
  const env = {
    PATH: '/bin',
    HELM_KUBECONTEXT: 'other',
    HELM_KUBETOKEN: 't',
    HELM_NAMESPACE: 'n',
    HELM_CACHE_HOME: '/c',
  };
  assert.deepEqual(helmEnvironment(env), { PATH: '/bin', HELM_CACHE_HOME: '/c' });
});

test('the history of a release contains charts and states, and may be empty', async () => {
  const revision = {
    revision: 2,
    updated: '…',
    status: 'pending-upgrade',
    chart: 'core-chart-0.30.0',
    app_version: '0.30.0',
  };
  const { helm } = helmThat(() => ({ stdout: JSON.stringify([revision]) }));
  const chart = { name: 'core-chart', version: '0.30.0' };
  assert.deepEqual(await helm.history(release), [
    { revision: 2, status: 'pending-upgrade', chart },
  ]);
  const none = helmThat(() => ({ exitCode: 1, stderr: 'Error: release: not found\n' }));
  assert.deepEqual(await none.helm.history(release), []);
  const odd = helmThat(() => ({
    stdout:
      '[{"revision":1,"revision":2,"status":"failed","chart":"core-chart-0.30.0","novel":null}]',
  }));
  assert.deepEqual(await odd.helm.history(release), [{ revision: 2, status: 'failed', chart }]);
  assert.deepEqual(await helmThat(() => ({ stdout: 'null' })).helm.history(release), []);
  assert.deepEqual(
    await helmThat(() => ({ stdout: '{"ITSes":null,"a":1,"a":2}' })).helm.values(release, {
      all: true,
    }),
    { ITSes: null, a: 2 },
  );
  const ill = helmThat(() => ({ exitCode: 1, stderr: 'Error: Kubernetes cluster unreachable\n' }));
  await assert.rejects(ill.helm.history(release), {
    code: 'program-failed',
    message: /cluster unreachable/,
  });
  const forbidden = helmThat(() => ({
    exitCode: 1,
    stderr: 'Error: list: secrets is forbidden: User "u" cannot list',
  }));
  await assert.rejects(forbidden.helm.history(release), { code: 'forbidden' });
});

test('charts are distinguished by the labels that helm sets', () => {
  const labels: [label: string, name: string, version: string][] = [
    ['core-chart-0.30.0', 'core-chart', '0.30.0'],
    ['core-chart-0.31.0-rc.1', 'core-chart', '0.31.0-rc.1'],
    ['kubeflex-operator-v0.9.3', 'kubeflex-operator', 'v0.9.3'],
    ['argo-2-cd-9.1.0', 'argo-2-cd', '9.1.0'],
  ];
  for (const [label, name, version] of labels)
    assert.deepEqual(chartFromLabel(label), { name, version });
});

test('values go to helm in a private file, never in arguments', async () => {
  let file = '';
  const { helm, asked } = helmThat(async (args) => {
    file = args[args.indexOf('--values') + 1] as string;
    assert.equal(await readFile(file, 'utf8'), '{"password":"secret"}');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(path.dirname(file))).mode & 0o777, 0o700);
    return {};
  });
  const upgrade = { release, chart: './c.tgz', values: { password: 'secret' }, timeoutMs: 60_000 };
  assert.equal(await helm.upgrade(upgrade), true);
  assert.doesNotMatch(asked.join(), /secret/);
  assert.match(asked.join(), /^upgrade ks-core \.\/c\.tgz --install --reset-then-reuse-values /);
  await helm.close();
  await assert.rejects(stat(file), { code: 'ENOENT' });
});

test('helm gives up when the time of the command is over, in case that it outlives the command', async () => {
  const { helm, asked } = helmThat(() => ({}));
  // For helm, 0 means no timeout.
  for (const timeoutMs of [899_001, 1, 0])
    await helm.upgrade({ release, chart: 'c', values: {}, timeoutMs });
  assert.deepEqual(
    asked.map((line) => /--timeout (\S+)$/.exec(line)?.[1]),
    ['900s', '1s', '1s'],
  );
  await helm.close();
});

test('the next step for a chart that cannot be fetched matches the reason', async () => {
  const reasons: [stderr: string, steps: RegExp][] = [
    ['Error: failed to authorize: 403 Forbidden', /docker\/config\.json/],
    ['Error: ghcr.io/kubestellar/core-chart:0.99.0: not found', /which versions there are/],
    [
      'Error: dial tcp: lookup ghcr.io on 10.0.0.1:53: no such host',
      /helm pull oci:\/\/x --version 0\.30\.0\n.*--chart FILE/,
    ],
  ];
  for (const [stderr, steps] of reasons) {
    const { helm } = helmThat(() => ({ exitCode: 1, stderr }));
    await assert.rejects(
      helm.download('oci://x', '0.30.0'),
      failsWith({ code: 'chart-unusable', steps }),
    );
    await helm.close();
  }
});

test('a missing local chart is reported at once; anything else is left to helm', async () => {
  const { helm, asked } = helmThat(() => ({}));
  for (const chart of [
    'nonexist',
    './charts/core',
    '../core',
    '/core',
    '~/core',
    'charts/core-chart-0.30.0.tgz',
  ])
    await assert.rejects(
      helm.local(chart),
      { code: 'chart-unusable', message: /^There is no file or folder \// },
      chart,
    );
  for (const chart of [
    'oci://x/core',
    'https://x/core.tgz',
    'kubestellar/core',
    'mirror/team/core',
  ])
    assert.equal(await helm.local(chart), undefined, chart);
  assert.equal(await helm.local(import.meta.filename), import.meta.filename);
  assert.deepEqual(asked, []);
});

test('unexpected or empty output of a successful helm is reported', async () => {
  for (const stdout of [
    '',
    '---',
    'all is well',
    '{}',
    'name: core',
    'name: core\nversion: new',
    '- a',
    'a: [',
  ])
    await assert.rejects(
      helmThat(() => ({ stdout })).helm.metadata('c'),
      { code: 'program-failed' },
      stdout,
    );
  const metadata = { name: 'core', version: '0.30.0' };
  const stdout = 'apiVersion: v2\nname: core\nversion: 0.30.0\n';
  assert.deepEqual(await helmThat(() => ({ stdout })).helm.metadata('c'), metadata);
  const silent = helmThat(() => ({})).helm;
  await assert.rejects(silent.valuesOf({}, { set: ['a=b'] }), { code: 'program-failed' });
  await assert.rejects(silent.history(release), { code: 'program-failed' });
  await silent.close();
});

test('a helm that lost a race is distinguished from one that has failed', async () => {
  const said: [stderr: string, code: string][] = [
    ['Error: release: already exists', 'release-pending'],
    ['Error: cannot re-use a name that is still in use', 'release-pending'],
    [
      'Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress',
      'release-pending',
    ],
    ['Error: namespaces "kubeflex-system" already exists', 'program-failed'],
  ];
  for (const [stderr, code] of said) {
    const { helm } = helmThat(() => ({ exitCode: 1, stderr }));
    await assert.rejects(
      helm.upgrade({ release, chart: 'c', values: {}, timeoutMs: 1 }),
      { code },
      stderr,
    );
    await helm.close();
  }
});

test('documents know their chart file, including the second one of a file', () => {
  const text = [
    '---\n# Source: core/charts/flex/crds/a.yaml\n# a comment\nkind: A',
    '---\nkind: B',
    '---\n---\n# Source: core/templates/c.yaml\nkind: C\n',
  ].join('\n');
  assert.deepEqual(
    parseSourced(text).map(({ source, object }) => [source, object.kind]),
    [
      ['core/charts/flex/crds/a.yaml', 'A'],
      ['core/charts/flex/crds/a.yaml', 'B'],
      ['core/templates/c.yaml', 'C'],
    ],
  );
  assert.deepEqual(parseObjects(''), []);
  assert.throws(() => parseObjects('a: 1\nb: [secret'), {
    code: 'program-failed',
    message: /BAD_INDENT, line 2\.$/,
  });
});

test('charts are read as helm reads them: the last key counts, and unknown fields and null lists are kept', () => {
  const text =
    'kind: Job\nspec:\n  restartPolicy: OnFailure\n  containers: null\n  novel: yes\n  mode: 0644\n  restartPolicy: Never\n';
  const spec = { restartPolicy: 'Never', containers: null, novel: true, mode: 420 };
  assert.deepEqual(parseObjects(text), [{ kind: 'Job', spec }]);
});

test('values are merged as helm merges them, and compared with the requested ones', () => {
  const present = { flex: { port: '9443', domain: 'x' }, list: [1, 2], on: true };
  assert.deepEqual(mergeValues(present, { flex: { port: 1 }, list: [3], off: null }), {
    flex: { port: 1, domain: 'x' },
    list: [3],
    on: true,
    off: null,
  });
  for (const asked of [
    {},
    { flex: { port: 9443 } },
    { list: [1, 2], on: true },
    { off: null },
    { flex: {} },
  ])
    assert.equal(holds(present, asked), true, JSON.stringify(asked));
  for (const asked of [
    { flex: { port: 1 } },
    { list: [2, 1] },
    { on: 'true' },
    { on: null },
    { off: false },
    { on: {}, x: 1 },
  ])
    assert.equal(holds(present, asked), false, JSON.stringify(asked));
});

test('a URL is never a folder of the current directory', async () => {
  const before = process.cwd();
  try {
    process.chdir(temporaryFolder());
    await mkdir('https:/example.com/chart.tgz', { recursive: true });
    await mkdir('oci:/example.com/chart', { recursive: true });
    const { helm } = helmThat(() => ({}));
    for (const address of ['https://example.com/chart.tgz', 'oci://example.com/chart'])
      assert.equal(await helm.local(address), undefined);
  } finally {
    process.chdir(before);
  }
});

/** A helm that brings the chart of Traefik, unless it cannot. */
const helmThatPulls = (exitCode = 0) =>
  helmThat(async (args) => {
    if (args[0] !== 'pull') return { stdout: 'name: traefik\nversion: 41.3.0\n' };
    await writeFile(path.join(args[args.indexOf('--destination') + 1] ?? '', 'chart.tgz'), '');
    return { exitCode };
  }).helm;

test('the ingress is the chart of Traefik: that of its repository, or one of a mirror, and no other', async () => {
  const [other, refused] = [helmThatPulls(), helmThatPulls(1)];
  const { helm: nginx } = helmThat(async () => ({
    stdout: 'name: ingress-nginx\nversion: 4.12.1\n',
  }));
  await assert.rejects(
    fetchIngressChart(refused, undefined),
    failsWith({
      code: 'chart-unusable',
      message: /oci:\/\/ghcr\.io\/traefik\/helm\/traefik cannot be fetched/,
      steps: /helm pull oci:.*--ingress FILE[\s\S]*--ingress none/,
    }),
  );
  const mirror = 'https://mirror.example.com/chart.tgz';
  assert.match(await fetchIngressChart(other, mirror), /chart\.tgz$/);
  const folder = import.meta.dirname;
  assert.equal(await fetchIngressChart(other, folder), folder);
  await assert.rejects(
    fetchIngressChart(nginx, folder),
    /is the chart "ingress-nginx", not traefik/,
  );
  await Promise.all([other.close(), refused.close(), nginx.close()]);
});
