import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import {
  type AnyObject,
  ApiError,
  apply,
  type Bed,
  type CertificateSigningRequest,
  type Deployment,
  installKlusterlet,
  installOperator,
  type Plane,
  requestBootstrapToken,
  resources,
  until,
  wipeWec,
} from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { inRelease, rowOptions } from '../support/in-release.ts';
import { inventoryOf } from '../support/inventory.ts';
import { assertUnwritten, markAll, writesOn } from '../support/refusal.ts';
import {
  assertAvailable,
  bootstrapSecretText,
  join,
  secretText,
  statusOf,
} from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let cluster1: Plane;
let cluster2: Plane;

before(async () => {
  ({
    bed,
    cli,
    planes: [its1, cluster1, cluster2],
  } = await enterPlanes('its1', 'cluster1', 'cluster2'));
});

after(() => leaveBed(cli));

const wipeBoth = () =>
  Promise.all([cluster1, cluster2].map((plane) => wipeWec(its1, plane, plane.name)));

async function file(name: string, content: string) {
  const place = path.join(cli.home, name);
  await writeFile(place, content, { mode: 0o600 });
  return place;
}

const operator = 'open-cluster-management/klusterlet';
const pullSecret = 'open-cluster-management/open-cluster-management-image-pull-credentials';

// Two WECs at a time, one per test.
describe('the agent uses', { ...inRelease, concurrency: true }, () => {
  it('--image-registry, --ocm-version and --image-pull-secret', async () => {
    const credentials =
      '{"auths":{"registry.example":{"auth":"c2VjcmV0LXVzZXI6c2VjcmV0LXdvcmQ="}}}';
    const secret = await file('config.json', credentials);
    const { stdout, stderr } = await join(
      cli,
      its1,
      'cluster1',
      `--image-registry registry.example/ocm/ --ocm-version 1.0.0 --image-pull-secret ${secret} -v`,
    );
    const { spec } = await cluster1.admin.get<Deployment>(resources.deployments, operator);
    assert.equal(
      spec.template.spec.containers[0]?.image,
      'registry.example/ocm/registration-operator:v1.0.0',
    );
    const klusterlet = (await cluster1.admin.get<AnyObject>(resources.klusterlets, 'klusterlet'))
      .spec as Record<string, string>;
    assert.equal(klusterlet.registrationImagePullSpec, 'registry.example/ocm/registration:v1.0.0');
    assert.equal(klusterlet.workImagePullSpec, 'registry.example/ocm/work:v1.0.0');
    assert.equal(klusterlet.imagePullSpec, 'registry.example/ocm/registration-operator:v1.0.0');
    assert.equal(await secretText(cluster1, pullSecret, '.dockerconfigjson'), credentials);
    assert.doesNotMatch(stdout + stderr, /c2VjcmV0|secret-word/);

    const again = await join(cli, its1, 'cluster1');
    assert.match(again.stdout, /nothing to do\.$/m);
    assert.equal(
      await secretText(cluster1, pullSecret, '.dockerconfigjson'),
      credentials,
      'the credentials are kept',
    );
  });

  it('--hub-apiserver and --ca-file', async () => {
    const authority = await file('hub.crt', its1.caPem);
    const { stderr } = await join(
      cli,
      its1,
      'cluster2',
      `--hub-apiserver ${its1.internalServer}/ --ca-file ${authority}`,
    );
    assert.match(stderr, /agents will use https:\/\/its1-control-plane:6443 \(--hub-apiserver\)/);
    assert.match(
      stderr,
      /https:\/\/its1-control-plane:6443 is not reached from here, so that it was not checked/,
    );
    const secret = await bootstrapSecretText(cluster2);
    assert.match(secret, /server: https:\/\/its1-control-plane:6443$/m);
    assert.ok(secret.includes(Buffer.from(its1.caPem).toString('base64')));

    await cluster2.markAudit();
    const again = await join(cli, its1, 'cluster2', '--hub-apiserver published');
    assert.match(again.stdout, /nothing to do/);
    await assertUnwritten([cluster2]);
  });
});

