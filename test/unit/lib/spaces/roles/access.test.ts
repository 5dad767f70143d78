import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { namingRoles } from '../../../../../src/commands/common/session.ts';
import type { StellarError } from '../../../../../src/lib/core/errors.ts';
import { stepLines } from '../../../../../src/lib/core/next-step.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import {
  type ClusterRole,
  type KubeObject,
  resources,
} from '../../../../../src/lib/kube/client/objects.ts';
import { may, requirePermissions } from '../../../../../src/lib/kube/permissions.ts';
import { portable } from '../../../../../src/lib/spaces/bootstrap.ts';
import {
  type AccessRequest,
  accessManifests,
  giveAccess,
  revokeAccess,
} from '../../../../../src/lib/spaces/roles/access.ts';
import { approvalsLeft, mayApprove } from '../../../../../src/lib/spaces/roles/approvals.ts';
import {
  type AccessRole,
  type RoleRight,
  roles,
} from '../../../../../src/lib/spaces/roles/roles.ts';
import { base64, csr, proof } from '../../../support/builders.ts';
import { discoveryOf } from '../../../support/discovery.ts';
import { selfSigned } from '../../../support/fake-server.ts';
import { kindOf, MemoryCluster } from '../../../support/space-builders.ts';

const src = path.resolve(import.meta.dirname, '../../../../../src');
const rightsOf = (role: AccessRole): readonly RoleRight[] => [
  ...(role.its ?? []),
  ...(role.wds ?? []),
];

describe('roles', () => {
  for (const [name, role] of Object.entries<AccessRole>(roles))
    test(`${name} cannot give itself more`, () => {
      for (const { verbs, kinds, group, names, namespace } of rightsOf(role)) {
        assert.ok(!verbs.some((verb) => ['*', 'escalate', 'bind', 'impersonate'].includes(verb)));
        assert.ok(
          ![group, ...kinds].some((word) => word.includes('*') || word === 'secrets'),
          `${kinds}`,
        );
        assert.notEqual(group, 'rbac.authorization.k8s.io');
        if (kinds.includes('certificatesigningrequests')) assert.ok(!verbs.includes('create'));
        if (kinds.includes('serviceaccounts/token'))
          assert.deepEqual(
            [names, namespace],
            [['agent-registration-bootstrap'], 'open-cluster-management'],
          );
      }
    });

  test('name functions that exist', () => {
    const text = globSync('lib/**/*.ts', { cwd: src })
      .filter((file) => !file.endsWith('roles.ts'))
      .map((file) => readFileSync(path.join(src, file), 'utf8'))
      .join('\n');
    const named = Object.values<AccessRole>(roles).flatMap((role) =>
      rightsOf(role).map(({ by }) => by),
    );
    const missing = named.filter((name) => !new RegExp(`(?:function|const) ${name}\\b`).test(text));
    assert.deepEqual(missing, []);
  });
});

const read = discoveryOf({
  v1: ['configmaps ConfigMap', 'secrets Secret', 'serviceaccounts ServiceAccount', 'events Event'],
  'apps/v1': ['deployments Deployment'],
  'rbac.authorization.k8s.io/v1': ['roles Role'],
  'apiextensions.k8s.io/v1': ['customresourcedefinitions CustomResourceDefinition Cluster'],
  'admissionregistration.k8s.io/v1': [
    'mutatingwebhookconfigurations MutatingWebhookConfiguration Cluster',
  ],
  'certificates.k8s.io/v1': ['certificatesigningrequests CertificateSigningRequest Cluster'],
  'control.kubestellar.io/v1alpha1': ['bindingpolicies BindingPolicy Cluster'],
  'tenancy.kflex.kubestellar.org/v1alpha1': ['controlplanes ControlPlane Cluster'],
  'example.com/v1': ['widgets Widget'],
});
const deployer = (kinds?: string[]): AccessRequest => ({
  space: { name: 'wds1', role: 'wds' },
  role: 'deployer',
  who: 'anna',
  kinds,
});
const isThere = async (_: unknown, name: string) => ({ metadata: { name } }) as never;
const rulesOf = (objects: KubeObject[]) =>
  ((objects[0] as ClusterRole).rules ?? [])
    .filter(({ verbs }) => verbs?.join() === 'get,list,watch,create,update,patch,delete')
    .map(({ apiGroups = [], resources = [] }) => `${apiGroups}/${resources}`);

