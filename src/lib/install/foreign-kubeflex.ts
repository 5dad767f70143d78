import { command } from '../engine/command-line.ts';
import { StellarError } from '../engine/errors.ts';
import { run } from '../engine/next-step.ts';
import { readHostingConfig } from '../hosting/hosting.ts';
import type { Kube } from '../kube/client/client.ts';
import type { CustomResourceDefinition } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';
import { systemNamespace } from '../model/kubeflex-names.ts';
import type { InitInput } from './input.ts';

/**
 * Checks a KubeFlex that another installer, such as `kflex init`, owns. It is kept with its settings, so it must be compatible.
 * @throws StellarError `upgrade-needed` if it is too old for the hooks, `usage` if other settings are requested
 */
export async function checkForeignKubeFlex(kube: Kube, input: InitInput): Promise<void> {
  await refuseOldKubeFlex(kube);
  await refuseForeignSettings(kube, input);
}

/** KubeFlex 0.9 is the oldest version whose control planes accept several hooks, and variables shared by all hooks. */
async function refuseOldKubeFlex(kube: Kube): Promise<void> {
  const definition = await kube.get<CustomResourceDefinition>(
    resources.customResourceDefinitions,
    'controlplanes.tenancy.kflex.kubestellar.org',
  );
  const specs = definition?.spec?.versions?.map(({ schema }) => schema?.openAPIV3Schema?.properties?.spec?.properties);
  if (specs === undefined || specs.some((fields) => fields?.globalVars !== undefined)) return;
  throw new StellarError(
    'upgrade-needed',
    `The KubeFlex on ${kube.cluster.context} is older than 0.9, and KubeStellar's hooks do not work with it: its control planes have no globalVars. It does not belong to this release, which does not change it.`,
    {
      next: [
        run(
          command`helm upgrade kubeflex-operator oci://ghcr.io/kubestellar/kubeflex/chart/kubeflex-operator --version v0.9.3 --reset-then-reuse-values -n ${systemNamespace} --kube-context ${kube.cluster.context}`,
          'Upgrade it the way it was installed, for example',
        ),
      ],
    },
  );
}

async function refuseForeignSettings(kube: Kube, { domain, externalPort, hostContainer }: InitInput): Promise<void> {
  const config = await readHostingConfig(kube);
  if (config === undefined) return;
  const asked = { domain, externalPort, hostContainer };
  const differing = (Object.keys(asked) as (keyof typeof asked)[]).filter(
    (setting) => asked[setting] !== undefined && asked[setting] !== config[setting],
  );
  if (differing.length === 0) return;
  const has = differing.map((setting) => `${setting} ${config[setting]}`).join(', ');
  const edit = command`kubectl --context ${kube.cluster.context} -n ${systemNamespace} edit configmap kubeflex-config`;
  throw new StellarError(
    'usage',
    `The KubeFlex on ${kube.cluster.context} does not belong to this release, and has ${has}.`,
    {
      next: [run(edit, 'Leave the option out, or change it there')],
    },
  );
}