describe('the address for the agents', () => {
  it(
    "is the context's with --hub-apiserver context, and the published one again without it",
    inRelease,
    async () => {
      await wipeBoth();
      const run = await cli.run(
        ['wec', 'join', 'cluster1', '--accept', '--hub-apiserver', 'context'],
        { signalAt: { text: /klusterlet applied/, signal: 'SIGINT' } },
      );
      assert.equal(run.exitCode, 130, run.stderr);
      assert.match(run.stderr, /agents will use https:\/\/127\.0\.0\.1:\d+ \(kubeconfig\)/);
      assert.match(await bootstrapSecretText(cluster1), new RegExp(`server: ${its1.server}$`, 'm'));
      await until(async () => {
        const klusterlet = await cluster1.admin.find<AnyObject>(
          resources.klusterlets,
          'klusterlet',
        );
        return statusOf(klusterlet, 'HubConnectionDegraded') === 'True';
      }, 'word of the operator');
      const again = await join(cli, its1, 'cluster1');
      assert.match(again.stderr, /the address .* has changed: it re-registers/);
      assert.match(
        await bootstrapSecretText(cluster1),
        new RegExp(`server: ${its1.internalServer}$`, 'm'),
      );
    },
  );
});

describe('an operator that stellarctl did not install', () => {
  it('is used and not changed', async () => {
    await wipeBoth();
    await installOperator(cluster1);
    await until(
      async () =>
        statusOf(await cluster1.admin.get(resources.deployments, operator), 'Available') === 'True',
      'running operator',
    );
    await cluster1.markAudit();
    const { stderr } = await join(cli, its1, 'cluster1');
    assert.match(
      stderr,
      /cluster1 has a klusterlet operator that stellarctl did not install; it is left as it is/,
    );
    const writes = new Set(await writesOn(cluster1));
    // Of the agent, which may have restarted with its certificate before its Lease ended.
    writes.delete('delete leases open-cluster-management-agent/klusterlet-agent-lock');
    assert.deepEqual([...writes].sort(), [
      'patch klusterlets klusterlet',
      'patch secrets open-cluster-management-agent/bootstrap-hub-kubeconfig',
    ]);
  });
});

describe('--print-manifests', () => {
  let yaml: string;
  const placeholder = 'BOOTSTRAP_TOKEN';

  before(wipeBoth);

  it('writes nothing on either cluster, and prints no token', async () => {
    await markAll([its1, cluster1]);
    const run = await cli.succeed(
      'wec join cluster1 --print-manifests --image-registry registry.example/ocm'.split(' '),
    );
    await assertUnwritten([its1, cluster1]);
    for (const { requestURI } of await its1.auditWrites({ by: 'its1-admin' }))
      assert.doesNotMatch(requestURI, /\/token/);
    yaml = run.stdout;
    assert.equal(yaml.split(placeholder).length, 2, 'one place for the token');
    assert.match(run.stderr, new RegExp(`${placeholder}: stellarctl its token`));
  });

  it('prints the same objects as a JSON List', async () => {
    const { json } = await cli.succeed(
      'wec join cluster1 --print-manifests --image-registry registry.example/ocm -o json'.split(
        ' ',
      ),
    );
    assert.equal(json().kind, 'List');
    assert.deepEqual(
      json().items,
      parseAllDocuments(yaml).map((document) => document.toJS()),
    );
  });

  it('passes the proxy to the agents', async () => {
    const { stdout } = await cli.succeed(
      'wec join cluster1 --print-manifests --proxy-url http://proxy.example:3128'.split(' '),
    );
    assert.match(stdout, /proxy-url: http:\/\/proxy\.example:3128/);
  });

  it('registers the WEC when applied with a token inserted by hand', async () => {
    const text = yaml.replace(placeholder, await requestBootstrapToken(its1));
    for (const document of parseAllDocuments(text)) {
      const object = document.toJS() as AnyObject;
      await until(
        () => apply(cluster1.admin, object).catch(ignoreUnserved),
        `${object.kind} ${object.metadata.name}`,
      );
    }
    await cli.succeed(['accept', 'cluster1', '--wait']);
    await assertAvailable(its1, 'cluster1');
  });
});

