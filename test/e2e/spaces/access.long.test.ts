/** Contexts with a role, on spaces of the default types: each role may do what it is for, and nothing that it asks for is refused. */
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  type CertificateSigningRequest,
  resources,
  runKubectl,
  until,
} from '../../../testbed/index.ts';
import { oneContext } from '../../unit/support/one-context.ts';
import { controlPlane, type HostingBed, type SpaceCli, startHosting } from '../support/spaces.ts';

let all: HostingBed;
let cli: SpaceCli;

before(async () => {
  all = await startHosting([{ name: 'cluster1' }, { name: 'cluster2' }]);
  ({ cli } = all);
  await cli.type('its create its1');
  await cli.type('wds create wds1');
  await cli.type('wec join cluster1 --its its1 --accept --label location-group=edge');
});

after(() => all?.stop());

const place = (name: string) => path.join(cli.home, name);
const asWho = (...files: string[]) => ({ env: { KUBECONFIG: files.map(place).join(':') } });

/** What the API servers have refused, without the contents of a mailbox, which no role sees, and what doctor tries to create. */
const refusals = (stderr: string) =>
  [...stderr.matchAll(/^\s*[A-Z]+ https:\S+ 403 .*/gm)]
    .map(([line]) => line.trim())
    .filter((line) => !/\/namespaces\/cluster\d\/|dryRun=All/.test(line));

/** Runs a command of somebody, which must succeed without a refused request. */
async function typeAs(files: string[], line: string) {
  const { stdout, stderr, exitCode } = await cli.run([...line.split(' '), '-v'], asWho(...files));
  assert.equal(exitCode, 0, `${line}: ${stderr}`);
  assert.deepEqual(refusals(stderr), [], line);
  return stdout;
}

/** The code of the error of a command with a token; undefined for none. @param ca base64 */
async function codeAt(server: string, ca: string, token: string, words: string[]) {
  const config = oneContext({ server, 'certificate-authority-data': ca }, { token });
  await writeFile(place('x'), JSON.stringify(config));
  return (await cli.run([...words, '-o', 'json'], asWho('x'))).json().error?.code;
}

const give = (noun: string, role: string) =>
  cli.type(`${noun} context ${noun}1 --role ${role} --for anna --export ${place(role)}-${noun}`);

