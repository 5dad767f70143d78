import {
  type AnyObject,
  type Bed,
  crd,
  type KubeObject,
  limitedUser,
  type ManagedCluster,
  type Plane,
  resources,
  rule,
  until,
  writeKubeconfig,
} from '../../../../testbed/index.ts';
import type { Cli } from '../harness.ts';
import { contextsOf, statusOf } from '../registration.ts';
import type { Acts } from './player.ts';

/** Kubeconfigs of several users of a bed with the planes its1, wds1, w1 and w2, by their names in transcripts. */
export async function kubeconfigsOf(bed: Bed): Promise<Record<string, string>> {
  const [its1, wds1, w1, w2] = ['its1', 'wds1', 'w1', 'w2'].map((name) => bed.plane(name)) as [
    Plane,
    Plane,
    Plane,
    Plane,
  ];
  const dead = ({ kubeconfigEntry: entry }: Plane) => ({
    ...entry,
    connection: { ...entry.connection, server: 'https://127.0.0.1:1' },
  });
  const [ofIts, ofWds] = [its1.kubeconfigEntry, wds1.kubeconfigEntry];
  // Of several reads at once, the one that is not allowed is always the same.
  const bindings = [rule('control.kubestellar.io', 'bindings', 'list')];
  const guestOfWds = await limitedUser(wds1, { user: 'guest-of-wds1', rules: bindings });
  const works = [
    rule('work.open-cluster-management.io', 'manifestworks', 'get,list'),
    rule('certificates.k8s.io', 'certificatesigningrequests', 'list'),
  ];
  const guestOfIts = await limitedUser(its1, { user: 'guest-of-its1', rules: works });
  const reader = await limitedUser(wds1, { user: 'reader', rules: [rule('*', '*', 'get,list')] });
  return {
    kubeconfig: await contextsOf(its1, wds1, w1, w2),
    'dead-its': await writeKubeconfig(its1, [dead(its1), ofWds]),
    'dead-wds': await writeKubeconfig(its1, [ofIts, dead(wds1)]),
    guest: await writeKubeconfig(its1, [guestOfIts, guestOfWds]),
    reader: await writeKubeconfig(its1, [ofIts, reader]),
    'guest-of-its': await writeKubeconfig(its1, [guestOfIts, ofWds]),
  };
}

type Controllers = Record<'stopTransport' | 'startTransport', () => Promise<void>>;

/** In seconds: a state that a recording expects comes soon, or never. */
const patience = 180;