describe('the objects of an access', () => {
  test('of a deployer have the kinds that policies send, without Secrets and what gives rights', async () => {
    const objects = await accessManifests(deployer(), { read, get: isThere });
    assert.deepEqual(
      objects.map((object) => `${object.kind} ${object.metadata.name}`),
      [
        'ClusterRole stellarctl:wds1-anna-deployer',
        'ClusterRoleBinding stellarctl:wds1-anna-deployer',
        'ServiceAccount wds1-anna-deployer',
      ],
    );
    assert.deepEqual(rulesOf(objects), [
      '/configmaps,serviceaccounts',
      'apps/deployments',
      'example.com/widgets',
    ]);
  });

  test('of one with --resources have these only, and refuse others', async () => {
    const chosen = await accessManifests(deployer(['deployments.apps', 'widgets']), {
      read,
      get: isThere,
    });
    assert.deepEqual(rulesOf(chosen), ['apps/deployments', 'example.com/widgets']);
    for (const refused of ['secrets', 'roles', 'bindingpolicies', 'nothing'])
      await assert.rejects(accessManifests(deployer([refused]), { read, get: isThere }), {
        code: 'usage',
        message: /is no kind of this WDS/,
      });
  });

  test('have no Role in a namespace that is not there', async () => {
    const viewer: AccessRequest = {
      space: { name: 'its1', role: 'its' },
      role: 'viewer',
      who: undefined,
      kinds: undefined,
    };
    const get = async (_: unknown, name: string) =>
      (name === 'kube-public' ? isThere(_, name) : undefined) as never;
    const objects = await accessManifests(viewer, { read, get });
    const places = objects
      .filter(({ kind }) => kind === 'Role')
      .map(({ metadata }) => metadata.namespace);
    assert.deepEqual(places, ['kube-public']);
  });

  test('are not taken from others', async () => {
    const foreign = {
      kind: 'ServiceAccount',
      metadata: { name: 'wds1-anna-deployer', namespace: 'kube-system' },
    };
    const cluster = new MemoryCluster([foreign], { read });
    await assert.rejects(giveAccess(deployer(), 600, cluster.kube), {
      code: 'name-taken',
      message: /Nothing was written/,
    });
    assert.deepEqual(cluster.writes, []);
  });
});

describe('an access that is given again', () => {
  const given = async (before: string[] | undefined, kinds: string[] | undefined) => {
    const present = await accessManifests(deployer(before), { read, get: async () => undefined });
    const cluster = new MemoryCluster(present, { read });
    const { grown } = await giveAccess(deployer(kinds), 600, cluster.kube);
    return { rules: rulesOf(cluster.bodies as KubeObject[]), grown };
  };
  test('keeps its kinds, unless others are given, and says which are new', async () => {
    assert.deepEqual(await given(['configmaps'], undefined), { rules: ['/configmaps'], grown: [] });
    const more = { rules: ['/configmaps', 'apps/deployments'], grown: ['deployments.apps'] };
    assert.deepEqual(await given(['configmaps'], ['configmaps', 'deployments']), more);
    assert.deepEqual(await given(undefined, ['widgets']), {
      rules: ['example.com/widgets'],
      grown: [],
    });
  });
  test('of another space of the same cluster is not', async () => {
    const other: AccessRequest = {
      ...deployer(),
      space: { name: 'wds1-anna', role: 'wds' },
      who: undefined,
    };
    const cluster = new MemoryCluster(
      await accessManifests(deployer(), { read, get: async () => undefined }),
      { read },
    );
    const taken = { code: 'name-taken', message: /belongs to space wds1\. Nothing was written/ };
    await assert.rejects(giveAccess(other, 600, cluster.kube), taken);
    assert.deepEqual(cluster.writes, []);
  });
});

describe('a revocation', () => {
  const access = async () => {
    const present = await accessManifests(deployer(), { read, get: async () => undefined });
    const account = present.find(({ kind }) => kind === 'ServiceAccount');
    if (account !== undefined) account.metadata.uid = 'account';
    const of = { name: 'wds1-anna-deployer', space: 'wds1', role: '', for: null, expires: null };
    return { present, found: { ...of, account: proof(account) } };
  };
  test('deletes the account that was found, by its UID, and then its rights', async () => {
    const { present, found } = await access();
    const cluster = new MemoryCluster(present);
    await revokeAccess({ ...found, kube: cluster.kube });
    const name = 'stellarctl:wds1-anna-deployer';
    const rights = [`delete ClusterRoleBinding ${name}`, `delete ClusterRole ${name}`];
    assert.deepEqual(cluster.writes, ['delete ServiceAccount wds1-anna-deployer', ...rights]);
    assert.equal(cluster.bodies[0], 'account');
  });
  test('keeps what a rerun finds it by while something else of it is left', async () => {
    const { present, found } = await access();
    const cluster = new MemoryCluster(present);
    const failing = async () => assert.fail('not allowed');
    await assert.rejects(revokeAccess({ ...found, kube: cluster.kube }, failing), /not allowed/);
    assert.deepEqual(cluster.writes, ['delete ServiceAccount wds1-anna-deployer']);
  });
  test('is not said of an account that is still there', async () => {
    const { present, found } = await access();
    const cluster = new MemoryCluster(present, { delete: async () => false });
    await assert.rejects(revokeAccess({ ...found, kube: cluster.kube }), {
      message:
        /Service account kube-system\/wds1-anna-deployer of .* still exists: its tokens are valid/,
    });
    assert.deepEqual(cluster.writes, []);
  });
});