/** What clusteradm and stellarctl do in each step of a registration. */
const steps = {
  token: {
    clusteradm: () => requestBootstrapToken(its1),
    stellarctl: async () => {
      const { stdout } = await cli.succeed(['its', 'token', '--its', 'its1', '--clusteradm'], {
        mayShowToken: true,
      });
      return /--hub-token (\S+)/.exec(stdout)?.[1] ?? '';
    },
  },
  join: {
    clusteradm: async (wec: Plane, token: string) => {
      const bootstrap = { server: its1.internalServer, caPem: its1.caPem, token };
      await installKlusterlet(wec, { clusterName: wec.name, bootstrap });
    },
    stellarctl: async (wec: Plane, token: string) => {
      const made = await cli.succeed(['its', 'token', '--its', 'its1', '-o', 'json'], {
        mayShowToken: true,
      });
      const input = JSON.stringify({ ...made.json(), token });
      await cli.succeed(['wec', 'join', wec.name, '--join-file', '-'], { input });
    },
  },
  accept: {
    clusteradm: async (name: string) => {
      const own = { labelSelector: `open-cluster-management.io/cluster-name=${name}` };
      const request = await until(async () => {
        const { items } = await its1.admin.list<CertificateSigningRequest>(
          resources.certificateSigningRequests,
          own,
        );
        return (await its1.admin.find(resources.managedClusters, name)) && items[0];
      }, `request of ${name}`);
      const conditions = [
        { type: 'Approved', status: 'True' as const, reason: 'ClusteradmApprove', message: '' },
      ];
      await its1.admin.update(
        resources.certificateSigningRequests,
        { ...request, status: { conditions } },
        'approval',
      );
      await its1.admin.patch(resources.managedClusters, name, { spec: { hubAcceptsClient: true } });
    },
    stellarctl: (name: string) => cli.succeed(['accept', name, '--wait', '--its', 'its1']),
  },
};

describe('clusteradm and stellarctl register a WEC between steps of each other:', () => {
  let originally: Record<string, unknown>;

  before(async () => {
    await wipeBoth();
    originally = await inventoryOf(its1);
  });

  // Each has its own cluster: joined by clusteradm it keeps the operator, which stellarctl may not remove.
  describe('in parallel', { concurrency: true }, () => {
    for (const [joiner, name, other] of [
      ['clusteradm', 'cluster1', 'stellarctl'],
      ['stellarctl', 'cluster2', 'clusteradm'],
    ] as const)
      it(`joined by ${joiner}`, rowOptions({ inCi: joiner === 'clusteradm' }), async () => {
        const wec = bed.plane(name);
        const before = await inventoryOf(wec);
        await steps.join[joiner](wec, await steps.token[other]());
        await steps.accept[other](name);
        await cli.succeed(['wec', 'wait', name, '--its', 'its1', '--timeout', '240s']);
        await assertAvailable(its1, name);
        await cli.succeed(['deregister', `${name}=${name}`, '--its', 'its1', '--cleanup', '--yes']);
        if (joiner === 'clusteradm') await wipeWec(its1, wec, name);
        assert.deepEqual(await inventoryOf(wec), before);
      });
  });

  it('and deregistering them restores the ITS', async () =>
    assert.deepEqual(await inventoryOf(its1), originally));
});

/** A kind is served a moment after its definition has been applied. */
function ignoreUnserved(error: unknown): undefined {
  if (error instanceof ApiError && [404, 429].includes(error.status)) return undefined;
  throw error;
}
