import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import {
  type AnyObject,
  type Entry,
  installKlusterlet,
  kubeconfigOf,
  limitedUser,
  type Plane,
  resources,
  until,
  wipeKlusterlet,
  wipeWec,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { inRelease } from '../support/in-release.ts';
import {
  assertRefused,
  assertRefuses,
  assertUnwritten,
  markAll,
  type Refusal,
} from '../support/refusal.ts';
import { assertAvailable } from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';

let cli: Cli;
let its1: Plane;
let cluster1: Plane;
let cluster2: Plane;

/** cluster1 is registered, with a label; cluster2 is unchanged. */
before(async () => {
  ({
    cli,
    planes: [its1, cluster1, cluster2],
  } = await enterPlanes('its1', 'cluster1', 'cluster2'));
  await cli.succeed(['wec', 'join', 'cluster1', '--accept', '--label', 'location-group=edge']);
});

after(() => leaveBed(cli));

async function refuses(line: string, refusal: Refusal & { not?: RegExp }, kubeconfig?: string) {
  const { stderr } = await assertRefuses(
    cli,
    [its1, cluster1, cluster2],
    line,
    refusal,
    kubeconfig === undefined ? {} : { kubeconfig },
  );
  if (refusal.not) assert.doesNotMatch(stderr, refusal.not);
}

/** The contexts of the test bed, and more. */
const withContexts = (...more: Entry[]) =>
  writeKubeconfig(its1, [
    ...[its1, cluster1, cluster2].map((plane) => plane.kubeconfigEntry),
    ...more,
  ]);

/** Another context for the same cluster, with another server name. */
function alias(plane: Plane, context: string): Entry {
  const { connection } = plane.kubeconfigEntry;
  return {
    context,
    cluster: context,
    user: context,
    connection: { ...connection, server: connection.server.replace('127.0.0.1', 'localhost') },
  };
}

/** A context whose server does not answer. */
function dead(context: string): Entry {
  return {
    ...alias(cluster2, context),
    connection: { ...cluster2.kubeconfigEntry.connection, server: 'https://127.0.0.1:9' },
  };
}

async function file(name: string, content: string) {
  const place = path.join(cli.home, name);
  await writeFile(place, content, { mode: 0o600 });
  return place;
}

describe('wec join rejects invalid command lines', inRelease, () => {
  const table: [line: string, says: RegExp][] = [
    ['wec join cluster2 --label a-', /give key=value/],
    ['wec join cluster2 --hub-apiserver http://10.0.0.1', /https:\/\/HOST:PORT/],
    ['wec join cluster2 --hub-apiserver 10.0.0.1', /https:\/\/HOST:PORT/],
    ['wec join cluster2 --force-internal-endpoint-lookup', /--hub-apiserver published/],
    ['wec join cluster2 --proxy-url nonsense', /"nonsense" is not a URL/],
    ['wec join cluster2 --ocm-version banana', /"banana" is not a version of OCM/],
    ['wec join cluster1 cluster2 --print-manifests', /single NAME/],
  ];
  before(() => markAll([its1, cluster1, cluster2]));
  after(() => assertUnwritten([its1, cluster1, cluster2]));
  const isRefused = async (line: string, says: RegExp) =>
    assertRefused(await cli.run(line.split(' ')), { exitCode: 2, says });

  for (const [line, says] of table) it(line, () => isRefused(line, says));

  it('with invalid files', async () => {
    const text = await file('text', 'hello');
    await isRefused(`wec join cluster2 --ca-file ${text}`, /no PEM certificate/);
    await isRefused(`wec join cluster2 --image-pull-secret ${text}`, /not a docker config\.json/);
  });
});

describe('wec join refuses, before anything is written,', () => {
  it('the ITS as a WEC under another context and address', async () => {
    const kubeconfig = await withContexts(alias(its1, 'other'));
    await refuses(
      'wec join mine=other',
      { exitCode: 1, says: /other .* it is an OCM hub. mine was not joined/ },
      kubeconfig,
    );
  });

  it('a change of the mode', () =>
    refuses('wec join cluster1 --accept --mode Default', { exitCode: 1, says: /mode Singleton/ }));

  it('a label of a ManagedCluster that has not joined yet', async () => {
    await its1.admin.create(resources.managedClusters, {
      metadata: { name: 'cluster2', labels: { tier: 'a' } },
      spec: {},
    } as AnyObject);
    try {
      await refuses('wec join cluster2 --label tier=b', { exitCode: 1, says: /tier=a/ });
    } finally {
      await wipeWec(its1, cluster2, 'cluster2');
    }
  });

  it('a user who may not read the address of the ITS, and does not report it as missing', async () => {
    const unread = await limitedUser(its1, {
      user: 'without-cluster-info',
      rules: [
        {
          apiGroups: ['cluster.open-cluster-management.io', 'certificates.k8s.io'],
          resources: ['*'],
          verbs: ['get', 'list'],
        },
        { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
      ],
    });
    const kubeconfig = await writeKubeconfig(its1, [unread, cluster2.kubeconfigEntry]);
    const refusal = {
      exitCode: 1,
      says: /cluster-info may not be read by this user/,
      hint: /--hub-apiserver https/,
    };
    await refuses('wec join cluster2', refusal, kubeconfig);
  });

  it('--accept by a user who may join but not accept', async () => {
    const joiner = await limitedUser(its1, {
      user: 'joiner',
      rules: [
        {
          apiGroups: [
            'cluster.open-cluster-management.io',
            'certificates.k8s.io',
            'coordination.k8s.io',
            '',
          ],
          resources: ['*'],
          verbs: ['get', 'list'],
        },
        { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
      ],
    });
    const kubeconfig = await writeKubeconfig(its1, [joiner, cluster2.kubeconfigEntry]);
    await refuses(
      'wec join cluster2 --accept',
      { exitCode: 4, says: /Not allowed on its1 .*certificatesigningrequests\/approval/ },
      kubeconfig,
    );
  });
});

describe('wec join verifies the address of the ITS by TLS before it requests a token:', () => {
  it('--hub-apiserver URL with the wrong --ca-file', async () => {
    const wrong = await file('wrong.crt', cluster1.caPem);
    const line = `wec join cluster2 --hub-apiserver ${its1.server} --ca-file ${wrong}`;
    await refuses(line, { exitCode: 4, says: /its1 .*certificate/ });
  });
});

describe("wec join rejects settings of the ITS's context that an agent drops:", () => {
  const settings: [string, unknown][] = [
    ['insecure-skip-tls-verify', true],
    ['tls-server-name', 'localhost'],
  ];
  for (const [setting, value] of settings) {
    it(setting, async () => {
      const config = parse(kubeconfigOf([its1.kubeconfigEntry, cluster2.kubeconfigEntry]));
      const { cluster } = config.clusters[0];
      cluster[setting] = value;
      if (setting === 'insecure-skip-tls-verify') delete cluster['certificate-authority-data'];
      const kubeconfig = await file(setting, stringify(config));
      await refuses(
        'wec join cluster2',
        { exitCode: 1, says: new RegExp(`its1 .*${setting}`), hint: /--ca-file FILE/ },
        kubeconfig,
      );
      const right = await file('right.crt', its1.caPem);
      await cli.succeed(['wec', 'join', 'cluster2', '--ca-file', right, '--dry-run'], {
        kubeconfig,
      });
    });
  }
});

describe('wec join does not change the registration of another tool:', () => {
  const foreignHub = 'https://elsewhere-control-plane:6443';
  const install = (clusterName: string) =>
    installKlusterlet(cluster2, {
      clusterName,
      bootstrap: { server: foreignHub, caPem: cluster1.caPem, token: 'foreign' },
    });

  after(() => wipeKlusterlet(cluster2));

  it('a WEC that is registered with another hub', async () => {
    await install('cluster2');
    await refuses('wec join cluster2 --accept', {
      exitCode: 1,
      says: new RegExp(
        `cluster2 cannot connect to its1: it is registered with the hub ${foreignHub}`,
      ),
    });
  });

  it('a Klusterlet that is being deleted', async () => {
    await cluster2.admin.patch(resources.klusterlets, 'klusterlet', {
      metadata: { finalizers: ['example.com/kept'] },
    });
    await cluster2.admin.delete(resources.klusterlets, 'klusterlet');
    await refuses('wec join cluster2', {
      exitCode: 1,
      says: /Klusterlet on cluster2 .*is being deleted/,
    });
    await cluster2.admin
      .patch(resources.klusterlets, 'klusterlet', { metadata: { finalizers: null } })
      .catch(() => {});
    await until(
      async () => (await cluster2.admin.find(resources.klusterlets, 'klusterlet')) === undefined,
      'end of the Klusterlet',
    );
  });

  it('a WEC with a Klusterlet of another name', async () => {
    await cluster2.admin.create(resources.klusterlets, {
      metadata: { name: 'theirs' },
      spec: { clusterName: 'theirs', deployOption: { mode: 'Singleton' } },
    } as AnyObject);
    await refuses('wec join cluster2', {
      exitCode: 1,
      says: /cluster2 .*is registered already, as theirs, by a Klusterlet theirs/,
      hint: /get klusterlet theirs/,
    });
  });
});

describe('one command on several WECs', () => {
  it('joins the reachable ones: the exit code is 4 if one does not answer', async () => {
    const kubeconfig = await withContexts(dead('cluster9'));
    const run = await cli.run(['wec', 'join', 'cluster9', 'cluster2', '--accept', '-o', 'json'], {
      kubeconfig,
    });
    assert.equal(run.exitCode, 4, run.stdout + run.stderr);
    const [gone, fine] = run.json().items;
    assert.equal(gone.name, 'cluster9');
    assert.equal(gone.error.code, 'unreachable');
    assert.match(gone.error.message, /cluster9 \(https:\/\/127\.0\.0\.1:9\)/);
    assert.deepEqual(fine, {
      name: 'cluster2',
      stage: 'available',
      blockedAt: null,
      changed: true,
    });
    await assertAvailable(its1, 'cluster2');
    assert.equal(run.stderr.split('\n').filter((line) => line.startsWith('✗')).length, 1);
  });
});
