import { type AnyObject, startBed, writeWorkload } from '../../testbed/index.ts';
import { bootFile } from '../stellarctl.ts';
import { atMost } from './goals.ts';
import { type Contender, compare, isInstalled, peakMemory, timeRun } from './measure.ts';

const policy = 'shop';

/**
 * The cost of reading a WDS that sends 1,000 objects to 50 WECs (OBJECTS, WECS): 50,000 works on the ITS, written there directly,
 * against kubectl listing them.
 */
export async function benchWorkloads(): Promise<void> {
  const [objects, wecs] = [Number(process.env.OBJECTS ?? 1000), Number(process.env.WECS ?? 50)];
  const bed = await startBed({ planes: [{ name: 'wds1' }, { name: 'its1' }] });
  try {
    const names = Array.from({ length: wecs }, (_, index) => `wec${index + 1}`);
    const started = performance.now();
    await writeWorkload(bed.plane('wds1'), bed.plane('its1'), {
      policy,
      wecs: names,
      manifests: manifests(objects),
    });
    console.log(
      `${objects * wecs} works written in ${((performance.now() - started) / 1000).toFixed(0)} s`,
    );
    const env = { ...process.env, KUBECONFIG: bed.kubeconfig };
    const program = (name: string, file: string, ...words: string[]): Contender => ({
      ...{ name, run: () => timeRun(file, words, env), memory: () => peakMemory(file, words, env) },
    });
    const places = ['--wds', 'wds1', '--its', 'its1', '--timeout', '10m'];
    const stellarctl = (...words: string[]) =>
      program(`stellarctl ${words.join(' ')}`, process.execPath, bootFile, ...words, ...places);
    const label = 'transport.kubestellar.io/origin';
    const selector = `${label}WdsName=wds1,${label}OwnerReferenceBindingKey=${policy}`;
    const list = ['get', 'manifestworks', '-A', '-l', selector, '-o', 'json'];
    const kubectl = program(
      'kubectl get manifestworks -o json',
      'kubectl',
      '--context',
      'its1',
      ...list,
    );
    const hasKubectl = await isInstalled('kubectl');
    const ratios = await compare(
      `${objects} objects on ${wecs} WECs`,
      [
        ...(hasKubectl ? [kubectl] : []),
        stellarctl('policy', 'get', policy),
        stellarctl('workload', 'list'),
        stellarctl('policy', 'list'),
        stellarctl('workload', 'get', 'configmap/settings1', '-n', 'shop1'),
      ],
      Number(process.env.ROUNDS ?? 5),
    );
    if (hasKubectl)
      atMost('policy get, against kubectl listing the works', ratios[1] ?? 0, 1, 'times');
  } finally {
    await bed.stop();
  }
}

const ofEach = 50;

/** Namespaces with the objects of `ofEach`: DaemonSets, which nothing in a test bed runs, and ConfigMaps. */
function manifests(count: number): AnyObject[] {
  return Array.from({ length: count }, (_, index) => {
    const [space, place] = [Math.floor(index / ofEach), index % ofEach];
    const namespace = `${policy}${space}`;
    const labels = { app: policy };
    if (place === 0)
      return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
    const metadata = (name: string) => ({ name: `${name}${place}`, namespace, labels });
    if (place % 2 === 0) return daemonSet(metadata('web'));
    const data = {
      'settings.yaml': `replicas: ${index}\nregion: eu\nfeatures: [cart, search, reviews]\n`,
    };
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('settings'), data };
  });
}

function daemonSet(metadata: AnyObject['metadata']) {
  const run = { run: metadata.name };
  const container = {
    name: 'web',
    image: 'nginx:1.27',
    ports: [{ containerPort: 80 }],
    resources: { requests: { cpu: '100m', memory: '128Mi' } },
    readinessProbe: { httpGet: { path: '/', port: 80 } },
  };
  const template = { metadata: { labels: run }, spec: { containers: [container] } };
  return {
    ...{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata },
    spec: { selector: { matchLabels: run }, template },
  };
}
