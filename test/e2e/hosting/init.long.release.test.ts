import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import {
  type AnyObject,
  type Bed,
  buildHelm,
  chartOf,
  freePort,
  ingressChart,
  installKubeFlexOnly,
  installKubeStellar,
  type KubeObject,
  localClusterTools,
  type Plane,
  resources,
  retiredIngressChart,
  runHelm,
  startBed,
} from '../../../testbed/index.ts';
import { blocksOf, commandsOf, typedIn } from '../../pages.ts';
import { Cli, type CliOptions } from '../support/harness.ts';
import { inRelease } from '../support/in-release.ts';
import { assertUnwritten, writesOn } from '../support/refusal.ts';

/** The fields of a CustomResourceDefinition that the tests read. */
interface Definition extends KubeObject {
  spec: {
    versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: object } } } } }[];
  };
}

let bed: Bed;
let cli: Cli;
let options: CliOptions;
let chart: string;
let newerChart: string;

before(async () => {
  bed = await startBed({ planes: [] });
  cli = await Cli.create(bed.kubeconfig);
  options = { env: { PATH: await buildHelm() } };
  [chart, newerChart] = [await chartOf('0.30.0'), await chartOf('0.31.0')];
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

/** Runs a function with a separate cluster. */
async function onPlane(work: (plane: Plane) => Promise<void>) {
  const plane = await bed.addPlane({ name: 'hosting' });
  try {
    await work(plane);
  } finally {
    await bed.mend();
    await bed.removePlane('hosting');
  }
}

const history = async (plane: Plane) => {
  const revisions = JSON.parse(
    await runHelm(plane, ['history', 'ks-core', '--namespace', 'default', '-o', 'json']),
  );
  return revisions.map(
    ({ status, chart: label }: { status: string; chart: string }) => `${status} ${label}`,
  );
};

const valuesOf = async (plane: Plane) =>
  JSON.parse(
    await runHelm(plane, ['get', 'values', 'ks-core', '--namespace', 'default', '-o', 'json']),
  );

const uidOf = async (plane: Plane, resource: typeof resources.namespaces, key: string) =>
  (await plane.admin.find<AnyObject>(resource, key))?.metadata.uid;

describe('the published charts', () => {
  it('name images and charts, all of which one registry can have', () =>
    onPlane(async () => {
      const init = ['init', '--chart', chart, '--hosting-context', 'hosting'];
      const listed = async (...more: string[]) =>
        (await cli.succeed([...init, '--print-images', ...more], options)).stdout
          .trim()
          .split('\n');
      const published = await listed();
      for (const image of ['kubeflex/manager:0.9.3', 'kubestellar/ocm-transport-controller:0.30.0'])
        assert.ok(published.includes(`ghcr.io/kubestellar/${image}`), published.join('\n'));
      const mirrored = await listed('--image-registry', 'registry.example');
      assert.equal(mirrored.length, published.length);
      const others = mirrored.filter(
        (reference) => !reference.replace('oci://', '').startsWith('registry.example/'),
      );
      assert.deepEqual(others, ['https://charts.loft.sh/charts/vcluster-0.16.4.tgz']);
      await cli.succeed([...init, '--image-registry', 'registry.example', '--dry-run'], options);
    }));
});

describe('an upgrade', () => {
  const its = { name: 'its1', type: 'host', install_clusteradm: false };

  it(
    'applies CRDs first, and keeps control planes that the release no longer lists',
    inRelease,
    () =>
      onPlane(async (plane) => {
        await installKubeStellar(plane, { values: { ITSes: [its] } });
        const definition = 'controlplanes.tenancy.kflex.kubestellar.org';
        const fields = async () => {
          const { spec } = await plane.admin.get<Definition>(
            resources.customResourceDefinitions,
            definition,
          );
          return Object.keys(
            spec.versions[0]?.schema.openAPIV3Schema.properties.spec.properties ?? {},
          );
        };
        const before = await uidOf(plane, resources.controlPlanes, 'its1');
        assert.notEqual(before, undefined);
        assert.equal((await fields()).includes('displayName'), false);
        await plane.markAudit();
        const line = ['init', '--upgrade', '--chart', newerChart, '--set-json', 'ITSes=[]'];
        const planned = await cli.succeed([...line, '--dry-run'], options);
        assert.match(planned.stderr, /^Control planes of the release: its1\. They are kept/m);
        assert.match(
          planned.stdout,
          /would patch ControlPlane its1 [\s\S]*would update Release default\/ks-core/,
        );
        await assertUnwritten([plane]);

        const { stderr, json } = await cli.succeed([...line, '-o', 'json'], options);
        assert.match(stderr, /^Upgrading from 0\.30\.0 to KubeStellar 0\.31\.0: /m);
        const [{ version, previousVersion, kept, changed }] = json().items;
        assert.deepEqual(
          [version, previousVersion, kept, changed],
          ['0.31.0', '0.30.0', ['its1'], true],
        );
        const writes = await writesOn(plane);
        const definitionAt = writes.findIndex((write) =>
          write.startsWith('patch customresourcedefinitions'),
        );
        const helmAt = writes.findIndex((write) => /^create secrets .*ks-core\.v2/.test(write));
        assert.ok(definitionAt !== -1 && definitionAt < helmAt, writes.join('\n'));
        assert.ok((await fields()).includes('displayName'));
        assert.equal(await uidOf(plane, resources.controlPlanes, 'its1'), before);
        // KubeFlex needs these permissions for it, and the chart no longer lists a control plane that does.
        const rights = 'kubeflex-manager-cluster-admin-rolebinding';
        assert.notEqual(await plane.admin.find(resources.clusterRoleBindings, rights), undefined);
        const { ITSes, 'kubeflex-operator': operator } = await valuesOf(plane);
        assert.deepEqual([ITSes, operator.hostContainer], [[], plane.nodeName]);

        await plane.markAudit();
        const again = await cli.succeed(line, options);
        assert.equal(
          again.stdout,
          'hosting: is a hosting cluster of KubeStellar 0.31.0; nothing to do\n',
        );
        // An ITS already exists.
        assert.match(again.stderr, /\nNext: stellarctl status\n$/);
        await assertUnwritten([plane]);
      }),
  );

  it('takes all images from another registry, also those of a Job, which cannot be changed', () =>
    onPlane(async (plane) => {
      await installKubeStellar(plane);
      await cli.succeed(
        ['init', '--chart', chart, '--image-registry', 'registry.example'],
        options,
      );
      const job = await plane.admin.get(resources.jobs, 'kubeflex-system/ks-core');
      assert.match(JSON.stringify(job), /"image":"registry\.example\/kubestellar\/kubectl:/);
      assert.equal((await history(plane)).at(-1), 'deployed core-chart-0.30.0');
    }));

  it('keeps the namespace of KubeFlex, which the 0.29 chart omits', inRelease, () =>
    onPlane(async (plane) => {
      await installKubeStellar(plane, { version: '0.29.0' });
      const before = await uidOf(plane, resources.namespaces, 'kubeflex-system');
      const older = await chartOf('0.29.0');
      await cli.succeed(['init', '--chart', older, '--set', 'verbosity.default=4'], options);
      assert.deepEqual(await history(plane), [
        'superseded core-chart-0.29.0',
        'deployed core-chart-0.29.0',
      ]);
      assert.equal(await uidOf(plane, resources.namespaces, 'kubeflex-system'), before);
    }),
  );

  it('says what shows the spaces that it does not upgrade', inRelease, () =>
    onPlane(async (plane) => {
      await installKubeStellar(plane, { version: '0.29.0' });
      for (const line of ['its create its1 --type host', 'wds create wds1 --type host'])
        await cli.succeed(line.split(' '));
      const line = ['init', '--upgrade', '--chart', chart];
      const planned = await cli.succeed([...line, '--dry-run'], options);
      const toSee = /: stellarctl upgrade plan --hosting-context hosting$/m;
      assert.match(planned.stderr, toSee);

      assert.match((await cli.succeed(line, options)).stderr, toSee);
      await cli.succeed(['wds', 'upgrade', 'wds1']);
      assert.match(
        (await cli.succeed(['wds', 'get', 'wds1'])).stdout,
        /^ {2}versions +KubeStellar 0\.30\.0$/m,
      );
      const upgraded = await cli.succeed(['its', 'upgrade', 'its1', '--to', '1.0.1']);
      assert.match(upgraded.stdout, /^its1: upgraded; runs OCM 1\.0\.1/m);
      const { stdout } = await cli.succeed(['its', 'get', 'its1']);
      assert.match(stdout, /^ {2}versions +OCM 1\.0\.1 · status add-on 0\.2\.0-rc17$/m);
    }),
  );
});

describe('a KubeFlex installed by kflex', () => {
  it('keeps its settings', () =>
    onPlane(async (plane) => {
      await installKubeFlexOnly(plane);
      const manager = 'kubeflex-system/kubeflex-controller-manager';
      const before = await plane.admin.get<AnyObject>(resources.deployments, manager);
      const line = ['init', '--chart', chart, '--domain', 'example.com', '-o', 'json'];
      const { json, stderr } = await cli.succeed(line, options);
      assert.match(stderr, /The existing KubeFlex is kept, with its own domain and port\./);
      assert.deepEqual([json().items[0].kubeFlex, json().items[0].changed], ['kept', true]);
      assert.deepEqual(await valuesOf(plane), {
        'kubeflex-operator': { install: false, domain: 'example.com' },
      });
      const now = await plane.admin.get<AnyObject>(resources.deployments, manager);
      assert.equal(now.metadata.generation, before.metadata.generation);
      await plane.markAudit();
      await cli.succeed(['init'], options);
      await assertUnwritten([plane]);
    }));
});

describe('an interrupted installation', () => {
  it('by Ctrl-C shows its progress and can be resumed, including PostgreSQL', () =>
    onPlane(async (plane) => {
      const line = ['init', '--chart', chart, '--set', 'verbosity.default=3'];
      const signalAt = { text: /kinds are served/, signal: 'SIGINT' as const };
      const stopped = await cli.run(line, { ...options, signalAt });
      assert.equal(stopped.exitCode, 130);
      assert.match(
        stopped.stderr,
        /Release ks-core in namespace default on hosting is incomplete\./,
      );
      assert.match(
        stopped.stderr,
        /To resume, rerun the command\n {2}Go back: helm uninstall ks-core -n default/,
      );
      assert.deepEqual(await history(plane), ['failed core-chart-0.30.0']);
      const { stderr } = await cli.succeed(['init', '--chart', chart], options);
      assert.match(stderr, /over what an earlier attempt left/);
      assert.deepEqual(await history(plane), ['deployed core-chart-0.30.0']);
      assert.deepEqual((await valuesOf(plane)).verbosity, { default: 3 });
      assert.notEqual(
        await uidOf(plane, resources.statefulSets, 'kubeflex-system/postgres-postgresql'),
        undefined,
      );
    }));

  it('by the death of helm says what to check, and deletes nothing by itself', inRelease, () =>
    onPlane(async (plane) => {
      const folder = path.join(cli.home, 'dying');
      await mkdir(folder);
      const helm = path.join(options.env?.PATH ?? '', 'helm');
      const dying = [
        '#!/bin/sh',
        `if [ "$1" != upgrade ]; then exec ${helm} "$@"; fi`,
        // With --wait it would never end: KubeFlex's manager waits for the PostgreSQL that a hook after it installs.
        `${helm} "$@" --wait &`,
        `until ${helm} history ks-core --namespace default >/dev/null 2>&1; do sleep 0.1; done`,
        'kill -9 $!',
        'exit 137',
      ].join('\n');
      await writeFile(path.join(folder, 'helm'), dying);
      await chmod(path.join(folder, 'helm'), 0o755);
      const line = ['init', '--chart', chart];
      const died = await cli.run(line, { env: { PATH: `${folder}:/usr/bin:/bin` } });
      assert.equal(died.exitCode, 1);
      assert.match(died.stderr, /✗ helm upgrade failed \(exit code 137\)/);
      assert.deepEqual(await history(plane), ['pending-install core-chart-0.30.0']);

      const early = await cli.run(line, options);
      assert.equal(early.exitCode, 1);
      assert.match(
        early.stderr,
        /✗ Another helm operation is in progress on hosting: release ks-core .* is at pending-install/,
      );
      assert.match(
        early.stderr,
        /kubectl --context hosting -n default delete secret sh\.helm\.release\.v1\.ks-core\.v1/,
      );
      assert.deepEqual(await history(plane), ['pending-install core-chart-0.30.0']);

      await plane.admin.delete(resources.secrets, 'default/sh.helm.release.v1.ks-core.v1');
      await cli.succeed(line, options);
      assert.deepEqual(await history(plane), ['deployed core-chart-0.30.0']);
    }),
  );
});

describe('init --provider', () => {
  for (const { provider, container } of [
    { provider: 'kind', container: 'kubeflex-control-plane' },
    { provider: 'k3d', container: 'k3d-kubeflex-server-0' },
  ] as const) {
    it(
      `creates a cluster of ${provider} with its ingress first, and none on a rerun`,
      inRelease,
      async () => {
        const tools = await localClusterTools(bed);
        const kubeconfig = path.join(cli.home, `${provider}-kubeconfig`);
        const context = `${provider}-kubeflex`;
        const line = ['init', '--provider', provider, '--chart', chart, '--ingress', ingressChart];
        const surroundings = {
          kubeconfig,
          env: { PATH: `${tools.path}:${options.env?.PATH}:/usr/bin:/bin` },
        };
        const callsToCreate = () =>
          tools.calls(provider).filter(({ args }) => args.includes('create'));
        try {
          const planned = await cli.succeed([...line, '--dry-run'], surroundings);
          assert.match(
            planned.stdout,
            new RegExp(`would create ${provider} cluster kubeflex on this machine`),
          );
          for (const release of ['traefik/traefik', 'default/ks-core'])
            assert.match(
              planned.stdout,
              new RegExp(`^would create Release ${release} on ${context}$`, 'm'),
            );
          for (const wrong of [
            ['--ingress', 'https://127.0.0.1:1/nowhere.tgz'],
            ['--ingress', 'nowhere.tgz'],
            ['--ingress', 'nowhere.tgz', '--dry-run'],
            ['--set-json', 'ITSes="none"'],
            ['--name', 'Bad_Name'],
          ])
            assert.notEqual(
              (await cli.run([...line, ...wrong], surroundings)).exitCode,
              0,
              wrong.join(' '),
            );
          assert.deepEqual(bed.planes, []);
          assert.deepEqual(callsToCreate(), []);
          const { stderr, stdout } = await cli.succeed(line, surroundings);
          assert.match(
            stderr,
            new RegExp(
              `^Hosting cluster ${context}, the ${provider} cluster kubeflex on this machine`,
            ),
          );
          assert.match(
            stdout,
            new RegExp(`^${context}: is a hosting cluster of KubeStellar 0\\.30\\.0`),
          );
          const plane = bed.plane('kubeflex');
          const config = await plane.admin.get<KubeObject & { data: Record<string, string> }>(
            resources.configMaps,
            'kubeflex-system/kubeflex-config',
          );
          assert.equal(config.data.hostContainer, container);
          const { of } = await doctor(surroundings);
          const judged = [of('hosting'), of('ingress'), of(provider)];
          assert.deepEqual(judged, ['pass', 'pass', 'pass']);
          assert.match(
            await readFile(kubeconfig, 'utf8'),
            new RegExp(`hosting-cluster-ctx-name: ${context}`),
          );

          await plane.markAudit();
          const again = await cli.succeed([...line, '-o', 'json'], surroundings);
          assert.equal(again.json().items[0].changed, false);
          await assertUnwritten([plane]);
          assert.equal(callsToCreate().length, 1);
          const other = await cli.run([...line, '--external-port', '9444'], surroundings);
          assert.equal(other.exitCode, 1);
          assert.match(
            other.stderr,
            /with port 9443 of this machine forwarded to its port 443, .*, not 9444/,
          );
          const removal = await cli.run(['wec', 'delete', 'kubeflex', '--yes'], surroundings);
          assert.match(removal.stderr, /kubeflex is a hosting cluster/);
        } finally {
          tools.stop();
          if (bed.planes.some(({ name }) => name === 'kubeflex')) await bed.removePlane('kubeflex');
        }
      },
    );
  }

  it('keeps ingress-nginx, and installs Traefik once it is gone', inRelease, async () => {
    const tools = await localClusterTools(bed);
    const kubeconfig = path.join(cli.home, 'retired-kubeconfig');
    const surroundings = {
      kubeconfig,
      env: { PATH: `${tools.path}:${options.env?.PATH}:/usr/bin:/bin` },
    };
    const line = ['init', '--provider', 'kind', '--chart', chart];
    const own = await cli.run(['init', '--ingress', 'none'], surroundings);
    assert.match(own.stderr, /--ingress requires --provider/);
    const port = String(await freePort());
    const release = { release: 'ingress-nginx', namespace: 'ingress-nginx' };
    try {
      const bare = await cli.succeed(
        [...line, '--ingress', 'none', '--external-port', port],
        surroundings,
      );
      assert.match(bare.stderr, /^kind-kubeflex: it has no IngressClass nginx/m);
      const plane = bed.plane('kubeflex');
      assert.equal(await plane.admin.find(resources.namespaces, 'traefik'), undefined);
      const ingress = async () => (await doctor(surroundings)).of('ingress');
      assert.equal(await ingress(), 'warn');
      await plane.markAudit();
      for (const wrong of ['nowhere.tgz', chart, 'https://127.0.0.1:1/nowhere.tgz'])
        assert.match(
          (await cli.run([...line, '--ingress', wrong], surroundings)).stderr,
          /nowhere\.tgz|not traefik/,
        );
      await cli.succeed([...line, '--ingress', 'none', '--upgrade'], surroundings);
      await assertUnwritten([plane]);

      const controller = {
        extraArgs: { 'enable-ssl-passthrough': 'true' },
        hostPort: { enabled: true },
      };
      const values = [
        '--set-json',
        `controller=${JSON.stringify({ ...controller, service: { type: 'ClusterIP' } })}`,
      ];
      const install = [
        'upgrade',
        '--install',
        release.release,
        retiredIngressChart,
        '-n',
        release.namespace,
      ];
      await runHelm(plane, [...install, '--create-namespace', ...values]);
      assert.equal(await ingress(), 'pass');
      const withTraefik = [...line, '--ingress', ingressChart];
      const kept = await cli.succeed(withTraefik, surroundings);
      assert.match(kept.stdout, /nothing to do/);

      const type = typist(surroundings, ['--chart', chart, '--ingress', ingressChart]);
      const [[uninstall = '', ...rest] = [], [remove = ''] = []] = wayOver();
      const over = await type(uninstall, ...rest);
      assert.match(over, /^kind-kubeflex: Traefik answers$/m);
      assert.doesNotMatch(over, /IngressClass/);
      assert.match(await type(uninstall, ...rest), /nothing to do/);

      await runHelm(plane, ['uninstall', 'traefik', '-n', 'traefik', '--wait']);
      const manifest = path.join(cli.home, 'ingress-nginx.yaml');
      const template = [
        'template',
        release.release,
        retiredIngressChart,
        '-n',
        release.namespace,
        ...values,
      ];
      await writeFile(manifest, await runHelm(plane, template));
      await type(`kubectl apply -f ${manifest}`);
      for (const _ of ['first', 'again, which deletes the IngressClass of Traefik'])
        assert.match(await type(remove, ...rest), /^kind-kubeflex: Traefik answers$/m);
    } finally {
      tools.stop();
      if (bed.planes.some(({ name }) => name === 'kubeflex')) await bed.removePlane('kubeflex');
    }
  });
});

/** The commands of docs/installation.md, "From ingress-nginx to Traefik": of a release, and of a manifest. */
const wayOver = (): string[][] =>
  blocksOf('docs/installation.md')
    .filter(({ notRun = '' }) => notRun.startsWith('test/e2e/hosting/init.long.release.test.ts'))
    .map((block) => typedIn(block).map(({ text }) => text));

/** Types lines. @param charts what init needs without the Internet @returns all that is printed */
function typist(surroundings: CliOptions, charts: readonly string[]) {
  const { kubeconfig = '', env } = surroundings;
  const typeOne = async ([program = '', ...given]: readonly string[]) => {
    if (program !== 'stellarctl') {
      const settings = {
        PATH: `${options.env?.PATH}:${process.env.PATH}`,
        HOME: cli.home,
        KUBECONFIG: kubeconfig,
      };
      return (await execa(program, given, { env: { ...env, ...settings }, all: true })).all;
    }
    const { stdout, stderr } = await cli.succeed(
      [...given, ...(given[0] === 'init' ? charts : [])],
      surroundings,
    );
    return stdout + stderr;
  };
  return async (...lines: readonly string[]) => {
    let printed = '';
    for (const words of lines.flatMap(commandsOf)) printed += await typeOne(words);
    return printed;
  };
}

async function doctor(surroundings: CliOptions) {
  const { json } = await cli.run(['doctor', '--pre', '-o', 'json'], surroundings);
  const items: { id: string; status: string }[] = json().items;
  return { of: (id: string) => items.find((item) => item.id === id)?.status };
}
