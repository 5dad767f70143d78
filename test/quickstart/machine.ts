/** The machines that the quickstart runs on: one with stand-ins for kind, docker and charts, and this one unchanged. */
import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import {
  buildHelm,
  chartOf,
  currentChart,
  freePort,
  ingressChart,
  localClusterTools,
  startBed,
} from '../../testbed/index.ts';
import { stellarctl } from '../stellarctl.ts';
import { log } from './tell.ts';

/** The environment of the story. */
export interface Machine {
  env: NodeJS.ProcessEnv;
  /** The working folder of the commands, and the home of their user. */
  home: string;
  /** The name of the hosting cluster. */
  hosting: string;
  initOptions: readonly string[];
  /** Removes what the story has left. @param hasFailed it did not complete */
  clear(hasFailed: boolean): Promise<void>;
}

const hosting = 'kubeflex';
const clusters = [hosting, 'cluster1', 'cluster2'];

/** An empty home and kubeconfig. @param found folders that come first on PATH */
async function surroundingsIn(dir: string, found: readonly string[]) {
  const home = path.join(dir, 'home');
  await mkdir(home, { mode: 0o700 });
  const env = {
    HOME: home,
    KUBECONFIG: path.join(home, 'kubeconfig'),
    XDG_CONFIG_HOME: path.join(home, '.config'),
    PATH: [...found, process.env.PATH].join(path.delimiter),
  };
  return { home, env };
}

/** What `doctor --pre` reports about programs of this machine, by name. */
async function programsSeen(env: NodeJS.ProcessEnv): Promise<Map<string, Finding>> {
  const { stdout } = await stellarctl(['doctor', '--pre', '-o', 'json'], { env });
  const { items } = JSON.parse(String(stdout)) as { items: Finding[] };
  return new Map(items.map((finding) => [finding.id, finding]));
}

interface Finding {
  id: string;
  status: string;
  found?: string;
  cause?: string;
  steps?: string[];
}

/** Stand-ins for kind and docker start real Kubernetes control planes. helm is this machine's if its version is supported. */
export async function bedMachine(dir: string): Promise<Machine> {
  const bed = await startBed({ planes: [], log, dir });
  try {
    const [helm, tools, chart, port] = await Promise.all([
      helmFolder(),
      localClusterTools(bed),
      chartOf(currentChart),
      freePort(),
    ]);
    const { home, env } = await surroundingsIn(bed.dir, [tools.path, ...helm]);
    await cp(chart, path.join(home, 'core-chart.tgz'));
    await cp(ingressChart, path.join(home, 'traefik'), { recursive: true });
    const charts = ['--chart', 'core-chart.tgz', '--ingress', './traefik'];
    const initOptions = ['--external-port', String(port), ...charts];
    return { home, env, hosting, initOptions, clear: () => bed.stop() };
  } catch (error) {
    await bed.stop();
    throw error;
  }
}

/** The PATH entry for helm: none if this machine has a supported version. */
async function helmFolder() {
  const helm = (await programsSeen({ KUBECONFIG: '/dev/null' })).get('helm');
  if (helm?.status !== 'pass') return [await buildHelm(log)];
  log(`helm ${helm.found} of this machine`);
  return [];
}

/** This machine, with its own docker, kind and helm, and the charts of KubeStellar. */
export async function kindMachine(dir: string): Promise<Machine> {
  const { home, env } = await surroundingsIn(dir, []);
  const seen = await programsSeen(env);
  const missing = ['docker', 'kind', 'helm'].flatMap((name) => {
    const { status, cause, steps = [] } = seen.get(name) ?? { status: 'unknown' };
    return status === 'pass' ? [] : [`${name}: ${[cause ?? status, ...steps].join('. ')}`];
  });
  if (missing.length > 0)
    throw new Error(`It needs docker, kind and helm:\n  ${missing.join('\n  ')}`);
  const kind = (...args: string[]) => execa('kind', args, { env });
  const present = (await kind('get', 'clusters')).stdout
    .split('\n')
    .filter((name) => clusters.includes(name));
  if (present.length > 0)
    throw new Error(
      `There are clusters of kind of the names that it uses, and it deletes its own in the end: ${present.join(', ')}`,
    );
  const remove = async () => {
    for (const name of clusters) await kind('delete', 'cluster', '--name', name);
  };
  const clear = async (hasFailed: boolean) => {
    if (!hasFailed) return remove();
    process.stderr.write(
      `  The clusters are still there, for a look: export KUBECONFIG=${env.KUBECONFIG}\n`,
    );
    process.stderr.write(`  To delete them: kind delete clusters ${clusters.join(' ')}\n`);
  };
  return { home, env, hosting, initOptions: [], clear };
}
