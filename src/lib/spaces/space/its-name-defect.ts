import type { Run } from '../../core/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import {
  byName,
  type Deployment,
  type KubeObject,
  resources,
  typeMeta,
} from '../../kube/client/objects.ts';
import {
  hookNames,
  managerDeployment,
  roleLabel,
  transportDeployment,
} from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane, PostCreateHook } from '../../ocm/model/kubeflex-objects.ts';
import { withHostingLease } from '../hosting/hosting-lease.ts';
import { itsNameOf } from './spaces.ts';

// The defect of KubeStellar 0.30: its hook gives the transport both a selector for the ITS and its name, and `kflex-get-kubeconfig`
// accepts only one. All of this file can go when 0.30 is no longer supported (coreChart.oldestVersion).

const selectorFlag = '--control-plane-label-selector';

/** The name of the copy. helm owns the chart's hook itself. */
export const correctedHookName = `stellarctl-${hookNames.transport}`;

/** KubeStellar 0.30: `kflex-get-kubeconfig` exits with code 1 if both are given (cmd/kflex-get-kubeconfig/main.go). */
export function isItsNameDefect(deployment: Deployment | undefined): boolean {
  const args =
    deployment?.spec?.template?.spec?.initContainers?.flatMap(
      (container) => container.args ?? [],
    ) ?? [];
  return Boolean(flagValue(args, selectorFlag)) && Boolean(flagValue(args, '--control-plane-name'));
}

/** Whether the existing Deployments of a WDS were created for an ITS of this name; empty: for the only one. */
export function isWiredFor(its: string, deployments: readonly Deployment[]): boolean {
  const named = byName(deployments);
  if (isItsNameDefect(named.get(transportDeployment))) return false;
  const args = named
    .get(managerDeployment)
    ?.spec?.template?.spec?.containers?.flatMap((container) => container.args ?? []);
  return args === undefined || (flagValue(args, '--its-name') ?? '') === its;
}

function flagValue(args: readonly string[], flag: string) {
  const index = args.indexOf(flag);
  return index === -1
    ? args.find((arg) => arg.startsWith(`${flag}=`))?.slice(flag.length + 1)
    : args[index + 1];
}

/** Whether a transport created by this hook starts if its ITS is named. */
export const canNameIts = (hook: PostCreateHook | undefined) =>
  hook === undefined || !isItsNameDefect(transportTemplate(hook));

/** Whether a transport that KubeFlex creates by these hooks starts: a repair gives the WDS one that does. */
export const startsTransport = (wds: ControlPlane, hooks: readonly PostCreateHook[]) =>
  itsNameOf(wds) === undefined || hooks.every(canNameIts);

/**
 * Updates the corrected copy, if any, to the chart's current hook: an upgrade of the chart does not update it.
 * @returns whether it has changed
 */
export async function renewCorrectedHook(hosting: Kube, limits: Run): Promise<boolean> {
  const [copy, hook] = await Promise.all(
    [correctedHookName, hookNames.transport].map((name) =>
      hosting.get<PostCreateHook>(resources.postCreateHooks, name),
    ),
  );
  if (copy === undefined || hook === undefined) return false;
  return withHostingLease(
    hosting,
    'init --upgrade',
    limits,
    async () => (await hosting.apply(corrected(hook))) !== 'unchanged',
  );
}

const transportTemplate = ({ spec }: PostCreateHook): Deployment | undefined =>
  spec?.templates?.find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === transportDeployment,
  ) as Deployment | undefined;

/** Copies the hook without the selector. */
export function corrected({ spec }: PostCreateHook): KubeObject {
  const copy = structuredClone(spec) as NonNullable<PostCreateHook['spec']>;
  for (const template of copy.templates ?? []) {
    const { spec: pod } = (template as Deployment).spec?.template ?? {};
    for (const container of pod?.initContainers ?? [])
      container.args = (container.args ?? []).filter(
        (arg, at, all) => arg.split('=')[0] !== selectorFlag && all[at - 1] !== selectorFlag,
      );
  }
  const metadata = { name: correctedHookName, labels: { [roleLabel]: 'wds' } };
  return { ...typeMeta(resources.postCreateHooks), metadata, spec: copy } as KubeObject;
}
