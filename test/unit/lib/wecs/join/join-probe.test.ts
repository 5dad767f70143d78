import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { Deadline } from '../../../../../src/lib/core/deadline.ts';
import type { StellarError } from '../../../../../src/lib/core/errors.ts';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import {
  judgeLog,
  type Probed,
  probe,
  probeJob,
} from '../../../../../src/lib/wecs/join/join-probe.ts';
import { fakeKube, recordingProgress } from '../../../support/builders.ts';

const server = 'https://its1.example.com:6443';
const probed: Probed = {
  name: 'c1',
  kube: fakeKube({ cluster: { context: 'kind-c1', server: 'https://c1:6443' } }),
  its: 'its1',
  endpoint: { server, certificateAuthority: 'PEM', proxyUrl: undefined, source: 'kubeconfig' },
  settings: {
    clusterName: 'c1',
    mode: 'Singleton',
    imageRegistry: 'example.com/ocm',
    tag: 'v1.3.1',
  },
};

/** What OCM's registration-operator v1.3.1 printed when it was run with such a kubeconfig. */
const logOf = (owner: string, authorities = owner) => [
  'W1123 03:11:24.929131   13292 cmd.go:257] Using insecure, self-signed certificates',
  'Validity period of the certificate for "klusterlet-agent-signer@1795403484" is unset, resetting to 43800h0m0s!',
  'I1123 03:11:25.314012   13292 observer_polling.go:159] Starting file observer',
  `W1123 03:11:25.318146   13292 builder.go:272] unable to get owner reference (falling back to namespace): ${owner}`,
  'I1123 03:11:25.318201   13292 builder.go:304] klusterlet-agent version -',
  `F1123 03:11:25.618362   13292 cmd.go:182] error initializing delegating authentication: unable to load configmap based request-header-client-ca-file: ${authorities}`,
];
const forbidden = [
  'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
  'configmaps "extension-apiserver-authentication" is forbidden: User "system:anonymous" cannot get resource "configmaps" in API group "" in the namespace "kube-system"',
] as const;
const unreached = (words: string) =>
  logOf(
    ...(['default/pods', 'kube-system/configmaps/extension-apiserver-authentication'].map(
      (path) => `Get "${server}/api/v1/namespaces/${path}": ${words}`,
    ) as [string, string]),
  );
const unknownAuthority =
  'tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority certificate "kubernetes")';

const judged = (lines: string[], by = probed) => {
  const outcome = judgeLog(by, lines);
  return outcome === undefined || outcome.status === 'pass'
    ? { code: outcome?.found }
    : outcome.problem;
};

describe('the log of a probe', () => {
  test('shows that the ITS has refused a request, so that it was reached', () => {
    assert.equal(judged(logOf(...forbidden)).code, server);
    assert.equal(judged(logOf('Unauthorized')).code, server);
    // A name server that was not ready yet.
    assert.equal(
      judged([...unreached('dial tcp: lookup its1: no such host'), ...logOf(...forbidden)]).code,
      server,
    );
  });

  for (const [words, code] of [
    ['dial tcp: lookup its1.example.com on 10.96.0.10:53: no such host', 'hub-not-reached'],
    ['dial tcp 172.18.0.2:6443: connect: connection refused', 'hub-not-reached'],
    ['dial tcp 127.0.0.1:6443: connect: connection refused', 'hub-address-loopback'],
    ['dial tcp 172.18.0.2:6443: i/o timeout', 'hub-not-reached'],
    [unknownAuthority, 'authority-wrong'],
    [
      'tls: failed to verify certificate: x509: certificate is valid for a.example.com, not its1.example.com',
      'hub-not-reached',
    ],
    ['proxyconnect tcp: tls: first record does not look like a TLS handshake', 'hub-not-reached'],
  ] as const)
    test(`shows ${code}: ${words.slice(0, 70)}`, () => {
      const problem = judged(unreached(words));
      assert.equal(problem.code, code);
      assert.match(JSON.stringify(problem), new RegExp(`do not reach ${server}: `));
      const option = code.startsWith('authority') ? '--ca-file FILE' : '--hub-apiserver https://…';
      assert.match(
        JSON.stringify(problem),
        new RegExp(`doctor --pre --probe c1=kind-c1 --its its1 ${option}`),
      );
    });

  test('shows that an authority is missing, if a join would give none', () => {
    const without = {
      ...probed,
      endpoint: { ...probed.endpoint, certificateAuthority: undefined },
    };
    assert.equal(judged(unreached(unknownAuthority), without).code, 'authority-missing');
  });

  test('may show nothing', () => assert.equal(judgeLog(probed, ['exec format error']), undefined));
});