describe('certificates that an access has approved', () => {
  const account = proof<KubeObject>(undefined);
  const of = {
    name: 'its1-eve-acceptor',
    space: 'its1',
    role: 'acceptor',
    for: 'eve',
    expires: null,
  };
  const left = async (requests: KubeObject[], isForbidden = false) => {
    const { kube, forbidden } = new MemoryCluster(requests);
    if (isForbidden) forbidden.add('certificatesigningrequests');
    return (await approvalsLeft({ ...of, account, kube })).join('\n');
  };
  const approved = async (name: string, by: string) => {
    const request = await csr({ name, state: 'issued' });
    for (const each of request.status?.conditions ?? [])
      each.message = `Approved by stellarctl accept, as ${by}.`;
    const { cert } = await selfSigned('agent', ['agent']);
    request.status = { ...request.status, certificate: base64(cert) };
    return kindOf('CertificateSigningRequest', request);
  };
  const eve = 'system:serviceaccount:kube-system:its1-eve-acceptor';

  test('concern the roles that may approve', () =>
    assert.deepEqual(Object.keys(roles).filter(mayApprove), ['acceptor']));

  test('are listed as far as their requests name it', async () => {
    const text = await left([await approved('csr-1', eve), await approved('csr-2', 'ann')]);
    assert.match(text, /^ {2}csr-1: the agent of cluster1, valid until \d{4}-\d\d-\d\dT/m);
    assert.doesNotMatch(text, /csr-2/);
    assert.match(text, /remain valid until they expire/);
    assert.match(text, /hubAcceptsClient/);
  });

  test('are never said to be none', async () => {
    assert.match(await left([]), /does not mean that it has approved none/);
    assert.match(await left([], true), /could not be read: /);
  });
});

test('a kubeconfig for others has nothing that is the user’s own', () => {
  const cluster = {
    server: 'https://admin:SERVERPW@a:6443',
    'proxy-url': 'http://u:PROXYPW@p',
    'insecure-skip-tls-verify': true,
    'certificate-authority-data': 'YQ==',
    'tls-server-name': 'a',
    'x-secret': 'SECRET',
  };
  assert.deepEqual(portable({ name: 'a', server: cluster.server, cluster, user: {} }), {
    server: 'https://a:6443',
    'certificate-authority-data': 'YQ==',
    'tls-server-name': 'a',
  });
});

test('a refusal names the roles that may', async () => {
  const refused = (verb: string, resource: string, group: string) =>
    apiError(
      { context: 'its1', server: 'https://its1.example.com' },
      403,
      JSON.stringify({
        message: `User "system:serviceaccount:kube-system:its1-anna-viewer" cannot ${verb} resource "${resource}" in API group "${group}"`,
      }),
    );
  const stepsOf = async (error: StellarError) =>
    stepLines((await namingRoles(error)).next.slice(0, -1));
  const group = 'cluster.open-cluster-management.io';
  const given = (roles: string, space = 'its') => [
    `An administrator gives role ${roles}: stellarctl ${space} context SPACE --role ROLE --for WHO`,
  ];
  for (const [verb, kind, of, step] of [
    ['patch', 'managedclusters', group, given('acceptor')],
    ['delete', 'bindingpolicies', 'control.kubestellar.io', given('deployer', 'wds')],
    ['list', 'namespaces', '', given('viewer or acceptor')],
    ['delete', 'nodes', '', []],
  ] as const)
    assert.deepEqual(await stepsOf(refused(verb, kind, of)), step);
  const asked = async (user: string) => {
    const token = { user, expires: undefined };
    const kube = {
      cluster: { context: 'its1', server: 'https://its1.example.com', token },
      mayI: async () => false,
    };
    return requirePermissions(kube, [may('delete', resources.managedClusters)]).catch(stepsOf);
  };
  const viewer = 'system:serviceaccount:kube-system:its1-anna-viewer';
  assert.deepEqual(await asked(viewer), given('acceptor'));
  assert.deepEqual(await asked('system:serviceaccount:ci:robot'), []);
});
