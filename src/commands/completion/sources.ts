import type { KubeObject } from '../../lib/kube/client/objects.ts';
import { resources } from '../../lib/kube/client/resources.ts';
import type { SpaceRole } from '../../lib/ocm/kubeflex-names.ts';
import type { QuietClusters } from './quiet-clusters.ts';
import type { Typed } from './typed.ts';

/** Returns names for the cursor position, in the form to type there, whether they match the typed prefix or not. */
export type Source = (typed: Typed, clusters: QuietClusters) => Promise<readonly string[]>;

/** Contexts of the kubeconfig. Reads no cluster. */
const contexts: Source = async (_typed, clusters) => [...(await clusters.kubeconfig()).contexts.keys()];

/** Contexts of WECs, which may be in another file. */
const contextsOfWecs: Source = async (_typed, clusters) => [...(await clusters.wecKubeconfig()).contexts.keys()];

/** The WECs of the ITS. */
const wecs: Source = async (_typed, clusters) => namesOf(await managedClusters(clusters));

/** The ITSes or the WDSes of the hosting cluster. */
const spaces =
  (role: SpaceRole): Source =>
  async (_typed, clusters) => {
    const { listControlPlanes } = await import('../../lib/spaces/spaces.ts');
    const { hosting } = await clusters.spaceTools();
    return namesOf(await listControlPlanes(hosting, role));
  };

/** Completes the last of several names, without those given before; after `=`, a context if there are any. */
const several =
  (names: Source, contexts?: Source): Source =>
  async (typed, clusters) => {
    const last = Math.max(...[',', '='].map((mark) => typed.word.lastIndexOf(mark)));
    const before = typed.word.slice(0, last + 1);
    const given = [...typed.positional, before].join().split(/[,=]/);
    const found = before.endsWith('=')
      ? await contexts?.(typed, clusters)
      : (await names(typed, clusters)).filter((name) => !given.includes(name));
    return (found ?? []).map((name) => before + name);
  };

const namesOf = (objects: readonly KubeObject[] | undefined): string[] =>
  (objects ?? []).map(({ metadata }) => metadata.name);

const managedClusters = async (clusters: QuietClusters): Promise<KubeObject[]> => {
  const { kube } = await clusters.openIts(await clusters.itsChoice());
  return (await kube.list(resources.managedClusters, { metadataOnly: true })) ?? [];
};

const checkIds: Source = async () => {
  const { catalogue } = await import('../../lib/doctor/catalogue.ts');
  return catalogue.map(({ id }) => id);
};

/** By option, since options are the same in every command; with the command if one differs. */
const options: Readonly<Record<string, Source>> = {
  '--its': contexts,
  '--hosting-context': contexts,
  '--bootstrap-context': contexts,
  '--wds': spaces('wds'),
  'wds create --its': spaces('its'),
  'wds repair --its': spaces('its'),
  '--on': several(wecs),
  '--skip': checkIds,
};

/** @param path of its command @param long its name, for example `--its` */
export const offerOfOption = (path: string, long: string): Source | undefined =>
  options[`${path} ${long}`] ?? options[long];

/** Returns what a command takes as arguments; all of them are of one kind. @param path for example `wec join` @param name of the argument */
export function offerOfArguments(path: string, name: string): Source | undefined {
  const [noun = '', verb = noun] = path.split(' ');
  if (verb === 'create') return undefined;
  if (verb === 'use') return contexts;
  if (noun === 'its' || noun === 'wds') return spaces(noun);
  if (verb === 'join') return several(contextsOfWecs, contextsOfWecs);
  // A label has a `=` as well.
  if (name === 'arguments') return several(wecs);
  return name.startsWith('wec') ? several(wecs, contextsOfWecs) : undefined;
}
