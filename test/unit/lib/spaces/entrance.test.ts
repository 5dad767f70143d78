/** What answers at the address of a space, tried with real servers, and how its create, init and doctor tell the causes apart. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Finding } from '../../../../src/lib/core/checks.ts';
import { runChecks } from '../../../../src/lib/core/checks.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { stepLines } from '../../../../src/lib/core/next-step.ts';
import { hiddenBy } from '../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import type { Resource } from '../../../../src/lib/kube/client/resources.ts';
import { problemOfEntrance, tryEntrance } from '../../../../src/lib/spaces/entrance.ts';
import { maintainedCheck, reachedCheck } from '../../../../src/lib/spaces/entrance-checks.ts';
import { readHostingConfig } from '../../../../src/lib/spaces/hosting.ts';
import { reachable } from '../../../../src/lib/spaces/space-stages.ts';
import { SpaceWatcher } from '../../../../src/lib/spaces/space-watcher.ts';
import { answering, certificates, silentPort, stopAnswering } from '../../support/answering.ts';
import { fakeKube } from '../../support/builders.ts';
import { controlPlane, evidence, its, statefulSet } from '../../support/space-builders.ts';

after(stopAnswering);

interface Settings {
  domain?: string;
  externalPort?: number;
  hostContainer?: string;
  isOpenShift?: string;
  installed?: false;
  /** Its IngressClass nginx. */
  classes?: object;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A hosting cluster; `server` is the address of its running space its1, if it has one. */
