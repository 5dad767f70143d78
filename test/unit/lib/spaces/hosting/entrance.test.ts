/** What answers at the address of a space, tried with real servers, as its create, init and doctor report it. */
import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type Finding, runChecks } from '../../../../../src/lib/core/checks.ts';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import { stepLines } from '../../../../../src/lib/core/next-step.ts';
import { hiddenBy } from '../../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import type { Resource } from '../../../../../src/lib/kube/client/objects.ts';
import { problemOfEntrance, tryEntrance } from '../../../../../src/lib/spaces/hosting/entrance.ts';
import { reachedCheck } from '../../../../../src/lib/spaces/install/entrance-checks.ts';
import { apiServerAnswers } from '../../../../../src/lib/spaces/space/space-stages.ts';
import { SpaceWatcher } from '../../../../../src/lib/spaces/space/space-watcher.ts';
import { answering, certificates, silentPort, stopAnswering } from '../../../support/answering.ts';
import { base64, fakeKube } from '../../../support/builders.ts';
import { oneContext } from '../../../support/one-context.ts';
import {
  controlPlane,
  evidence,
  its,
  kubeconfigOf,
  statefulSet,
} from '../../../support/space-builders.ts';
import { matches } from '../../../support/steps.ts';

after(stopAnswering);

interface Settings {
  isOpenShift?: string;
  /** Its IngressClass nginx. */
  classes?: object;
}

/** A hosting cluster; `server` is the address of its running space its1, if it has one. */
function hosting(
  { isOpenShift = 'false', classes }: Settings,
  server?: string,
  type = 'vcluster',
): Kube {
  const data = { domain: 'localtest.me', externalPort: '9443', hostContainer: 'a', isOpenShift };
  const authority = { 'certificate-authority-data': base64(certificates.own.cert) };
  const config = oneContext({ server, ...authority }, { token: 't' });
  const its1 = controlPlane('its1', { type, conditions: [{ type: 'Ready', status: 'True' }] });
  const kubeconfig = base64(JSON.stringify(config));
  return {
    cluster: { context: 'host1', server: '' },
    read: async () => ({ groups: isOpenShift === 'true' ? [{ name: 'route.openshift.io' }] : [] }),
    get: async ({ plural }: { plural: string }) => {
      if (plural === 'ingressclasses') return classes;
      return plural === 'secrets'
        ? { data: { config: kubeconfig, kubeconfig } }
        : { metadata: {}, data };
    },
    list: async () => (server === undefined ? [] : [its1]),
  } as unknown as Kube;
}

/** The published context of its1. */
const contextOf = (server: string, cluster: object = {}) => ({
  name: 'its1',
  server,
  user: {},
  cluster: { server, 'certificate-authority-data': base64(certificates.own.cert), ...cluster },
});

/** The address of its1 at a port. */
const at = (port: number) => `https://its1.localtest.me:${port}`;

interface Cause {
  why: RegExp;
  server: () => Promise<string>;
}

const inTls = async (certificate: { key: string; cert: string }) =>
  at(await answering.inTls(certificate));

const causes: Record<string, Cause> = {
  'no listener': { why: /: connection refused$/, server: async () => at(await silentPort()) },
  'plain HTTP': {
    why: /: it does not speak TLS$/,
    server: async () => at(await answering.inHttp()),
  },
  'no backend': {
    why: /: the connection was closed$/,
    server: async () => at(await answering.byClosing()),
  },
  'TLS ended by an ingress': {
    why: /a server answers with the certificate "TRAEFIK DEFAULT CERT", and its certificate is signed by an unknown authority$/,
    server: () => inTls(certificates.ofTraefik),
  },
  'another backend': {
    why: /the certificate "kube-apiserver", and its certificate is signed by an unknown authority$/,
    server: () => inTls(certificates.ofOtherSpace),
  },
  'the name of a certificate of any length': {
    why: /^.{100,600}$/s,
    server: () => inTls(certificates.ofJoker),
  },
  'a certificate for other names': {
    why: /the certificate "k3s", and its certificate is for other names$/,
    server: async () => `https://its2.localtest.me:${await answering.inTls(certificates.own)}`,
  },
  'a name that is not resolved': {
    why: /^the space does not answer at its address its1\.kubeflex\.invalid:9443: (no such host|its name could not be looked up)$/,
    server: async () => 'https://its1.kubeflex.invalid:9443',
  },
};

for (const [name, { why, server: serverOf }] of Object.entries(causes))
  test(`${name} has its own words, for its create as for doctor and init`, async () => {
    const server = await serverOf();
    const kube = hosting({ classes: { metadata: { name: 'nginx' } } }, server);
    const entrance = await tryEntrance(contextOf(server), undefined);
    const problem = entrance && problemOfEntrance(entrance, 'host1');
    assert.equal(problem?.code, 'address-not-the-space');
    matches(problem?.why, why);
    assert.match(stepLines(problem?.next ?? []).join('\n'), /installation\.md/);

    const pods = [
      {
        metadata: { name: 'vcluster-0' },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      },
    ];
    const outside = evidence(controlPlane('its1', { type: 'vcluster' }), { pods: pods as never });
    const inside = hiddenBy(new StellarError('unreachable', 'so.'));
    const verdict = apiServerAnswers({ ...outside, hosting: 'host1', inside, entrance });
    assert.deepEqual(verdict, { state: 'failed', ...problem });

    const [finding] = (await runChecks([reachedCheck], { kube })) as [Finding];
    assert.ok(finding.status === 'warn', JSON.stringify(finding));
    assert.deepEqual(finding.problem.next, problem?.next);
    assert.match(finding.problem.message, /; clients do not reach its1$/);
  });

