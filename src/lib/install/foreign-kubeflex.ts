import { command } from '../engine/command-line.ts';
import { StellarError } from '../engine/errors.ts';
import { run } from '../engine/next-step.ts';
import { readHostingConfig } from '../hosting/hosting.ts';
import type { Kube } from '../kube/client/client.ts';
import { systemNamespace } from '../model/kubeflex-names.ts';
import type { InitInput } from './input.ts';

/**
 * Checks the requested settings for a KubeFlex that another installer, such as `kflex init`, owns: it is kept with its own.
 * @throws StellarError `usage` if other settings are requested
 */
export async function refuseForeignSettings(
  kube: Kube,
  { domain, externalPort, hostContainer }: InitInput,
): Promise<void> {
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