function hosting(settings: Settings | undefined, server?: string, type = 'vcluster'): Kube {
  const { domain = 'localtest.me', externalPort = 9443, hostContainer = 'a', isOpenShift = 'false' } = settings ?? {};
  const { installed = settings !== undefined, classes } = settings ?? {};
  const data = { domain, externalPort: String(externalPort), hostContainer, isOpenShift };
  const config = {
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': base64(certificates.own.cert) } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  const its1 = controlPlane('its1', { type, conditions: [{ type: 'Ready', status: 'True' }] });
  const kubeconfig = base64(JSON.stringify(config));
  return {
    cluster: { context: 'host1', server: '' },
    read: async () => ({ groups: isOpenShift === 'true' ? [{ name: 'route.openshift.io' }] : [] }),
    get: async ({ plural }: { plural: string }) => {
      if (plural === 'ingressclasses') return classes;
      return plural === 'secrets'
        ? { data: { config: kubeconfig, kubeconfig } }
        : installed
          ? { metadata: {}, data }
          : undefined;
    },
    list: async () => (server === undefined ? [] : [its1]),
  } as unknown as Kube;
}

/** The published context of its1. */
const contextOf = (server: string, cluster: object = {}) => ({
  ...{ name: 'its1', server, user: {} },
  cluster: { server, 'certificate-authority-data': base64(certificates.own.cert), ...cluster },
});

/** The address of its1 at a port. */
const at = (port: number): string => `https://its1.localtest.me:${port}`;

interface Cause {
  code: string;
  why: RegExp;
  /** Its next steps. */
  steps: RegExp;
  server: () => Promise<string>;
  settings?: () => Promise<Settings>;
}

const causes: Record<string, Cause> = {
  'no listener': {
    code: 'address-no-listener',
    why: /^nothing listens at its1\.localtest\.me:\d+$/,
    steps: /docker port kubeflex-control-plane 443\/tcp\n.*--external-port PORT\n.*installation\.md/,
    server: async () => at(await silentPort()),
    settings: async () => ({ hostContainer: 'kubeflex-control-plane' }),
  },
  'plain HTTP': {
    code: 'address-not-the-space',
    why: /^at its1\.localtest\.me:\d+, a server answers without TLS$/,
    steps: /--external-port PORT\n/,
    server: async () => at(await answering.inHttp()),
  },
  'TLS ended by Traefik': {
    code: 'address-not-the-space',
    why: /TLS ends before it reaches the space, with the certificate "TRAEFIK DEFAULT CERT" of issuer "TRAEFIK DEFAULT CERT"$/,
    steps: /--providers\.kubernetesingressnginx, and create IngressClass nginx of controller k8s\.io\/ingress-nginx/,
    server: async () => at(await answering.inTls(certificates.ofTraefik)),
  },
  'TLS ended by ingress-nginx': {
    code: 'address-not-the-space',
    why: /"Kubernetes Ingress Controller Fake Certificate"/,
    steps: /--enable-ssl-passthrough/,
    server: async () => at(await answering.inTls(certificates.ofIngressNginx)),
  },
  'TLS ended by a proxy with the name of the space': {
    code: 'address-not-the-space',
    why: /certificate "Example Corp" of issuer "Example Corp"/,
    steps: /installation\.md/,
    server: async () => at(await answering.inTls(certificates.ofProxy)),
  },
  'another backend': {
    code: 'address-not-the-space',
    why: /another API server answers, with the certificate "kube-apiserver" of issuer "kube-apiserver"$/,
    steps: /--external-port PORT/,
    server: async () => at(await answering.inTls(certificates.ofOtherSpace)),
  },
  'no backend': {
    code: 'address-not-the-space',
    why: /the connection is closed before TLS begins/,
    steps: /kubectl --context host1 get ingresses,ingressclasses/,
    server: async () => at(await answering.byClosing()),
  },
  'TLS ended with a certificate that has expired': {
    code: 'address-not-the-space',
    why: /TLS ends before it reaches the space, with the certificate "ingress" of/,
    steps: /installation\.md/,
    server: async () => at(await answering.inTls(certificates.ofOtherExpired)),
  },
  'TLS ended with a name of any length': {
    code: 'address-not-the-space',
    why: /^.{100,600}$/s,
    steps: /installation\.md/,
    server: async () => at(await answering.inTls(certificates.ofJoker)),
  },
  'name not resolved': {
    code: 'address-unresolved',
    why: /^the name in its address its1\.kubeflex\.invalid:9443 cannot be resolved/,
    steps: /Let your DNS answer for its1\.kubeflex\.invalid/,
    server: async () => 'https://its1.kubeflex.invalid:9443',
  },
  'wrong port': {
    code: 'address-wrong-port',
    why: /^its address has the wrong port: nothing listens at its1\.localtest\.me:\d+, and the space answers at port \d+$/,
    steps: /init --hosting-context host1 --external-port \d+\n.*delete it, and create it again/,
    server: async () => at(await silentPort()),
    settings: async () => ({ externalPort: await answering.inTls(certificates.own) }),
  },
};

for (const [name, { code, why, steps, server: serverOf, settings: settingsOf }] of Object.entries(causes))
  test(`${name} has its own words and steps, for its create as for doctor and init`, async () => {
    const server = await serverOf();
    const kube = hosting((await settingsOf?.()) ?? {}, server);
    const entrance = await tryEntrance(contextOf(server), await readHostingConfig(kube));
    const problem = entrance && problemOfEntrance(entrance, 'host1');
    assert.equal(problem?.code, code);
    assert.match(problem?.why ?? '', why);
    assert.match(stepLines(problem?.next ?? []).join('\n'), steps);

    const pods = [{ metadata: { name: 'vcluster-0' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } }];
    const outside = evidence(controlPlane('its1', { type: 'vcluster' }), { pods: pods as never });
    const inside = hiddenBy(new StellarError('unreachable', 'so.'));
    const verdict = reachable({ ...outside, hosting: 'host1', inside, entrance });
    assert.deepEqual(verdict, { state: 'failed', ...problem });

    const [finding] = (await runChecks([reachedCheck], { kube })) as [Finding];
    assert.ok(finding.status === 'warn', JSON.stringify(finding));
    assert.deepEqual([finding.problem.code, finding.problem.next], [code, problem?.next]);
    assert.match(finding.problem.message, /; clients do not reach its1$/);
  });

test('what accepts connections, and says nothing, is no listener', async () => {
  const entrance = await tryEntrance(contextOf(at(await answering.byNothing())), undefined);
  const { code, why } = (entrance && problemOfEntrance(entrance, 'host1')) ?? {};
  assert.equal(code, 'address-no-listener');
  assert.match(why ?? '', /^nothing answers at its1\.localtest\.me:\d+ \(ETIMEDOUT\)$/);
});

describe('a space is reached', () => {
  const reached = async (server: string, more: Settings = {}, type = 'vcluster') =>
    (await runChecks([reachedCheck], { kube: hosting(more, server, type) }))[0];

  test('through an ingress, whatever it is called', async () => {
    const port = await answering.inTls(certificates.own);
    assert.deepEqual(await reached(at(port)), {
      ...{ id: 'ingress', title: reachedCheck.title },
      ...{ status: 'pass', found: `its1.localtest.me:${port}` },
    });
    assert.equal((await reached(at(port), {}, 'k8s'))?.status, 'pass');
  });

  test('at a route of OpenShift, and at a NodePort, which has no name', async () => {
    const port = await answering.inTls(certificates.own);
    assert.equal((await reached(at(port), { isOpenShift: 'true', domain: '' }))?.status, 'pass');
    assert.equal((await reached(`https://127.0.0.1:${port}`))?.status, 'pass');
  });

  test('but not if clients refuse its own certificate, which another server of its authority may have shown', async () => {
    const server = `https://its2.localtest.me:${await answering.inTls(certificates.own)}`;
    const found = JSON.stringify(await reached(server));
    assert.match(
      found,
      /address-certificate.*a server of the space's authority .*, and its certificate is for other n/,
    );
    const elsewhere = `https://its2.localtest.me:${await silentPort()}`;
    const externalPort = await answering.inTls(certificates.own);
    assert.match(JSON.stringify(await reached(elsewhere, { externalPort })), /address-no-listener/);
  });

  test('or if it has expired', async () => {
    const server = at(await answering.inTls(certificates.ownExpired));
    const cluster = { 'certificate-authority-data': base64(certificates.own.cert + certificates.ownExpired.cert) };
    const entrance = await tryEntrance(contextOf(server, cluster), undefined);
    assert.deepEqual(entrance?.answer, { state: 'own', flaw: 'CERT_HAS_EXPIRED' });
  });

  test('or not judged behind a proxy, with another name for TLS, or without an authority', async () => {
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
    return resource.kind === 'ControlPlane' ? its('its1', { type: 'vcluster' }) : present.get(resource, name);
  };
  const list = async ({ plural }: Resource) => (plural === 'statefulsets' ? [statefulSet('vcluster')] : []);
  const unreachable = () => Promise.reject(new StellarError('unreachable', 'it does not speak TLS.'));
  const watcher = new SpaceWatcher({
    hosting: fakeKube({ get: get as Kube['get'], list: list as Kube['list'] }),
    connect: () => fakeKube({ get: unreachable, list: unreachable, read: unreachable }),
    hostingContext: contextOf(server),
  } as never);
  const reading = await watcher.its('its1');
  assert.equal(reading?.space.entrance?.answer.state, 'other');
});

describe('before there is a space', () => {
  const judged = async (settings: Settings | undefined) =>
    (await runChecks([reachedCheck], { kube: hosting(settings) }))[0] as Finding;

  test('something must answer in TLS at the address that it gets, and no other cluster', async () => {
    const externalPort = await answering.inTls(certificates.ofTraefik);
    const found = await judged({ externalPort });
    assert.deepEqual(found, {
      ...{ id: 'ingress', title: reachedCheck.title, status: 'pass' },
      found: `Traefik at its1.localtest.me:${externalPort}`,
    });
    const taken = await judged({ externalPort: await answering.inTls(certificates.ofOtherSpace) });
    assert.match(JSON.stringify(taken), /"warn".*address-not-the-space/);
    assert.match(JSON.stringify(await judged({ externalPort: await silentPort() })), /"warn".*address-no-listener/);
  });

  test('and before KubeFlex, something must serve the class of its Ingresses', async () => {
    assert.match(JSON.stringify(await judged({ installed: false })), /"warn".*ingress-missing.*no IngressClass nginx/);
    const present = await judged({ installed: false, classes: { metadata: { name: 'nginx' } } });
    assert.match(JSON.stringify(present), /"pass","found":"IngressClass nginx"/);
    assert.equal((await judged({ installed: false, isOpenShift: 'true' })).status, 'pass');
  });

  test('nothing is asked of other machines', async () => {
    assert.equal((await judged({ domain: 'example.com' })).status, 'skipped');
    assert.equal((await judged({ isOpenShift: 'true' })).status, 'skipped');
  });
});

test('ingress-nginx is known by its certificate, and is a warning because it was retired', async () => {
  const judged = async (settings: Settings | undefined) =>
    JSON.stringify(await runChecks([maintainedCheck], { kube: hosting(settings) }));
  const retired = await judged({ externalPort: await answering.inTls(certificates.ofIngressNginx) });
  assert.match(retired, /"warn".*ingress-retired.*retired in March 2026.*From ingress-nginx to Traefik/);
  assert.match(await judged({ externalPort: await answering.inTls(certificates.ofTraefik) }), /"pass".*Traefik/);
  for (const settings of [undefined, { isOpenShift: 'true' }, { externalPort: await silentPort() }])
    assert.match(await judged(settings), /"skipped"/);
});
