import { installRelease, releaseSecrets } from '../helm/release.ts';
import type { Api } from '../kube/api.ts';
import { keyOf } from '../kube/api.ts';
import type { AnyObject } from '../kube/objects.ts';
import { namespaces, resourceOf, secrets } from '../kube/resources.ts';
import { postgresqlObjects } from '../kubestellar/postgresql.ts';
import { statusAddonObjects } from '../kubestellar/status-addon-chart.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';
import { clusterOf } from './cluster-of.ts';
import { withLastWords } from './last-words.ts';

/** The charts that pods install, by the end of their reference, and their effects. */
const charts: Record<string, (release: string, namespace: string, version: string, registry?: string) => AnyObject[]> =
  {
    postgresql: (release, namespace, _version, registry) => postgresqlObjects(release, namespace, registry),
    'ocm-status-addon-chart': statusAddonObjects,
  };

/** Stands in for the image `helm`: installs what KubeFlex and KubeStellar install from within a cluster. */
export async function helm(context: PodContext): Promise<void> {
  const api = clusterOf(context);
  const [command = ''] = context.args;
  const values = positional(context.args.slice(1));
  const namespace = option(context.args, '--namespace') ?? context.pod.metadata.namespace ?? 'default';
  if (command === 'upgrade') {
    const [name = '', reference = ''] = values;
    const version = option(context.args, '--version') ?? '';
    return withLastWords(() => install(context, api, { name, namespace, reference, version }));
  }
  if (command === 'uninstall') return withLastWords(() => uninstall(context, api, values[0] ?? '', namespace));
  throw new Exit(`Error: unknown command "${command}" for "helm"`);
}

interface Installation {
  name: string;
  namespace: string;
  reference: string;
  version: string;
}

/** `upgrade --install`: existing objects stay. */
async function install(
  { log, args, mayPull }: PodContext,
  api: Api,
  { name, namespace, reference, version }: Installation,
): Promise<void> {
  const chart = reference.split('/').at(-1) ?? '';
  const registry = args.flatMap((arg) => /^global\.imageRegistry=(.+)$/.exec(arg)?.[1] ?? [])[0];
  const objects = charts[chart]?.(name, namespace, version, registry);
  if (!objects || !mayPull(reference.replace('oci://', '')))
    throw new Exit(`Error: failed to download "${reference}" at version "${version}": not found`);
  const isInstalled = (await releaseSecrets(api, namespace, name).catch(() => [])).length > 0;
  if (!isInstalled) log(`Release "${name}" does not exist. Installing it now.`);
  log(`Pulled: ${reference.replace('oci://', '')}:${version}`);
  if (args.includes('--create-namespace')) {
    await api.ensure(namespaces, { metadata: { name: namespace } });
  }
  await installRelease(api, { name, namespace, chart: { name: chart, version: version.replace(/^v/, '') }, objects });
  log(`NAME: ${name}`);
  log(`NAMESPACE: ${namespace}`);
  log('STATUS: deployed');
}

async function uninstall({ log }: PodContext, api: Api, name: string, namespace: string): Promise<void> {
  const present = await releaseSecrets(api, namespace, name);
  if (present.length === 0) throw new Exit(`Error: uninstall: Release not loaded: ${name}: release: not found`);
  const objects = name === 'postgres' ? postgresqlObjects(name, namespace) : statusAddonObjects(name, namespace, '');
  for (const object of objects) await api.delete(resourceOf(object), keyOf(object));
  for (const secret of present) await api.delete(secrets, keyOf(secret));
  log(`release "${name}" uninstalled`);
}

/** The arguments that are neither options nor their values; of the options only --install has none. */
function positional(args: readonly string[]): string[] {
  const flags = new Set(['--install', '--create-namespace']);
  return args.filter(
    (arg, i) => !arg.startsWith('--') && !(args[i - 1]?.startsWith('--') && !flags.has(args[i - 1] ?? '')),
  );
}

function option(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}