describe('somebody with the role', { concurrency: 1 }, () => {
  it('registrar makes join files, and joins a WEC that somebody else accepts', async () => {
    await give('its', 'registrar');
    assert.equal((await stat(place('registrar-its'))).mode & 0o777, 0o600);
    await typeAs(['registrar-its'], `its token --file ${place('cluster2.join')}`);
    await cli.type(`wec join cluster2 --join-file ${place('cluster2.join')}`);
    await until(
      async () => /pending/.test(await typeAs(['registrar-its'], 'wec list')),
      'a request of cluster2',
    );
    const refused = await cli.run(
      ['accept', 'cluster2', '--its', 'its1-anna-registrar'],
      asWho('registrar-its'),
    );
    assert.equal(refused.exitCode, 4);
    assert.match(
      refused.stderr,
      /An administrator gives role acceptor: stellarctl its context SPACE --role ROLE --for WHO/,
    );
  });

  it('acceptor accepts, labels, gives properties and deregisters', async () => {
    await give('its', 'acceptor');
    for (const line of ['wec list', 'accept cluster2']) await typeAs(['acceptor-its'], line);
    const its1 = await all.bed.nested('its1');
    const requests = await its1.list<CertificateSigningRequest>(
      resources.certificateSigningRequests,
    );
    const anna = 'system:serviceaccount:kube-system:its1-anna-acceptor';
    const decided = requests.items.flatMap(({ metadata, status }) =>
      metadata.annotations?.['stellarctl.kubestellar.io/decided-by'] === anna
        ? (status?.conditions?.map(({ message }) => message) ?? [])
        : [],
    );
    assert.deepEqual(decided, [`Approved by stellarctl accept, as ${anna}.`]);
    for (const line of [
      ...['wec wait cluster2', 'wec get cluster2'],
      ...['label cluster2 location-group=edge', 'label cluster2 --list'],
      ...[
        'wec properties cluster2 a=b',
        'wec properties cluster2 --list',
        'wec properties cluster2 a-',
      ],
      'deregister cluster2 --yes --its its1-anna-acceptor',
    ])
      await typeAs(['acceptor-its'], line);
    assert.match(await typeAs(['acceptor-its'], 'wec list'), /cluster1/);
  });

  it('viewer and deployer see, create and follow workloads', async () => {
    for (const [noun, role] of [
      ['its', 'viewer'],
      ['wds', 'viewer'],
      ['wds', 'deployer'],
    ] as const)
      await give(noun, role);
    for (const line of [
      'wec list',
      'wec get cluster1',
      'status',
      'doctor',
      'version',
      'upgrade plan',
    ])
      await typeAs(['viewer-its'], line);
    const file = place('web.json');
    const labels = { app: 'web' };
    const objects = [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web', labels } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web', namespace: 'web', labels } },
    ];
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    await runKubectl(place('deployer-wds'), [
      '--context',
      'wds1-anna-deployer',
      'apply',
      '-f',
      file,
    ]);
    const its = '--its its1-anna-viewer';
    for (const line of [
      'collector create c1 --preset replicas',
      'transform create t1 --select configmaps --remove /data/x',
      `policy create web --clusters location-group=edge --select namespaces,configmaps -l app=web ${its}`,
      `policy wait web ${its}`,
      `policy explain web ${its}`,
      `workload wait cm/web -n web --for applied ${its}`,
    ])
      await typeAs(['deployer-wds', 'viewer-its'], line);
    const reads = [
      'policy list',
      'policy get web',
      'workload list',
      'workload get cm/web -n web',
      'collector list',
      'transform list',
    ];
    for (const who of ['deployer', 'viewer'])
      for (const line of reads)
        await typeAs([`${who}-wds`, 'viewer-its'], `${line} --wds wds1-anna-${who} ${its}`);
    assert.match(
      await typeAs(['deployer-wds'], 'doctor -o wide'),
      /WDS wds1-anna-deployer\b(?:.*\n)* .*its binding policies/,
    );
    assert.match(
      (await cli.run(['its', 'use'], asWho('deployer-wds'))).stderr,
      /wds1-anna-deployer .* is not an ITS/,
    );
    await typeAs(['viewer-its'], 'its use its1-anna-viewer');
    assert.match(await typeAs(['deployer-wds', 'viewer-its'], 'policy get web'), /cluster1/);
    assert.match(
      await typeAs(['deployer-wds', 'viewer-its'], 'status'),
      /ITS its1-anna-viewer +ready.*cluster1 .*WDS wds1-anna-deployer +ready → its1-anna-viewer · 1 binding policy, 2 objects/s,
    );
    await typeAs(['viewer-its'], 'its use --unset');
    assert.match(
      await typeAs(['deployer-wds'], 'status'),
      /^WDS wds1-anna-deployer +ready → an unknown ITS · 1 binding policy/m,
    );
    // Before it asks.
    for (const line of ['label cluster1 location-group-', 'deregister cluster1']) {
      const { stderr, exitCode } = await cli.run(`${line} ${its}`.split(' '), asWho('viewer-its'));
      assert.equal(exitCode, 4, stderr);
      assert.match(stderr, /An administrator gives role acceptor/);
    }
    const deletions = [
      'collector delete c1',
      'transform delete t1',
      `policy delete web --yes --wds wds1-anna-deployer ${its}`,
    ];
    for (const line of deletions) await typeAs(['deployer-wds', 'viewer-its'], line);
  });

  it('is another access than one of its name in another space', async () => {
    const wds1 = await all.bed.nested('wds1');
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      plural: 'clusterroles',
    };
    const metadata = {
      name: 'stellarctl:its1-anna-acceptor',
      labels: {
        'app.kubernetes.io/managed-by': 'stellarctl',
        'stellarctl.kubestellar.io/access-role': 'acceptor',
      },
      annotations: { 'stellarctl.kubestellar.io/access-space': 'its1' },
    };
    await wds1.create(role, { metadata } as AnyObject);
    const revoke = (more = '') =>
      cli.run(`access revoke its1-anna-acceptor --yes${more}`.split(' '));
    const refused = await revoke();
    assert.equal(refused.exitCode, 2);
    assert.match(
      refused.stderr,
      /Several spaces have an access of this name: its1, wds1\.\n.*--in its1, or --in wds1/,
    );
    await typeAs(['acceptor-its'], 'wec list');
    const planted = await revoke(' --in wds1');
    assert.match(planted.stderr, /will no longer be acceptor of wds1/);
    assert.equal(planted.exitCode, 0);
    await typeAs(['acceptor-its'], 'wec list');
  });

  it('is listed until that is revoked', async () => {
    const { items } = (await cli.run(['access', 'list', '-o', 'json'])).json();
    assert.deepEqual((items as { name: string }[]).map(({ name }) => name).sort(), [
      'its1-anna-acceptor',
      'its1-anna-registrar',
      'its1-anna-viewer',
      'wds1-anna-deployer',
      'wds1-anna-viewer',
    ]);
    for (const { name } of items as { name: string }[]) {
      const { stderr } = await cli.run(`access revoke ${name} --yes`.split(' '));
      assert.equal(
        /stellarctl access revoke bootstrap --its its1/.test(stderr),
        name.includes('registrar'),
        stderr,
      );
      assert.equal(
        /does not mean that it has approved none/.test(stderr),
        name.includes('acceptor'),
        stderr,
      );
    }
    assert.deepEqual((await cli.run(['access', 'list', '-o', 'json'])).json().items, []);
    const late = async () => (await cli.run(['wec', 'list'], asWho('viewer-its'))).exitCode === 4;
    await until(late, 'a token that is refused');
  });
});