test('the Job has the connection of a join in its pod, without a token, and ends by itself', () => {
  const { metadata, spec } = probeJob(probed);
  const { template, ttlSecondsAfterFinished, activeDeadlineSeconds, backoffLimit } = spec ?? {};
  const [kubeconfig] = Object.values(template?.metadata?.annotations ?? {});
  const { clusters, users } = parse(String(kubeconfig));
  assert.deepEqual(clusters, [
    { name: 'hub', cluster: { server, 'certificate-authority-data': 'UEVN' } },
  ]);
  assert.deepEqual(users, [{ name: 'bootstrap', user: { token: '' } }]);
  assert.equal(template?.spec?.automountServiceAccountToken, false);
  assert.equal(
    template?.spec?.containers?.[0]?.image,
    'example.com/ocm/registration-operator:v1.3.1',
  );
  assert.deepEqual([ttlSecondsAfterFinished, activeDeadlineSeconds, backoffLimit], [60, 300, 0]);
  assert.notEqual(probeJob(probed).metadata.name, metadata.name);
});

describe('a probe', () => {
  /** A cluster in which the pod of a Job shows this. */
  const cluster = (pod: object | undefined, methods: Partial<Kube> = {}) => {
    const asked: string[] = [];
    const kube: Kube = fakeKube({
      mayI: async () => true,
      list: async () =>
        pod === undefined ? [] : [{ metadata: { name: 'p', namespace: 'default' }, ...pod }],
      logTail: async () => logOf(...forbidden),
      async create({ plural }) {
        asked.push(`create ${plural}`);
        return {};
      },
      get: async (_, name) => ({ metadata: { name } }),
      async delete({ plural }) {
        asked.push(`delete ${plural}`);
        return true;
      },
      fork: () => kube,
      ...methods,
    });
    return { asked, kube };
  };
  const run = (signal = new AbortController().signal, timeout = 0) => ({
    progress: recordingProgress(),
    deadline: new Deadline(timeout),
    signal,
  });
  const job = probeJob(probed);
  const done = ['create jobs', 'delete jobs'];
  const probing = async (
    pod: object | undefined,
    log: string[] = pod === undefined ? [] : logOf(...forbidden),
  ) => {
    const { asked, kube } = cluster(pod, { logTail: async () => log });
    const outcome = await probe({ ...probed, kube }, job, run());
    assert.deepEqual(asked, done);
    if (outcome.status === 'pass') return 'pass';
    const { code, message, details = [] } = outcome.problem;
    return [`${code}: ${message}`, ...details].join(': ');
  };

  test('reads the pod, and deletes its Job', async () => {
    assert.equal(await probing({ status: { phase: 'Failed' } }), 'pass');
    const exited = { state: { terminated: { exitCode: 1 } } };
    assert.equal(
      await probing(
        { status: { phase: 'Failed', containerStatuses: [{ name: 'agent', ...exited }] } },
        ['exec format error'],
      ),
      'probe-unfinished: the probe does not show whether they do: pod p, container agent: exit 1: exec format error',
    );
    const waiting = { reason: 'ErrImagePull', message: 'manifest unknown' };
    const status = { containerStatuses: [{ name: 'agent', state: { waiting } }] };
    assert.match(
      await probing({ spec: { containers: [{ name: 'agent', image: 'i:1' }] }, status }),
      /^container-not-starting: .* the image i:1 cannot be pulled \(ErrImagePull\): manifest unknown$/,
    );
    assert.match(await probing(undefined), /^probe-unfinished: .* whether they do: it has no pod$/);
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' },
    ];
    assert.match(
      await probing({ status: { conditions } }, []),
      /^probe-unfinished: .* whether they do: 0\/1 nodes$/,
    );
  });

  test('deletes its Job also when it is interrupted, and when reading fails', async () => {
    const interrupt = new AbortController();
    const silent = cluster(
      { status: { phase: 'Running' } },
      { logTail: async () => void interrupt.abort() },
    );
    const interrupted = (error: StellarError) => error.code === 'interrupted';
    await assert.rejects(
      probe({ ...probed, kube: silent.kube }, job, run(interrupt.signal, 60_000)),
      interrupted,
    );
    assert.deepEqual(silent.asked, done);
    const failing = cluster({}, { list: () => Promise.reject(new Error('broken')) });
    await assert.rejects(probe({ ...probed, kube: failing.kube }, job, run()), /broken/);
    assert.deepEqual(failing.asked, done);
    const refused = cluster({}, { create: () => Promise.reject(new Error('lost')) });
    await assert.rejects(probe({ ...probed, kube: refused.kube }, job, run()), /lost/);
    assert.deepEqual(refused.asked, ['delete jobs']);
  });
});