/** What happens to the clusters between commands, by its name in transcripts. */
export function workloadActs(
  bed: Bed,
  cli: Cli,
  { stopTransport, startTransport }: Controllers,
): Acts {
  const [its1, wds1] = [bed.plane('its1'), bed.plane('wds1')];
  const kubeconfig = `${cli.home}/kubeconfig`;
  const apply = async (...objects: AnyObject[]) => {
    for (const object of objects) await wds1.admin.create(resourceOf(object), object);
  };
  const viewOf = async (line: string) =>
    (
      await cli.run([...line.split(' '), '-o', 'json', '--wds', 'wds1', '--its', 'its1'], {
        kubeconfig,
      })
    ).json();
  const arrived = (policy: string, objects: number) =>
    until(
      async () => {
        const view = await viewOf(`policy get ${policy}`);
        return view.objects.length === objects && deliveriesIn(view).every(({ done }) => done);
      },
      `${policy} on all WECs`,
      patience,
    );
  // An agent returns a status once before its pods are ready.
  const returned = (object: string) =>
    until(
      async () => {
        const { wecs } = await viewOf(`workload status ${object}`);
        return (
          wecs.length === 2 && wecs.every(({ status }: Returned) => status?.availableReplicas === 1)
        );
      },
      `status of ${object}`,
      patience,
    );
  const blocked = (policy: string, code: string, wecs: number) =>
    until(
      async () => {
        const codes = deliveriesIn(await viewOf(`policy get ${policy}`)).flatMap(
          (way) => way.code ?? [],
        );
        return codes.filter((each) => each === code).length >= wecs;
      },
      `${code} of ${policy}`,
      patience,
    );
  const gone = (policy: string, also: { binding: boolean }) =>
    until(
      async () => {
        const [binding, works] = await Promise.all([
          also.binding ? wds1.admin.find(resources.bindings, policy) : undefined,
          its1.admin.list<KubeObject>(resources.manifestWorks),
        ]);
        const left = works.items.filter(({ metadata }) =>
          Object.values(metadata.labels ?? {}).includes(policy),
        );
        return binding === undefined && left.length === 0;
      },
      `removal of ${policy}`,
      patience,
    );
  return {
    'create shop': () =>
      apply(namespace('shop'), configMap('shop', 'settings'), deployment('shop')),
    'create region, whose template asks for region': () => {
      const template = configMap('region', 'settings');
      const annotations = { 'control.kubestellar.io/expand-templates': 'true' };
      const metadata = { ...template.metadata, annotations };
      return apply(namespace('region'), {
        ...template,
        metadata,
        data: { where: 'in {{.region}}' },
      });
    },
    'wait until region has arrived': () => arrived('region', 2),
    'wait until region is removed': () => gone('region', { binding: true }),
    'wait until shop has arrived': async () => {
      await arrived('shop', 3);
      await returned('deploy/web -n shop');
    },
    'create bare, whose Namespace has no label': () =>
      apply(namespace('bare', {}), configMap('bare', 'settings')),
    'wait until bare is blocked': () => blocked('bare', 'namespace-missing-on-wec', 2),
    'create a Widget, whose kind no WEC has': async () => {
      await apply(
        crd({ group: 'example.com', versions: ['v1'], kind: 'Widget' }),
        namespace('widget'),
      );
      const isCreated = () =>
        apply(widget).then(
          () => true,
          () => false,
        );
      await until(isCreated, 'served Widgets');
    },
    'wait until widget is blocked': () => blocked('widget', 'kind-unknown-on-wec', 2),
    // Once the transport has read its Binding, the list says so.
    'wait until silent is blocked': () =>
      until(
        async () => {
          const { items } = await viewOf('policy list');
          return items.some(
            ({ name, state }: { name: string; state: string }) =>
              name === 'silent' && state === 'failed',
          );
        },
        'silent is blocked',
        patience,
      ),
    // They start after the first works have been applied.
    'wait until the add-ons are available': () =>
      until(
        async () => {
          const { items } = await its1.admin.list<KubeObject>(resources.managedClusterAddOns);
          return (
            items.length === 2 && items.every((addOn) => statusOf(addOn, 'Available') === 'True')
          );
        },
        'add-ons',
        patience,
      ),
    'announce silent': () => announceSilent(its1),
    // KubeStellar's controller manager would crash if it had the statuses of Deployments web of two namespaces to combine.
    'create pay': () =>
      apply(namespace('pay'), deployment('pay', 'till'), deployment('pay', 'web', 'namesake')),
    'wait until pay has returned its status': async () => {
      await arrived('pay', 2);
      await returned('deploy/till -n pay');
      // KubeStellar combines statuses after it has received them.
      await until(
        async () => {
          const { combined } = await viewOf('workload status deploy/till -n pay');
          const rows: unknown[][] = combined.flatMap((table: { rows: unknown[][] }) => table.rows);
          return rows.map(String).sort().join(' ') === 'w1,1,1 w2,1,1';
        },
        'combined status of pay',
        patience,
      );
    },
    'wait until the transform of shop is applied': () => arrived('shop', 3),
    'wait until policy pay is gone': () =>
      until(
        async () => (await wds1.admin.find(resources.bindingPolicies, 'pay')) === undefined,
        'end of policy pay',
        patience,
      ),
    'wait until pay is removed': () => gone('pay', { binding: true }),
    'wait until outside has arrived': () => arrived('outside', 1),
    'wait until outside sends nothing': () => gone('outside', { binding: false }),
    'wait until outside is removed': () => gone('outside', { binding: true }),
    'wait until the new ConfigMap has arrived': () => arrived('shop', 4),
    'stop the transport of wds1': stopTransport,
    'start the transport of wds1': startTransport,
    'add a ConfigMap to shop': async () => {
      await apply(configMap('shop', 'more'));
      await until(
        async () => {
          const { deliveries } = await viewOf('workload get cm/more -n shop');
          return deliveries.every(({ code }: Delivery) => code === 'transport-behind');
        },
        'Binding of the ConfigMap',
        patience,
      );
    },
  };
}

interface Returned {
  status: { availableReplicas?: number } | null;
}

/** A WEC that has been announced and accepted, and never joins. */
const announceSilent = ({ admin }: Plane) =>
  admin.create<ManagedCluster>(resources.managedClusters, {
    metadata: { name: 'silent', labels: { tier: 'silent' } },
    spec: { hubAcceptsClient: true },
  });

const widget: AnyObject = {
  ...{ apiVersion: 'example.com/v1', kind: 'Widget' },
  metadata: { name: 'w', namespace: 'widget', labels: { app: 'widget' } },
};

interface Delivery {
  code: string | null;
  done: boolean;
}

const deliveriesIn = ({ objects }: { objects: { deliveries: Delivery[] }[] }): Delivery[] =>
  objects.flatMap(({ deliveries }) => deliveries);

/** The kind of an object, whose plural ends with an s. */
export const resourceOf = ({ apiVersion = '', kind = '' }: AnyObject) => ({
  ...{ apiVersion, kind, plural: `${kind.toLowerCase()}s` },
});

const namespace = (name: string, labels: Record<string, string> = { app: name }) => ({
  ...{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
});

const configMap = (space: string, name: string, data = { a: 'b' }) => ({
  ...{
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: space, labels: { app: space } },
    data,
  },
});

const deployment = (space: string, name = 'web', app = space) => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
  metadata: { name, namespace: space, labels: { app } },
  spec: {
    replicas: 1,
    selector: { matchLabels: { run: space } },
    template: {
      metadata: { labels: { run: space } },
      spec: { containers: [{ name: 'c', image: 'nginx' }] },
    },
  },
});