it('Argo CD gets a Secret that the control plane owns, once, until it is revoked', async () => {
  const { admin } = all.hosting;
  await admin.ensure(resources.namespaces, { metadata: { name: 'argocd' } });
  const line = 'wds context wds1 --role deployer --for ci --argocd';
  await cli.type(line);
  const secret = await admin.get<AnyObject & { data: Record<string, string> }>(
    resources.secrets,
    'argocd/wds1-ci-deployer',
  );
  const { metadata, data } = secret;
  assert.equal(metadata.labels?.['argocd.argoproj.io/secret-type'], 'cluster');
  assert.equal(
    metadata.ownerReferences?.[0]?.uid,
    (await controlPlane(all.hosting, 'wds1'))?.metadata.uid,
  );
  const textOf = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  assert.equal(textOf('name'), 'wds1');
  assert.match(textOf('server'), /^https:\/\/wds1\.wds1-system/);
  const { bearerToken, tlsClientConfig } = JSON.parse(textOf('config'));
  const { server } = (await cli.run(['wds', 'get', 'wds1', '-o', 'json'])).json();
  const answer = () =>
    codeAt(server, tlsClientConfig.caData, bearerToken, ['collector', 'list', '--wds', 'x']);
  assert.equal(await answer(), undefined);
  const twice = await cli.run('wds context wds1 --role deployer --for other --argocd'.split(' '));
  assert.equal(twice.exitCode, 1);
  assert.match(twice.stderr, /Argo CD knows wds1 already, by Secret argocd\/wds1-ci-deployer/);
  await cli.type(line);
  await cli.type('access revoke wds1-ci-deployer --yes');
  assert.equal(await admin.find(resources.secrets, 'argocd/wds1-ci-deployer'), undefined);
  await until(async () => (await answer()) !== undefined, 'a token that is refused');
});

it('bootstrap tokens end at once, and the next one works', async () => {
  const file = place('old.join');
  await cli.type(`its token --its its1 --file ${file}`);
  const { token, external } = JSON.parse(await readFile(file, 'utf8'));
  const ca = Buffer.from(external.certificateAuthority).toString('base64');
  const answer = () => codeAt(external.server, ca, token, ['wec', 'list']);
  assert.equal(await answer(), undefined);
  const run = await cli.type('access revoke bootstrap --its its1 --yes');
  assert.match(run.stdout, /its1: its bootstrap tokens are revoked/);
  await until(async () => (await answer()) === 'unauthorized', 'a token that is refused');
  await cli.type('wec join cluster2 --its its1 --accept');
});
