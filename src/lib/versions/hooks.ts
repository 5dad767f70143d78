import type { Reader } from '../kube/client/client.ts';
import { imageVersion, parseImage } from '../kube/image.ts';
import type { Deployment, Job } from '../kube/objects.ts';
import { lenient } from '../kube/permissive-reader.ts';
import { resources } from '../kube/resources.ts';
import { hookNames } from '../spaces/names.ts';
import type { PostCreateHook } from '../spaces/objects.ts';
import type { Wanted } from './running.ts';

/** What the installed post-create hooks give to spaces that are created now; undefined where they do not say. */
export interface HookVersions {
  controllerManager: Wanted | undefined;
  transport: Wanted | undefined;
  ocm: Wanted | undefined;
  statusAddon: Wanted | undefined;
}

/** Who may not read hooks sees no versions in them. */
export const readHookVersions = async (hosting: Reader): Promise<HookVersions> =>
  versionsOfHooks((await lenient(hosting).list<PostCreateHook>(resources.postCreateHooks)) ?? []);

/** The versions in the chart's hooks, or in older ones, which did the work of two. */
export function versionsOfHooks(hooks: readonly PostCreateHook[]): HookVersions {
  const own: readonly string[] = Object.values(hookNames);
  const ordered = [...hooks].sort((a, b) => rank(a, own) - rank(b, own));
  const containers = ordered.flatMap(({ spec }) =>
    ((spec?.templates ?? []) as (Deployment | Job)[]).flatMap(({ spec }) => spec?.template?.spec?.containers ?? []),
  );
  const tagOf = (repository: string) =>
    imageVersion(
      containers.map(({ image = '' }) => image).find((image) => parseImage(image)?.repository === repository),
    );
  const addonArgs = containers.map(({ args = [] }) => args).find((args) => args.some(isAddonChart)) ?? [];
  const addon = addonArgs[addonArgs.indexOf('--version') + 1]?.replace(/^v/, '');
  return {
    controllerManager: wanted(tagOf('controller-manager')),
    transport: wanted(tagOf('ocm-transport-controller')),
    ocm: wanted(bundleOf(tagOf('clusteradm'))),
    statusAddon: wanted(addonArgs.includes('--version') ? addon : undefined),
  };
}

/** Copies of the chart's hooks, and those of others, come after them. */
const rank = ({ metadata }: PostCreateHook, own: readonly string[]): number => Number(!own.includes(metadata.name));

const isAddonChart = (arg: string): boolean => arg.endsWith('/ocm-status-addon-chart');

/** From 1.0 on a clusteradm installs the OCM of its own minor version (clusteradm pkg/version); before, the two were counted apart. */
const bundleOf = (clusteradm = ''): string | undefined => /^[1-9]\d*\.\d+(?=\.)/.exec(clusteradm)?.[0];

const wanted = (version: string | undefined): Wanted | undefined =>
  version === undefined ? undefined : { version, by: 'installed hooks' };