test('an ingress that is missing is named as the cause, also where Docker accepts the connections', async () => {
  const server = at(await answering.byClosing());
  const judged = async (settings: Settings) =>
    JSON.stringify(await runChecks([reachedCheck], { kube: hosting(settings, server) }));
  const closed = 'the connection was closed';
  const missing =
    'the hosting cluster has no IngressClass nginx, so no ingress that KubeFlex can use';
  assert.ok((await judged({})).includes(`${closed}; ${missing}; clients do not reach its1`));
  // It uses routes.
  assert.ok((await judged({ isOpenShift: 'true' })).includes(`${closed}; clients do not reach`));
});

test('what accepts connections, and says nothing, is left after some seconds', async () => {
  const entrance = await tryEntrance(contextOf(at(await answering.byNothing())), undefined);
  assert.equal(entrance?.other, 'no answer in time');
});

test('the port at which the space answers is named', async () => {
  const right = await answering.inTls(certificates.own);
  const entrance = await tryEntrance(contextOf(at(await silentPort())), right);
  const { why, next } = (entrance && problemOfEntrance(entrance, 'host1')) ?? {};
  matches(why, new RegExp(`: connection refused; it answers at port ${right}$`));
  assert.match(
    stepLines(next ?? []).join('\n'),
    new RegExp(
      `init --hosting-context host1 --external-port ${right}\n.*delete it, and create it again`,
    ),
  );
  const other = await answering.inTls(certificates.ofTraefik);
  assert.equal((await tryEntrance(contextOf(at(await silentPort())), other))?.rightPort, undefined);
});

describe('a space is reached', () => {
  const reached = async (server: string, more: Settings = {}, type = 'vcluster') =>
    (await runChecks([reachedCheck], { kube: hosting(more, server, type) }))[0];

  test('through an ingress, whatever it is called', async () => {
    const port = await answering.inTls(certificates.own);
    assert.deepEqual(await reached(at(port)), {
      id: 'ingress',
      title: reachedCheck.title,
      status: 'pass',
      found: `its1.localtest.me:${port}`,
    });
    assert.equal((await reached(at(port), {}, 'k8s'))?.status, 'pass');
  });

  test('at a route of OpenShift, and at a NodePort, which has no name', async () => {
    const port = await answering.inTls(certificates.own);
    assert.equal((await reached(at(port), { isOpenShift: 'true' }))?.status, 'pass');
    assert.equal((await reached(`https://127.0.0.1:${port}`))?.status, 'pass');
  });

  test('and not judged behind a proxy, with another name for TLS, or without an authority', async () => {
    for (const cluster of [
      { 'certificate-authority-data': undefined },
      { 'proxy-url': 'http://p:3128' },
      { 'tls-server-name': 'a.example.com' },
    ])
      assert.equal(await tryEntrance(contextOf(at(1), cluster), undefined), undefined);
  });
});

test('a user who may not read the settings of KubeFlex sees what answers', async () => {
  const server = at(await answering.inHttp());
  const present = hosting({}, server);
  const get = async (resource: Resource, name: string) => {
    if (resource.plural === 'configmaps') throw new StellarError('forbidden', 'Not allowed.');
    return resource.kind === 'ControlPlane'
      ? its('its1', { type: 'vcluster' })
      : present.get(resource, name);
  };
  const list = async ({ plural }: Resource) =>
    plural === 'statefulsets' ? [statefulSet('vcluster')] : [];
  const unreachable = () =>
    Promise.reject(new StellarError('unreachable', 'it does not speak TLS.'));
  const watcher = new SpaceWatcher({
    hosting: fakeKube({ get: get as Kube['get'], list: list as Kube['list'] }),
    connect: () => fakeKube({ get: unreachable, list: unreachable, read: unreachable }),
    hostingContext: contextOf(server),
    kubeconfig: kubeconfigOf({}),
  } as never);
  const reading = await watcher.read('its1', 'its');
  assert.equal(reading?.space.entrance?.other, 'it does not speak TLS');
});

test('before there is a space, something must serve the class of its Ingresses', async () => {
  const judged = async (settings: Settings) =>
    JSON.stringify(await runChecks([reachedCheck], { kube: hosting(settings) }));
  assert.match(await judged({}), /"warn".*ingress-missing.*no IngressClass nginx/);
  assert.match(
    await judged({ classes: { metadata: { name: 'nginx' } } }),
    /"pass","found":"IngressClass nginx"/,
  );
  assert.match(await judged({ isOpenShift: 'true' }), /"pass"/);
});
